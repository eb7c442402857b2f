"""The engines of a build directory: compiled from its sources, checked against its vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from acsgen.compiler.predict import predict
from acsgen.engines.base import CompileError, Engine, EngineHung, EngineViolation
from acsgen.engines.registry import Simulation
from acsgen.engines.rtl import Memory
from acsgen.program.program import Program
from acsgen.program.words import Words
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.verify.builddir import BuildDirectory
from acsgen.verify.compare import Executed, HeaderWords, MaskBits, Verification, verify_engine
from acsgen.verify.vectors import Vectors


def check_vectors(
    program: Program,
    engine: Engine,
    vectors: Vectors,
    title: str,
    on_image: Callable[[int], None] = lambda done: None,
    words: Words | None = None,
    params: Words | None = None,
) -> Verification:
    """Run all images on ``engine`` and compare everything, counters included.

    Args:
        program: the program to run.
        engine: the engine to run it on.
        vectors: images and golden results.
        title: of the engine, for messages.
        on_image: called with the number of images done.
        words: program buffer, where limits of exits differ from the program's own.
        params: parameter buffer, where thresholds do.

    Raises:
        CheckFailed: the engine did not finish, or broke a rule that is watched as it runs.
    """

    def counters(masks: MaskBits, executed: Executed, trace: bool) -> HeaderWords:
        found = predict(
            program, masks, trace=trace, skips_words=engine.skips_words, executed=executed
        )
        return {**asdict(found.counters), "instructions": len(found.instructions)}

    try:
        return verify_engine(
            program,
            engine,
            vectors.images,
            vectors.golden,
            counters,
            params=params,
            words=words,
            on_image=on_image,
        )
    except (EngineHung, EngineViolation) as error:
        raise CheckFailed(f"{title} of {program.model}: {error}") from error


def require_exact(verification: Verification, title: str) -> None:
    """Raise :class:`CheckFailed`, naming the first mismatch, unless everything was equal."""
    if verification.mismatches:
        raise CheckFailed(
            f"{title} differs from the golden model in {verification.mismatches} of "
            f"{verification.compared} values. First: {verification.first}"
        )


def open_engine(
    build: BuildDirectory,
    simulation: Simulation,
    memory: Memory | None = None,
    waves: Path | None = None,
) -> Engine:
    """Return an engine of a build, compiled from its sources as they are now.

    Args:
        build: the build directory.
        simulation: how to run it.
        memory: how the memory behind it behaves, if it is clocked; the board's if None.
        waves: FST file to write, if it is clocked.

    Raises:
        UserError: the build was made without these sources, or they do not compile.
    """
    sources = build.sources(simulation.implementation)
    try:
        library = simulation.compile(sources, build.program.engine, waves=waves is not None)
    except (CompileError, FileNotFoundError) as error:
        raise _does_not_compile(sources, error) from error
    if memory is None:
        memory = Memory.for_board(build.manifest.board)
    return simulation.open(library, memory, waves=waves)


def _does_not_compile(sources: Path, error: Exception) -> UserError:
    lines = str(error).splitlines() or ["no message"]
    first = next((line for line in lines if "rror" in line), lines[0])
    return UserError(
        Problem(str(sources), f"does not compile: {first.strip()}", "mend it, or build it again")
    )
