"""A sweep on a Ray cluster of two nodes, which the test starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.sweep.conftest import environment, run
from tests.flow.sweep.test_sweep import table

cluster_utils = pytest.importorskip(
    "ray.cluster_utils", reason="ray is not installed: pip install 'acsgen[ray]'"
)

pytestmark = pytest.mark.xdist_group("own-board")

SWEEP = ("--board", "./own-board.yaml", "-n", "2", "--no-cache")

#: Bytes of a node's object store: the least that Ray takes.
_STORE = 80 * 2**20


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two nodes of one processor each, whose workers find this acsgen from any folder."""
    patch = pytest.MonkeyPatch()
    for name, value in environment(RAY_USAGE_STATS_ENABLED="0").items():
        patch.setenv(name, value)
    made = _started()
    yield made
    made.shutdown()
    patch.undo()


def _started() -> Any:
    """Start the nodes. Ray gives each of them 30 seconds, which a busy machine may exceed."""
    head = {"num_cpus": 1, "object_store_memory": _STORE, "include_dashboard": False}
    for attempt in range(3):
        try:
            made = cluster_utils.Cluster(initialize_head=True, head_node_args=head)
            made.add_node(num_cpus=1, object_store_memory=_STORE)
            return made
        except Exception as error:
            if attempt == 2 or "timed out" not in str(error):
                raise
    raise AssertionError


def test_two_nodes_make_the_same_rows_as_this_machine(model: Path, cluster: Any) -> None:
    """A recipe's training too; and rows of both ways of working go together in one folder."""
    words = ("sweep", "tiny.yaml", *SWEEP, "--over", "alpha=0.3", "--over", "threshold=0,0.4,64")
    assert run(model, *words, "-o", "no", "--ray", cluster.address).returncode == 2  # 64
    axes = ("--over", "alpha=0.3", "--over", "threshold=0,0.4,1", "--over", "lanes=64,64000")
    words = ("sweep", "tiny.yaml", *SWEEP, *axes)
    there = run(model, *words, "-o", "there", "--ray", cluster.address)
    assert there.returncode == 1, there.stderr
    assert "3 of 6 points done: 6 measured now" in there.stdout
    assert "the part has" in there.stderr
    here = run(model, *words, "-o", "here")
    assert here.returncode == 1, here.stderr
    rows = [
        [{k: v for k, v in row.items() if "command" not in k} for row in table(model / out)]
        for out in ("there", "here")
    ]
    assert rows[0] == rows[1]
    (model / "there" / "points").joinpath(f"{rows[0][0]['point']}.json").unlink()
    again = run(model, *words, "-o", "there")
    # What another machine refuses is tried again on this one: there it may have lacked a tool.
    assert "4 measured now, 0 taken from the cache, 2 known before" in again.stdout
    assert [row["macs"] for row in table(model / "there")] == [row["macs"] for row in rows[0]]


@pytest.mark.slow
def test_a_node_that_goes_away_does_not_end_the_sweep(model: Path, cluster: Any) -> None:
    lost = cluster.add_node(num_cpus=1, object_store_memory=_STORE)
    words = ("sweep", "tiny.pt", *SWEEP, "--over", "threshold=0,0.2,0.4,0.6,0.8,1", "-o", "out")
    from tests.flow.sweep.test_disturbed import rows_of, start_words

    process = start_words(model, *words, "--ray", cluster.address)
    while process.poll() is None and not rows_of(model):
        pass
    cluster.remove_node(lost, allow_graceful=False)
    said, errors = process.communicate(timeout=500)
    assert process.returncode == 0, said + errors
    assert {row["status"] for row in table(model / "out")} == {"done"}
