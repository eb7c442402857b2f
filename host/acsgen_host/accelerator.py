"""The driver: a network on an engine.  Load once, run images, turn the knobs."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Iterator

import numpy as np

from . import isa
from .arguments import flag, seconds
from .backend import Backend, Buffer
from .bundle import Bundle
from .cycle_settings import CycleSettings
from .errors import (
    BackendError,
    EngineBusy,
    EngineFault,
    EngineTaken,
    HostError,
    InputError,
    Problem,
)
from .opening import open_bundle, open_source
from .registers import Identity, Outcome, Registers, check_identity
from .result import Result, Results, check_images, decode, is_single
from .selftest import Report, self_test
from .settings import AS_TRAINED, STRICTNESS
from .sharing import shared
from .simulation import simulated_backend
from .words import POISON, header, pack_image, written

__all__ = ["STRICTNESS", "TIMEOUT", "Accelerator"]

#: Seconds for an image; a good run takes milliseconds on a board.
TIMEOUT = 10.0

#: Seconds that a run which timed out before gets to end after all, before the engine is reset.
PATIENCE = 0.1

#: The two sets of buffers for an image and its result: one is prepared while the other is used.
SIDES = 2


class Accelerator(CycleSettings):
    """A network, loaded into the memory of one engine.

        with Accelerator("resnet8-acs-digits32-1a2b3c4d.bit") as accelerator:
            print(accelerator.infer(images).prediction)

    Use it in a ``with`` statement, or call :meth:`close`: its buffers are memory of the system.

    Several threads may share it: each call waits for its turn, settings included, so that every
    result belongs to its image and thresholds never change in the middle of a run.  Several
    accelerators may share an engine: each run writes the registers anew.

    Attributes:
        bundle: the network.
        identity: the engine's description of itself.
    """

    def __init__(
        self,
        source: Backend | str | Path,
        bundle: Bundle | str | Path | None = None,
        timeout: float = TIMEOUT,
        interrupts: bool | None = None,
    ) -> None:
        """Load the bitstream, check the engine, and write program and weights into memory.

        Args:
            source: the ``.bit``, whose ``.hwh`` lies beside it; or the folder that has one
                bitstream; or the way to an engine, which :meth:`close` closes too.
            bundle: the network, or its folder; found from the ``.bit`` where it is None.
            timeout: seconds above 0 that an image may take, where a call does not say otherwise;
                infinity for no limit.  The wait for other threads does not count.
            interrupts: wait for the interrupt (True), poll (False), or wait if there is one (None).

        Raises:
            InputError: the timeout is not a number above 0, or an argument is of another kind.
            BundleError: no bundle is found, more than one, or one that is damaged.
            EngineMismatch: the bundle is made for another engine.
            EngineBusy: the engine runs, and cannot be reset.
            EngineTaken: another design was loaded in the place of the engine's.
            EngineTimeout: the engine does not answer.
            BackendError: no bitstream, one whose ``.hwh`` is missing or stale, no board, no memory,
                or an interrupt is wanted and there is none.
        """
        self.timeout = timeout
        wanted = flag(interrupts, "interrupts")
        backend, self.bundle = open_source(source, bundle)
        if wanted and not backend.has_interrupt:
            raise BackendError(
                Problem(
                    backend.name,
                    "the design has no interrupt that Python can wait for",
                    "leave interrupts out: the driver then polls",
                )
            )
        self._backend = backend
        self._process = os.getpid()
        self._closed = False
        self._lock = threading.RLock()
        self._share = shared(backend)
        self._strictness: float | None = AS_TRAINED
        self._mean_budget: float | None = None
        self._hard_budget: int | None = None
        waits = backend.has_interrupt if wanted is None else wanted
        self._registers = Registers(backend, waits)
        self._buffers: dict[str, Buffer] = {}
        try:
            with self._engine():
                self.identity = self._identify()
                for name, words in self._sizes().items():
                    self._buffers[name] = backend.allocate(words)
                self._load()
        except BaseException:
            self.close()
            raise

    @classmethod
    def simulate(
        cls,
        build: str | Path | Bundle,
        engine: str = "csim",
        timeout: float = float("inf"),
        interrupts: bool | None = None,
    ) -> Accelerator:
        """Return an accelerator whose engine is simulated: the same object without a board.

        Args:
            build: the directory that ``acsgen build`` wrote, or the bundle that was loaded from it.
            engine: ``csim``, the Vitis HLS C++, which needs numpy alone; ``rtl``, the RTL,
                which needs acsgen and Verilator, and takes seconds an image.
            timeout: as for a board; a simulation has no limit by default.
            interrupts: as for a board.

        Raises:
            InputError: there is no such engine.
            BundleError: the build is damaged.
            BackendError: the build has no such engine, or this machine cannot run it.
        """
        bundle = open_bundle(build)
        return cls(simulated_backend(bundle.path, engine), bundle, timeout, interrupts)

    @property
    def simulation(self) -> str | None:
        """The simulation in the place of a board, in words; None on a board."""
        simulated = hasattr(self._backend, "modelled_seconds")
        return self._backend.name if simulated else None

    @property
    def times(self) -> str:
        """What the times of results are, in words: of a simulation, cycles at an assumed clock."""
        return getattr(self._backend, "times", "seen by the driver")

    @property
    def timeout(self) -> float:
        """Seconds that an image may take, where a call does not say otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, value: float) -> None:
        self._timeout = seconds(value)

    def infer(self, images: Any, timeout: float | None = None) -> Result | Results:
        """Run one image uint8 ``[C, H, W]``, or a batch ``[N, C, H, W]`` of raw pixels.

        A batch may also be a list or a generator of images.  Its next image is written into memory
        while the engine runs.  One image gives a :class:`Result`, a batch :class:`Results`, which
        have the same attributes.

        Raises the exceptions of :meth:`run`; in a batch their ``image`` is the index of the image
        at fault, and their ``results`` are those of the images before it.
        """
        if is_single(images, self.bundle):
            return self.run(images, timeout)
        return Results(self.run_many(images, timeout), self.bundle)

    def selftest(
        self,
        limit: int | None = None,
        on_run: Callable[[int, int], None] = lambda done, total: None,
    ) -> Report:
        """Run the golden vectors, or the first ``limit``, and compare every bit.

        See :func:`acsgen_host.selftest.self_test`.
        """
        return self_test(self, limit, on_run)

    def run(self, image: Any, timeout: float | None = None) -> Result:
        """Run one image, uint8 ``[C, H, W]``.

        ``timeout`` is in seconds; None takes that of the accelerator.

        Raises:
            InputError: another shape or type, or a timeout that is not a number above 0.
            EngineTimeout: no end within ``timeout`` seconds; carries a dump of the registers.
            EngineFault: the engine stopped with an error; names status, instruction and layer.
            EngineBusy: an earlier run timed out but goes on, and the engine cannot be reset.
            EngineTaken: another design was loaded in the place of the engine's.
            EngineMismatch: likewise, and it has an engine for other bundles.
        """
        images = check_images(image, self.bundle)
        if len(images) != 1:
            raise InputError(
                Problem("images", f"are {len(images)}, run takes one", "call run_many")
            )
        return self._run_all(images, timeout)[0]

    def run_many(self, images: Any, timeout: float | None = None) -> list[Result]:
        """Run images uint8 ``[N, C, H, W]``, or a list or generator of them, one after another.

        ``timeout`` is for each.  All of them run with the same thresholds.  Raises the exceptions
        of :meth:`run`, as :meth:`infer` does.
        """
        return self._run_all(check_images(images, self.bundle), timeout)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let other threads wait, for settings and runs that belong together.

        with accelerator.exclusive():
            accelerator.set_thresholds(0.6)
            result = accelerator.run(image)
        """
        self._require_usable()
        with self._lock:
            yield

    def registers(self) -> dict[str, int]:
        """Return a dump of the registers by name, between two runs.

        Raises :class:`EngineTaken` where they are no longer those of the engine.
        """
        with self._engine():
            return self._registers.dump()

    def close(self) -> None:
        """Free the buffers and close the back end, once the run of another thread has ended.

        Memory that a run may still write into is kept until the engine is seen idle.  In a process
        that was forked nothing happens: the buffers are those of the process that made them.
        """
        if self._process != os.getpid():
            return
        with self._lock, self._share.lock:
            if self._closed:
                return
            self._closed = True
            buffers, self._buffers = list(self._buffers.values()), {}
            try:
                if self._share.uses(buffers) and not self._stopped():
                    self._share.adopt(buffers)
                else:
                    for buffer in buffers:
                        buffer.free()
            finally:
                self._backend.close()

    def __enter__(self) -> Accelerator:
        self._require_usable()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce_ex__(self, protocol: Any) -> Any:
        # A copy would free the same buffers a second time.
        what = "cannot be copied, or sent to another process: it has an engine and memory"
        remedy = "send the path, and make another accelerator there"
        raise InputError(Problem("accelerator", what, remedy))

    def _sizes(self) -> dict[str, int]:
        """Words of every buffer, by the name of its register and, where there are two, its side."""
        bundle = self.bundle
        sizes = {"program": len(bundle.program), "params": len(bundle.params)}
        for side in range(SIDES):
            sizes[f"image{side}"] = bundle.image_words
            sizes[f"result{side}"] = bundle.result_words
        return sizes

    def _load(self) -> None:
        """Write program and weights, and tell the engine where everything lies."""
        for name, words in (("program", self.bundle.program), ("params", self.bundle.params)):
            self._buffers[name].words[:] = words
            self._buffers[name].flush()
        self._point_registers(0)

    def _point_registers(self, side: int) -> None:
        sides = {name: f"{name}{side}" for name in ("image", "result")}
        named = {name: self._buffer(sides.get(name, name)) for name in isa.POINTERS}
        self._registers.set_buffers(
            {name: (buffer.address, len(buffer.words)) for name, buffer in named.items()}
        )

    @contextlib.contextmanager
    def _engine(self) -> Iterator[None]:
        """Have the engine to ourselves: no other thread, no other process, no other design."""
        self._require_usable()
        with self._share.lock, self._backend.hold():
            yield

    def _identify(self) -> Identity:
        """Make the engine idle, and return what it is; raise unless the bundle is made for it."""
        bundle = self.bundle
        # Before anything is written, and before a reset: this may be another design by now.
        spec_hash = self._registers.check_spec_hash(bundle.spec_hash)
        idle = self._registers.idle()
        if not (idle or spec_hash or self._share.unfinished or not self._buffers):
            raise EngineTaken(
                Problem(
                    "engine",
                    "its registers read zero, as of a design without it or of a run of another "
                    "program; it was not started",
                    "load the bitstream again, and make another accelerator",
                )
            )
        if self._share.unfinished or not idle:
            self._recover()
        # An engine that tells nothing before its first run is run on no memory at all.
        self._share.begin(())
        identity = self._registers.identify()
        self._share.end()
        check_identity(identity, bundle.spec_hash, bundle.lane_groups, bundle.feature_kib)
        return identity

    def _run_all(self, images: np.ndarray, timeout: float | None) -> list[Result]:
        limit = self.timeout if timeout is None else seconds(timeout)
        results: list[Result] = []
        self._require_usable()
        with self._lock:
            try:
                self._run_batch(images, limit, results)
            except HostError as error:
                if len(images) > 1:
                    error.image, error.results = len(results), tuple(results)
                raise
        return results

    def _run_batch(self, images: np.ndarray, limit: float, results: list[Result]) -> None:
        """Run images and append their results, also those before one that fails.

        While the engine runs an image, the result of the one before is decoded and the next one is
        written into the other set of buffers.
        """
        ended: list[tuple[int, Outcome]] = []

        def decode_ended() -> None:
            while ended:
                side, outcome = ended.pop()
                results.append(self._decode(side, outcome))

        def prepare(index: int) -> Callable[[], None]:
            def meanwhile() -> None:
                # First of all, because the next image takes the place of that result.
                decode_ended()
                if index < len(images):
                    self._stage(images[index], index % SIDES)

            return meanwhile

        prepare(0)()
        try:
            for index in range(len(images)):
                outcome = self._run(index % SIDES, limit, prepare(index + 1))
                ended.append((index % SIDES, outcome))
        finally:
            decode_ended()

    def _stage(self, image: np.ndarray, side: int) -> None:
        """Write an image into the memory of one side, and take the marks of an earlier result."""
        picture, result = self._buffer(f"image{side}"), self._buffer(f"result{side}")
        pack_image(image, picture.words)
        picture.flush()
        result.words[:] = POISON
        result.flush()

    def _run(self, side: int, limit: float, meanwhile: Callable[[], None]) -> Outcome:
        """Run the image of one side; raise unless its result is in memory."""
        result = self._buffer(f"result{side}")
        with self._engine():
            # Another accelerator, process or bitstream may have come between two runs, so that
            # nothing that the registers held before is taken for granted.
            self._identify()
            self._point_registers(side)
            # This holds until the end is seen, even if a time-out or the user interrupts the wait.
            self._share.begin(self._buffers.values())
            outcome = self._registers.run(limit, meanwhile)
            self._share.end()
            result.invalidate()
            self._judge(outcome.status, outcome.fault_index, header(result.words))
        if not any(written(result.words, o.address, o.words) for o in self.bundle.outputs.values()):
            raise EngineFault(
                isa.STATUS_NAME[outcome.status],
                outcome.fault_index,
                None,
                "ran to the end of the program and wrote no output",
                "build the network again: no branch of its program ends in a classifier",
            )
        return self._modelled(outcome, header(result.words)["cycles"])

    def _modelled(self, outcome: Outcome, cycles: int) -> Outcome:
        """Return the outcome with the time that a simulation gives it, if it is one."""
        model = getattr(self._backend, "modelled_seconds", None)
        modelled = 0.0 if model is None else model(cycles)
        return outcome._replace(seconds=modelled) if modelled else outcome

    def _decode(self, side: int, outcome: Outcome) -> Result:
        return decode(self.bundle, self._buffer(f"result{side}").words, outcome.seconds)

    def _judge(self, status: int, index: int, found: dict[str, int]) -> None:
        """Raise :class:`EngineFault` unless the run was good and its result is in memory."""
        name = isa.STATUS_NAME.get(status, f"status {status}")
        if status != isa.STATUS_OK:
            layer = self.bundle.layers[index] if index < len(self.bundle.layers) else None
            place = f"instruction {index}" + (f" of layer {layer}" if layer else "")
            meaning = isa.STATUS_TEXT.get(status, "This code is not in the specification.")
            what = f"stopped with {name} at {place}: {meaning}"
            remedy = "the program does not fit this engine, or its memory was overwritten"
            if status in (isa.STATUS_BUS_ERROR, isa.STATUS_BUS_TIMEOUT):
                remedy = "look at the memory ports of the design, their clock and their address map"
            raise EngineFault(name, index, layer, what, remedy)
        if found["spec_hash"] != self.bundle.spec_hash or found["status"] != status:
            what = f"reports {name}, but its result is not in memory"
            remedy = "look at the memory ports of the design and at the caches of the buffers"
            raise EngineFault(name, index, None, what, remedy)

    def _recover(self) -> None:
        """Make the engine ready after a run whose end was not seen, or say why it is not."""
        until = time.monotonic() + PATIENCE
        while not self._registers.idle():
            left = until - time.monotonic()
            if left > 0:
                self._backend.wait(left, False)
                continue
            if self._backend.reset() and self._registers.idle():
                break
            dump = self._registers.dump()
            raise EngineBusy(
                Problem(
                    "engine",
                    "still runs what was started before",
                    f"wait for it, or load the bitstream again; registers: {dump}",
                )
            )
        self._registers.acknowledge()
        self._share.end()

    def _stopped(self) -> bool:
        """Whether the run whose end was not seen is over, or could be ended."""
        try:
            with self._backend.hold():
                stopped = self._registers.idle() or self._backend.reset()
        except EngineTaken:
            # The engine of that run is not there any more.
            stopped = True
        except HostError:
            stopped = False
        if stopped:
            self._share.end()
        return stopped

    def _buffer(self, name: str) -> Buffer:
        self._require_usable()
        return self._buffers[name]

    def _require_usable(self) -> None:
        """Raise :class:`BackendError` where this is closed, or the object of another process.

        A fork has the same memory for images and results, so that the processes would get each
        other's; and its locks may be held by a thread that it does not have.  No lock is taken.
        """
        what = "this accelerator is closed" if self._closed else ""
        if self._process != os.getpid():
            what = f"this accelerator was made by process {self._process}, before a fork"
        if what:
            raise BackendError(Problem("engine", what, "make another one"))
