"""The steps that render a project, and prove it bit-exact by simulation."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import numpy as np
from acsgen_host.bundle import LABELS_FILE
from acsgen_host.words import pack_image

from acsgen.cost.macs import count_macs
from acsgen.emit.sbom import Contents, write_bundle_files
from acsgen.engines.registry import Simulation
from acsgen.engines.rtl import Memory
from acsgen.flow.build.project import write_project
from acsgen.flow.build.report import counted_cycles, cycles_by_image
from acsgen.flow.build.work import Work
from acsgen.quant.golden import GoldenModel
from acsgen.support.fsutil import file_digest
from acsgen.support.progress import OnStage
from acsgen.verify.check import check_vectors, require_exact
from acsgen.verify.vectors import Vectors


def render_project(work: Work, on_stage: OnStage) -> None:
    """Write the program, the golden vectors and the projects of the engines."""
    plan, checked = work.plan, work.images.test[: work.plan.request.images]
    work.vectors = Vectors(checked, GoldenModel(work.integers).run(checked))
    source = work.images.source
    write_project(work.folder, work.program, plan.board, work.vectors, source, plan.implementations)
    model = plan.request.model
    name = f"{work.program.model}-{plan.board.name}"
    contents = Contents(name, model.name, file_digest(model), source, plan.implementations)
    write_bundle_files(work.folder, contents)
    if work.images.labels is not None:
        # For the accuracies of the driver's notebooks; no check reads them.
        labels = np.asarray(work.images.labels[: len(checked)], np.int64)
        np.save(work.folder / LABELS_FILE, labels)


def compile_simulation(simulation: Simulation, work: Work, on_stage: OnStage) -> None:
    """Compile the rendered sources, and leave the library in the build if it is of use there."""
    sources, engine = work.folder / simulation.implementation, work.plan.engine
    library = simulation.compile(sources, engine, waves=False)
    if simulation.kept_as is not None:
        library = _copied(library, work.folder / simulation.kept_as)
    memory = Memory.for_board(work.plan.board)
    work.engines[simulation.name] = simulation.open(library, memory, waves=None)


def run_simulation(simulation: Simulation, work: Work, on_stage: OnStage) -> None:
    """Compare an engine with the golden model; count its cycles.

    Raises:
        CheckFailed: they differ; names the first difference.
    """
    engine, vectors = work.engines[simulation.name], work.vectors
    tell = partial(on_stage, stage_of(simulation), total=len(vectors.images))
    tell(0)
    check = check_vectors(work.program, engine, vectors, simulation.title, tell)
    require_exact(check, simulation.title)
    work.checks[simulation.name] = check
    ungated, packed = work.ungated, pack_image(vectors.images[0])
    dense = engine.run(ungated.words, ungated.params, packed, ungated.result_words)
    golden = vectors.golden
    macs = count_macs(work.integers, golden.masks, len(golden), golden.ran).executed
    memory = Memory.for_board(work.plan.board)
    work.counted[simulation.name] = counted_cycles(check, dense, macs, memory)
    work.cycles[simulation.name] = cycles_by_image(check)
    if dense.by_instruction is not None:
        work.by_instruction[simulation.name] = (check.by_instruction, (dense.by_instruction,))
    engine.close()


def stage_of(simulation: Simulation) -> str:
    """Return the name of the step that runs a simulation."""
    return f"check bit-exactness, {simulation.title}"


def _copied(library: Path, target: Path) -> Path:
    target.parent.mkdir()
    shutil.copyfile(library, target)
    return target
