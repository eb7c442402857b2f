"""Several users of one engine: threads, accelerators, and another design in its place."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from acsgen_host import (
    Accelerator,
    BackendError,
    EngineBusy,
    EngineMismatch,
    EngineTaken,
    EngineTimeout,
    InputError,
    isa,
)

from .conftest import Bench

pytestmark = pytest.mark.xdist_group("driver")

#: A run that is not expected to end waits this long, in seconds.
SOON = 0.05

#: Program and weights, and image and result twice.
BUFFERS = 6

CASES = ("open", "trained", "closed")


def in_threads(*jobs: Callable[[], None]) -> None:
    """Run jobs at the same time, and raise the first exception of one."""
    start = threading.Barrier(len(jobs))

    def one(job: Callable[[], None]) -> None:
        start.wait()
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(one, job) for job in jobs]:
            future.result()


def test_threads_get_the_results_of_their_own_images(bench: Bench) -> None:
    prepared = bench.prepared
    with bench.accelerator() as accelerator:

        def job(index: int) -> Callable[[], None]:
            def run() -> None:
                for _ in range(8):
                    prepared.check("trained", [accelerator.run(prepared.images[index])], [index])

            return run

        in_threads(*(job(index) for index in range(len(prepared.images))))


def test_threads_on_accelerators_of_one_engine(bench: Bench) -> None:
    """Each has its own thresholds, and its own buffers."""
    prepared = bench.prepared
    backend = bench.backend()
    with contextlib.ExitStack() as stack:

        def job(case: str, strictness: float) -> Callable[[], None]:
            accelerator = stack.enter_context(Accelerator(backend, prepared.bundle))
            accelerator.set_strictness(strictness)

            def run() -> None:
                for _ in range(4):
                    prepared.check(case, accelerator.run_many(prepared.images))

            return run

        in_threads(job("open", 0.0), job("trained", 0.5), job("closed", 1.0))


def test_settings_change_between_calls_and_never_within_one(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    with bench.accelerator() as accelerator:

        def job(case: str, strictness: float) -> Callable[[], None]:
            def run() -> None:
                for _ in range(4):
                    with accelerator.exclusive():
                        accelerator.set_strictness(strictness)
                        prepared.check(case, accelerator.run_many(images))

            return run

        def measure() -> None:
            points = accelerator.measure_budget(images, strictness=(0.0, 1.0)).points
            means = [prepared.golden[f"{case}/macs"].mean() for case in ("open", "closed")]
            assert [point.macs_mean for point in points] == means

        def any_of_the_two() -> None:
            for _ in range(8):
                found = [
                    result.counters["macs_executed"] for result in accelerator.run_many(images)
                ]
                cases = [list(prepared.golden[f"{case}/macs"]) for case in CASES]
                assert found in cases

        accelerator.set_strictness(0.0)
        in_threads(job("open", 0.0), job("closed", 1.0), measure, any_of_the_two)


def test_the_registers_are_read_between_runs(bench: Bench) -> None:
    """A dump reads the done bit, which must not be that of a run of another thread."""
    prepared = bench.prepared
    with bench.accelerator() as accelerator:

        def run() -> None:
            for _ in range(8):
                prepared.check("trained", [accelerator.run(prepared.images[0])], [0])

        def dump() -> None:
            for _ in range(30):
                assert accelerator.registers()["control"] & 0b100

        in_threads(run, dump)


def test_an_accelerator_that_is_closed_while_threads_use_it(bench: Bench) -> None:
    prepared = bench.prepared
    accelerator = bench.accelerator()
    begun = threading.Event()

    def run_until_closed() -> None:
        while True:
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
            begun.set()

    def run() -> None:
        with pytest.raises(BackendError, match="closed"):
            run_until_closed()

    def close() -> None:
        begun.wait()
        accelerator.close()

    in_threads(run, run, close)
    assert not bench.board._ddr, "every buffer was freed"


@pytest.mark.parametrize("backends", [1, 2])
def test_two_accelerators_on_one_engine(bench: Bench, backends: int) -> None:
    """Each run writes its own registers, also after the other one freed its buffers."""
    prepared, images = bench.prepared, bench.prepared.images
    backend = bench.backend()
    other = backend if backends == 1 else bench.backend(bench.board)
    with Accelerator(backend, prepared.bundle) as first:
        prepared.check("trained", [first.run(images[0])], [0])
        with Accelerator(other, prepared.bundle) as second:
            second.set_strictness(1.0)
            for index in (1, 2):
                prepared.check("closed", [second.run(images[index])], [index])
                prepared.check("trained", [first.run(images[index])], [index])
            prepared.check("closed", [second.run(images[0])], [0])
        prepared.check("trained", [first.run(images[3])], [3])
    assert not bench.board._ddr, "every buffer was freed"


def test_the_run_that_another_accelerator_left_is_ended_first(bench: Bench) -> None:
    prepared, images = bench.prepared, bench.prepared.images
    backend = bench.backend()
    with (
        Accelerator(backend, prepared.bundle) as first,
        Accelerator(backend, prepared.bundle) as second,
    ):
        bench.board.running = False
        with pytest.raises(EngineTimeout):
            first.run(images[0], timeout=SOON)
        bench.board.running = True
        prepared.check("trained", [second.run(images[1])], [1])
        prepared.check("trained", [first.run(images[2])], [2])


def test_memory_is_kept_while_a_run_may_write_into_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of an accelerator that is closed, or forgotten, while an engine without reset runs."""
    prepared, images = bench.prepared, bench.prepared.images
    backend = bench.backend()
    monkeypatch.setattr(backend, "reset", lambda: False)
    for closes in (True, False):
        accelerator = Accelerator(backend, prepared.bundle)
        bench.board.running = False
        with pytest.raises(EngineTimeout):
            accelerator.run(images[0], timeout=SOON)
        if closes:
            accelerator.close()
        del accelerator
        gc.collect()
        assert len(bench.board._ddr) == BUFFERS
        with pytest.raises(EngineBusy):
            Accelerator(backend, prepared.bundle)
        bench.board.running = True
        bench.board.advance(10_000_000, True)
        with Accelerator(backend, prepared.bundle) as another:
            prepared.check("trained", [another.run(images[1])], [1])
            if closes:
                assert len(bench.board._ddr) == BUFFERS, "those of the first one are freed"


def test_an_engine_that_was_reset_between_two_runs(bench: Bench) -> None:
    """As by another program that loads the same bitstream."""
    prepared = bench.prepared
    with bench.accelerator() as accelerator:
        prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
        bench.board.device.reset()
        prepared.check("trained", [accelerator.run(prepared.images[1])], [1])


def test_another_design_in_the_engines_place_is_not_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared, image = bench.prepared, bench.prepared.images[0]
    backend = bench.backend()
    starts = []
    read, write = backend.read, backend.write

    def watched(offset: int, value: int) -> None:
        starts.append((offset, value))
        write(offset, value)

    with Accelerator(backend, prepared.bundle) as accelerator, monkeypatch.context() as patch:
        patch.setattr(backend, "write", watched)
        with patch.context() as other:
            foreign = {isa.REG_SPEC_HASH: 0x1234ABCD}
            other.setattr(backend, "read", lambda offset: foreign.get(offset) or read(offset))
            with pytest.raises(EngineMismatch, match="instruction set 0x1234abcd"):
                accelerator.run(image)
        with patch.context() as other:
            foreign = {isa.REG_PARAMS_WORDS: 7}
            other.setattr(backend, "read", lambda offset: foreign.get(offset) or read(offset))
            with pytest.raises(BackendError, match=r"register at 0x48 reads 0x7 .* not started"):
                accelerator.run(image)
        with patch.context() as other:
            # A slave that answers with zero; the bitstream of the other design is left alone.
            other.setattr(backend, "read", lambda offset: 0)
            other.setattr(backend, "reset", lambda: pytest.fail("was reset"))
            with pytest.raises(EngineTaken, match="registers read zero"):
                accelerator.run(image)
        with patch.context() as other:

            @contextlib.contextmanager
            def taken() -> Iterator[Any]:
                raise EngineTaken([])
                yield

            other.setattr(backend, "hold", taken)
            for use in (lambda: accelerator.run(image), accelerator.registers):
                with pytest.raises(EngineTaken):
                    use()
        assert (isa.REG_CONTROL, 1) not in starts
        prepared.check("trained", [accelerator.run(image)], [0])
        assert (isa.REG_CONTROL, 1) in starts


@pytest.mark.parametrize("timeout", [None, "2", True, 0, -1.0, float("nan"), [2.0], 1j])
def test_a_timeout_that_is_no_number_above_zero_is_refused(bench: Bench, timeout: Any) -> None:
    image = bench.prepared.images[0]
    with pytest.raises(InputError, match="timeout: must be a number of seconds above 0"):
        bench.accelerator(timeout=timeout)
    with bench.accelerator() as accelerator:
        if timeout is not None:
            with pytest.raises(InputError, match="timeout: must be a number of seconds above 0"):
                accelerator.run(image, timeout)
        with pytest.raises(InputError):
            accelerator.timeout = timeout
        bench.prepared.check("trained", [accelerator.run(image)], [0])


def test_a_timeout_without_limit(bench: Bench) -> None:
    with bench.accelerator(timeout=float("inf")) as accelerator:
        for timeout in (None, float("inf"), np.float32(20), 20):
            result = accelerator.run(bench.prepared.images[0], timeout)
            bench.prepared.check("trained", [result], [0])


def test_images_one_by_one(bench: Bench) -> None:
    """A list, a generator, and nothing."""
    prepared, images = bench.prepared, bench.prepared.images
    with bench.accelerator() as accelerator:
        for given in (list(images), (image for image in images), map(np.asarray, images)):
            prepared.check("trained", accelerator.run_many(given))
        assert accelerator.run_many([]) == accelerator.run_many(iter(())) == []
        profile = accelerator.measure_budget(iter(images), iter([0] * 4), (s for s in (0.0, 1.0)))
        assert profile.images == len(images)
