"""How long the C simulation takes: ``python -m benchmarks.csim_speed [MODEL ...]``.

Prints seconds per image on one core, without and with trace, and the ratio to the golden model in
the same process.  Wall-clock times are noisy; compare ratios, from one run.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.data import load_dataset
from acsgen.engines.csim import CSimEngine, build_library
from acsgen.flow.build.project import write_project
from acsgen.frontend import front_end
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.assets import asset
from acsgen.verify.vectors import Vectors

REPEATS = 5


def best_of(action: Callable[[], object]) -> float:
    """Return the shortest of some runs, in seconds: the time of an undisturbed machine."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return min(times)


def measure(model: Path) -> str:
    """Return a line on one model."""
    layers, _ = front_end(model)
    images = load_dataset("digits32", "test", limit=64).images
    integers = quantize(layers, images)
    board = load_board("zedboard")
    program = compile_graph(integers, EngineConfig.for_board(board))
    golden = GoldenModel(integers)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        vectors = Vectors(images[:1], golden.run(images[:1]))
        write_project(folder, program, board, vectors, "digits32", ["hls"])
        engine = CSimEngine(build_library(folder / "hls", folder / "libacs.so"))
    words, params, image = program.words, program.params, pack_image(images[0])
    plain = best_of(lambda: engine.run(words, params, image, program.result_words))
    traced = best_of(lambda: engine.run(words, params, image, program.traced_words, trace=True))
    reference = best_of(lambda: golden.run(images[:1]))
    return (
        f"{model.stem}: {plain:.3f} s an image, {traced:.3f} s traced, "
        f"{plain / reference:.2f} of the golden model's time"
    )


def main() -> None:
    """Measure the models named, or the shipped gated ones."""
    torch.set_num_threads(1)
    names = [Path(name) for name in sys.argv[1:]]
    for model in names or sorted(asset("models").glob("*-acs-*.pt")):
        print(measure(model))


if __name__ == "__main__":
    main()
