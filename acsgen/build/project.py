"""Writes a build directory: program, HLS project and golden vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.boards import Board
from acsgen.compiler import Program
from acsgen.compiler.listing import listing
from acsgen.compiler.program import as_bytes
from acsgen.csim.engine import pack_image
from acsgen.emit import render_hls
from acsgen.ir.results import GoldenResult
from acsgen.verify.compare import expected_words


def write_project(
    folder: Path, program: Program, board: Board, images: NDArray[np.uint8], golden: GoldenResult
) -> None:
    """Write everything that does not need running into ``folder``.

    Args:
        folder: an empty directory.
        program: the compiled network.
        board: the board it is for.
        images: uint8 ``[N, C, H, W]``, the golden vectors' inputs.
        golden: the golden model's results on them.
    """
    for name in ("program", "vectors", "csim"):
        (folder / name).mkdir()
    program.save(folder / "program")
    (folder / "program" / "listing.txt").write_text(listing(program), encoding="utf-8")

    packed = np.concatenate([pack_image(image) for image in images])
    expected = np.concatenate([expected_words(program, golden, i) for i in range(len(images))])
    (folder / "vectors" / "images.bin").write_bytes(as_bytes(packed).tobytes())
    (folder / "vectors" / "expected.bin").write_bytes(as_bytes(expected).tobytes())

    render_hls(
        folder / "hls",
        model=program.model,
        board=board,
        engine=program.engine,
        instructions=program.instructions,
        params_words=len(program.params),
        image_words=program.image.words,
        result_words=program.result_words,
        traced_words=program.traced_words,
    )
