"""CITATION.cff is of this version, and names the papers."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from acsgen import __version__

pytestmark = pytest.mark.unit

FILE = Path(__file__).resolve().parent.parent / "CITATION.cff"


def test_it_is_of_this_version_and_names_four_papers() -> None:
    content = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert content["cff-version"] == "1.2.0"
    assert content["version"] == __version__
    assert content["license"] == "Apache-2.0"
    papers = content["references"]
    assert len({paper["title"] for paper in papers}) == 4
    for paper in papers:
        assert paper["authors"], paper["title"]
