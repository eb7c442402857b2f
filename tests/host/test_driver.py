"""The driver over every back end: equal to the golden model, and clear about every fault."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import (
    Accelerator,
    BackendError,
    BudgetPoint,
    BudgetProfile,
    Bundle,
    EngineBusy,
    EngineFault,
    EngineMismatch,
    EngineTimeout,
    InputError,
    isa,
)
from acsgen_host.__main__ import main
from acsgen_host.selftest import self_test

from .conftest import Bench

pytestmark = pytest.mark.xdist_group("driver")

#: A run that is not expected to end waits this long, in seconds.
SOON = 0.05


@pytest.mark.parametrize("interrupts", [True, False], ids=["interrupt", "polling"])
def test_results_are_the_golden_ones(bench: Bench, interrupts: bool) -> None:
    with bench.accelerator(interrupts=interrupts) as accelerator:
        bench.prepared.check("trained", accelerator.run_many(bench.prepared.images))


def test_without_an_interrupt_the_driver_polls(bench: Bench) -> None:
    backend = bench.backend(interrupt=False)
    assert not backend.has_interrupt
    with Accelerator(backend, bench.prepared.bundle) as accelerator:
        bench.prepared.check("trained", accelerator.run_many(bench.prepared.images))
    with pytest.raises(BackendError, match="no interrupt"):
        Accelerator(bench.backend(interrupt=False), bench.prepared.bundle, interrupts=True)


def test_every_order_gives_the_same(bench: Bench) -> None:
    images = bench.prepared.images
    order = [0, 0, 2, 1, 3, 3, 0, 1, 2]
    with bench.accelerator() as accelerator:
        results = [accelerator.run(images[index]) for index in order]
    bench.prepared.check("trained", results, order)
    for index in range(len(images)):
        same = [r.counters for i, r in zip(order, results, strict=True) if i == index]
        assert same == [same[0]] * len(same)


def test_two_accelerators_share_an_engine_in_turn(bench: Bench) -> None:
    """The second finds the engine, and its registers, as the first left them."""
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
    with Accelerator(bench.backend(bench.board), prepared.bundle) as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[1])], [1])


def test_thresholds_change_masks_as_the_golden_model_says(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    first = next(iter(prepared.bundle.gates))
    with bench.accelerator() as accelerator:
        accelerator.set_thresholds(0.2)
        prepared.check("alpha 0.2", accelerator.run_many(images))
        accelerator.set_thresholds(0.9)
        prepared.check("alpha 0.9", accelerator.run_many(images))
        accelerator.reset_thresholds()
        prepared.check("trained", accelerator.run_many(images))
        accelerator.set_thresholds({first: 0.9})
        prepared.check("one gate at 0.9", accelerator.run_many(images))
        accelerator.reset_thresholds()
        accelerator.set_thresholds(prepared.thresholds("own integers"))
        prepared.check("own integers", accelerator.run_many(images))
        accelerator.set_strictness(0.0)
        prepared.check("open", accelerator.run_many(images))
        accelerator.force_masks(dict.fromkeys(prepared.bundle.gates, False))
        prepared.check("closed", accelerator.run_many(images))


def test_a_wrong_threshold_changes_nothing(bench: Bench) -> None:
    prepared = bench.prepared
    gates = list(prepared.bundle.gates.values())
    first, second = gates[0].name, gates[1].name
    with bench.accelerator() as accelerator:
        before = accelerator.thresholds
        for wrong, text in [
            (1.5, "within"),
            ({first: 0.5, "nothing": 0.5}, "nothing: is not a gate"),
            ({first: np.zeros(gates[0].channels + 1, np.int32)}, "takes"),
            ({first: np.zeros(gates[0].channels)}, "integers"),
            ({first: np.full(gates[0].channels, 2**31)}, "32 bits"),
            ({first: float("nan"), second: True}, second),
            ("0.5", "a number within"),
            (None, "a number within"),
            ({first: 10**400}, "within"),
        ]:
            with pytest.raises(InputError, match=text):
                accelerator.set_thresholds(wrong)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="mask bits"):
            accelerator.force_masks({first: np.ones(gates[0].channels + 1, bool)})
        after = accelerator.thresholds
        assert all(np.array_equal(before[name], after[name]) for name in before)
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])


def test_the_budget_is_kept_in_the_mean(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    means = {case: prepared.golden[f"{case}/macs"].mean() for case in ("open", "trained", "closed")}
    with bench.accelerator() as accelerator:
        labels = prepared.golden["trained/logits"].argmax(axis=1)
        profile = accelerator.measure_budget(images, labels, (0.0, 0.5, 1.0))
        assert [point.macs_mean for point in profile.points] == list(means.values())
        assert profile.points[1].accuracy == 1.0
        prepared.check("trained", [accelerator.run(images[0])], [0])

        point = accelerator.set_budget(means["trained"], profile)
        assert point == profile.points[1]
        prepared.check("trained", accelerator.run_many(images))
        assert accelerator.set_budget(means["trained"] - 1, profile).strictness == 1.0
        prepared.check("closed", accelerator.run_many(images))
        with pytest.raises(InputError, match="at least"):
            accelerator.set_budget(means["closed"] - 1, profile)
        with pytest.raises(InputError, match="no measured profile"):
            accelerator.set_budget(1e9)
        for macs in (None, "5e6", float("nan")):
            with pytest.raises(InputError, match="must be a number of MACs"):
                accelerator.set_budget(macs, profile)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="number of labels"):
            accelerator.measure_budget(images, labels[:-1])
    # With early exits the least need not be that of closed gates.
    points = [(0.0, 9.0), (0.5, 4.2), (1.0, 6.0)]
    by_exits = BudgetProfile(7, "by hand", tuple(BudgetPoint(s, m, 9, None) for s, m in points))
    said = "at least 5 are needed: the mean of the profile's 7 images at strictness 0.5, the lowest"
    with pytest.raises(InputError, match=said):
        by_exits.choose(3)
    assert by_exits.choose(5).strictness == 0.5
    own = BudgetProfile(1, "by hand", (BudgetPoint(1.0, 1.0, 1, None),))
    with bench.accelerator(prepared.bundle._replace(budget=own)) as accelerator:
        accelerator.set_budget(1.0)
        prepared.check("closed", accelerator.run_many(images))


def test_an_engine_that_never_ends_times_out_and_then_runs_again(bench: Bench) -> None:
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[1])], [1])
        bench.board.running = False
        with pytest.raises(EngineTimeout, match="registers: control") as caught:
            accelerator.run(prepared.images[0], timeout=SOON)
        assert set(caught.value.registers) == set(isa.REGISTERS)
        assert caught.value.registers["params_words"] == len(prepared.bundle.params)
        assert caught.value.registers["params"] > 2**32
        assert not caught.value.registers["control"] & 0b110, "neither done nor idle"
        # Still no clock: the engine is reset, and does not run after that either.
        with pytest.raises(EngineTimeout):
            accelerator.run(prepared.images[0], timeout=SOON)
        bench.board.running = True
        order = [2, 0]
        prepared.check("trained", [accelerator.run(prepared.images[i]) for i in order], order)


def test_a_late_end_is_not_taken_for_the_next_one(bench: Bench) -> None:
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        bench.board.running = False
        with pytest.raises(EngineTimeout):
            accelerator.run(prepared.images[0], timeout=SOON)
        bench.board.running = True
        bench.board.advance(10_000_000, True)
        prepared.check("trained", [accelerator.run(prepared.images[3])], [3])


def test_an_engine_that_cannot_be_reset_is_busy_until_it_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = bench.prepared
    backend = bench.backend()
    monkeypatch.setattr(backend, "reset", lambda: False)
    with Accelerator(backend, prepared.bundle) as accelerator:
        bench.board.running = False
        with pytest.raises(EngineTimeout):
            accelerator.run(prepared.images[0], timeout=SOON)
        with pytest.raises(EngineBusy, match="still runs"):
            accelerator.run(prepared.images[0], timeout=SOON)
        with pytest.raises(EngineBusy):
            Accelerator(backend, prepared.bundle)
        bench.board.running = True
        bench.board.advance(10_000_000, True)  # to its end, however slow this machine is
        prepared.check("trained", [accelerator.run(prepared.images[1])], [1])


def test_a_faulty_program_is_named(bench: Bench) -> None:
    prepared = bench.prepared
    index = 5
    program = prepared.bundle.program.copy()
    program[index * isa.INSTRUCTION_WORDS :][: isa.INSTRUCTION_WORDS] = 2**64 - 1
    with bench.accelerator(prepared.bundle._replace(program=program)) as accelerator:
        for _ in range(2):
            with pytest.raises(EngineFault, match="ILLEGAL_OPCODE at instruction 5") as caught:
                accelerator.run(prepared.images[0])
            assert caught.value.status == "ILLEGAL_OPCODE"
            assert caught.value.instruction == index
            assert caught.value.layer == prepared.bundle.layers[index]
    # And the engine is none the worse for it.
    with Accelerator(bench.backend(bench.board), prepared.bundle) as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])


def test_another_engine_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = bench.prepared.bundle
    wrong = bundle._replace(lane_groups=bundle.lane_groups + 1, feature_kib=bundle.feature_kib // 2)
    with pytest.raises(EngineMismatch) as caught:
        bench.accelerator(wrong)
    assert [problem.what for problem in caught.value.problems] == [
        f"has {what} {has}, the bundle is made for {wanted}"
        for what, has, wanted in (
            ("lane groups", bundle.lane_groups, wrong.lane_groups),
            ("KiB of feature memory", bundle.feature_kib, wrong.feature_kib),
        )
    ]

    backend = bench.backend()
    read = backend.read
    foreign = lambda offset: 0x1234ABCD if offset == isa.REG_SPEC_HASH else read(offset)  # noqa: E731
    monkeypatch.setattr(backend, "read", foreign)
    with pytest.raises(EngineMismatch, match="instruction set 0x1234abcd"):
        Accelerator(backend, bundle)


@pytest.mark.parametrize(
    ("images", "text"),
    [
        (np.zeros((3, 14, 13)), "float64"),
        (np.zeros((3, 14, 13), np.int8), "int8"),
        (np.zeros((14, 13, 3), np.uint8), "14x13x3"),
        (np.zeros((2, 3, 14, 14), np.uint8), "2x3x14x14"),
        (np.zeros((), np.uint8), "single"),
        ([np.zeros((3, 14, 13), np.uint8), np.zeros((3, 14, 12), np.uint8)], "differ in shape"),
        ([np.zeros((3, 14, 13), np.uint8), None], "differ in shape"),
        (None, "are None"),
    ],
)
def test_other_images_are_refused(bench: Bench, images: Any, text: str) -> None:
    with bench.accelerator() as accelerator:
        with pytest.raises(InputError, match=text):
            accelerator.run_many(images)
        with pytest.raises(InputError, match="run takes one"):
            accelerator.run(bench.prepared.images)
        assert accelerator.run_many(bench.prepared.images[:0]) == []


class Forgetful:
    """A back end whose buffers forget to flush or to invalidate, from some time on."""

    def __init__(self, backend: Any, flush: bool, invalidate: bool) -> None:
        self._backend = backend
        self.forgets = False
        self._flush, self._invalidate = flush, invalidate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def allocate(self, words: int) -> Any:
        buffer = self._backend.allocate(words)
        flush, invalidate = buffer.flush, buffer.invalidate
        buffer.flush = lambda *a: None if self.forgets and self._flush else flush(*a)
        buffer.invalidate = lambda: None if self.forgets and self._invalidate else invalidate()
        return buffer


def test_a_forgotten_flush_is_noticed(bench: Bench) -> None:
    """Of the boards rather than of the driver: they would let no flush be forgotten."""
    prepared = bench.prepared
    backend = Forgetful(bench.backend(), flush=True, invalidate=False)
    with Accelerator(backend, prepared.bundle) as accelerator:
        backend.forgets = True
        with pytest.raises(AssertionError):
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
    backend = Forgetful(bench.backend(), flush=True, invalidate=False)
    with Accelerator(backend, prepared.bundle) as accelerator:
        backend.forgets = True
        accelerator.set_strictness(1.0)
        backend.forgets = False
        prepared.check("trained", accelerator.run_many(prepared.images))
    backend = Forgetful(bench.backend(), flush=True, invalidate=False)
    backend.forgets = True
    with Accelerator(backend, prepared.bundle) as accelerator, pytest.raises(EngineFault):
        accelerator.run(prepared.images[0])


def test_a_forgotten_invalidate_is_noticed(bench: Bench) -> None:
    prepared = bench.prepared
    backend = Forgetful(bench.backend(), flush=False, invalidate=True)
    with Accelerator(backend, prepared.bundle) as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
        backend.forgets = True
        with pytest.raises(EngineFault, match="its result is not in memory"):
            accelerator.run(prepared.images[1])


def test_only_threshold_words_are_written_and_flushed(bench: Bench) -> None:
    prepared = bench.prepared
    flushed: list[tuple[int, ...]] = []
    backend = Forgetful(bench.backend(), flush=False, invalidate=False)
    with Accelerator(backend, prepared.bundle) as accelerator:
        gate = list(prepared.bundle.gates.values())[1]
        params = accelerator._buffers["params"]
        flush = params.flush
        params.flush = lambda *a: (flushed.append(a), flush(*a))[1]  # type: ignore[method-assign]
        accelerator.set_thresholds({gate.name: 0.7})
        assert flushed == [(gate.threshold_address, gate.threshold_words)]
        changed = np.flatnonzero(params.words != prepared.bundle.params)
        assert len(changed)
        assert changed.min() >= gate.threshold_address
        assert changed.max() < gate.threshold_address + gate.threshold_words


def test_a_closed_accelerator_says_so(bench: Bench) -> None:
    accelerator = bench.accelerator()
    accelerator.close()
    accelerator.close()
    assert not bench.board._ddr, "every buffer was freed"
    for use in (
        lambda: accelerator.run(bench.prepared.images[0]),
        lambda: accelerator.set_thresholds(0.5),
        lambda: accelerator.thresholds,
    ):
        with pytest.raises(BackendError, match="closed"):
            use()


def test_an_interrupted_run_does_not_disturb_the_next(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by Ctrl-C in a notebook."""
    prepared = bench.prepared
    backend = bench.backend()
    with Accelerator(backend, prepared.bundle) as accelerator:
        with monkeypatch.context() as patch:
            bench.board.running = False

            def wait(seconds: float, interrupt: bool) -> None:
                raise KeyboardInterrupt

            patch.setattr(backend, "wait", wait)
            with pytest.raises(KeyboardInterrupt):
                accelerator.run(prepared.images[0])
        bench.board.running = True
        prepared.check("trained", [accelerator.run(prepared.images[2])], [2])


def ending_with(bundle: Bundle, layer: str | None) -> Bundle:
    """The bundle whose program ends behind a layer, as an exit there would end it; or at once."""
    lines = bundle.program.reshape(-1, isa.INSTRUCTION_WORDS)
    kept = 0 if layer is None else bundle.layers.index(layer) + 1
    return bundle._replace(
        program=np.concatenate([lines[:kept], lines[-1:]]).ravel(),
        layers=(*bundle.layers[:kept], ""),
    )


def test_the_answer_is_the_last_output_that_was_computed(bench: Bench) -> None:
    prepared = bench.prepared
    early, late = prepared.bundle.outputs
    with bench.accelerator(ending_with(prepared.bundle, early)) as accelerator:
        result = accelerator.run(prepared.images[1])
    assert (list(result.outputs), result.answer) == ([early], early)
    assert np.array_equal(result.logits, prepared.golden[f"trained/outputs/{early}"][1])
    assert late not in result.outputs
    gates = list(prepared.bundle.gates)
    assert 0 < len(result.masks) < len(gates)
    assert list(result.masks) == gates[: len(result.masks)]


def test_a_program_that_computes_no_output_is_a_fault(bench: Bench) -> None:
    bundle = ending_with(bench.prepared.bundle, None)
    with (
        bench.accelerator(bundle) as accelerator,
        pytest.raises(EngineFault, match="wrote no output"),
    ):
        accelerator.run(bench.prepared.images[0])


def test_the_self_test_tells_outputs_that_were_left_out(bench: Bench) -> None:
    prepared = bench.prepared
    early, _ = prepared.bundle.outputs
    with bench.accelerator(ending_with(prepared.bundle, early)) as accelerator:
        report = self_test(accelerator, 1)
    assert report.mismatches
    assert report.first is not None
    assert report.first.endswith("was not computed")


def test_the_self_test_passes(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        accelerator.set_strictness(1.0)
        report = self_test(accelerator)
        assert (report.runs, report.mismatches, report.first) == (2 * len(prepared.images), 0, None)
        bits = sum(gate.channels for gate in prepared.bundle.gates.values())
        classes = sum(output.classes for output in prepared.bundle.outputs.values())
        assert report.values == report.runs * (classes + bits)
        assert (report.cycles > 0) == accelerator.identity.counts_cycles
    command = [str(prepared.bundle.path), "--selftest", "--images", "2", "--poll"]
    assert main(command, bench.backend()) == 0
    out = capsys.readouterr().out
    assert "4 runs" in out
    assert "0 mismatches" in out
    assert out.endswith("PASS\n")


def test_the_self_test_names_the_first_mismatch(bench: Bench) -> None:
    prepared = bench.prepared
    gate = list(prepared.bundle.gates.values())[1]
    vectors = prepared.bundle.vectors()
    vectors.expected[1, gate.mask_address - len(isa.RESULT_HEADER)] ^= np.uint64(1 << 7)
    bundle = _WithVectors(prepared.bundle, vectors)
    with bench.accelerator(bundle) as accelerator:
        report = self_test(accelerator)
    found = prepared.golden[f"trained/masks/{gate.name}"][1, 7]
    assert report.mismatches == 2
    assert report.first == (
        f"image 1, first run: {gate.name}, channel 7: expected {1 - found}, found {found}"
    )


class _WithVectors:
    """A bundle with vectors that are not its own."""

    def __init__(self, bundle: Any, vectors: Any) -> None:
        self._bundle = bundle
        self.vectors = lambda: vectors

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)


def test_the_command_reports_what_stops_it(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = str(bench.prepared.bundle.path)
    backend = bench.backend()
    bench.board.running = False
    assert main([bundle, "--timeout", str(SOON)], backend) == 1
    assert "did not finish" in capsys.readouterr().err
    assert main([str(tmp_path / "nothing")], bench.backend()) == 2
    assert "manifest.json" in capsys.readouterr().err
    images = tmp_path / "images.npy"
    np.save(images, bench.prepared.images)
    assert main([bundle, "--run", str(images)], bench.backend()) == 0
    predictions = bench.prepared.golden["trained/logits"].argmax(axis=1)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [int(line.split("class ")[1].split(",")[0]) for line in lines] == list(predictions)


def test_the_command_measures_a_budget_and_keeps_it(
    bench: Bench, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    prepared = bench.prepared
    bundle = str(shutil.copytree(prepared.bundle.path, tmp_path / "bundle"))
    images, labels = tmp_path / "images.npy", tmp_path / "labels.npy"
    np.save(images, prepared.images)
    np.save(labels, prepared.golden["open/logits"].argmax(axis=1))
    assert main([bundle, "--run", str(images), "--budget", "1"], bench.backend()) == 2
    assert "no measured profile" in capsys.readouterr().err
    assert main([bundle, "--measure", str(images), "--labels", str(labels)], bench.backend()) == 0
    lines = capsys.readouterr().out.splitlines()[1:-1]
    means = {c: prepared.golden[f"{c}/macs"].mean() for c in ("open", "closed")}
    assert lines[0] == f"strictness 0: {means['open']:.0f} MACs in the mean, 100.0% right"
    assert lines[-1].startswith(f"strictness 1: {means['closed']:.0f} MACs")
    budget = ["--budget", str(means["closed"])]
    assert main([bundle, "--run", str(images), *budget], bench.backend()) == 0
    predictions = prepared.golden["closed/logits"].argmax(axis=1)
    lines = capsys.readouterr().out.splitlines()[2:]
    assert [int(line.split("class ")[1].split(",")[0]) for line in lines] == list(predictions)


def test_registers_are_dumped_whole(bench: Bench) -> None:
    with bench.accelerator() as accelerator:
        dump = accelerator.registers()
        assert dump["spec_hash"] == isa.SPEC_HASH
        assert dump["program"] == accelerator._buffers["program"].address > 2**32
