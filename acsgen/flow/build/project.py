"""Writes a build directory: program, golden vectors, and the projects of its engines."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from acsgen.compiler.listing import listing
from acsgen.emit.hls import render_hls_of
from acsgen.emit.rtl import render_rtl
from acsgen.emit.vivado import render_vivado
from acsgen.engines.base import Implementation
from acsgen.program.board import Board
from acsgen.program.program import Program
from acsgen.support.assets import asset
from acsgen.verify.builddir import (
    HLS_FOLDER,
    HOST_FOLDER,
    PROGRAM_FOLDER,
    RTL_FOLDER,
    VECTORS_FOLDER,
    VIVADO_FOLDER,
    save_manifest,
)
from acsgen.verify.vectors import Vectors, save_vectors


def write_project(
    folder: Path,
    program: Program,
    board: Board,
    vectors: Vectors,
    dataset: str,
    engines: Sequence[Implementation],
) -> None:
    """Write everything that does not need running into ``folder``.

    Args:
        folder: an empty directory.
        program: the compiled network.
        board: the board it is for.
        vectors: images, and the golden model's results on them.
        dataset: where the images are from.
        engines: the implementations to render.
    """
    for name in (PROGRAM_FOLDER, VECTORS_FOLDER):
        (folder / name).mkdir()
    program.save(folder / PROGRAM_FOLDER)
    (folder / PROGRAM_FOLDER / "listing.txt").write_text(listing(program), encoding="utf-8")
    save_vectors(folder / VECTORS_FOLDER, program, vectors)
    if "hls" in engines:
        render_hls_of(program, folder / HLS_FOLDER, board)
    if "rtl" in engines:
        render_rtl(folder / RTL_FOLDER, model=program.model, board=board, engine=program.engine)
    render_vivado(folder / VIVADO_FOLDER, model=program.model, board=board, engines=engines)
    # Beside the program that it reads: one directory goes to the board, and needs nothing else.
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(asset("host"), folder / HOST_FOLDER, ignore=ignored)
    save_manifest(folder, board, dataset, engines)
