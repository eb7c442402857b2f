"""The package as a board gets it: old Python, numpy alone, no installation."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import acsgen_host
import pytest
from acsgen_host.handoff import VLNV

import acsgen
from acsgen.support.assets import asset

PACKAGE = Path(acsgen_host.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Modules of Python 3.8 that any file may import.
ALLOWED = {
    "__future__",
    "argparse",
    "asyncio",
    "contextlib",
    "csv",
    "ctypes",
    "datetime",
    "errno",
    "fcntl",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "numpy",
    "os",
    "pathlib",
    "platform",
    "re",
}
ALLOWED |= {"select", "socket", "stat", "sys", "tempfile", "termios", "threading", "time", "types"}
ALLOWED |= {"io", "signal", "typing", "weakref", "xml"}

#: What some may import besides, each in a function that says in words what is missing; except
#: :mod:`pynq_backend`, which is itself imported so.
MORE = {
    "pynq_backend.py": {"pynq"},
    "simulation/start.py": {"acsgen"},
    "power/rails.py": {"pynq"},
    "power/plot.py": {"matplotlib"},
}

#: Names that typing or numpy got after Python 3.8 and numpy 1.20.
TOO_NEW = {"TypeAlias", "ParamSpec", "Self", "Concatenate", "TypeGuard", "NDArray", "pairwise"}
TOO_NEW |= {"removeprefix", "removesuffix", "is_relative_to", "bit_count", "readlink"}


@pytest.mark.unit
@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_python_3_8(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 8))
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    names |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    names |= {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert not names & TOO_NEW
    keywords = {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}
    assert "strict" not in keywords, "zip(strict=) is of Python 3.10"
    cut = [
        n for n in ast.walk(tree) if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Slice)
    ]
    names = {n.value.attr for n in cut if isinstance(n.value, ast.Attribute)}
    assert "parents" not in names, "slices of Path.parents are of Python 3.10"
    # Annotations are never evaluated; an expression with builtin[...] would be.
    future = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    annotated = any(isinstance(n, (ast.AnnAssign, ast.FunctionDef)) for n in ast.walk(tree))
    assert future or not annotated


@pytest.mark.unit
@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_else_is_imported(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    assert found <= ALLOWED | MORE.get(str(module.relative_to(PACKAGE)), set())


@pytest.mark.unit
def test_versions_are_the_same() -> None:
    assert acsgen_host.__version__ == acsgen.__version__


@pytest.mark.unit
def test_the_driver_binds_to_what_vitis_packages() -> None:
    vendor, library, name, version = VLNV.split(":")
    tcl = asset("templates", "hls", "run_hls.tcl.j2").read_text(encoding="utf-8")
    wanted = f"-ipname {name} -vendor {vendor} -library {library} -version {version}"
    assert wanted in tcl
    cfg = asset("templates", "hls", "hls_config.cfg.j2").read_text(encoding="utf-8")
    for key, value in (("vendor", vendor), ("library", library), ("name", name)):
        assert f"package.ip.{key}={value}\n" in cfg
    assert f"package.ip.version={version}\n" in cfg


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that must not find acsgen by the environment of the tests."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_it_starts_from_its_folder(tmp_path: Path) -> None:
    """On a board: the folder is copied, and nothing is installed."""
    host = tmp_path / "host"
    host.mkdir()
    (host / "acsgen_host").symlink_to(PACKAGE)
    finished = run(sys.executable, "-m", "acsgen_host", "nothing", cwd=host)
    assert finished.returncode == 2
    assert finished.stderr.startswith("error: nothing/manifest.json: cannot be read")
    assert "Traceback" not in finished.stderr


def test_its_wheel_is_for_every_python(tmp_path: Path) -> None:
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", tmp_path]
    finished = run(sys.executable, "-m", "pip", "wheel", *options, PACKAGE.parent, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    (wheel,) = tmp_path.glob("acsgen_host-*.whl")
    assert wheel.name == f"acsgen_host-{acsgen.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        inside = [Path(name) for name in archive.namelist() if name.startswith("acsgen_host/")]
        names = {str(name.relative_to("acsgen_host")) for name in inside}
        (metadata,) = [name for name in archive.namelist() if name.endswith("/METADATA")]
        assert "Requires-Python: >=3.8" in archive.read(metadata).decode()
    assert names == {"py.typed", *(str(module.relative_to(PACKAGE)) for module in MODULES)}


@pytest.mark.unit
def test_a_python_without_numpy_is_told_in_words() -> None:
    """As ``python3`` of a system is, on which acsgen has an environment of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}

    def without_packages(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", *words],
            cwd=Path(acsgen_host.__file__).parent.parent,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    done = without_packages("-m", "acsgen_host", "..", "--simulate", "csim", "--selftest")
    assert done.returncode == 2
    assert done.stderr.startswith("acsgen_host: numpy cannot be imported by ")
    assert "No module named 'numpy'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    imported = without_packages("-c", "import acsgen_host")
    assert imported.returncode == 1
    assert "ImportError: numpy cannot be imported" in imported.stderr
