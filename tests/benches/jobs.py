"""Jobs for the benches of the engine (a network, images, memories), and their results."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from acsgen_host.words import pack_image

from acsgen.engines.base import BusCounts, EngineRun
from acsgen.engines.rtl import Memory
from acsgen.ir.integer import IntGraph
from acsgen.program.program import Program
from acsgen.program.words import Words


@dataclass(frozen=True)
class Run:
    """One run of a job."""

    image: int = 0
    trace: bool = False
    memory: Memory = Memory()  # noqa: RUF009  (frozen)


def random_images(graph: IntGraph, count: int) -> np.ndarray:
    """Images of noise, uint8 ``[N, C, H, W]``."""
    rng = np.random.default_rng(count)
    return rng.integers(0, 256, (count, *graph.input.shape)).astype(np.uint8)


def write_job(
    path: Path, program: Program, images: np.ndarray, limit: int, **job: Any
) -> dict[str, str]:
    """Write a job file; returns the environment of the bench."""
    runs = [asdict(run) for run in job.pop("runs", [])]
    sizes = {"result_words": program.result_words, "traced_words": program.traced_words}
    np.savez(
        path,
        program=program.words,
        params=program.params,
        images=np.stack([pack_image(image) for image in images]),
        job=json.dumps({"limit": limit, "runs": runs, **sizes, **job}),
    )
    return {"ACSGEN_JOB": str(path), "ACSGEN_RESULTS": str(path.with_name("results.npz"))}


def read_results(environment: dict[str, str]) -> list[EngineRun]:
    """Return the runs that the bench did, as the fast path would."""
    with np.load(environment["ACSGEN_RESULTS"]) as file:
        count = len(file.files) // 2
        found = [(file[f"result{i}"], file[f"run{i}"].tolist()) for i in range(count)]
    return [
        EngineRun(words, status, index, spec, configuration, cycles, BusCounts(*bus))
        for words, (status, index, spec, configuration, cycles, *bus) in found
    ]


class Replay:
    """An engine that answers with the results that a bench recorded, in order."""

    skips_words = True

    def __init__(self, runs: list[EngineRun]) -> None:
        self.runs = iter(runs)

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        run = next(self.runs)
        assert len(run.result) == result_words
        return run
