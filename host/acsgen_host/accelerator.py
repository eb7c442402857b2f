"""The driver: a network on an engine.  Load once, run images, turn the knobs."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Mapping, Sequence

import numpy as np

from . import isa, thresholds
from .backend import Backend, Buffer
from .budget import BudgetPoint, BudgetProfile
from .bundle import Bundle
from .errors import BackendError, EngineBusy, EngineFault, InputError, Problem
from .registers import Identity, Registers, check_identity
from .result import Result, check_images, decode
from .words import POISON, header, pack_image

#: Seconds for an image; a good run takes milliseconds on a board.
TIMEOUT = 10.0

#: Seconds that a run which timed out before gets to end after all, before the engine is reset.
PATIENCE = 0.1

#: Every word of the result buffer before a run, so that an old result is not taken for a new one.

#: Strictness of the points that :meth:`Accelerator.measure_budget` measures.
STRICTNESS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class Accelerator:
    """A network, loaded into the memory of one engine.

    Use it in a ``with`` statement, or call :meth:`close`: its buffers are memory of the system.
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
            timeout: seconds that an image may take, where a call does not say otherwise.
            interrupts: wait for the interrupt (True), poll (False), or wait if there is one (None).

        Raises:
            EngineMismatch: the bundle is made for another engine.
            EngineBusy: the engine runs, and cannot be reset.
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
        waits = backend.has_interrupt if interrupts is None else interrupts
        self._registers = Registers(backend, waits)
        self._buffers: dict[str, Buffer] = {}
        self._unfinished = not self._registers.idle()
        try:
            if self._unfinished:
                self._recover()
                self._unfinished = False
            self.identity = self._identify()
            for name, words in self._sizes().items():
                self._buffers[name] = backend.allocate(words)
            self._load()
        except BaseException:
            self.close()
            raise

    def run(self, image: Any, timeout: float | None = None) -> Result:
        """Run one image, uint8 ``[C, H, W]``.

        Raises:
            InputError: another shape or type.
            EngineTimeout: no end within ``timeout`` seconds; carries a dump of the registers.
            EngineFault: the engine stopped with an error; names status, instruction and layer.
            EngineBusy: an earlier run timed out but goes on, and the engine cannot be reset.
        """
        images = check_images(image, self.bundle)
        if len(images) != 1:
            raise InputError(
                Problem("images", f"are {len(images)}, run takes one", "call run_many")
            )
        return self._run(images[0], timeout)

    def run_many(self, images: Any, timeout: float | None = None) -> list[Result]:
        """Run images uint8 ``[N, C, H, W]`` one after another; ``timeout`` is for each.

        Raises the exceptions of :meth:`run`.
        """
        return [self._run(image, timeout) for image in check_images(images, self.bundle)]

    @property
    def thresholds(self) -> dict[str, np.ndarray]:
        """The thresholds in force, int32 ``(channels,)`` by gate name."""
        words = self._buffer("params").words
        return {name: thresholds.unpack(gate, words) for name, gate in self.bundle.gates.items()}

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

        The thresholds of before are restored afterwards.
        """
        pixels = check_images(images, self.bundle)
        values = sorted(set(strictness))
        classes = None if labels is None else np.asarray(labels)
        wrong = classes is not None and classes.shape != (len(pixels),)
        if wrong or not values or not len(pixels):
            raise InputError(
                Problem(
                    "budget",
                    "no images, no strictness, or another number of labels than images",
                    "pass some images, and a class for each or no labels",
                )
            )
        before = self.thresholds
        points = []
        try:
            for value in values:
                self.set_strictness(value)
                results = [self._run(image, None) for image in pixels]
                points.append(_point(value, results, classes))
        finally:
            self._write_thresholds(before)
        return BudgetProfile(len(pixels), "counted by the engine", tuple(points))

    def registers(self) -> dict[str, int]:
        """Return a dump of the registers by name."""
        return self._registers.dump()

    def close(self) -> None:
        """Free the buffers and close the back end.

        Memory that a run may still write into is not freed, unless the engine can be reset.
        """
        if self._closed:
            return
        self._closed = True
        backend = self._backend
        try:
            if not self._unfinished or self._registers.idle() or backend.reset():
                for buffer in self._buffers.values():
                    buffer.free()
        finally:
            self._buffers = {}
            backend.close()

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

    def _identify(self) -> Identity:
        bundle = self.bundle
        identity = self._registers.identify()
        check_identity(identity, bundle.spec_hash, bundle.lane_groups, bundle.feature_kib)
        return identity

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

    def _run(self, image: np.ndarray, timeout: float | None) -> Result:
        picture, result = self._buffer("image"), self._buffer("result")
        if self._unfinished:
            self._recover()
            self._identify()
            self._point_registers()
        pack_image(image, picture.words)
        picture.flush()
        result.words[:] = POISON
        result.flush()
        # This holds until the end is seen, even if a time-out or the user interrupts the wait.
        self._unfinished = True
        outcome = self._registers.run(self.timeout if timeout is None else timeout)
        self._unfinished = False
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
            raise EngineBusy(
                Problem(
                    "engine",
                    "still runs what was started before",
                    f"wait for it, or load the bitstream again; registers: {self.registers()}",
                )
            )
        self._registers.acknowledge()

    def _buffer(self, name: str) -> Buffer:
        if name not in self._buffers:
            raise BackendError(Problem("engine", "this accelerator is closed", "make another one"))
        return self._buffers[name]

    def _write_thresholds(self, values: Mapping[str, np.ndarray]) -> None:
        """Write the words of these thresholds, and no others, and flush them."""
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
