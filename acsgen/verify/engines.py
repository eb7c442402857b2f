"""The engines of a build directory, compiled from its sources and checked against its vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.cost.cycles import predict
from acsgen.engines.csim import CSimEngine
from acsgen.engines.csim.compile import CompileError, cached_library
from acsgen.engines.rtl import EngineFault, EngineHung, Memory, ModelError, RtlEngine, cached_model
from acsgen.program.program import Program
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.verify.builddir import BuildDirectory
from acsgen.verify.compare import Counters, Engine, Verification, verify_engine
from acsgen.verify.vectors import Vectors

#: Engines by the names that commands take, in words.
TITLES = {"csim": "C simulation", "rtl": "RTL simulation"}


def check_vectors(
    program: Program,
    engine: Engine,
    vectors: Vectors,
    title: str,
    on_image: Callable[[int], None] = lambda done: None,
) -> Verification:
    """Run all images on ``engine`` and compare everything, counters included.

    Args:
        program: what to run.
        engine: where.
        vectors: images and golden results.
        title: of the engine, for messages.
        on_image: called with the number of images done.

    Raises:
        CheckFailed: the engine did not finish, or broke a rule that is watched as it runs.
    """

    skips = isinstance(engine, RtlEngine)

    def counters(masks: dict[str, NDArray[np.uint8]], trace: bool) -> Counters:
        return asdict(predict(program, masks, trace=trace, skips_words=skips).counters)

    try:
        return verify_engine(
            program, engine, vectors.images, vectors.golden, counters, on_image=on_image
        )
    except (EngineHung, EngineFault) as error:
        raise CheckFailed(f"{title} of {program.model}: {error}") from error


def require_exact(verification: Verification, title: str) -> None:
    """Raise :class:`CheckFailed`, naming the first mismatch, unless everything was equal."""
    if verification.mismatches:
        raise CheckFailed(
            f"{title} differs from the golden model in {verification.mismatches} of "
            f"{verification.compared} values. First: {verification.first}"
        )


def open_csim(build: BuildDirectory) -> CSimEngine:
    """Return the C simulation of a build, compiled from its sources as they are now."""
    sources = build.sources("hls")
    try:
        return CSimEngine(cached_library(sources))
    except CompileError as error:
        raise _does_not_compile(sources, error) from error


def open_rtl(build: BuildDirectory, memory: Memory, waves: Path | None = None) -> RtlEngine:
    """Return the RTL simulation of a build, compiled from its sources as they are now.

    Args:
        build: the build directory.
        memory: how the memory behind it behaves.
        waves: FST file to write.
    """
    sources = build.sources("rtl")
    try:
        library = cached_model(build.program.engine, waves=waves is not None, rtl=sources)
    except (ModelError, FileNotFoundError) as error:
        raise _does_not_compile(sources, error) from error
    return RtlEngine(library, memory, waves=waves)


def _does_not_compile(sources: Path, error: Exception) -> UserError:
    lines = str(error).splitlines() or ["no message"]
    first = next((line for line in lines if "rror" in line), lines[0])
    return UserError(
        Problem(str(sources), f"does not compile: {first.strip()}", "mend it, or build it again")
    )
