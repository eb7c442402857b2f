"""The folders of ``acsgen/`` are rooms in a row, and imports go one way: towards the front."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import acsgen

pytestmark = pytest.mark.unit

PACKAGE = Path(acsgen.__file__).parent
ROOT = PACKAGE.parent

#: Every folder of ``acsgen/``. A module imports from its own folder and from those before it.
ROOMS = (
    "support",
    "isa",
    "ir",
    "program",
    "cost",
    "nn",
    "data",
    "importers",
    "frontend",
    "quant",
    "compiler",
    "train",
    "emit",
    "engines",
    "verify",
    "report",
    "flow",
    "cli",
)

#: The rooms that compute with PyTorch. The others run without it, so that a build is simulated, and
#: an engine is driven, where PyTorch is not installed; commands import it when they need it.
WITH_TORCH = {"nn", "train", "importers", "frontend", "quant", "flow"}


@dataclass(frozen=True)
class Import:
    """One import of a module of acsgen: where it stands, and the module's name."""

    importer: str
    line: int
    imported: str

    @property
    def rooms(self) -> tuple[str, str]:
        """The importer's room and the imported one; "" for the package itself."""
        return room(self.importer), room(self.imported)

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}, imports {self.imported}"


def room(module: str) -> str:
    return [*module.split("."), ""][1]


def modules() -> dict[str, Path]:
    """Every module of acsgen, by its name; a package is the module ``__init__``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("acsgen", *path.relative_to(PACKAGE).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    """The modules of acsgen that a module imports, anywhere in its file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}, line {node.lineno}: a relative import"
            source = node.module or ""
            for alias in node.names:
                submodule = f"{source}.{alias.name}"
                imported = submodule if submodule in known else source
                if imported in known:
                    yield Import(name, node.lineno, imported)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in known:
                    yield Import(name, node.lineno, alias.name)


@pytest.fixture(scope="module")
def arrows() -> list[Import]:
    known = modules()
    return [arrow for name, path in known.items() for arrow in imports(name, path, known)]


def test_every_folder_is_a_room() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert folders == set(ROOMS)
    loose = {path.name for path in PACKAGE.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py"}, "modules stand in a room"


def test_the_readme_lists_the_rooms_in_this_order() -> None:
    text = (PACKAGE.parent / "README.md").read_text(encoding="utf-8")
    table = text.split("| folder | stage |")[1].split("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert tuple(re.findall(r"`acsgen/(\w+)`", "".join(rows))) == ROOMS


def test_imports_go_to_the_rooms_before(arrows: list[Import]) -> None:
    place = {name: number for number, name in enumerate(ROOMS)}
    back = []
    for arrow in arrows:
        importer, imported = arrow.rooms
        if importer in place and imported in place and place[imported] > place[importer]:
            back.append(str(arrow))
    assert not back, "\n".join(back)


def test_no_modules_import_each_other_in_a_circle(arrows: list[Import]) -> None:
    """Not even inside functions: an import that has to be late hides a circle."""
    graph: dict[str, set[str]] = {}
    for arrow in arrows:
        if arrow.importer != arrow.imported:
            graph.setdefault(arrow.importer, set()).add(arrow.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_a_room_without_torch_imports_neither_torch_nor_a_room_with_it(
    arrows: list[Import],
) -> None:
    without = set(ROOMS) - WITH_TORCH - {"cli"}
    wrong = [str(a) for a in arrows if a.rooms[0] in without and a.rooms[1] in WITH_TORCH]
    for name, path in modules().items():
        if room(name) in without:
            wrong += [f"{name} imports {found}" for found in outside(path) if found == "torch"]
    assert not wrong, "\n".join(wrong)


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    """pytest leaves out folders of certain names without a word."""
    passed_over = pytestconfig.getini("norecursedirs")
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    names = {name for folder in folders for name in folder.relative_to(ROOT).parts}
    assert [n for n in sorted(names) if any(fnmatch(n, p) for p in passed_over)] == []


def test_every_file_is_read_at_one_sitting() -> None:
    files = [*PACKAGE.rglob("*.py"), *(ROOT / "host" / "acsgen_host").rglob("*.py")]
    sizes = {path.relative_to(ROOT): path.read_text().count("\n") for path in files}
    long = {str(path): lines for path, lines in sizes.items() if lines >= 500}
    assert long.keys() <= {"acsgen/isa/generated.py"}, "only a rendered file may be longer"


def outside(path: Path) -> Iterator[str]:
    """The packages other than acsgen that a module imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[0] for name in names)
