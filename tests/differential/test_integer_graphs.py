"""Random integer graphs: the engine equals the golden model, its counters the cost model's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.errors import UserError
from tests.differential.budget import examples
from tests.differential.conftest import Engines
from tests.differential.engines import check
from tests.differential.random_graphs import graphs, random_images, thresholds


@pytest.mark.parametrize("lane_groups", [4, 1, 3, 6])
def test_random_graphs(engines: Engines, lane_groups: int) -> None:
    engine = engines(lane_groups)
    tried = 0
    refusals: list[UserError] = []

    @examples(40)
    @given(data=st.data())
    def run(data: st.DataObject) -> None:
        nonlocal tried
        tried += 1
        graph = data.draw(graphs())
        chosen = data.draw(thresholds(graph))
        images = random_images(graph, data.draw(st.integers(0, 9999)))
        try:
            check(graph, images, engine, chosen)
        except UserError as refusal:
            refusals.append(refusal)

    run()
    assert 10 * len(refusals) <= tried, "the graphs are meant to fit"
    for refusal in refusals:
        assert all(problem.where.startswith("net.") for problem in refusal.problems)
