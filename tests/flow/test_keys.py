"""The reference pages of keys are those that the classes render, and every key has a meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acsgen.flow.keys import pages

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_current_and_complete(name: str) -> None:
    content = pages()[name]
    said = (FOLDER / name).read_text(encoding="utf-8")
    assert said == content, "run python -m acsgen.flow.keys docs/reference"
    rows = re.findall(r"^\| `(.+?)` \| .*? \| (.*) \|$", content, re.M)
    assert len(rows) > 10
    assert [key for key, meaning in rows if not meaning] == []
