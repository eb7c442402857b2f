"""Shipped files are found, and a missing one is told together with its neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.support import assets
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit


def test_a_checkout_uses_its_own_folders() -> None:
    root = Path(__file__).resolve().parents[2]
    assert assets.asset("hw", "boards", "zedboard.yaml") == root / "hw/boards/zedboard.yaml"


def test_a_wheel_uses_the_folders_it_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards = tmp_path / "_assets" / "hw" / "boards"
    boards.mkdir(parents=True)
    monkeypatch.setattr(assets, "_PACKAGE", tmp_path)
    assert assets.asset("hw", "boards") == boards


def test_a_missing_file_is_named_with_what_is_there() -> None:
    with pytest.raises(UserError) as caught:
        assets.asset("hw", "boards", "absent.yaml")
    (problem,) = caught.value.problems
    assert problem.where == "hw/boards/absent.yaml"
    assert "zedboard.yaml" in problem.what
    with pytest.raises(UserError, match=r"boards"):
        assets.asset("hw", "no", "such", "folder")
