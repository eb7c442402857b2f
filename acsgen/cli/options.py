"""Options that several commands share, so that each has one name and one meaning."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from acsgen_host.jsontext import without_noise
from pydantic import BaseModel

from acsgen.cli.console import out
from acsgen.ir.ranges import MIN_WEIGHT_BITS, WEIGHT_BITS
from acsgen.isa.generated import LANES
from acsgen.program.board import AUTO, MAX_CLOCK_MHZ, MIN_CLOCK_MHZ, LaneRequest
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import check_file, write_whole

STDOUT = Path("-")

JsonOption = Annotated[
    Path | None,
    typer.Option("--json", metavar="FILE", help="Write the figures to a file; - for the screen."),
]
LanesOption = Annotated[
    str | None,
    typer.Option(
        "--lanes",
        metavar=f"N|{AUTO}",
        help=f"Pixel lanes, in {LANES}s, or {AUTO} for as many as fit the board; default the "
        f"board's, which may be {AUTO} too.",
    ),
]
ClockOption = Annotated[
    float | None,
    typer.Option(
        "--clock",
        metavar="MHZ",
        min=MIN_CLOCK_MHZ,
        max=MAX_CLOCK_MHZ,
        help="The engine's clock; default the board's.",
    ),
]
AlphaOption = Annotated[
    float | None,
    typer.Option(
        min=0.0, max=1.0, help="Threshold of all gates: 0 opens, 1 closes; default as trained."
    ),
]
ExitEntropyOption = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        metavar="NATS",
        help="Early exits: end where the entropy is below this, 0 never; default as built.",
    ),
]
WeightBitsOption = Annotated[
    int,
    typer.Option(
        "--weight-bits",
        min=MIN_WEIGHT_BITS,
        max=WEIGHT_BITS,
        help="Width that weights are quantized to. Fewer bits cost accuracy and save no cycles: "
        f"the engine stores {WEIGHT_BITS}.",
    ),
]

FinerAveragesOption = Annotated[
    bool,
    typer.Option(
        "--finer-averages/--no-finer-averages",
        help="Whether averages before a classifier are stored four times where float and integer "
        "network would predict the same too rarely; it takes cycles.",
    ),
]

DatasetOption = Annotated[
    str | None,
    typer.Option(help="Data set to calibrate and check with; default the model's own."),
]
DataOption = Annotated[
    Path | None, typer.Option(help="Folder of the data set's files (cifar10, svhn).")
]
ImageSeedOption = Annotated[int, typer.Option(min=0, help="Seed of the choice of images.")]


def lane_groups(lanes: str | None) -> LaneRequest:
    """Return the groups of lanes for ``--lanes``.

    Raises:
        UserError: neither a whole number of groups, one or more, nor the word.
    """
    if lanes is None:
        return None
    if lanes == AUTO:
        return AUTO
    if not re.fullmatch("[0-9]{1,9}", lanes):
        remedy = f"give a multiple of {LANES}, or {AUTO}"
        raise UserError(Problem("--lanes", f"{lanes!r} is not a number of lanes", remedy))
    number = int(lanes)
    if number % LANES or not number:
        near = [LANES * groups for groups in (number // LANES, number // LANES + 1) if groups]
        remedy = f"try {' or '.join(map(str, near))}"
        raise UserError(Problem("--lanes", f"{number} is no multiple of {LANES} above 0", remedy))
    return number // LANES


def check_json(target: Path | None) -> None:
    """Refuse a file of ``--json`` that cannot be written, before any work is done for it.

    The screen, too, is for the figures alone if they are wanted there.
    """
    if target == STDOUT:
        out.quiet = True
    elif target is not None:
        check_file(target)


def write_json(target: Path | None, content: Any) -> None:
    """Write figures where ``--json`` asks for them, without the noise of their sums."""
    if target is None:
        return
    plain = without_noise(json.loads(json.dumps(content, default=_plain)))
    text = json.dumps(plain, indent=1) + "\n"
    if target == STDOUT:
        sys.stdout.write(text)
    else:
        write_whole(target, text.encode())


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
