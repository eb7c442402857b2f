"""The systems of the papers on the engine: what their small trained networks save, in figures.

``python -m benchmarks.papers MODEL...`` measures networks and keeps its findings in
``papers.json``; without a name it measures all. Figures of an entry:

- of the integer network on the first test images of digits32: accuracy, masks, multiply-accumulates
  (MACs) and the range of thresholds, beside the accuracy of the static twin;
- of the ZedBoard's engine in both simulations: cycles with the gates' own masks, whose every layer
  must equal the integer network on some images, with every gate open and no exit taken, and of the
  twin. An entry whose simulations differ in a bit is not written.

Networks with early exits answer at those that their thresholds take; an entry has the accuracy of
these answers on all test images, in floats, as the model file has that of the last classifier.

``python -m benchmarks.papers_tables`` renders the file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from acsgen.data import load_dataset
from acsgen.engines.base import Engine, Implementation
from acsgen.engines.rtl import Memory
from acsgen.flow.baseline import load_baseline, save_baseline
from acsgen.flow.bench import Case, Figures, GatedNetwork, open_engine, simulation_of
from acsgen.flow.difficulty import difficulty_figures
from acsgen.flow.evaluate import CALIBRATION_IMAGES, EvalResult, measure
from acsgen.flow.exits import answers_of
from acsgen.flow.thresholds import measure_thresholds
from acsgen.frontend import front_end
from acsgen.frontend.execute import run_layers
from acsgen.ir.integer import IntGraph
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.quantize import quantize
from acsgen.support.assets import asset
from acsgen.support.fsutil import file_digest
from acsgen.support.script import status_of

COMMAND = "python -m benchmarks.papers"
FILE = Path(__file__).with_name("papers.json")
BOARD = "zedboard"
#: Test images that accuracies, MACs and thresholds are measured on.
EVALUATED = 500
#: Images that both simulations run.
SIMULATED = 8

#: Images that run at once.
_BATCH = 100


@dataclass(frozen=True)
class Row:
    """A trained network of a paper's system.

    Attributes:
        system: its name in the papers.
        twin: model file of the network without gates, of the same shape.
    """

    system: str
    twin: str


#: By model file.
ROWS = {
    "resnet8-acs-digits32": Row("ACS", "resnet8-digits32"),
    "resnet8-acs-budget-digits32": Row("ACS, budget by image", "resnet8-digits32"),
    "acs-resnet14-digits32": Row("ACS, ResNet14", "resnet14-digits32"),
    "densenet22-acs-digits32": Row("ACS, DenseNet", "densenet22-digits32"),
    "iadi-resnet14-digits32": Row("IADI", "resnet14-digits32"),
    "densenet22-iadi-digits32": Row("IADI, DenseNet", "densenet22-digits32"),
    "mgl2s-resnet14-digits32": Row("IADI, MGL2S", "resnet14-digits32"),
    "densenet22-mgl2s-digits32": Row("IADI, MGL2S, DenseNet", "densenet22-digits32"),
    "radi-resnet14-digits32": Row("RADI", "resnet14-digits32"),
    "branchy-resnet14-digits32": Row("BranchyNet", "resnet14-digits32"),
    "ddi-resnet14-digits32": Row("DDI", "resnet14-digits32"),
    "ofas1-resnet14-digits32": Row("OFAS-I", "resnet14-digits32"),
    "ofas2-resnet14-digits32": Row("OFAS-II", "resnet14-digits32"),
    "skipnet1-resnet14-digits32": Row("SkipNet, FFGate-I", "resnet14-digits32"),
    "skipnet2-resnet14-digits32": Row("SkipNet, FFGate-II", "resnet14-digits32"),
    "skipnet-rnn-resnet14-digits32": Row("SkipNet, RNN gate", "resnet14-digits32"),
    "blockdrop-resnet14-digits32": Row("BlockDrop", "resnet14-digits32"),
    "gaternet-resnet14-digits32": Row("GaterNet", "resnet14-digits32"),
    "g-resnext20-digits32": Row("G-ResNeXt (learned groups)", "resnet20-bottleneck-digits32"),
    "pfec-resnet14-digits32": Row("PFEC", "resnet14-digits32"),
}


def model_file(name: str) -> Path:
    """The shipped model file of a row, or of a twin."""
    return asset("models", f"{name}.pt")


def digest(name: str) -> str:
    """SHA-256 of a model file, in hexadecimal: figures are those of one file."""
    return file_digest(model_file(name))


def measure_row(name: str) -> dict[str, Any]:
    """Return the figures of one row.

    Raises:
        CheckFailed: a simulation differs from the integer network.
    """
    row, test = ROWS[name], load_dataset("digits32", "test", limit=EVALUATED)
    integers, found = _evaluated(model_file(name))
    thresholds = None
    if integers.gates:
        thresholds = measure_thresholds(integers, test.images, test.labels, found.int8_accuracy)
    _, twin = _evaluated(model_file(row.twin))
    assert twin.wrong is not None
    figures = None
    if found.difficulty is not None:
        figures = difficulty_figures(found.macs, found.wrong, test.difficulty, twin.wrong)
    return {
        "model_sha256": digest(name),
        "twin_sha256": digest(row.twin),
        "evaluated_images": found.images,
        "accuracy_float": found.float_accuracy,
        "prediction_agreement": found.prediction_agreement,
        "gate_agreement": found.gate_agreement,
        "masks": None if found.masks is None else asdict(found.masks),
        "difficulty": None if figures is None else asdict(figures),
        **({"exits": _at_exits(name, found)} if found.exits else {}),
        "macs_gates": found.macs_gates,
        "thresholds": None if thresholds is None else asdict(thresholds),
        **measure_integers(model_file(name), row.twin),
    }


def measure_integers(path: Path, twin: str) -> dict[str, Any]:
    """Return what the integer network of a model file saves of its static twin.

    Args:
        path: the file.
        twin: name of the shipped network without gates, of the same shape.

    Raises:
        CheckFailed: a simulation differs from the integer network.
    """
    integers, found = _evaluated(path)
    _, static = _evaluated(model_file(twin))
    return {
        "accuracy_int8": found.int8_accuracy,
        "accuracy_twin_int8": static.int8_accuracy,
        "macs": found.macs_mean,
        "twin_macs": static.macs_dense,
        "hls": _on_engine("hls", integers, twin),
        "rtl": _on_engine("rtl", integers, twin),
    }


def _at_exits(name: str, found: EvalResult) -> dict[str, Any]:
    """What the exits of a network do: shares of the integers' answers, and the floats' accuracy."""
    layers, _ = front_end(model_file(name))
    test = load_dataset("digits32", "test")
    right: list[np.ndarray[Any, Any]] = []
    for start in range(0, len(test), _BATCH):
        part = slice(start, start + _BATCH)
        run = run_layers(layers, torch.from_numpy(np.array(test.images[part])))
        results = {key: value.numpy() for key, value in run.items()}
        chosen = answers_of(layers, results)
        logits = np.stack([results[output] for output in layers.outputs])
        predicted = logits[chosen, np.arange(len(chosen))].argmax(axis=1)
        right.append(predicted == test.labels[part])
    shares = {exit.output: exit.int8_share for exit in found.exits}
    return {"accuracy": float(np.concatenate(right).mean()), "answers": shares}


@cache
def _evaluated(path: Path) -> tuple[IntGraph, EvalResult]:
    """Quantize the network of a model file and run it beside the one in floats."""
    layers, _ = front_end(path)
    calibration = load_dataset("digits32", "train", limit=CALIBRATION_IMAGES)
    integers = quantize(layers, calibration.images)
    test = load_dataset("digits32", "test", limit=EVALUATED)
    return integers, measure(layers, integers, test.images, test.labels, test.difficulty)


def _on_engine(kind: Implementation, integers: IntGraph, twin: str) -> dict[str, Any]:
    """Figures of a network on one engine, by the masks; ``dense`` are those of its twin."""
    images = load_dataset("digits32", "test", limit=SIMULATED).images
    config, engine = engine_of(kind)
    network = GatedNetwork(integers, config, engine, images, traced=True)
    found = {"own": _kept(network.measure(Case("row", "own")))}
    if integers.gates or integers.exits:
        found["open"] = _kept(network.measure(Case("row", "open")))
    return found | {"dense": _twin_on_engine(kind, twin)}


@cache
def _twin_on_engine(kind: Implementation, name: str) -> dict[str, Any]:
    images = load_dataset("digits32", "test", limit=1).images
    network = GatedNetwork(_evaluated(model_file(name))[0], *engine_of(kind), images, traced=True)
    return _kept(network.measure(Case("twin", "own")))


@cache
def engine_of(kind: Implementation) -> tuple[EngineConfig, Engine]:
    """The sizes of the board's engine, and the simulation of it."""
    board = load_board(BOARD)
    config = EngineConfig.for_board(board)
    simulation = simulation_of(kind)
    return config, open_engine(simulation, board, config, Memory.for_board(board))


def _kept(figures: Figures) -> dict[str, Any]:
    return {name: value for name, value in asdict(figures).items() if name != "bytes_written"}


def measure_rows(
    rows: Iterable[str], measure: Callable[[str], dict[str, Any]], file: Path, command: str
) -> int:
    """Measure the rows that the command line names, all without a name, and keep their figures in a
    file as soon as each is there; the exit status."""
    known = list(rows)
    parser = argparse.ArgumentParser(prog=command, description="Measure rows, keep their figures.")
    parser.add_argument("models", nargs="*", metavar="MODEL", help="model files, without .pt")
    names = parser.parse_args().models or known
    unknown = sorted(set(names) - set(known))
    if unknown:
        parser.error(f"{', '.join(unknown)}: not a row (the rows are {', '.join(known)})")

    def keep(name: str) -> None:
        figures = measure(name)
        kept = load_baseline(file, command)
        kept[name] = figures
        save_baseline(file, {row: kept[row] for row in known if row in kept})
        print(f"{name}: measured", flush=True)

    for name in names:
        status = status_of(partial(keep, name))
        if status:
            print(f"{name}: not measured", file=sys.stderr)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(measure_rows(ROWS, measure_row, FILE, COMMAND))
