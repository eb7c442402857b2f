"""A network through hls4ml's own converter, compiled by it, and run in its C simulation."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

#: Backend whose sources are compiled; no tool of AMD's is needed for its C simulation.
BACKEND = "Vitis"

#: hls4ml's own default.
PRECISION = "ap_fixed<16,6>"

#: The last lines of a message that is longer than anybody reads.
_LINES = 12


class Refused(Exception):
    """hls4ml cannot do it, with its own words.

    Attributes:
        step: what it was asked to do.
        said: its words.
    """

    def __init__(self, step: str, said: str) -> None:
        super().__init__(f"{step}: {said}")
        self.step = step
        self.said = said


@dataclass(frozen=True)
class Hls4mlModel:
    """A network that hls4ml has compiled.

    Attributes:
        model: hls4ml's own object.
        reports: what hls4ml says of it, by name; of synthesis it says nothing before Vitis HLS ran.
    """

    model: Any
    reports: dict[str, Any]

    def predict(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run normalized images ``[N, C, H, W]``; logits ``[N, classes]``.

        Raises:
            Refused: it fails.
        """
        by_pixel = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        try:
            with _silence():
                found = self.model.predict(by_pixel)
        except Exception as error:
            raise Refused("run the C simulation", _words(error, "")) from error
        return np.asarray(found, np.float32).reshape(len(images), -1)


def version() -> str:
    """Return the version of hls4ml."""
    return importlib.metadata.version("hls4ml")


def convert(
    network: nn.Module,
    shape: tuple[int, ...],
    folder: Path,
    *,
    io: str,
    precision: str,
) -> Hls4mlModel:
    """Convert and compile a network.

    Args:
        network: of modules that hls4ml knows.
        shape: of an image, (C, H, W).
        folder: for hls4ml's project.
        io: ``io_stream`` or ``io_parallel``.
        precision: default type of values, as hls4ml writes it.

    Raises:
        Refused: hls4ml cannot, with its own words.
    """
    with _saying("convert the network"):
        import hls4ml

        config = hls4ml.utils.config_from_pytorch_model(
            network,
            shape,
            granularity="name",
            backend=BACKEND,
            default_precision=precision,
            # Images come channels last, as hls4ml computes on them.
            channels_last_conversion="internal",
        )
        model = hls4ml.converters.convert_from_pytorch_model(
            network,
            output_dir=str(folder),
            project_name="twin",
            backend=BACKEND,
            hls_config=config,
            io_type=io,
        )
    with _saying("compile its C++"):
        model.compile()
    return Hls4mlModel(model, _reports(model, config))


def _reports(model: Any, config: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that hls4ml itself has of a network before any synthesis."""
    layers = [*model.get_layers()]
    weights = [w for layer in layers for w in layer.get_weights()]
    return {
        "backend": BACKEND,
        "strategy": config["Model"]["Strategy"],
        "reuse_factor": config["Model"]["ReuseFactor"],
        "precision": config["Model"]["Precision"]["default"],
        "io": model.config.get_config_value("IOType"),
        "layers": len(layers),
        "weights": int(sum(np.size(w.data) for w in weights)),
    }


@contextlib.contextmanager
def _saying(step: str) -> Iterator[None]:
    """Keep what is printed; an exception of any type becomes a refusal with those words."""
    with tempfile.TemporaryFile() as log:
        try:
            with _silence(log.fileno()):
                yield
        except Exception as error:
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise Refused(step, _words(error, said)) from error


@contextlib.contextmanager
def _silence(target: int | None = None) -> Iterator[None]:
    """Send what this process and those that it starts print to a file, or nowhere."""
    sys.stdout.flush()
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(nowhere if target is None else target, number)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in zip((1, 2), kept, strict=True):
            os.dup2(copy, number)
            os.close(copy)
        os.close(nowhere)


def _words(error: Exception, said: str) -> str:
    """Return the words of an exception, and errors among what was printed before it."""
    errors = [line.strip() for line in said.splitlines() if "error" in line.lower()]
    lines = [*(str(error) or type(error).__name__).splitlines(), *errors]
    return "\n".join(dict.fromkeys(lines[:_LINES]))
