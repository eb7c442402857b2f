"""``acsgen bitstream``: all the way, with tools that run the real scripts, and all their faults."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acsgen_host import Accelerator, Bundle
from acsgen_host.handoff import check_handoff
from typer.testing import CliRunner, Result

from acsgen.cli import app
from acsgen.flow.build import BuildRequest, build
from acsgen.report.file import read_report
from acsgen.verify.builddir import open_build
from tests.nets.modules import export_small
from tests.report.csynth_text import csynth_of
from tests.vivado.tools import need_tclsh, write_vitis_hls, write_vitis_run, write_vivado

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_tclsh()
    folder = tmp_path_factory.mktemp("bitstream")
    model = export_small(folder / "small.pt2")
    request = BuildRequest(model=model, board="zedboard", out=folder / "net", images=2)
    return build(request).out


@pytest.fixture
def built(original: Path, tmp_path: Path) -> Path:
    """A copy to make bitstreams of, in a folder of its own."""
    return Path(shutil.copytree(original, tmp_path / "here" / "net"))


@pytest.fixture
def variables(built: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of the command: tools on the PATH, and nothing of Xilinx besides."""
    tools = tmp_path / "tools"
    write_vivado(tools)
    write_vitis_hls(tools)
    report = tmp_path / "csynth.xml"
    report.write_text(csynth_of(built))
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XILINX", "FAKE", "ACS_"))}
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "200",
        "FAKE_CSYNTH": str(report),
    }


@pytest.fixture
def run(built: Path, variables: dict[str, str]) -> Run:
    """Return a function that runs the command in this process, and checks its exit status."""
    unset = dict.fromkeys(os.environ.keys() - variables.keys())

    def bitstream(*words: object, status: int = 0, **more: str) -> Result:
        runner = CliRunner(env={**unset, **variables, **more})
        done = runner.invoke(app, ["bitstream", str(built), *map(str, words)])
        assert done.exit_code == status, done.output
        assert "Traceback" not in done.output
        return done

    return bitstream


def command(built: Path, *words: object) -> list[str]:
    return [sys.executable, "-m", "acsgen", "bitstream", str(built), *map(str, words)]


def files_in(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("engine", ["hls", "rtl"])
def test_the_folder_for_the_board(run: Run, built: Path, engine: str) -> None:
    before = files_in(built)
    said = run("--engine", engine).stdout
    out = built.parent / f"net-{engine}"
    assert f"written to {out}" in said
    assert "acsgen: placement and routing" in said
    assert re.search(r"\d:\d\d:\d\d  Starting Routing Task", said)
    (bit,) = out.glob("*.bit")
    (hwh,) = out.glob("*.hwh")
    digest = hashlib.sha256(bit.read_bytes() + hwh.read_bytes()).hexdigest()
    named = re.fullmatch(r"small-zedboard-([0-9a-f]{8,})", bit.stem)
    assert named is not None
    assert digest.startswith(named[1])
    assert bit.stem == hwh.stem
    assert len(check_handoff(hwh)) == 1
    # The driver's own reader takes the folder, and its digests have the bitstream, too.
    bundle = Bundle.load(out)
    assert bundle.model == "small"
    assert len(bundle.vectors().images) == 2
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["files"][bit.name]["sha256"] == hashlib.sha256(bit.read_bytes()).hexdigest()
    assert open_build(out).manifest.model == "small"
    names = {path.name for path in out.iterdir()}
    assert {"host", "install.sh", "README.md", "reports", "program"} <= names
    assert {"report.html", "report.json"} <= names
    assert (out / "host" / "acsgen_host" / "bundle.py").is_file()
    assert os.access(out / "install.sh", os.X_OK)
    # On this PC it runs by simulation, as its notebooks do.
    with Accelerator.simulate(out) as accelerator:
        tested = accelerator.selftest()
    assert tested.runs >= len(bundle.vectors().images)
    assert tested.mismatches == 0
    # The page of the folder is of its report, with what was measured.
    page = (out / "report.html").read_text()
    assert page.count("measured by Vivado after routing") == 4
    assert "41,234" in page
    assert f"{bit.name}</" in page
    # Nothing of the run is left, and nothing of the build was touched but its report.
    assert sorted(p.name for p in built.parent.iterdir()) == ["net", out.name]
    after = files_in(built)
    assert {name for name in after if after[name] != before.get(name)} == {
        "report.html",
        "report.json",
    }
    assert before.keys() == after.keys()


def test_what_was_measured_stands_beside_what_was_estimated(run: Run, built: Path) -> None:
    done = run("--engine", "hls", "--json", "-")
    figures = json.loads(done.stdout)
    report = read_report(built)
    found = report.bitstream["hls"]
    assert figures["stem"] == found.stem
    assert (found.resources.lut, found.resources.ff) == (41234, 33123)
    assert (found.resources.bram36, found.resources.dsp, found.resources.uram) == (104.5, 176, 0)
    assert (found.wns_ns, found.whs_ns, found.vivado) == (0.412, 0.021, "2022.2")
    assert found.clock_mhz == pytest.approx(100, abs=1e-3)
    assert found.source == "measured by Vivado after routing"
    assert report.resources.lut != found.resources.lut
    assert len(found.critical_warnings) == 1
    claims = json.loads((built / "hls" / "claims.json").read_text())["loops"]
    assert found.synthesis is not None
    loops = {loop.label: loop for loop in found.synthesis.loops}
    assert loops.keys() == claims.keys()
    for label, claim in claims.items():
        assert loops[label].claimed_interval == claim["interval"]
        assert loops[label].interval == (claim["interval"] if claim["depth"] else None)
    assert found.synthesis.broken == ()
    # Another engine's bitstream has its place beside it.
    run("--engine", "rtl")
    assert read_report(built).bitstream.keys() == {"hls", "rtl"}
    shown = subprocess.run(
        [sys.executable, "-m", "acsgen", "report", str(built)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    ).stdout
    assert "41,234  77.5 % of 53,200, measured by Vivado after routing; estimate" in shown
    assert re.search(r"claims, HLS +\d+ of \d+ +hold in the report of Vitis HLS", shown)


def test_claims_that_the_report_does_not_bear_out(
    run: Run, built: Path, variables: dict[str, str]
) -> None:
    report = Path(variables["FAKE_CSYNTH"])
    report.write_text(report.read_text().replace("<PipelineII>1<", "<PipelineII>3<", 1))
    done = run("--engine", "hls")
    assert "warning: claims that the report does not bear out: 1" in done.stderr
    found = read_report(built).bitstream["hls"].synthesis
    assert found is not None
    (broken,) = found.broken
    assert "interval: claimed 1, found 3" in broken


def test_another_clock_goes_to_both_tools(run: Run, built: Path) -> None:
    run("--engine", "hls", "--clock-mhz", "80", "-q")
    found = read_report(built).bitstream["hls"]
    assert found.clock_mhz == pytest.approx(1000 / 13, rel=1e-6)
    assert found.synthesis is not None
    assert found.synthesis.clock_ns == 12.5
    assert found.synthesis.broken == ()


@pytest.mark.parametrize("version", ["2020.2", "2024.2"])
def test_versions_differ_in_their_reports(run: Run, built: Path, version: str) -> None:
    run("--engine", "rtl", "-q", FAKE_VERSION=version)
    found = read_report(built).bitstream["rtl"]
    assert (found.vivado, found.resources.lut) == (version, 41234)


def test_the_newer_command_of_vitis_hls_and_its_components(
    run: Run, built: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    write_vitis_run(tmp_path / "tools")
    run("--engine", "hls", "--log", FAKE_STYLE="component")
    assert read_report(built).bitstream["hls"].synthesis is not None


#: A fault of a tool, the engine that it befalls, the exit status, and the words about it.
FAULTS = [
    ("csynth_fail", "hls", 1, "vitis_hls ended with status 1; it said: 'acs_lists.cpp' has errors"),
    ("no_ip", "hls", 1, "0 folders with the engine's IP"),
    ("no_report", "hls", 1, "Vitis HLS left 0 reports csynth.xml"),
    ("hls_license", "hls", 2, "Could not obtain a license for 'HLS' -> the tool has no licence"),
    ("y2k22", "hls", 2, "before 2021.2 cannot package an IP since 2022"),
    ("synth_fail", "rtl", 1, "synth_1 ended with 'synth_design ERROR'"),
    ("impl_fail", "rtl", 1, "requires more Slice LUTs"),
    ("impl_fail", "rtl", 1, "Build it again with fewer lanes (--lanes)"),
    ("license", "rtl", 2, "A valid license was not found for feature 'Synthesis'"),
    ("license", "rtl", 2, "check XILINXD_LICENSE_FILE"),
    ("no_device", "rtl", 2, "choose the device files|Add Design Tools or Devices"),
    ("memory", "rtl", 2, "too little memory"),
    ("timing", "rtl", 1, "timing is not met at 99.999999 MHz: the worst path is 0.321 ns too long"),
    ("timing", "rtl", 1, "The longest path would allow 96 MHz: --clock-mhz 96"),
    ("hold", "rtl", 1, "timing is not met: hold slack -0.051 ns"),
    ("unconstrained", "rtl", 1, "no clock of the design is constrained to"),
    ("no_bit", "rtl", 1, "Vivado wrote no bitstream"),
    ("no_hwh", "rtl", 1, "Vivado wrote no hardware handoff"),
    ("silent_vivado", "rtl", 1, "vivado ended with status 3"),
    ("killed_vivado", "rtl", 1, "vivado was killed by signal 9"),
    ("lying_vivado", "rtl", 1, "the tools ended as if all were well, and left no result"),
    ("lying_vivado", "rtl", 1, "results-rtl: is not there"),
    ("quiet_error", "rtl", 1, "vivado reported errors; it said: something is wrong"),
]


@pytest.mark.parametrize(("fault", "engine", "status", "words"), FAULTS)
def test_a_fault_is_told_and_leaves_the_old_result_whole(
    run: Run, built: Path, fault: str, engine: str, status: int, words: str
) -> None:
    out = built.parent / "out"
    run("--engine", engine, "--out", out, "-q")
    before, report = files_in(out), (built / "report.json").read_bytes()
    done = run("--engine", engine, "--out", out, status=status, FAKE_FAULT=fault)
    assert any(option in one_line(done.stderr) for option in words.split("|")), done.stderr
    assert files_in(out) == before
    assert (built / "report.json").read_bytes() == report
    # The logs stay, to be read; and the next run is not in their way.
    logs = built.parent / "out.work" / "logs"
    assert str(logs) in one_line(done.stderr) or "results" in done.stderr or "csynth" in done.stderr
    assert list(logs.glob("*.log"))
    run("--engine", engine, "--out", out, "-q")
    assert not logs.exists()


def test_without_an_old_result_a_fault_leaves_none(run: Run, built: Path) -> None:
    run("--engine", "rtl", status=1, FAKE_FAULT="timing")
    assert sorted(p.name for p in built.parent.iterdir()) == ["net", "net-rtl.work"]


def alive(folder: Path) -> list[str]:
    """Processes whose command line has the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in text:
            found.append(text)
    return found


@pytest.mark.parametrize("fault", ["hang", "deaf_vivado"])
def test_a_tool_that_hangs_is_stopped(run: Run, built: Path, tmp_path: Path, fault: str) -> None:
    # It hangs for an hour; the start of the command alone may take a minute where others work.
    started = time.monotonic()
    done = run("--engine", "rtl", "--timeout", "0.05", status=1, FAKE_FAULT=fault)
    assert time.monotonic() - started < 600
    assert "vivado was stopped after 0.05 minutes, the limit of --timeout" in one_line(done.stderr)
    assert alive(tmp_path / "tools") == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_killed_ends_its_tools(
    built: Path, variables: dict[str, str], tmp_path: Path, run: Run, number: signal.Signals
) -> None:
    run("--engine", "rtl", "-q")
    out = built.parent / "net-rtl"
    before = files_in(out)
    process = subprocess.Popen(
        command(built, "--engine", "rtl", "--log"),
        cwd=built.parent,
        env=variables | {"FAKE_FAULT": "hang"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what it starts in the background ignore Ctrl-C, these tests among them.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Phase 1 RT Design" in line:
            break
    assert alive(tmp_path / "tools")
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in errors
    assert alive(tmp_path / "tools") == []
    assert files_in(out) == before


def test_two_runs_in_one_place(built: Path, variables: dict[str, str], run: Run) -> None:
    first = subprocess.Popen(
        command(built, "--engine", "rtl", "--log"),
        cwd=built.parent,
        env=variables | {"FAKE_FAULT": "hang"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert first.stdout is not None
    try:
        for line in first.stdout:
            if "Phase 1 RT Design" in line:
                break
        done = run("--engine", "rtl", status=2)
        assert "another acsgen bitstream works there" in one_line(done.stderr)
    finally:
        first.terminate()
        first.wait(timeout=60)
    run("--engine", "rtl", "-q")


def without_tools(variables: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return {"PATH": variables["PATH"].split(os.pathsep, 1)[1], "HOME": str(tmp_path / "nobody")}


def test_without_tools_it_says_what_to_install_and_what_to_run_where(
    run: Run, built: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    nothing = without_tools(variables, tmp_path)
    said = one_line(run("--engine", "hls", status=2, **nothing).stderr)
    for words in (
        "Vivado: is not found: no vivado on the PATH, none behind XILINX_VIVADO",
        "Vitis HLS: is not found: no vitis-run and vitis_hls on the PATH",
        "or take --engine rtl, which needs Vivado alone",
        "2020.2 to 2024.2",
        "choose the device files Zynq-7000",
        "make -C net/vivado ENGINE=hls",
        f"acsgen bitstream {built} --engine hls --collect",
    ):
        assert words in said, words
    said = one_line(run("--engine", "rtl", status=2, **nothing).stderr)
    assert "Vitis is not needed" in said
    assert "Vitis HLS: is not found" not in said


def test_vivado_alone_is_enough_for_the_rtl(
    run: Run, variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "tools" / "vitis_hls").unlink()
    run("--engine", "rtl", "-q")
    said = one_line(run("--engine", "hls", status=2).stderr)
    assert "Vitis HLS: is not found" in said
    assert "Vivado: is not found" not in said


def test_tools_are_found_where_they_are_installed(
    run: Run, built: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    """The newest of those in the home, without settings64.sh; variables go first."""
    nothing = without_tools(variables, tmp_path) | {"HOME": str(tmp_path)}
    for version in ("2019.1", "2022.2", "2021.1"):
        write_vivado(tmp_path / "Xilinx" / "Vivado" / version / "bin")
    for version in ("2022.2", "2021.1"):
        write_vitis_hls(tmp_path / "Xilinx" / "Vitis_HLS" / version / "bin")
    # Before 2023.2 this command takes no script.
    write_vitis_run(tmp_path / "Xilinx" / "Vitis" / "2023.1" / "bin")
    run("--engine", "hls", "-q", **nothing)
    logs = built.parent / "net-hls" / "reports" / "logs"
    assert sorted(p.name for p in logs.iterdir()) == ["bitstream.log", "run_hls.log"]
    assert "****** vitis_hls v2022.2" in (logs / "run_hls.log").read_text()
    mine = tmp_path / "mine"
    write_vivado(mine / "bin")
    (mine / "bin" / "vivado").write_text("#!/bin/sh\necho mine\nexit 7\n")
    done = run("--engine", "rtl", status=1, **nothing, XILINX_VIVADO=str(mine))
    assert "vivado ended with status 7; it said: mine" in one_line(done.stderr)


@pytest.mark.parametrize("engine", ["hls", "rtl"])
def test_by_hand_on_another_machine(
    run: Run, built: Path, variables: dict[str, str], tmp_path: Path, engine: str
) -> None:
    """``make -C vivado`` needs nothing of acsgen; ``--collect`` takes what it leaves."""
    away = Path(shutil.copytree(built, tmp_path / "away"))
    done = subprocess.run(
        ["make", "-C", str(away / "vivado"), f"ENGINE={engine}"],
        env={k: v for k, v in variables.items() if k != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = away / "vivado" / f"results-{engine}"
    (bit,) = results.glob("small-zedboard-*.bit")
    content = bit.read_bytes() + bit.with_suffix(".hwh").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert digest.startswith(bit.stem.rsplit("-", 1)[1])
    shutil.rmtree(built)
    shutil.copytree(away, built)
    nothing = without_tools(variables, tmp_path)
    run("--engine", engine, "--collect", "-q", **nothing)
    out = built.parent / f"net-{engine}"
    assert (out / bit.name).read_bytes() == bit.read_bytes()
    assert (read_report(built).bitstream[engine].synthesis is None) == (engine == "rtl")
    # A run of the tools does not take what make left for its own.
    run("--engine", engine, "-q")


def test_collect_without_results_and_with_those_of_two_runs(run: Run, built: Path) -> None:
    said = one_line(run("--engine", "rtl", "--collect", status=2).stderr)
    assert "results-rtl: is not there" in said
    assert "make -C" in said
    run("--engine", "rtl", "-q", "--keep-work")
    made = built.parent / "net-rtl.work" / "vivado" / "results-rtl"
    results = Path(shutil.copytree(made, built / "vivado" / "results-rtl"))
    run("--engine", "rtl", "--collect", "-q")
    (results / "design.hwh").rename(results / "other.hwh")
    said = one_line(run("--engine", "rtl", "--collect", status=1).stderr)
    assert "are not of one run" in said
    (results / "other.hwh").rename(results / "design.hwh")
    text = (results / "design.hwh").read_text()
    (results / "design.hwh").write_text(text.replace("acs_engine:1.0", "other:1.0"))
    said = one_line(run("--engine", "rtl", "--collect", status=1).stderr)
    assert "the driver cannot use what Vivado wrote" in said
    (results / "design.hwh").write_text(text)
    timing = (results / "timing_summary.rpt").read_text()
    (results / "timing_summary.rpt").write_text(timing.replace("0.412", "-0.412"))
    assert "timing is not met" in run("--engine", "rtl", "--collect", status=1).stderr
    (results / "timing_summary.rpt").unlink()
    assert "has no timing_summary.rpt" in run("--engine", "rtl", "--collect", status=1).stderr


def test_what_cannot_be_used_is_refused_before_any_tool_runs(
    run: Run, built: Path, tmp_path: Path
) -> None:
    precious = built.parent / "net-rtl" / "thesis.tex"
    precious.parent.mkdir()
    precious.write_text("precious")
    assert "left untouched" in run("--engine", "rtl", status=2).stderr
    assert precious.read_text() == "precious"
    (built.parent / "o.work").mkdir()
    (built.parent / "o.work" / "thesis.tex").write_text("precious")
    said = run("--engine", "rtl", "--out", built.parent / "o", status=2).stderr
    assert "left untouched" in said
    assert (built.parent / "o.work" / "thesis.tex").is_file()
    said = run("--engine", "rtl", "--out", built, status=2).stderr
    assert "is the build itself" in one_line(said)
    scripts = built / "vivado"
    scripts.rename(built / "elsewhere")
    said = one_line(run("--engine", "rtl", status=2).stderr)
    assert "vivado: is missing -> build it again with this acsgen" in said
    (built / "program" / "params.bin").write_bytes(b"")
    assert "params.bin" in run("--engine", "rtl", status=2).stderr


def test_a_build_without_the_engine(run: Run, built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    (built / "manifest.json").write_text(json.dumps(manifest | {"engines": ["rtl"]}))
    assert "was built without hls" in one_line(run("--engine", "hls", status=2).stderr)
    run("-q")
    assert (built.parent / "net-rtl").is_dir()


def install(out: Path, variables: dict[str, str], *words: object) -> Any:
    return subprocess.run(
        ["sh", str(out / "install.sh"), *map(str, words)],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installation_on_the_board(
    run: Run, built: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    run("--engine", "rtl", "-q")
    out = built.parent / "net-rtl"
    python = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(python)], check=True)
    (site,) = python.glob("lib/python*/site-packages")
    import numpy

    (site / "lent.pth").write_text(f"{Path(numpy.__file__).parent.parent}\n")
    notebooks = tmp_path / "jupyter"
    notebooks.mkdir()
    board = {k: v for k, v in variables.items() if k != "PYTHONPATH"} | {
        "PYTHON": str(python / "bin" / "python"),
        "PYNQ_JUPYTER_NOTEBOOKS": str(notebooks),
    }
    done = install(out, board)
    assert done.returncode == 0, done.stderr
    target = notebooks / "acsgen" / "small-zedboard"
    assert Bundle.load(target).model == "small"
    found = subprocess.run(
        [board["PYTHON"], "-c", "import acsgen_host; print(acsgen_host.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={k: v for k, v in board.items() if k != "PYTHONPATH"},
    ).stdout
    assert str(target / "host") in found
    # What was measured there stays through another installation.
    (target / "program" / "budget.json").write_text("measured")
    assert install(out, board).returncode == 0
    assert (target / "program" / "budget.json").read_text() == "measured"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    (target / "program" / "budget.json").unlink()
    # A notebook that was edited is not lost with the earlier installation, nor is a result.
    for name, content in (
        ("host/notebooks/1_first_inference.ipynb", "mine"),
        ("host/power.json", "1"),
    ):
        (target / name).write_text(content)
        done = install(out, board)
        assert done.returncode == 0
        assert "kept as " in done.stdout
        (kept,) = [path for path in target.parent.iterdir() if path != target]
        assert (kept / name).read_text() == content
        shutil.rmtree(kept)
    # A folder with other things in it is left alone, and so is the one around this.
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years")
    for folder in (mine, out.parent):
        before = files_in(folder)
        done = install(out, board, folder)
        assert done.returncode == 2
        assert str(folder) in done.stderr
        assert files_in(folder) == before
    # Its self-test starts the driver, which says that this is no board.
    done = install(out, board, "--selftest")
    assert done.returncode == 2
    assert "pynq" in done.stderr

    bad = board | {"PYTHON": ""}
    assert "no Python here has pynq" in install(out, bad).stderr
    assert "unknown option --help-me" in install(out, board, "--help-me").stderr
    (out / "program" / "params.bin").write_bytes(b"cut off")
    done = install(out, board)
    assert done.returncode == 2
    assert "copy the whole folder again" in done.stderr


def test_build_goes_on_to_a_bitstream(
    original: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "acsgen", "build", str(original.parent / "small.pt2")]
    words += ["--board", "zedboard", "--images", "2", "--bitstream", "-q"]
    nothing = variables | without_tools(variables, tmp_path)
    place = tmp_path / "place"
    place.mkdir()
    done = subprocess.run(
        words, cwd=place, env=nothing, capture_output=True, text=True, check=False
    )
    # Told before the build begins, not after.
    assert done.returncode == 2
    assert "Vivado: is not found" in one_line(done.stderr)
    assert list(place.iterdir()) == []
    done = subprocess.run(
        words, cwd=place, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (place / "build").iterdir()) == [
        "small-zedboard",
        "small-zedboard-hls",
    ]
    assert read_report(place / "build" / "small-zedboard").bitstream.keys() == {"hls"}
