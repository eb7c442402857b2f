"""Tries many damages of a kind of file; hypothesis draws them, and makes a failure small."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from acsgen.flow.build import BuildRequest, build
from tests.inputs.judge import prepare, try_kind
from tests.inputs.kinds import Kind, kinds
from tests.nets.modules import export_small
from tests.own_board import own_board


def small_build(folder: Path) -> Path:
    """A build directory with a small network, to take files from."""
    folder.mkdir(parents=True, exist_ok=True)
    request = BuildRequest(
        model=export_small(folder / "small.pt2"),
        board=str(own_board(folder / "own-board.yaml")),
        out=folder / "out",
        images=2,
    )
    return build(request).out


def all_kinds(folder: Path) -> dict[str, Kind]:
    """The kinds by name, after a build that they take files from."""
    return kinds(small_build(folder))


def try_many(kind: Kind, folder: Path, examples: int, start: int) -> None:
    """Try ``examples`` damages of a kind, from seed ``start`` on; raise the first failure."""
    good = prepare(kind, folder)

    @seed(start)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
    )
    @given(st.data())
    def damaged(data: st.DataObject) -> None:
        try_kind(kind, good, data.draw)

    damaged()
