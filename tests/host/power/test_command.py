"""The protocol, and ``python -m acsgen_host measure-power``, on the engines of the other tests."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Accelerator, InputError, PowerError
from acsgen_host.__main__ import main
from acsgen_host.power import (
    Inferences,
    Plan,
    Recorder,
    Setting,
    SourceInfo,
    SyntheticBench,
    make_trace,
    measure,
    run_timeline,
)

from tests.host.conftest import Prepared

pytestmark = pytest.mark.xdist_group("driver")


@pytest.fixture
def folder(prepared: Prepared, tmp_path: Path) -> Path:
    made = shutil.copytree(prepared.bundle.path, tmp_path / "build")
    (made / "csim").mkdir()
    shutil.copyfile(prepared.libraries["csim"], made / "csim" / "libacs.so")
    return made


def test_the_protocol_finds_what_the_synthetic_source_was_given(
    folder: Path, prepared: Prepared
) -> None:
    with Accelerator.simulate(folder) as accelerator:
        bench = SyntheticBench(accelerator, prepared.images, energy=lambda counters: 3e-4)
        values = (0.0, 1.0)
        settings = [
            Setting(f"{v}", lambda v=v: accelerator.set_strictness(v))  # type: ignore[misc]
            for v in values
        ]
        points, trace, timeline = measure(bench, bench, settings, Plan())
        seconds = dict.fromkeys(values, 0.0)
        for value in values:
            accelerator.strictness = value
            results: Any = accelerator.infer(prepared.images)
            seconds[value] = float(results.seconds.mean())
    assert trace.info.synthetic
    for point, value, case in zip(points, values, ("open", "closed"), strict=True):
        assert point.energy.net.low <= 3e-4 <= point.energy.net.high
        assert point.energy.net.resolved
        assert point.energy.seconds == pytest.approx(seconds[value])
        assert point.counters["macs_executed"] == prepared.golden[f"{case}/macs"].mean()
        assert point.energy.net.repeats == 5
    assert all(len(repeats) == 5 for repeats in timeline.repeats)
    loads = [r.load for repeats in timeline.repeats for r in repeats]
    assert min(end - start for start, end in loads) >= 10.0
    starts = [repeats[0].load[0] for repeats in timeline.repeats]
    assert starts[1] < timeline.repeats[0][1].load[0], "settings take turns"


@pytest.mark.parametrize(
    ("plan", "what"),
    [
        (Plan(seconds=9.0), "a loop takes at least 10"),
        (Plan(repeats=4), "take at least 5"),
        (Plan(settle=5.0), "less than half a loop"),
        (Plan(seconds=float("nan")), "seconds"),
    ],
)
def test_less_than_the_protocol_is_refused(plan: Plan, what: str) -> None:
    with pytest.raises(InputError, match=what):
        plan.check()


def test_a_loop_is_of_whole_rounds(folder: Path, prepared: Prepared) -> None:
    with Accelerator.simulate(folder) as accelerator:
        loop = Inferences(accelerator, prepared.images).loop(0.3)
    assert loop.end - loop.start >= 0.3
    assert loop.images % len(prepared.images) == 0
    assert loop.counters["macs_executed"] == pytest.approx(prepared.golden["trained/macs"].mean())


def test_the_command(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, picture = tmp_path / "power.json", tmp_path / "power.png"
    command = ["measure-power", str(folder), "--simulate", "csim", "--source", "synthetic"]
    options = ["--strictness", "0", "0.5", "1", "--out", str(out), "--plot", str(picture)]
    assert main([*command, *options]) == 0
    text = capsys.readouterr().out
    assert "S Y N T H E T I C   P O W E R" in text
    assert text.count("SYNTHETIC strictness") == 3
    data = json.loads(out.read_text())
    assert data["kind"] == "synthetic"
    assert [point["name"] for point in data["points"]] == [
        "strictness 0",
        "strictness 0.5",
        "strictness 1",
    ]
    assert (data["confidence"], data["plan"]["repeats"]) == (0.95, 5)
    assert data["scope"] == "made up: no sensor, no board"
    assert data["rate_hz"] > 100
    for point in data["points"]:
        net = point["net_joules"]
        assert net["low"] < net["value"] < net["high"]
        assert point["net"] == "resolved"
    assert data["energy_model"]["kind"] == "model fitted to 3 synthetic points"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_the_command_cannot_use_is_said(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["measure-power", str(folder), "--out", str(tmp_path / "p.json")]
    for options, text in (
        (["--simulate", "csim", "--source", "rails:12V"], "measure this machine and no engine"),
        (["--simulate", "csim", "--source", "synthetic", "--repeats", "3"], "take at least 5"),
        (["--simulate", "csim", "--source", "wattmeter"], "is no power source"),
        (["--source", "synthetic"], "has no bitstreams"),
        (["--simulate", "csim", "--source", "synthetic", "--timeline", "x"], "is for --source csv"),
    ):
        assert main([*command, *options]) == 2
        assert text in capsys.readouterr().err
    assert not (tmp_path / "p.json").exists()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main([*command, "--simulate", "csim", "--source", "synthetic", "--plot", "x.png"]) == 2
    assert "do without --plot: the JSON has all figures" in capsys.readouterr().err


def test_the_file_of_a_meter_is_joined_later(
    folder: Path, prepared: Prepared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The timeline of a run, and a csv whose clock is another and runs differently."""
    from acsgen_host.power.report import timeline_to_json

    with Accelerator.simulate(folder) as accelerator:
        bench = SyntheticBench(accelerator, prepared.images, energy=lambda counters: 3e-4)
        plan = Plan(chip=1.0)
        bench.idle(8.0)
        timeline = run_timeline(bench, [Setting("as trained", lambda: None)], plan)
        bench.idle(5.0)
    trace = bench.trace()
    kept = tmp_path / "power.timeline.json"
    kept.write_text(json.dumps(timeline_to_json(timeline)))
    meter = tmp_path / "meter.csv"
    lines = [f"{(t + 77) * 1.0005:.5f},12.0,{w / 12:.6f}" for t, w in zip(*trace[:2], strict=True)]
    meter.write_text("\n".join(["time (s),volts (V),amps (A)", *lines]))
    out = tmp_path / "joined.json"
    source = f"csv:{meter},scope=12 V input"
    command = ["measure-power", str(folder), "--simulate", "csim", "--timeline", str(kept)]
    assert main([*command, "--source", source, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "ppm" in text
    data = json.loads(out.read_text())
    assert data["alignment"]["skew"] == pytest.approx(-5e-4, abs=5e-5)
    net = data["points"][0]["net_joules"]
    assert net["low"] <= 3e-4 <= net["high"]
    assert (data["kind"], data["scope"]) == ("measured", "12 V input")
    kept.write_text("{}")
    assert main([*command, "--source", source, "--out", str(out)]) == 2
    assert "is no timeline" in capsys.readouterr().err


class Sensor:
    """Measures more while the accelerator runs."""

    info = SourceInfo("sensor of a test", "nothing")

    def __init__(self, accelerator: Accelerator) -> None:
        self._rng = np.random.default_rng(1)
        self.running = False
        run = accelerator.run_many

        def watched(*arguments: Any) -> Any:
            self.running = True
            try:
                return run(*arguments)
            finally:
                self.running = False

        accelerator.run_many = watched  # type: ignore[method-assign]

    def read(self) -> float:
        return float(3.0 + 0.2 * self.running + self._rng.normal(0, 0.01))

    def close(self) -> None:
        pass


@pytest.mark.slow
def test_a_measurement_in_real_time(folder: Path, prepared: Prepared) -> None:
    """A sensor in a thread of its own, beside loops that take as long as on a board."""
    with Accelerator.simulate(folder) as accelerator:
        recorder = Recorder(Sensor(accelerator), 200.0)
        workload = Inferences(accelerator, prepared.images)
        settings = [Setting("as trained", lambda: None)]
        ((point,), trace, timeline) = measure(workload, recorder, settings, Plan())
    assert trace.rate_hz == pytest.approx(200.0, rel=0.2)
    assert recorder.lost == 0
    assert point.energy.idle_watts.value == pytest.approx(3.0, abs=0.005)
    assert point.energy.net_watts.value == pytest.approx(0.2, rel=0.1)
    assert point.energy.net.resolved
    assert sum(repeat.images for repeat in timeline.repeats[0]) > 500


def test_a_shunt_the_wrong_way_round_is_said(folder: Path, prepared: Prepared) -> None:
    class Backwards(SyntheticBench):
        def trace(self) -> Any:
            found = super().trace()
            return make_trace(found.time, -found.watts, SourceInfo("backwards", "12 V"))

    with Accelerator.simulate(folder) as accelerator:
        bench = Backwards(accelerator, prepared.images)
        with pytest.raises(PowerError, match="swap the wires at the shunt"):
            measure(bench, bench, [Setting("as trained", lambda: None)], Plan())


def test_the_picture_marks_what_is_made_up(folder: Path, prepared: Prepared) -> None:
    from acsgen_host.power import plot

    with Accelerator.simulate(folder) as accelerator:
        bench = SyntheticBench(accelerator, prepared.images, noise_watts=20.0)
        found = measure(bench, bench, [Setting("as trained", lambda: None)], Plan())
    assert not found[0][0].energy.net.resolved
    figure = plot.draw(*found)
    words = [text.get_text() for text in figure.findobj(lambda a: hasattr(a, "get_text"))]
    assert "SYNTHETIC" in words
    assert "unresolved" in words
    assert np.isfinite(figure.axes[0].get_xlim()).all()
