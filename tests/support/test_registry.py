"""Registries: entries are found, named after their files, and missed in words."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acsgen.support.registry import Registry


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty package ``shapes`` whose files may add to ``shapes.base.SHAPES``."""
    folder = tmp_path / "shapes"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "base.py").write_text(
        "from acsgen.support.registry import Registry\nSHAPES = Registry('shape')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "shapes"]:
        del sys.modules[name]


def find(folder: Path) -> Registry[str]:
    import shapes.base

    registry: Registry[str] = shapes.base.SHAPES
    registry.find_all("shapes")
    return registry


@pytest.mark.unit
def test_every_file_adds_the_entry_of_its_name(package: Path) -> None:
    adding = "from shapes.base import SHAPES\nSHAPES.add('{0}', '{0} of ' + __name__)\n"
    for name in ("square", "circle"):
        (package / f"{name}.py").write_text(adding.format(name))
    (package / "_helpers.py").write_text("1 / 0")
    registry = find(package)
    assert dict(registry) == {
        "circle": "circle of shapes.circle",
        "square": "square of shapes.square",
    }
    registry.find_all("shapes")
    assert len(registry) == 2


@pytest.mark.unit
def test_a_file_that_adds_nothing_is_an_error_at_import(package: Path) -> None:
    (package / "square.py").write_text("from shapes.base import SHAPES\nSHAPES.add('sqare', 4)\n")
    with pytest.raises(ImportError, match=r"^shapes\.square adds no shape 'square'$"):
        find(package)


@pytest.mark.unit
def test_a_name_is_given_once() -> None:
    registry: Registry[list[int]] = Registry("shape")
    entry = registry.add("square", [4])
    assert registry.add("square", entry) is entry
    with pytest.raises(ValueError, match="two entries for the shape 'square'"):
        registry.add("square", [4])


@pytest.mark.unit
@pytest.mark.parametrize("name", ["cube", None, ["square"]])
def test_an_unknown_name_is_answered_with_the_known_ones(name: object) -> None:
    registry: Registry[int] = Registry("shape")
    registry.add("square", 4)
    registry.add("circle", 0)
    assert registry.require("square") == "square"
    with pytest.raises(ValueError, match=r"^unknown shape '.*' \(known: circle, square\)$"):
        registry.require(name)


@pytest.mark.unit
def test_another_package_may_decide_which_entries_there_are(package: Path) -> None:
    import shapes.base

    for name in ("square", "circle"):
        text = f"from shapes.base import SHAPES\nSHAPES.add('{name}', '')\n"
        (package / f"{name}.py").write_text(text)
    registry: Registry[str] = shapes.base.SHAPES
    registry.find_all("shapes", ["circle", "square"])
    with pytest.raises(ImportError, match=r"^no shape 'cube, ball': add shapes\.cube, shapes\.ba"):
        registry.find_all("shapes", ["circle", "square", "cube", "ball"])
    with pytest.raises(ImportError, match=r"^shapes has a shape 'square', which is not known els"):
        registry.find_all("shapes", ["circle"])
