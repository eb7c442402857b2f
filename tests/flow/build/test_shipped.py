"""The shipped networks, all the way: bit-exact, as accurate as in floats, and within baselines."""

from __future__ import annotations

import json
import subprocess

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


def test_the_rendered_test_bench_passes_and_can_fail(resnet8_build: BuildResult) -> None:
    """The very project that a Vitis user gets, by its own Makefile."""
    hls = resnet8_build.out / "hls"
    make = ["make", "-C", str(hls), f"AP_TYPES={ap_types_directory()}", "CXXFLAGS=-O1"]
    passed = subprocess.run([*make, "run"], capture_output=True, text=True, check=False)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "200 images, each 2 times: 0 mismatches" in passed.stdout

    expected = resnet8_build.out / "vectors" / "expected.bin"
    good = expected.read_bytes()
    try:
        expected.write_bytes(bytes([good[0] ^ 1]) + good[1:])
        failed = subprocess.run([*make, "run"], capture_output=True, text=True, check=False)
    finally:
        expected.write_bytes(good)
        subprocess.run([*make, "clean"], capture_output=True, check=True)
    assert failed.returncode != 0
    assert "first mismatch: image 0 run 0" in failed.stdout
