"""Errors of the driver, meant for people: each has a place, a description and a remedy."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence


class Problem(NamedTuple):
    """One thing that is wrong."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.remedy})" if self.remedy else text


class HostError(Exception):
    """Base of all errors of this package.

    Attributes:
        problems: everything that was found.
        image: index of the image of a batch at which it was found; None outside of a batch.
        results: those of the images before it, in order.
    """

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        self.image: int | None = None
        self.results: tuple[Any, ...] = ()
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        # The usual way calls the class with the message alone, which loses the problems or fails;
        # a pool of processes then waits for ever for the result of the one that raised this.
        return _restored, (type(self), self.args, self.__dict__)

    def __str__(self) -> str:
        text = super().__str__()
        return text if self.image is None else f"image {self.image}: {text}"


class BundleError(HostError):
    """A bundle that is incomplete, damaged, or of another version of this package."""


class EngineMismatch(HostError):
    """The engine on the board is not the one that the bundle was made for."""


class InputError(HostError, ValueError):
    """An argument that does not fit the network: an image, a threshold, a budget."""


class BackendError(HostError):
    """The way to the engine does not work: no bitstream, no memory, no such interrupt."""


class EngineTaken(BackendError):
    """Another design was loaded in the place of the engine's, by this process or by another one."""


class PowerError(HostError):
    """A power source that is not there or does not answer, or samples that say nothing."""


class EngineBusy(HostError):
    """The engine runs and cannot be reset from here, or another process does not let go of it."""


class EngineTimeout(HostError):
    """The engine did not finish in time.

    Attributes:
        seconds: how long was waited.
        registers: all registers at that time, by name.
    """

    def __init__(self, seconds: float, registers: dict[str, int]) -> None:
        self.seconds = seconds
        self.registers = dict(registers)
        dump = ", ".join(f"{name} {value:#x}" for name, value in registers.items())
        super().__init__(
            Problem(
                "engine",
                f"did not finish within {seconds:g} s; registers: {dump}",
                "pass a longer timeout, or look at the clock and the memory ports of the design; "
                "the next run resets the engine first where that is possible",
            )
        )


class EngineFault(HostError):
    """The engine stopped with an error status, or left no result behind.

    Attributes:
        status: name of the status code, as the specification has it.
        instruction: index of the instruction at which it stopped.
        layer: the layer that this instruction belongs to, where known.
    """

    def __init__(
        self, status: str, instruction: int, layer: str | None, what: str, remedy: str
    ) -> None:
        self.status = status
        self.instruction = instruction
        self.layer = layer
        super().__init__(Problem("engine", what, remedy))


def _restored(kind: type[HostError], arguments: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """Return a copy of an error, as pickle and copy make them."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error
