"""``acsgen sim``: a build runs again on either engine; its faults are told in words."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from acsgen_host.digests import describe_files
from torch import nn
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.flow.build import BuildRequest, build
from tests.nets.modules import export_small
from tests.own_board import own_board

pytestmark = pytest.mark.xdist_group("own-board")

IMAGES = 3


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sim")
    request = BuildRequest(
        model=export_small(folder / "small.pt2"),
        board=str(own_board(folder / "own-board.yaml")),
        out=folder / "out",
        images=IMAGES,
    )
    return build(request).out


@pytest.fixture
def built(original: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(original, tmp_path / "built"))


def sim(*words: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["sim", *map(str, words)])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def need_verilator() -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")


def test_the_c_simulation_of_a_build(original: Path, tmp_path: Path) -> None:
    said = sim(original, "--json", tmp_path / "found.json")
    assert "all equal" in said
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["engine"], found["images"], found["mismatches"]) == ("csim", IMAGES, 0)
    assert len(found["runs"]) == IMAGES
    assert found["values"] == json.loads((original / "report.json").read_text())["bit_exact"][
        "csim"
    ]["values"]  # fmt: skip


def test_a_threshold_of_a_network_without_gates_is_refused(original: Path, tmp_path: Path) -> None:
    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    exported = torch.export.export(plain.eval(), (torch.rand(1, 3, 8, 8),))
    torch.export.save(exported, tmp_path / "plain.pt2")
    board = str(original.parent / "own-board.yaml")
    made = build(BuildRequest(tmp_path / "plain.pt2", board=board, out=tmp_path / "out", images=1))
    said = sim(made.out, "--alpha", "1", status=2)
    assert "--alpha: plain has no gates" in said
    assert "all equal" in sim(made.out)


@pytest.mark.rtl
def test_the_rtl_of_a_build(original: Path, tmp_path: Path) -> None:
    need_verilator()
    cycles = []
    for name, options in {
        "board": [],
        "again": [],
        "far": ["--latency", 150],
        "narrow": ["--bandwidth", 32],
        "pauses": ["--seed", 5],
    }.items():
        file = tmp_path / f"{name}.json"
        said = sim(original, "--engine", "rtl", "-n", 1, "--json", file, *options)
        assert "all equal" in said
        found = json.loads(file.read_text())
        cycles.append(found["runs"][0]["cycles"])
    assert cycles[0] == cycles[1]
    assert min(cycles[2:]) > cycles[0]


@pytest.mark.rtl
@pytest.mark.slow
def test_waves(original: Path, tmp_path: Path) -> None:
    need_verilator()
    said = sim(original, "--engine", "rtl", "-n", 1, "--waves", tmp_path / "run.fst")
    assert "waves written to" in said
    assert (tmp_path / "run.fst").stat().st_size > 10_000


def test_no_torch_is_needed(original: Path) -> None:
    code = (
        f"import sys; sys.argv = ['acsgen', 'sim', {str(original)!r}]\n"
        "from acsgen.cli import main\n"
        "try: main()\n"
        "except SystemExit as e: print(e.code, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


def rewrite_golden(build: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the golden vectors, and note their digest as if they had been written so."""
    path = build / "vectors" / "golden.npz"
    with np.load(path) as stored:
        arrays = dict(stored)
    change(arrays)
    np.savez_compressed(path, **arrays)
    manifest = json.loads((build / "manifest.json").read_text())
    manifest["files"] |= describe_files(build, ["vectors/golden.npz"])
    (build / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("engine", ["csim", pytest.param("rtl", marks=pytest.mark.rtl)])
def test_a_mismatch_is_named_with_its_place(built: Path, engine: str) -> None:
    if engine == "rtl":
        need_verilator()
    program = json.loads((built / "program" / "program.json").read_text())
    names = [trace["layer"] for trace in program["traces"]]
    layer = names.index("conv")
    value = []

    def one_pixel(arrays: dict[str, np.ndarray]) -> None:
        value.append(int(arrays[f"layer{layer}"][1, 4, 7, 2]))
        arrays[f"layer{layer}"][1, 4, 7, 2] ^= 1
        # A later layer differs too, but people look for the first one.
        arrays["output0"][1, 0] += 1

    rewrite_golden(built, one_pixel)
    said = sim(built, "--engine", engine, status=1)
    assert "image 1" in said
    assert "conv (instruction" in said
    assert "channel 4, row 7, column 2" in said
    assert f"expected {value[0] ^ 1}, found {value[0]}" in said


def test_changed_sources_are_what_runs(built: Path) -> None:
    """Rounding down instead of to the nearest, in one place of the engine, is seen."""
    path = built / "hls" / "acs_arithmetic.hpp"
    text = path.read_text()
    rounded = "int(near) + (rounding.up ? 1 : 0)"
    assert text.count(rounded) == 1
    path.write_text(text.replace(rounded, "int(near)"))
    said = sim(built, status=1)
    assert "differs from the golden model" in said
    assert "channel" in said
    path.write_text("#error broken\n")
    assert "does not compile" in sim(built, status=2)


FILES = (
    "program/program.json", "program/program.bin", "program/params.bin",
    "vectors/images.bin", "vectors/expected.bin", "vectors/golden.npz",
)  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_one_wrong_bit_in_any_file_is_seen(built: Path, name: str) -> None:
    content = bytearray((built / name).read_bytes())
    content[len(content) // 2] ^= 4
    (built / name).write_bytes(content)
    assert f"{name}: is not what was written" in sim(built, status=2)


def test_all_damage_is_told_at_once(built: Path) -> None:
    (built / FILES[0]).unlink()
    (built / FILES[2]).write_bytes(b"")
    (built / FILES[5]).write_bytes((built / FILES[5]).read_bytes()[:-9])
    said = sim(built, status=2)
    assert "3 problems" in said
    for name in (FILES[0], FILES[2], FILES[5]):
        assert name in said


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "files": 3, "images": -1}', "\udcff"],
)
def test_a_manifest_that_makes_no_sense(built: Path, content: str) -> None:
    (built / "manifest.json").write_bytes(content.encode(errors="surrogateescape"))
    assert "manifest.json" in sim(built, status=2)


def test_vectors_of_another_network(built: Path) -> None:
    rewrite_golden(built, lambda arrays: arrays.update(output0=arrays["output0"][:, :3]))
    said = sim(built, status=2)
    assert "golden.npz: does not hold this program's vectors: int32 [3, 3]" in said


def test_what_is_no_build(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    assert "is not there" in sim(tmp_path / "absent", status=2)
    assert "is not a directory" in sim(tmp_path / "file", status=2)
    assert "is not a build" in sim(tmp_path / "folder", status=2)


def test_more_images_than_the_build_has(original: Path) -> None:
    said = sim(original, "--images", IMAGES + 1, status=2)
    assert f"{IMAGES + 1} images" in said
    assert f"has {IMAGES}" in said


def test_an_engine_that_was_not_rendered(built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    (built / "manifest.json").write_text(json.dumps(manifest | {"engines": ["hls"]}))
    assert "was built without rtl" in sim(built, "--engine", "rtl", status=2)
    shutil.rmtree(built / "hls")
    assert "hls: is missing" in sim(built, status=2)


def test_options_of_the_rtl_for_the_c_simulation(original: Path, tmp_path: Path) -> None:
    said = sim(original, "--seed", 3, "--waves", tmp_path / "x.fst", status=2)
    assert "2 problems" in said or "--seed, --waves" in said


def test_files_that_cannot_be_written(original: Path, tmp_path: Path) -> None:
    assert "is a directory" in sim(original, "--json", tmp_path, status=2)
    absent = tmp_path / "absent" / "found.json"
    assert "cannot be written: no such file" in sim(original, "--json", absent, status=2)


def test_images_of_a_file_and_other_thresholds_are_run_and_not_compared(
    original: Path, tmp_path: Path
) -> None:
    with np.load(original / "vectors" / "golden.npz") as golden:
        images, logits = golden["images"], golden["output0"]
        closed = {name: golden[name] for name in golden.files if name.startswith("mask")}
    classes = logits.argmax(axis=1)
    np.savez(tmp_path / "mine.npz", images=images, labels=classes)
    said = sim(original, "--images", tmp_path / "mine.npz", "--json", tmp_path / "found.json")
    assert "accuracy 100.00 %" in said
    assert "nothing to compare" in said
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["predictions"] == classes.tolist()
    assert found["accuracy"] == 1.0
    assert closed
    macs = []
    for alpha in ("0", "1"):
        sim(original, "--alpha", alpha, "--json", tmp_path / "found.json")
        runs = json.loads((tmp_path / "found.json").read_text())["runs"]
        macs.append(sum(run["macs_executed"] for run in runs))
    assert macs[0] > macs[1]
    np.savez(tmp_path / "other.npz", images=images[:, :1])
    assert "the build takes uint8" in sim(original, "-n", tmp_path / "other.npz", status=2)
    np.savez(tmp_path / "other.npz", images=images, labels=np.full(len(images), 99))
    said = sim(original, "-n", tmp_path / "other.npz")
    assert "are beyond the network's classes" in said
    assert "accuracy 0.00 %" in said
    np.savez(tmp_path / "other.npz", images=images, labels=classes[:-1])
    assert f"{len(images)} images but" in sim(original, "-n", tmp_path / "other.npz", status=2)
    np.savez(tmp_path / "other.npz", images=images, labels=np.eye(10)[classes % 10])
    assert "store labels.argmax(1)" in sim(original, "-n", tmp_path / "other.npz", status=2)
    np.savez(tmp_path / "other.npz", pictures=images)
    assert "it has no array images" in sim(original, "-n", tmp_path / "other.npz", status=2)
    assert "no number and no file" in sim(original, "-n", "many", status=2)
    assert "give at least 1" in sim(original, "-n", 0, status=2)
