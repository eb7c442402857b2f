"""What the notebooks begin with: the accelerator of the folder that they lie in, or its simulation.

The same notebook runs on a board and on a PC.  Environment variables say otherwise where that is
wanted: ``ACSGEN_BUILD`` the folder, ``ACSGEN_SOURCE`` the power sensor.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any, NamedTuple, Sequence

import numpy as np

from .accelerator import Accelerator
from .arguments import count
from .bundle import MANIFEST, Bundle
from .errors import BackendError, BundleError, Problem
from .power import Inferences, Plan, Point, Recorder, Setting, SyntheticBench, measure
from .power.sources import open_source, parse
from .power.synthetic import BANNER


class Session(NamedTuple):
    """What a notebook works with.

    Attributes:
        accelerator: the network on its engine.
        images: those of the build, uint8 ``[N, C, H, W]``.
        labels: their classes ``[N]``; where none are known, those of the network as trained.
        quality: what a comparison with ``labels`` is called: accuracy, or agreement as trained.
        engine: what runs the network, for titles of pictures.
    """

    accelerator: Accelerator
    images: np.ndarray
    labels: np.ndarray
    quality: str
    engine: str

    def right(self, prediction: np.ndarray) -> float:
        """Return the share of predictions that are those of ``labels``."""
        return float(np.mean(prediction == self.labels))


def start(limit: int | None = None) -> Session:
    """Open the build around the notebook, on the board if this is one, and say what runs.

    ``limit`` takes the first images only.

    Raises :class:`BundleError` where there is no build around, and the exceptions of
    :class:`Accelerator` on a board.
    """
    wanted = None if limit is None else count(limit, "limit")
    folder = _folder()
    bundle = Bundle.load(folder)
    accelerator = _accelerator(folder)
    images = bundle.vectors().images[:wanted]
    labels, quality = bundle.labels(), "accuracy"
    if labels is None:
        accelerator.reset_thresholds()
        results: Any = accelerator.infer(images)
        labels, quality = results.prediction, "agreement with the network as trained"
    engine = accelerator.simulation or "board"
    print(
        f"{bundle.model} on {engine}: {len(images)} images of "
        f"{'x'.join(map(str, bundle.shape))}, {len(bundle.gates)} gates"
    )
    print(f"Python {platform.python_version()}, numpy {np.__version__}")
    if accelerator.simulation:
        print("SIMULATION: results and counters are those of the engine, bit for bit;")
        print(f"times are {accelerator.times}; nothing was measured.")
    return Session(accelerator, images, labels[:wanted], quality, engine)


def measure_energy(session: Session, strictness: Sequence[float]) -> tuple[list[Point], str]:
    """Return a measured point for each strictness, and the scope of the sensor.

    On a board the sensor is the one that ``ACSGEN_SOURCE`` names; a simulation has the synthetic
    source, and says so in large letters.
    """
    accelerator = session.accelerator

    def setting(value: float) -> Setting:
        return Setting(f"{value:g}", lambda: accelerator.set_strictness(value))

    settings = [setting(value) for value in strictness]
    if accelerator.simulation:
        print(BANNER)
        bench = SyntheticBench(accelerator, session.images)
        points, trace, _ = measure(bench, bench, settings, Plan())
        return list(points), f"{trace.info.source}: {trace.info.scope}"
    wanted = os.environ.get("ACSGEN_SOURCE", "")
    if not wanted:
        raise BackendError(
            Problem(
                "power",
                "no sensor is named",
                'os.environ["ACSGEN_SOURCE"] = "zedboard:bus=1", or another one: '
                "python -m acsgen_host measure-power --help lists them",
            )
        )
    source = open_source(parse(wanted))
    try:
        workload = Inferences(accelerator, session.images)
        points, trace, _ = measure(workload, Recorder(source), settings, Plan(), print)
    finally:
        source.close()
    return list(points), f"{trace.info.source}: {trace.info.scope}, {trace.rate_hz:.0f} Hz"


def _folder() -> Path:
    given = os.environ.get("ACSGEN_BUILD")
    here = Path.cwd()
    places = [Path(given)] if given else [here, *list(here.parents)[:3]]
    for folder in places:
        if (folder / MANIFEST).is_file():
            return folder
    what = "is not in a build: no {} in {}".format(MANIFEST, ", ".join(map(str, places)))
    remedy = 'os.environ["ACSGEN_BUILD"] = "FOLDER", the one that acsgen build wrote'
    raise BundleError(Problem("notebook", what, remedy))


def _accelerator(folder: Path) -> Accelerator:
    """Return the accelerator of the board, or the simulation where this is a PC.

    A board's own faults are raised: only a PC goes on without it.
    """
    if any(folder.rglob("*.bit")):
        try:
            return Accelerator(folder)
        except BackendError as error:
            if platform.machine().startswith(("arm", "aarch")):
                raise
            print(f"no board: {error}")
    return Accelerator.simulate(folder)
