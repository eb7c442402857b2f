"""Rendered files keep to the specification, and can be rendered without themselves."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from acsgen.isa.generated import INSTRUCTION_FIELDS, Instruction, LinearMode, Opcode, fields_of
from acsgen.isa.render import TARGETS, render_all
from acsgen.isa.spec import Spec, load_spec
from acsgen.support.assets import asset, asset_root

from .changes import in_checkout, share_fields

SPEC = load_spec()


def _module(spec: Spec) -> ModuleType:
    """The Python that a specification renders to."""
    module = ModuleType("rendered")
    sys.modules[module.__name__] = module  # dataclasses look themselves up
    exec(render_all(spec)["acsgen/isa/generated.py"], module.__dict__)
    return module


@pytest.fixture(scope="module")
def sharing(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The rendered Python of a specification whose fields share all bits that they can."""
    data = yaml.safe_load(asset("hw", "spec", "engine.yaml").read_text(encoding="utf-8"))
    share_fields(data)
    path = tmp_path_factory.mktemp("sharing") / "engine.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return _module(load_spec(path))


@pytest.mark.unit
@pytest.mark.parametrize("opcode", Opcode)
def test_fields_that_share_bits_are_those_of_the_opcode(opcode: Opcode, sharing: Any) -> None:
    own = sharing.fields_of(sharing.Opcode(opcode))
    assert {f.name for f in own} == {f.name for f in fields_of(opcode)}
    others = [f for f in sharing.INSTRUCTION_FIELDS if f not in own]
    assert any(f.meets(other) for f in own for other in others) or opcode is Opcode.END
    for fill in ("high", "low"):
        values = {f.name: getattr(f, fill) for f in own} | {"opcode": sharing.Opcode(opcode)}
        instruction = sharing.Instruction(**values)
        decoded = sharing.Instruction.decode(instruction.encode())
        assert decoded == instruction
        assert not any(getattr(decoded, f.name) for f in others)
    for other in others:
        with pytest.raises(ValueError, match=f"does not use {other.name}"):
            sharing.Instruction(**{**values, other.name: 1}).encode()


@pytest.mark.unit
@pytest.mark.parametrize("opcode", Opcode)
def test_bits_of_another_opcode_are_refused(opcode: Opcode, sharing: Any) -> None:
    own = sharing.fields_of(sharing.Opcode(opcode))
    used = {(f.word, f.lsb + bit) for f in own for bit in range(f.bits)}
    good = sharing.Instruction(sharing.Opcode(opcode)).encode()
    for word in range(sharing.INSTRUCTION_WORDS):
        for bit in range(64):
            words = list(good)
            words[word] |= 1 << bit
            if (word, bit) in used:
                continue
            with pytest.raises(ValueError, match=f"{opcode.name}: does not use"):
                sharing.Instruction.decode(words)


@pytest.mark.unit
@pytest.mark.parametrize("name", SPEC.roles)
def test_instructions_have_the_roles_of_the_specification(name: str) -> None:
    role = SPEC.roles[name]
    for opcode in Opcode:
        for mode in LinearMode:
            has_modes = opcode.name in SPEC.users(SPEC.field("linear_mode"))
            wanted = opcode.name in SPEC.role_ops(role)
            if has_modes and role.modes is not None:
                wanted = wanted and mode.name in role.modes
            op = Instruction(opcode, linear_mode=mode if has_modes else 0)
            assert getattr(op, name) == wanted, (opcode, mode)


@pytest.mark.unit
def test_every_use_of_a_field_is_rendered() -> None:
    for opcode in Opcode:
        assert fields_of(opcode) == tuple(
            f
            for f, s in zip(INSTRUCTION_FIELDS, SPEC.fields, strict=True)
            if s.used_by(opcode.name)
        )


@pytest.mark.parametrize("damage", ["missing", "broken"])
def test_rendering_needs_nothing_that_is_rendered(damage: str, tmp_path: Path) -> None:
    for folder in ("acsgen", "hw", "templates", "host"):
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(asset_root() / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(asset_root() / "pyproject.toml", tmp_path)
    for target in TARGETS.values():
        path = tmp_path / target
        path.unlink(missing_ok=True)
        if damage == "broken":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("raise SystemExit('this file is broken')\n<<<<<<<\n", encoding="utf-8")
    said = in_checkout(tmp_path, "acsgen.isa")
    for target, text in render_all().items():
        assert f"wrote {target}" in said
        assert (tmp_path / target).read_text(encoding="utf-8") == text
    assert in_checkout(tmp_path, "acsgen.isa", "--check") == ""
