"""Bundles: a damaged or foreign one is refused, in words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Bundle, BundleError, isa
from acsgen_host.__main__ import main
from acsgen_host.digests import describe_files

from acsgen.program.program import load_program

from .conftest import Prepared

pytestmark = pytest.mark.xdist_group("driver")


@pytest.fixture
def copy(prepared: Prepared, tmp_path: Path) -> Path:
    """A bundle of one's own to damage."""
    return Path(shutil.copytree(prepared.bundle.path, tmp_path / "bundle"))


def edit(
    bundle: Path, change: Callable[[dict[str, Any]], Any], name: str = "program/program.json"
) -> None:
    """Change a JSON file; if it is not the manifest, the manifest tells of the new one."""
    data = json.loads((bundle / name).read_text())
    change(data)
    (bundle / name).write_text(json.dumps(data))
    if name != "manifest.json":
        edit(bundle, lambda m: m["files"].update(describe_files(bundle, [name])), "manifest.json")


def refusal(bundle: Path) -> BundleError:
    with pytest.raises(BundleError) as caught:
        Bundle.load(bundle)
    assert all(p.where and p.what and p.remedy for p in caught.value.problems)
    return caught.value


def test_a_bundle_is_what_the_compiler_saved(prepared: Prepared) -> None:
    bundle, program = prepared.bundle, load_program(prepared.bundle.path / "program")
    assert np.array_equal(bundle.program, program.words)
    assert np.array_equal(bundle.params, program.params)
    assert bundle.shape == (program.image.channels, program.image.height, program.image.width)
    assert bundle.image_words == program.image.words
    outputs = [tuple(output) for output in bundle.outputs.values()]
    assert outputs == [(output.name, output.classes, output.address) for output in program.outputs]
    assert bundle.layers == tuple(line.layer for line in program.lines)
    assert list(bundle.gates) == [gate.name for gate in program.gates]
    for gate in program.gates:
        mine = bundle.gates[gate.name]
        assert (mine.threshold_address, mine.mask_address, mine.alpha) == (
            gate.threshold_address,
            gate.mask_address,
            gate.alpha,
        )
        assert mine.acc_scale.tolist() == list(gate.acc_scale)
    assert np.array_equal(bundle.vectors().images, prepared.images)


@pytest.mark.parametrize("name", ["program.bin", "params.bin"])
def test_damaged_words(copy: Path, name: str) -> None:
    path = copy / "program" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert f"{name}: is not what was written" in str(refusal(copy))
    path.write_bytes(content[:-8])
    assert f"{name}: has {len(content) - 8} bytes" in str(refusal(copy))
    path.unlink()
    assert f"{name}: cannot be read: No such file" in str(refusal(copy))


def test_all_that_is_wrong_is_told_at_once(copy: Path) -> None:
    (copy / "program" / "program.bin").write_bytes(b"")
    (copy / "program" / "params.bin").unlink()
    assert len(refusal(copy).problems) == 2


def test_a_flipped_bit_of_the_description(copy: Path) -> None:
    path = copy / "program" / "program.json"
    path.write_text(path.read_text().replace('"alpha": 0.4', '"alpha": 0.5'))
    assert "program.json: is not what was written" in str(refusal(copy))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: m.update(format=1), "layout 1, this driver reads layout 2"),
        (lambda m: m.pop("format"), "layout None"),
        (lambda m: m.update(files=[]), "layout 2"),
        (lambda m: m["files"].pop("program/params.bin"), "params.bin: has no recorded digest"),
    ],
)
def test_another_manifest(copy: Path, change: Callable[[Any], Any], text: str) -> None:
    edit(copy, change, "manifest.json")
    assert text in str(refusal(copy))


def test_another_instruction_set(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(copy, lambda data: data.update(spec_hash=isa.SPEC_HASH ^ 1))
    assert f"this driver is for {isa.SPEC_HASH:#010x}" in str(refusal(copy))
    assert main([str(copy)]) == 2
    assert "made for instruction set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda d: d.pop("spec_hash"), "instruction set none"),
        (lambda d: d.pop("gates"), "does not describe a program"),
        (lambda d: d["image"].update(width="13"), "does not describe a program"),
        (lambda d: d["image"].update(width=0), "no image"),
        (lambda d: d["engine"].update(lane_groups=-3), "does not describe a program"),
        (lambda d: d.update(lines=d["lines"][:-1]), "differ in length"),
        (lambda d: d["outputs"][0].update(address=2), "the output logits lies outside"),
        (lambda d: d.update(result_words=15), "lies outside the result"),
        (lambda d: d["gates"][0].update(mask_address=0), "mask of gate3 lies outside"),
        (lambda d: d["gates"][1].update(threshold_address=10**6), "thresholds of gate4 lie"),
        (lambda d: d["gates"][1].update(name=d["gates"][0]["name"]), "does not describe"),
        (lambda d: d["gates"][0]["acc_scale"].pop(), "other scales than channels"),
        (lambda d: d["gates"][0].update(alpha=2), "alpha outside"),
    ],
)
def test_a_damaged_description(copy: Path, change: Callable[[Any], None], text: str) -> None:
    edit(copy, change)
    assert text in str(refusal(copy))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"{}"])
def test_a_file_that_describes_nothing(copy: Path, content: bytes) -> None:
    path = copy / "program" / "program.json"
    path.write_bytes(content)
    files = describe_files(copy, ["program/program.json"])
    edit(copy, lambda m: m["files"].update(files), "manifest.json")
    assert refusal(copy).problems
    (copy / "manifest.json").write_bytes(content)
    assert refusal(copy).problems


def test_a_directory_that_is_no_build(tmp_path: Path) -> None:
    assert "acsgen build wrote" in str(refusal(tmp_path))


def test_damaged_vectors(copy: Path) -> None:
    bundle = Bundle.load(copy)
    expected = copy / "vectors" / "expected.bin"
    expected.write_bytes(expected.read_bytes()[:-8])
    with pytest.raises(BundleError, match=r"expected\.bin: has"):
        bundle.vectors()
    files = describe_files(copy, ["vectors/expected.bin"])
    edit(copy, lambda m: m["files"].update(files), "manifest.json")
    with pytest.raises(BundleError, match="not a multiple"):
        bundle.vectors()
    shutil.rmtree(copy / "vectors")
    with pytest.raises(BundleError) as caught:
        bundle.vectors()
    assert len(caught.value.problems) == 2


POINTS = [
    {"strictness": s, "macs_mean": m, "macs_max": m, "accuracy": a}
    for s, m, a in ((0.0, 900, 0.9), (0.5, 500, 0.9), (1.0, 100, None))
]


def test_the_budget_of_a_build(copy: Path) -> None:
    path = copy / "program" / "budget.json"
    assert Bundle.load(copy).budget is None
    path.write_text(json.dumps({"images": 4, "source": "digits32", "points": POINTS}))
    budget = Bundle.load(copy).budget
    assert budget is not None
    assert [budget.choose(macs).strictness for macs in (1e6, 900, 899, 500, 100)] == [
        0,
        0,
        0.5,
        0.5,
        1,
    ]
    for points in ([], POINTS[::-1], [{**POINTS[0], "strictness": -1}], [{}], None):
        path.write_text(json.dumps({"images": 4, "source": "digits32", "points": points}))
        assert "does not describe a budget" in str(refusal(copy))


def test_a_folder_that_was_copied_as_text(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As by git with autocrlf, or by FTP: the cause is told, rather than a size."""
    program = copy / "program" / "program.json"
    program.write_bytes(program.read_bytes().replace(b"\n", b"\r\n"))
    manifest = copy / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert "has the line ends of Windows" in str(refusal(copy))
    assert main([str(copy), "--simulate", "csim"]) == 2
    assert "copied or checked out as text" in capsys.readouterr().err
