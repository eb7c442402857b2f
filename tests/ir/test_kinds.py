"""Every kind of layer has every part in every stage, and one with a missing part cannot be used."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import acsgen
from acsgen.ir.kinds import KINDS
from acsgen.ir.kinds.base import IntLayer, Layer

PACKAGE = Path(acsgen.__file__).parent

#: The stages that know kinds, besides ``ir``.
STAGES = ["frontend", "quant", "compiler"]


def files(stage: str) -> set[str]:
    return {
        path.stem
        for path in (PACKAGE / stage / "kinds").glob("*.py")
        if path.stem != "base" and not path.stem.startswith("_")
    }


def test_every_kind_is_a_file() -> None:
    assert set(KINDS) == files("ir")
    assert {"conv", "gate", "input", "logits", "scale"} < set(KINDS)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_knows_every_kind(stage: str) -> None:
    importlib.import_module(f"acsgen.{stage}.kinds")
    assert files(stage) == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_both_dataclasses_belong_together(name: str) -> None:
    kind = KINDS[name]
    assert issubclass(kind.layer, Layer)
    assert issubclass(kind.integer, IntLayer)
    assert kind.integer.__name__ == f"Int{kind.layer.__name__}"
    assert kind.layer.READS == kind.integer.READS
    for dataclass_ in (kind.layer, kind.integer):
        assert is_dataclass(dataclass_)
        assert {field.name for field in fields(dataclass_)} >= set(dataclass_.READS)


@pytest.mark.parametrize("name", KINDS)
def test_float_execution_and_quantization_have_every_part(name: str) -> None:
    from acsgen.frontend.kinds import FLOAT_KINDS
    from acsgen.quant.kinds import QUANT_KINDS

    assert set(FLOAT_KINDS) == set(QUANT_KINDS) == set(KINDS)
    ours, theirs = FLOAT_KINDS[name], QUANT_KINDS[name]
    assert all(map(callable, (ours.run, ours.differs, *ours.starts.values())))
    parts = (theirs.quantize, theirs.operator, theirs.skipped, theirs.problems)
    assert all(map(callable, parts))
    weights = {"weight"} & {field.name for field in fields(KINDS[name].layer)}
    assert (theirs.sums is not None) == bool(weights)


def test_every_operation_starts_a_layer() -> None:
    """But the stand-in of a refused node, and what passes make other operations of."""
    from acsgen.frontend import opgraph as og
    from acsgen.frontend.kinds import STARTS

    of_layers = {operation for operation in og.Op.__subclasses__() if not operation.rewritten}
    assert {operation for operation, _ in STARTS} == of_layers - {og.Unknown}


@pytest.mark.parametrize("stage", ["ir", "frontend", "quant", "compiler"])
def test_the_guide_shows_the_files_as_they_are(stage: str) -> None:
    guide = (PACKAGE.parent / "docs/add-a-layer-kind.md").read_text(encoding="utf-8")
    section = guide.split(f"`{stage}/kinds`: ")[1].split("\n## ")[0]
    shown = section.split("\n- ")[0]
    code = "".join(re.findall(r"```python\n(.*?)```", shown, flags=re.DOTALL))
    lines = [re.sub(r" {2,}# .*", "", line) for line in code.splitlines()]
    file = (PACKAGE / stage / "kinds/scale.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 5
    assert [line for line in lines if line not in file] == []


# -- a missing part --------------------------------------------------------------------------------


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path.name} has {text.count(old)} times: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def without_a_fact(package: Path) -> None:
    replaced(package / "ir/kinds/scale.py", "def zero_mask(", "def _zero_mask(")


def with_another_grammar(package: Path) -> None:
    replaced(package / "ir/kinds/scale.py", '"vector": a_vector("C")', '"factor": a_vector("C")')


def without_a_range(package: Path) -> None:
    replaced(package / "ir/kinds/scale.py", '"mult": multiplier(""), ', "")


def without_a_read(package: Path) -> None:
    path = package / "ir/kinds/scale.py"
    text = path.read_text(encoding="utf-8")
    text = text.replace('READS = ("x", "vector")', 'READS = ("x",)')
    path.write_text(text.replace(', "vector": a_vector("C")', ""), encoding="utf-8")


def with_a_remedy_left(package: Path) -> None:
    replaced(package / "frontend/ops/__init__.py", '"aten::elu": _RELU', '"aten::cat": _RELU')


def with_two_handlers(package: Path) -> None:
    path = package / "frontend/kinds/concat.py"
    replaced(path, '"aten::cat": _cat}', '"aten::cat": _cat, "aten::relu": _cat}')


def with_an_operation_that_starts_nothing(package: Path) -> None:
    path = package / "frontend/kinds/scale.py"
    replaced(path, "starts={(og.ApplyVector, 3): _start}", "starts={}")


def with_another_name(package: Path) -> None:
    first = 'vector: str\n\n    KIND = "scale"'
    replaced(package / "ir/kinds/scale.py", first, first.replace("scale", "scales"))


def without_files(package: Path) -> None:
    for stage in STAGES:
        (package / stage / "kinds/scale.py").unlink()


def without_a_float_part(package: Path) -> None:
    replaced(package / "frontend/kinds/scale.py", ", absorbs={}", "")


def without_an_integer_part(package: Path) -> None:
    replaced(package / "quant/kinds/scale.py", ", measured=True", "")


def without_lowering(package: Path) -> None:
    replaced(package / "compiler/kinds/scale.py", "        lower=_lower,\n", "")


def without_an_instruction(package: Path) -> None:
    path = package / "compiler/kinds/scale.py"
    line = next(x for x in path.read_text().splitlines() if "instruction=" in x)
    replaced(path, f"{line}\n", "")


def with_the_instruction_of_another(package: Path) -> None:
    path = package / "compiler/kinds/scale.py"
    replaced(path, "InstructionKind(Opcode.SCALE", "InstructionKind(Opcode.ELTWISE")


def without_a_mode(package: Path) -> None:
    replaced(package / "compiler/kinds/linear.py", "VECTOR, LinearMode.SIGMOID)", "VECTOR,)")


def with_a_mode_of_another(package: Path) -> None:
    path = package / "compiler/kinds/scale.py"
    replaced(path, "listing=_listing)", "listing=_listing, modes=(LinearMode.GATE,))")
    replaced(path, "import Instruction, Opcode", "import Instruction, LinearMode, Opcode")


def without_an_end(package: Path) -> None:
    replaced(package / "compiler/kinds/__init__.py", "(END,)", "()")


def with_the_operation_of_another(package: Path) -> None:
    replaced(package / "frontend/kinds/scale.py", "(og.ApplyVector, 3)", "(og.Add, 3)")


#: The change that breaks the package, the module that is imported then, and the message.
BROKEN: list[tuple[Callable[[Path], None], str, str]] = [
    (without_a_fact, "acsgen.ir.layers", "TypeError: IntScale of kind 'scale' lacks zero_mask$"),
    (with_another_name, "acsgen.ir.integer", "TypeError: Scale.KIND is 'scales', not 'scale'$"),
    (
        with_another_grammar,
        "acsgen.ir.integer",
        "TypeError: the grammar of kind 'scale' does not read what READS says$",
    ),
    (without_a_range, "acsgen.ir.integer", "TypeError: the grammar of kind 'scale' lacks mult$"),
    (without_a_read, "acsgen.ir.integer", "TypeError: READS of kind 'scale' lacks vector$"),
    (
        with_a_remedy_left,
        "acsgen.frontend.ops",
        "ImportError: operators with a handler need no remedy: aten::cat$",
    ),
    (
        with_two_handlers,
        "acsgen.frontend.ops",
        "ImportError: two handlers of the operator aten::relu$",
    ),
    (
        with_an_operation_that_starts_nothing,
        "acsgen.frontend.kinds",
        "ImportError: no kind of layer starts with the operation ApplyVector$",
    ),
    *((without_files, f"acsgen.{stage}.kinds", r"\w+Error: .*\bscale\b") for stage in STAGES),
    (without_a_float_part, "acsgen.frontend.kinds", "TypeError: FloatKind.* missing .* 'absorbs'$"),
    (
        without_an_integer_part,
        "acsgen.quant.kinds",
        "TypeError: QuantKind.* missing .* 'measured'$",
    ),
    (without_lowering, "acsgen.compiler.kinds", "TypeError: CompilerKind.* missing .* 'lower'$"),
    (
        without_an_instruction,
        "acsgen.compiler.kinds",
        "TypeError: CompilerKind.* missing .* 'instruction'$",
    ),
    (
        with_the_instruction_of_another,
        "acsgen.compiler.kinds",
        "ImportError: two kinds of layers state the cost of ELTWISE$",
    ),
    (
        without_a_mode,
        "acsgen.compiler.predict",
        "ImportError: no kind of layer states the cost of LINEAR SIGMOID$",
    ),
    (
        with_a_mode_of_another,
        "acsgen.compiler.listing",
        "ImportError: no kind of layer states the cost of SCALE$",
    ),
    (
        without_an_end,
        "acsgen.compiler.kinds",
        "ImportError: no kind of layer states the cost of END$",
    ),
    (
        with_the_operation_of_another,
        "acsgen.frontend.kinds",
        "ImportError: two kinds .* start with the operation Add of 3 dimensions$",
    ),
]

#: Imports a module from each of several folders, in a process of its own each; PyTorch, which takes
#: longest, is imported once for all of them.
PROGRAM = """
import importlib, os, sys
import torch
for place in sys.argv[1:]:
    folder, module = place.rsplit("/", 1)
    child = os.fork()
    if child == 0:
        sys.path.insert(0, folder)
        try:
            importlib.import_module(module)
            print("imported", flush=True)
        except Exception as error:
            print(f"{type(error).__name__}: {error}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The message when a copy of the package is imported, for each way in which it is broken."""
    places = []
    for breaking, module, _ in BROKEN:
        folder = tmp_path_factory.mktemp(breaking.__name__)
        skip = shutil.ignore_patterns("__pycache__")
        breaking(Path(shutil.copytree(PACKAGE, folder / "acsgen", ignore=skip)))
        places.append(f"{folder}/{module}")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *places],
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent / "host")},
        cwd=tmp_path_factory.getbasetemp(),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", range(len(BROKEN)), ids=lambda n: f"{BROKEN[n][0].__name__}-{n}")
def test_a_missing_part_is_an_error_at_import(number: int, said: list[str]) -> None:
    assert len(said) == len(BROKEN)
    assert re.match(BROKEN[number][2], said[number]), said[number]
