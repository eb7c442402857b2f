"""Tries random programs on the engines of one configuration, and keeps what fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from acsgen.isa.generated import INSTRUCTION_WORDS, Instruction
from acsgen.rtlsim import Memory

from .check import RUNS, check, check_rtl, prepared
from .damage import Buffers, affordable, check_damaged, damaged
from .engines import Twins
from .programs import Case, programs


@dataclass
class Attempt:
    """A program and everything that is done to it; can be saved and tried again."""

    case: Case
    memory: Memory
    damages: list[Buffers] = field(default_factory=list)

    def run(self, engines: Twins, tally: Counter[str]) -> None:
        """Raise :class:`AssertionError` where an engine is wrong."""
        job = prepared(self.case, engines.config)
        check(job, engines.csim, "C-sim")
        if engines.rtl is not None:
            runs = RUNS[: 3 if self.memory.latency < 100 else 1]
            tally["RTL cycles"] += check_rtl(job, engines.rtl, self.memory, runs)
        tally["programs"] += 1
        tally["instructions"] += len(self.case.program)
        for buffers in self.damages:
            status = check_damaged(buffers, engines.csim, engines.rtl, engines.config)
            tally[status.name] += 1
        if self.damages:
            # The good program is none the worse for them.
            check(job, engines.csim, "C-sim after damaged programs", RUNS[2:3])
            if engines.rtl is not None:
                check_rtl(job, engines.rtl, self.memory, RUNS[2:3])

    def save(self, path: Path) -> None:
        """Write everything that :meth:`load` needs, as plain arrays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            "program": self.case.words,
            "params": self.case.params,
            "images": np.array(self.case.images),
            "result_words": np.array(self.case.result_words),
            "memory": np.array([self.memory.latency, self.memory.bandwidth, self.memory.seed]),
        }
        for index, buffers in enumerate(self.damages):
            for name, value in vars(buffers).items():
                arrays[f"damage{index}_{name}"] = np.asarray(value)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Attempt:
        """What :meth:`save` wrote."""
        with np.load(path) as file:
            arrays = dict(file)
        rows = arrays["program"].reshape(-1, INSTRUCTION_WORDS)
        case = Case(
            [Instruction.decode([int(w) for w in row]) for row in rows],
            arrays["params"],
            list(arrays["images"]),
            int(arrays["result_words"]),
        )
        damages = []
        while (prefix := f"damage{len(damages)}_") + "program" in arrays:
            damages.append(
                Buffers(
                    arrays[prefix + "program"],
                    arrays[prefix + "params"],
                    arrays[prefix + "image"],
                    int(arrays[prefix + "result_words"]),
                    bool(arrays[prefix + "trace"]),
                )
            )
        return cls(case, Memory(*(int(v) for v in arrays["memory"])), damages)


memories = st.builds(
    Memory,
    latency=st.sampled_from([5, 0, 32]) | st.integers(0, 200),
    bandwidth=st.sampled_from([256, 256, 128]) | st.integers(30, 256),
    seed=st.just(0) | st.integers(0, 2**32 - 1),
)


def try_programs(
    engines: Twins,
    count: int,
    chosen_seed: int,
    damages: int,
    keep: Path | None = None,
    progress: Callable[[Counter[str]], None] = lambda tally: None,
) -> Counter[str]:
    """Try ``count`` programs, each with so many ``damages``; returns what was done.

    Raises what hypothesis raises for the smallest failure, after writing it to ``keep``.
    """
    tally: Counter[str] = Counter()

    @seed(chosen_seed)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        print_blob=True,
    )
    @given(programs(engines.config), memories, st.data())
    def run(case: Case, memory: Memory, data: st.DataObject) -> None:
        attempt = Attempt(case, memory)
        for _ in range(damages):
            buffers = data.draw(damaged(case))
            if affordable(buffers, engines.config):
                attempt.damages.append(buffers)
        try:
            attempt.run(engines, tally)
        except Exception:
            if keep is not None:
                attempt.save(keep)  # while it shrinks, the last one saved is the smallest
            raise
        progress(tally)

    run()
    return tally
