"""The shipped networks, all the way: bit-exact, as accurate as in floats, and within baselines."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from acsgen.engines.csim.compile import ap_types_directory
from acsgen.flow.build import BuildResult
from acsgen.report.file import read_report
from benchmarks.baseline import differences

pytestmark = pytest.mark.xdist_group("shipped")


@pytest.fixture(params=["resnet8_build", "resnet38_build"])
def built(request: pytest.FixtureRequest) -> BuildResult:
    result: BuildResult = request.getfixturevalue(request.param)
    return result


def test_bit_exact(resnet8_build: BuildResult, resnet38_build: BuildResult) -> None:
    for result, images in ((resnet8_build, 200), (resnet38_build, 20)):
        proof = result.report.bit_exact["csim"]
        assert proof.images == images
        assert proof.mismatches == 0
        assert proof.values > 100_000 * images


def test_quantization_costs_no_accuracy(built: BuildResult) -> None:
    accuracy = built.report.accuracy
    assert accuracy.images >= 500
    assert accuracy.int8 >= accuracy.floating - 0.005
    assert accuracy.gate_agreement >= 0.99


def test_skipping_saves_work_with_the_gates_counted(built: BuildResult) -> None:
    macs, cycles = built.report.macs, built.report.cycles.hls
    assert macs.mean <= 0.65 * macs.dense
    assert 0 < macs.gates < macs.mean
    assert cycles.mean < cycles.dense


def test_figures_are_those_of_the_baseline(built: BuildResult) -> None:
    assert differences(built.report) == []


def test_the_report_on_disk_is_the_one_returned(built: BuildResult) -> None:
    assert read_report(built.out) == built.report
    layers = {row.layer for row in built.report.layers}
    assert "fc" in layers
    assert sum(row.cycles for row in built.report.layers) == pytest.approx(
        built.report.cycles.hls.mean
    )


def test_stages_are_kept(resnet8_build: BuildResult) -> None:
    kept = sorted(path.name for path in (resnet8_build.out / "stages").iterdir())
    assert kept == ["1-layers.json", "2-integers.json", "3-program.txt"]
    integers = json.loads((resnet8_build.out / "stages" / "2-integers.json").read_text())
    assert integers[0]["kind"] == "IntInput"
    layers = json.loads((resnet8_build.out / "stages" / "1-layers.json").read_text())
    assert [item["name"] for item in layers["rewrites"]] == [
        item.name for item in resnet8_build.report.rewrites
    ]


def test_the_rendered_test_bench_passes_and_can_fail(
    resnet8_build: BuildResult, tmp_path: Path
) -> None:
    """The very project that a Vitis user gets, by its own Makefile, in the types of synthesis.

    In these an image takes many times as long as in native integers, by which the build ran all of
    its images: the bench runs the first ones, and a single one where it must fail.
    """
    for folder in ("hls", "program", "vectors"):
        shutil.copytree(resnet8_build.out / folder, tmp_path / folder)
    all_images = resnet8_build.report.bit_exact["csim"].images
    make = ["make", "-C", str(tmp_path / "hls"), f"AP_TYPES={ap_types_directory()}", "CXXFLAGS=-O1"]

    def run(images: int, flipped: int = 0) -> subprocess.CompletedProcess[str]:
        for name in ("images.bin", "expected.bin"):
            content = bytearray((resnet8_build.out / "vectors" / name).read_bytes())
            each, rest = divmod(len(content), all_images)
            assert rest == 0
            content[0] ^= flipped if name == "expected.bin" else 0
            (tmp_path / "vectors" / name).write_bytes(content[: images * each])
        return subprocess.run([*make, "run"], capture_output=True, text=True, check=False)

    passed = run(images=10)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "10 images, each 2 times: 0 mismatches" in passed.stdout
    failed = run(images=1, flipped=1)
    assert failed.returncode != 0
    assert "first mismatch: image 0 run 0" in failed.stdout
