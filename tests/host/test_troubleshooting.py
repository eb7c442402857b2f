"""The page of symptoms has every error of the driver, and every status of the engine."""

from __future__ import annotations

import inspect
import re

import acsgen_host
import pytest
from acsgen_host import errors, isa

from acsgen.support.assets import asset_root

pytestmark = pytest.mark.unit

PAGE = asset_root() / "docs" / "troubleshooting.md"


@pytest.fixture(scope="module")
def page() -> str:
    if not PAGE.exists():
        pytest.skip("not a checkout")
    return PAGE.read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[str]:
    """The first column of the table below a heading."""
    part = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)


def test_every_class_of_error_has_a_row(page: str) -> None:
    classes = {
        name
        for name, kind in inspect.getmembers(errors, inspect.isclass)
        if issubclass(kind, errors.HostError) and kind is not errors.HostError
    }
    assert rows(page, "Errors of the driver") == sorted(classes)
    assert classes <= set(acsgen_host.__all__)


def test_every_status_has_a_row(page: str) -> None:
    faults = [name for code, name in isa.STATUS_NAME.items() if code != isa.STATUS_OK]
    assert rows(page, "Status of an `EngineFault`") == faults


def test_all_that_users_complain_about_is_there(page: str) -> None:
    part = page.split("## Symptoms\n")[1].split("\n## ")[0]
    assert len(re.findall(r"^\| [A-Z`]", part, re.MULTILINE)) >= 10


def test_links_of_the_pages_lead_somewhere() -> None:
    for name in ("troubleshooting.md", "power.md", "first-board.md", "index.md"):
        page = PAGE.parent / name
        if not page.exists():
            pytest.skip("not a checkout")
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{name}: {target}"
