"""Batches: the next image is prepared while the engine runs, and results stay with their images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from acsgen_host import (
    Accelerator,
    EngineFault,
    EngineTimeout,
    InputError,
    Result,
    Results,
    isa,
)

from .conftest import Bench

pytestmark = pytest.mark.xdist_group("driver")

SOON = 0.05

#: Each image several times, so that both sets of buffers see each of them.
ORDER = [0, 1, 2, 3, 3, 1, 0, 2, 2]


class Watching:
    """A back end that notes what happens to the buffers, and which of them the engine has.

    ``at_start`` is called with the number of a start before it is passed on.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        self.buffers: dict[int, Any] = {}
        self.events: list[tuple[str, int]] = []
        self.busy: set[int] = set()
        self.starts = 0
        self.at_start: Any = lambda number: None
        self.pointers: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)

    def allocate(self, words: int) -> Any:
        buffer = self._backend.allocate(words)
        flush, invalidate = buffer.flush, buffer.invalidate

        def flushed(*extent: int) -> None:
            assert buffer.address not in self.busy, "the engine has it"
            self.events.append(("flush", buffer.address))
            flush(*extent)

        def invalidated() -> None:
            assert not self.busy, "the engine still runs"
            invalidate()

        buffer.flush, buffer.invalidate = flushed, invalidated
        self.buffers[buffer.address] = buffer
        return buffer

    def write(self, offset: int, value: int) -> None:
        if offset == isa.REG_CONTROL and value & 1 and self.pointers.get(isa.REG_PROGRAM_WORDS):
            places = [self.pointers[isa.REGISTERS[name]] for name in isa.POINTERS]
            high = [self.pointers[isa.REGISTERS[name] + 4] for name in isa.POINTERS]
            self.busy = {low | top << 32 for low, top in zip(places, high)}  # noqa: B905
            self.events.append(("start", self.pointers[isa.REG_IMAGE] | high[2] << 32))
            self.at_start(self.starts)
            self.starts += 1
        self.pointers[offset] = value
        self._backend.write(offset, value)

    def read(self, offset: int) -> int:
        value: int = self._backend.read(offset)
        if offset == isa.REG_CONTROL and value & 0b110:
            self.events.append(("end", 0))
            self.busy = set()
        return value


def test_one_image_and_many(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    with bench.accelerator() as accelerator:
        one = accelerator.infer(images[2])
        assert isinstance(one, Result)
        prepared.check("trained", [one], [2])
        many = accelerator.infer(images[ORDER])
        assert isinstance(many, Results)
        prepared.check("trained", list(many), ORDER)
        for given in (list(images), (image for image in images), images[:1], list(images[:1])):
            results = accelerator.infer(given)
            assert isinstance(results, Results)
            prepared.check("trained", list(results), list(range(len(results))))
        empty = accelerator.infer(images[:0])
        assert isinstance(empty, Results)
        assert empty.logits.shape == (0, many.logits.shape[1])
        assert len(empty) == len(empty.prediction) == len(empty.seconds) == 0
        with pytest.raises(InputError):
            accelerator.infer(images.astype(float))


def test_a_batch_has_the_attributes_of_its_results(bench: Bench) -> None:
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        many = accelerator.infer(prepared.images[ORDER])
    assert isinstance(many, Results)
    assert many.logits.dtype == np.int32
    assert np.array_equal(many.logits, prepared.golden["trained/logits"][ORDER])
    assert np.array_equal(many.prediction, many.logits.argmax(axis=1))
    assert many.answer == [many[0].answer] * len(ORDER)
    for gate, mask in many.masks.items():
        assert np.array_equal(mask, prepared.golden[f"trained/masks/{gate}"][ORDER])
    macs = prepared.golden["trained/macs"][ORDER]
    assert np.array_equal(many.counters["macs_executed"], macs)
    assert np.array_equal(many[2:5].counters["macs_executed"], macs[2:5])
    assert (many.seconds > 0).all()
    assert "classes [" in repr(many)


@pytest.mark.parametrize("interrupts", [True, False], ids=["interrupt", "polling"])
def test_the_next_image_is_flushed_while_the_engine_runs(bench: Bench, interrupts: bool) -> None:
    prepared = bench.prepared
    backend = Watching(bench.backend())
    with Accelerator(backend, prepared.bundle, interrupts=interrupts) as accelerator:
        backend.events.clear()
        prepared.check("trained", list(accelerator.infer(prepared.images[ORDER])), ORDER)
        # The program's buffer is not written any more, so that flushes are of images and results.
        images = {place for event, place in backend.events if event == "start"}
        assert len(images) == 2, "two sets of buffers, in turn"
        seen = [
            (event, place) for event, place in backend.events if event == "start" or place in images
        ]
        # flush, start, flush of the other, start of it, and so on; nothing after the last start.
        assert [event for event, _ in seen] == ["flush", "start"] * len(ORDER)
        first = seen[0][1]
        (second,) = images - {first}
        turns = [first if number % 2 == 0 else second for number in range(len(ORDER))]
        order = ["flush"] + [e for e in ("start", "flush") for _ in (0,)] * (len(ORDER) - 1)
        assert [e for e, _ in seen] == [*order, "start"][: len(seen)]
        assert [place for event, place in seen if event == "start"] == turns
        # And each flush but the first lies between a start and the end that follows it.
        running, during = False, 0
        for event, place in backend.events:
            if event == "flush" and place in images:
                during += running
            elif event != "flush":
                running = event == "start"
        assert during == len(ORDER) - 1


def test_a_time_out_in_the_middle_names_the_image(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    backend = Watching(bench.backend())

    def stop(number: int) -> None:
        bench.board.running = number != 2

    with Accelerator(backend, prepared.bundle) as accelerator:
        backend.at_start = stop
        with pytest.raises(EngineTimeout) as caught:
            accelerator.infer(images, timeout=SOON)
        assert caught.value.image == 2
        assert str(caught.value).startswith("image 2: engine: did not finish within 0.05 s")
        prepared.check("trained", list(caught.value.results), [0, 1])
        # The next batch is none the worse for it.
        backend.at_start = lambda number: None
        bench.board.running = True
        backend.busy = set()
        prepared.check("trained", list(accelerator.infer(images[ORDER])), ORDER)


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_bus_error_in_the_middle_names_the_image(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    prepared = bench.prepared
    backend = Watching(bench.backend())
    read = backend.read

    def failing(offset: int) -> int:
        if offset == isa.REG_STATUS and backend.starts == at + 1:
            return isa.STATUS_BUS_ERROR
        return read(offset)

    with Accelerator(backend, prepared.bundle) as accelerator:
        monkeypatch.setattr(backend, "read", failing)
        with pytest.raises(
            EngineFault, match=f"image {at}: engine: stopped with BUS_ERR"
        ) as caught:
            accelerator.infer(prepared.images)
        assert (caught.value.status, caught.value.image) == ("BUS_ERROR", at)
        prepared.check("trained", list(caught.value.results), list(range(at)))
        backend.starts = 10
        assert caught.value.problems[0].where == "engine"
        # One image alone needs no number.
        backend.starts = at
        stopped = r"^engine: stopped with BUS_ERROR .* \(look at the memory ports of the design"
        with pytest.raises(EngineFault, match=stopped):
            accelerator.infer(prepared.images[0])


def test_ctrl_c_in_the_middle_of_a_batch(bench: Bench) -> None:
    prepared = bench.prepared
    backend = Watching(bench.backend())

    def interrupt(number: int) -> None:
        if number == 1:
            raise KeyboardInterrupt

    with Accelerator(backend, prepared.bundle) as accelerator:
        backend.at_start = interrupt
        with pytest.raises(KeyboardInterrupt):
            accelerator.infer(prepared.images)
        backend.at_start = lambda number: None
        backend.busy = set()
        prepared.check("trained", list(accelerator.infer(prepared.images)))


def test_settings_are_properties(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    closed = prepared.golden["closed/macs"].mean()
    with bench.accelerator() as accelerator:
        assert (accelerator.strictness, accelerator.mean_budget) == (0.5, None)
        accelerator.strictness = 1.0
        prepared.check("closed", list(accelerator.infer(images)))
        assert accelerator.strictness == 1.0
        accelerator.thresholds = 0.2
        prepared.check("alpha 0.2", list(accelerator.infer(images)))
        assert accelerator.strictness is None
        profile = accelerator.measure_budget(images, strictness=(0.0, 0.5, 1.0))
        assert accelerator.strictness is None
        prepared.check("alpha 0.2", list(accelerator.infer(images)))
        with pytest.raises(InputError, match="no measured profile"):
            accelerator.mean_budget = closed
    with bench.accelerator(prepared.bundle._replace(budget=profile)) as accelerator:
        accelerator.mean_budget = closed
        assert (accelerator.mean_budget, accelerator.strictness) == (closed, 1.0)
        prepared.check("closed", list(accelerator.infer(images)))
        with pytest.raises(InputError, match="at least"):
            accelerator.mean_budget = closed - 1
        assert (accelerator.mean_budget, accelerator.strictness) == (closed, 1.0)
        accelerator.mean_budget = None
        assert (accelerator.mean_budget, accelerator.strictness) == (None, 0.5)
        prepared.check("trained", list(accelerator.infer(images)))
        accelerator.mean_budget = closed
        accelerator.force_masks(dict.fromkeys(prepared.bundle.gates, True))
        assert (accelerator.mean_budget, accelerator.strictness) == (None, None)
        prepared.check("open", list(accelerator.infer(images)))
        for wrong in (1.5, None, "0.5"):
            with pytest.raises(InputError, match="within"):
                accelerator.strictness = wrong


def test_the_self_test_is_a_method(bench: Bench) -> None:
    with bench.accelerator() as accelerator:
        report = accelerator.selftest(2)
    assert (report.runs, report.mismatches) == (4, 0)
