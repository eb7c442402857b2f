"""The driver: a network on an engine.  Load once, run images, turn the knobs."""

from __future__ import annotations

import contextlib
import threading
import time
from types import TracebackType
from typing import Any, Iterator, Mapping, Sequence

import numpy as np

from . import isa, thresholds
from .arguments import listed, seconds
from .backend import Backend, Buffer
from .budget import BudgetPoint, BudgetProfile
from .bundle import Bundle
from .errors import (
    BackendError,
    EngineBusy,
    EngineFault,
    EngineTaken,
    HostError,
    InputError,
    Problem,
)
from .registers import Identity, Registers, check_identity
from .result import Result, check_images, decode
from .sharing import shared
from .words import POISON, header, pack_image

#: Seconds for an image; a good run takes milliseconds on a board.
TIMEOUT = 10.0

#: Seconds that a run which timed out before gets to end after all, before the engine is reset.
PATIENCE = 0.1

#: Strictness of the points that :meth:`Accelerator.measure_budget` measures.
STRICTNESS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Accelerator:
    """A network, loaded into the memory of one engine.

    Use it in a ``with`` statement, or call :meth:`close`: its buffers are memory of the system.

    Several threads may share it: each call waits for its turn, settings included, so that every
    result belongs to its image and thresholds never change in the middle of a run.  Several
    accelerators may share an engine: each run writes the registers anew.
    """

    def __init__(
        self,
        backend: Backend,
        bundle: Bundle,
        timeout: float = TIMEOUT,
        interrupts: bool | None = None,
    ) -> None:
        """Check the engine and write program and weights into memory.

        Args:
            backend: the way to the engine; :meth:`close` closes it too.
            bundle: the network.
            timeout: seconds above 0 that an image may take, where a call does not say otherwise;
                infinity for no limit.  The wait for other threads does not count.
            interrupts: wait for the interrupt (True), poll (False), or wait if there is one (None).

        Raises:
            InputError: the timeout is not a number above 0.
            EngineMismatch: the bundle is made for another engine.
            EngineBusy: the engine runs, and cannot be reset.
            EngineTaken: another design was loaded in the place of the engine's.
            EngineTimeout: the engine does not answer.
            BackendError: no memory, or an interrupt is wanted and there is none.
        """
        if interrupts and not backend.has_interrupt:
            raise BackendError(
                Problem(
                    backend.name,
                    "the design has no interrupt that Python can wait for",
                    "leave interrupts out: the driver then polls",
                )
            )
        self.bundle = bundle
        self.timeout = timeout
        self._backend = backend
        self._closed = False
        self._lock = threading.RLock()
        self._share = shared(backend)
        waits = backend.has_interrupt if interrupts is None else interrupts
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

    @property
    def timeout(self) -> float:
        """Seconds that an image may take, where a call does not say otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, value: float) -> None:
        self._timeout = seconds(value)

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
        of :meth:`run`.
        """
        return self._run_all(check_images(images, self.bundle), timeout)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let other threads wait, for settings and runs that belong together.

        with accelerator.exclusive():
            accelerator.set_thresholds(0.6)
            result = accelerator.run(image)
        """
        with self._lock:
            yield

    @property
    def thresholds(self) -> dict[str, np.ndarray]:
        """The thresholds in force, int32 ``(channels,)`` by gate name."""
        with self._lock:
            words, gates = self._buffer("params").words, self.bundle.gates
            return {name: thresholds.unpack(gate, words) for name, gate in gates.items()}

    def set_thresholds(self, settings: float | Mapping[str, Any]) -> None:
        """Set an alpha within [0, 1] for all gates, or alphas or int32 arrays by gate name.

        Gates that are not named keep their thresholds.  Nothing changes if a setting is wrong:
        raises :class:`InputError` with all of them.
        """
        self._write_thresholds(thresholds.resolve(self.bundle.gates, settings))

    def set_strictness(self, strictness: float) -> None:
        """Shift all gates alike: 0 opens them, 0.5 is as trained, 1 closes them."""
        gates = self.bundle.gates.values()
        self._write_thresholds({g.name: thresholds.from_strictness(g, strictness) for g in gates})

    def force_masks(self, masks: Mapping[str, Any]) -> None:
        """Give the named gates a fixed mask, booleans ``(channels,)`` or one for all channels."""
        gates = self.bundle.gates
        thresholds.check_names(gates, masks)
        forced = {name: thresholds.forced(gates[name], mask) for name, mask in masks.items()}
        self._write_thresholds(forced)

    def reset_thresholds(self) -> None:
        """Set all gates as trained."""
        gates, params = self.bundle.gates.items(), self.bundle.params
        self._write_thresholds({name: thresholds.unpack(gate, params) for name, gate in gates})

    def set_budget(self, macs: float, profile: BudgetProfile | None = None) -> BudgetPoint:
        """Choose the least strictness whose *mean* work is within ``macs`` an image; set it.

        The mean is over the images of ``profile``, by default the one kept in the bundle.  It says
        nothing of a single image: the engine has no register that would stop one.

        Raises :class:`InputError` where no strictness saves enough, or there is no profile.
        """
        chosen = self.bundle.budget if profile is None else profile
        if chosen is None:
            raise InputError(
                Problem(
                    "budget",
                    "this bundle has no measured profile",
                    "make one with measure_budget on images of your own",
                )
            )
        point = chosen.choose(macs)
        self.set_strictness(point.strictness)
        return point

    def measure_budget(
        self,
        images: Any,
        labels: Any = None,
        strictness: Sequence[float] = STRICTNESS,
    ) -> BudgetProfile:
        """Measure a profile for :meth:`set_budget` by the engine's own counters.

        Args:
            images: uint8 ``[N, C, H, W]``, at least one.
            labels: their classes ``[N]``, if the accuracy is wanted too.
            strictness: the values to try, each within [0, 1].

        The thresholds of before are restored afterwards; other threads wait until then.
        """
        pixels = check_images(images, self.bundle)
        tried = np.atleast_1d(np.asarray(listed(strictness), object))
        values = sorted({thresholds.share(value, "strictness", "it") for value in tried})
        classes = None if labels is None else np.asarray(listed(labels))
        wrong = classes is not None and classes.shape != (len(pixels),)
        if wrong or not values or not len(pixels):
            raise InputError(
                Problem(
                    "budget",
                    "no images, no strictness, or another number of labels than images",
                    "pass some images, and a class for each or no labels",
                )
            )
        points = []
        with self._lock:
            before = self.thresholds
            try:
                for value in values:
                    self.set_strictness(value)
                    points.append(_point(value, self._run_all(pixels, None), classes))
            finally:
                self._write_thresholds(before)
        return BudgetProfile(len(pixels), "counted by the engine", tuple(points))

    def registers(self) -> dict[str, int]:
        """Return a dump of the registers by name, between two runs.

        Raises :class:`EngineTaken` where they are no longer those of the engine.
        """
        with self._engine():
            return self._registers.dump()

    def close(self) -> None:
        """Free the buffers and close the back end, once the run of another thread has ended.

        Memory that a run may still write into is kept until the engine is seen idle.
        """
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
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _sizes(self) -> dict[str, int]:
        """Words of every buffer, by the name of its register."""
        bundle = self.bundle
        return {
            "program": len(bundle.program),
            "params": len(bundle.params),
            "image": bundle.image_words,
            "result": bundle.result_words,
        }

    def _load(self) -> None:
        """Write program and weights, and tell the engine where everything lies."""
        for name, words in (("program", self.bundle.program), ("params", self.bundle.params)):
            self._buffers[name].words[:] = words
            self._buffers[name].flush()
        self._point_registers()

    def _point_registers(self) -> None:
        self._registers.set_buffers(
            {name: (buf.address, len(buf.words)) for name, buf in self._buffers.items()}
        )

    @contextlib.contextmanager
    def _engine(self) -> Iterator[None]:
        """Have the engine to ourselves: no other thread, no other process, no other design."""
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
        with self._lock:
            return [self._run(image, limit) for image in images]

    def _run(self, image: np.ndarray, limit: float) -> Result:
        picture, result = self._buffer("image"), self._buffer("result")
        with self._engine():
            # Another accelerator, process or bitstream may have come between two runs, so that
            # nothing that the registers held before is taken for granted.
            self._identify()
            self._point_registers()
            pack_image(image, picture.words)
            picture.flush()
            result.words[:] = POISON
            result.flush()
            # This holds until the end is seen, even if a time-out or the user interrupts the wait.
            self._share.begin(self._buffers.values())
            outcome = self._registers.run(limit)
            self._share.end()
            result.invalidate()
            self._judge(outcome.status, outcome.fault_index, header(result.words))
            decoded = decode(self.bundle, result.words, outcome.seconds)
        if not decoded.outputs:
            raise EngineFault(
                isa.STATUS_NAME[outcome.status],
                outcome.fault_index,
                None,
                "ran to the end of the program and wrote no output",
                "build the network again: no branch of its program ends in a classifier",
            )
        return decoded

    def _judge(self, status: int, index: int, found: dict[str, int]) -> None:
        """Raise :class:`EngineFault` unless the run was good and its result is in memory."""
        name = isa.STATUS_NAME.get(status, f"status {status}")
        if status != isa.STATUS_OK:
            layer = self.bundle.layers[index] if index < len(self.bundle.layers) else None
            place = f"instruction {index}" + (f" of layer {layer}" if layer else "")
            meaning = isa.STATUS_TEXT.get(status, "This code is not in the specification.")
            what = f"stopped with {name} at {place}: {meaning}"
            remedy = "the program does not fit this engine, or its memory was overwritten"
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
        if name not in self._buffers:
            raise BackendError(Problem("engine", "this accelerator is closed", "make another one"))
        return self._buffers[name]

    def _write_thresholds(self, values: Mapping[str, np.ndarray]) -> None:
        """Write the words of these thresholds, and no others, and flush them."""
        with self._lock:
            params = self._buffer("params")
            for name, integers in values.items():
                gate = self.bundle.gates[name]
                start, words = gate.threshold_address, thresholds.pack(integers)
                params.words[start : start + len(words)] = words
                params.flush(start, len(words))


def _point(strictness: float, results: Sequence[Result], classes: np.ndarray | None) -> BudgetPoint:
    macs = [result.counters["macs_executed"] for result in results]
    right = None
    if classes is not None:
        right = float(np.mean(classes == [result.prediction for result in results]))
    return BudgetPoint(float(strictness), float(np.mean(macs)), max(macs), right)
