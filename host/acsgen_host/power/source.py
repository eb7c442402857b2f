"""The interface of a power source, and the thread that samples one."""

from __future__ import annotations

import threading
import time
from typing import Callable, Protocol

from ..errors import HostError, PowerError, Problem
from .trace import SourceInfo, Trace, make_trace

#: Samples a second that are asked for: below some 350 short bursts are lost.
DEFAULT_RATE_HZ = 500.0

#: A sensor that fails so often in a row is gone; single failures are samples that are lost.
FAILURES_IN_A_ROW = 20


class Source(Protocol):
    """A sensor of power.

    Attributes:
        info: what it measures.
    """

    info: SourceInfo

    def read(self) -> float:
        """Return the power in watts.

        Raises :class:`~acsgen_host.errors.PowerError` where the sensor does not answer.
        """

    def close(self) -> None:
        """Release the sensor."""


class Recorder:
    """Samples a source in a thread of its own, beside the loops that it measures.

    with Recorder(source) as recorder:
        ...
    trace = recorder.trace()
    """

    def __init__(
        self,
        source: Source,
        rate_hz: float = DEFAULT_RATE_HZ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a source; ``rate_hz`` is the most that is asked of it."""
        self._source = source
        self._period = 1.0 / rate_hz
        self._clock = clock
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._time: list[float] = []
        self._watts: list[float] = []
        self._failure: HostError | None = None
        self.lost = 0

    def __enter__(self) -> Recorder:
        # The first answer comes here, so that a sensor that is not there is said at once.
        self._source.read()
        self._thread = threading.Thread(target=self._sample, name="power", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def trace(self) -> Trace:
        """Return the samples; raises :class:`PowerError` if the sensor went away."""
        if self._failure is not None:
            raise self._failure
        return make_trace(self._time, self._watts, self._source.info)

    def _sample(self) -> None:
        failures = 0
        due = self._clock()
        while not self._stop.is_set():
            before = self._clock()
            try:
                watts = self._source.read()
                failures = 0
                # The middle of the reading: what is read is older than its end.
                self._time.append((before + self._clock()) / 2)
                self._watts.append(watts)
            except HostError as error:
                self.lost += 1
                failures += 1
                if failures >= FAILURES_IN_A_ROW:
                    self._failure = PowerError(
                        [
                            *error.problems,
                            Problem(
                                self._source.info.source,
                                f"failed {failures} times in a row while it was sampled",
                                "look at its cable and its power",
                            ),
                        ]
                    )
                    return
            due = max(due + self._period, self._clock() - self._period)
            self._stop.wait(max(0.0, due - self._clock()))
