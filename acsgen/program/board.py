"""Board files: a board as the compiler, the cost model and the tool scripts need it.

A board is one YAML file, shipped in ``hw/boards/`` or the user's own.  It is checked here, whole
and once, so that every later stage works with a :class:`Board` whose numbers make sense.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from acsgen.support.assets import asset
from acsgen.support.errors import Problem, UserError
from acsgen.support.fields import field_problems, kind_of_value
from acsgen.support.printing import printable
from acsgen.support.user_files import read_limited
from acsgen.support.yamltext import load_yaml, yaml_reason

BRAM36_KIB = 4
"""Usable KiB of one 36 Kb block RAM with byte data: its parity bits do not make bytes."""

URAM_KIB = 32
"""Usable KiB of one 288 Kb UltraRAM, likewise without its parity bits."""

#: How the part numbers of a family begin.
PART_PREFIXES = {"zynq7000": ("xc7z",), "zynqmp": ("xczu", "xck2")}

#: How the properties of a family's processing system begin.
SETTING_PREFIXES = {"zynq7000": "PCW_", "zynqmp": "PSU_"}

#: Properties that the block design sets from other keys.
DERIVED_SETTINGS = re.compile(
    r"PCW_(CRYSTAL_PERIPHERAL|FPGA\d|FCLK|EN_CLK|EN_RST|USE_|S_AXI_|IRQ_F2P_INTR)"
    r"|PSU__(PSS_REF_CLK|CRL_APB__PL\d|FPGA_PL|USE__|MAXIGP|SAXIGP)"
)

#: Data widths that the memory ports of a family's processing system can have.
PORT_WIDTHS = {"zynq7000": (32, 64), "zynqmp": (32, 64, 128)}

MAX_LATENCY = 100_000
"""Cycles that a read may take; the simulated memory has the same limit."""

#: Clocks in MHz that commands take in place of the board's.
MIN_CLOCK_MHZ, MAX_CLOCK_MHZ = 1.0, 1000.0

_MAX_FILE_BYTES = 64 * 1024

#: On one line, because it stands in comments of the files that a build renders.
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(printable),
]
Positive = Annotated[int, Field(gt=0)]
Frequency = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]


_PATTERNS = {
    "name": "lower-case letters, digits and hyphens",
    "part": "a full part number, for example xc7z020clg484-1",
}


#: The word for a number of lane groups that is left open; in a :class:`Board` it is None.
AUTO: Final = "auto"

#: What may be asked for in place of a board's number of lane groups: another number, the word for
#: as many as fit, or None for the board's.
LaneRequest = int | Literal["auto"] | None


def _number_or_auto(value: object) -> object:
    """Refuse what is neither a whole number nor the word; an empty key is probably a mistake."""
    if value == AUTO:
        return None
    if type(value) is not int:
        raise PydanticCustomError("lane_groups", "Input should be a whole number, or auto")
    return value


LaneGroups = Annotated[
    Annotated[int, Field(gt=0, le=64)] | None,
    BeforeValidator(_number_or_auto),
    PlainSerializer(lambda value: AUTO if value is None else value),
]


class _Strict(BaseModel):
    """Strings are not numbers, true is not 1, and a misspelt key is an error, not a default."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Resources(_Strict):
    """Resources of the programmable logic, as the vendor's product table counts them."""

    dsp: Positive
    """DSP slices."""
    bram36: Positive
    """36 Kb block RAMs; half blocks are not counted."""
    uram: Annotated[int, Field(ge=0)] = 0
    """288 Kb UltraRAMs; none on 7 series."""
    lut: Positive
    """Look-up tables with six inputs."""
    ff: Positive
    """Flip-flops."""


class MemoryPort(_Strict):
    """The way to external memory, as the engine's AXI port sees it."""

    port_bits: Literal[32, 64, 128]
    """Data width of one AXI memory port."""
    latency_cycles: Annotated[int, Field(gt=0, le=MAX_LATENCY)]
    """Engine clock cycles from a read address to its first data; the HLS engine is built for it."""
    ddr_peak_mbps: Annotated[int, Field(gt=0, le=1_000_000)]
    """Peak bandwidth of the memory devices, in 10^6 bytes per second."""
    crystal_mhz: Frequency
    """The processing system's reference clock."""


#: Text that a Tcl script can hold between braces as it is.
TclWord = Annotated[str, StringConstraints(pattern=r"^[^{}\\\[\]$\";\x00-\x1f]+$")]


class ProcessingSystem(_Strict):
    """The processors' side of the part, as the block design of Vivado sets it up."""

    memory_mib: Annotated[int, Field(gt=0, le=1024 * 1024)]
    """Size of the external memory, in MiB; the engine has to reach all of its first 2 GiB."""
    io_pll_mhz: Frequency
    """The PLL that the engine's clock is divided from, as the board's boot image sets it. A design
    that Linux loads brings divisors along, but no PLLs."""
    memory_ports: Annotated[list[Literal["HP0", "HP1", "HP2", "HP3"]], Field(min_length=1)]
    """Slave ports that the engine's memory ports go to, in order; where they are fewer, engine
    ports share them in turn."""
    settings: dict[TclWord, TclWord | int | float] = {}
    """Properties of the processing system's IP beyond clocks and ports, without ``CONFIG.``: memory
    devices and peripherals. Linux sets these up when it boots, so that they matter to those who
    make a boot image from the design, and to the PLLs that Vivado chooses."""


class Board(_Strict):
    """One board and the engine configuration that suits it."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    """Short name for ``--board``: the stem of the file's name."""
    title: Text
    """Name for people."""
    part: Annotated[str, StringConstraints(pattern=r"^xc[a-z0-9-]+[A-Za-z0-9-]*$")]
    """Full part number, as Vivado and Vitis take it."""
    family: Literal["zynq7000", "zynqmp"]
    """Family of the part, which decides the processing system and its ports."""
    resources: Resources
    """What the programmable logic has."""
    clock_mhz: Frequency
    """Clock the engine is scheduled and reported for."""
    lane_groups: LaneGroups = None
    """Groups of 64 pixel lanes: how many output channels are computed at once. With ``auto``, or
    left out, as many as stay below 80 % of the LUTs and 98 % of the DSPs by our syntheses."""
    feature_kib: Positive
    """On-chip memory for feature maps."""
    weight_kib: Positive
    """One of the two weight buffers, read by one layer while the other one is filled."""
    vector_bytes: Positive
    """On-chip memory for vectors: pooled features, gate inputs, logits."""
    memory: MemoryPort
    """The way to external memory."""
    processing_system: ProcessingSystem
    """The processors' side of the part, for the block design."""
    power_source: Text
    """Where the board's power can be measured."""
    notes: str = ""
    """Remarks for people."""

    def at_clock(self, mhz: float) -> Board:
        """Return the board with its engine at another clock, in MHz.

        The memory stays as fast as it is, so that a read takes as many cycles as its time has at
        the new clock, rounded up.
        """
        cycles = math.ceil(self.memory.latency_cycles * mhz / self.clock_mhz)
        memory = self.memory.model_copy(update={"latency_cycles": max(1, cycles)})
        return self.model_copy(update={"clock_mhz": mhz, "memory": memory})

    def on_chip_kib(self) -> int:
        """Return all block RAM and UltraRAM of the part, in KiB."""
        return self.resources.bram36 * BRAM36_KIB + self.resources.uram * URAM_KIB


def board_names() -> list[str]:
    """Return the names of the shipped boards, sorted."""
    return sorted(path.stem for path in asset("hw", "boards").glob("*.yaml"))


def load_board(name_or_path: str) -> Board:
    """Return the board of a shipped name (``zedboard``) or of a user's YAML file.

    Anything with a slash or a ``.yaml``/``.yml`` suffix is a path.  Raises :class:`UserError` with
    every problem of the file, each with its key.
    """
    if "/" in name_or_path or name_or_path.endswith((".yaml", ".yml")):
        return _read_board(Path(name_or_path))
    names = board_names()
    # Board names are for people: case and underscores are not worth a refusal.
    name = name_or_path.strip().lower().replace("_", "-")
    if name in names:
        return _read_board(asset("hw", "boards", f"{name}.yaml"))
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    raise UserError(
        Problem(
            where=f"board {name_or_path!r}",
            what=f"is not known; the boards are {', '.join(names)}",
            remedy=(f"did you mean {close[0]}? " if close else "")
            + "A board file of your own is given by its path, ./my-board.yaml",
        )
    )


def _read_board(path: Path) -> Board:
    content = _read_yaml(path)
    if not isinstance(content, dict):
        raise UserError(
            Problem(
                str(path),
                f"holds {kind_of_value(content)}, not the keys of a board",
                "start from a copy of a shipped board file",
            )
        )
    try:
        board = Board.model_validate(content)
    except ValidationError as error:
        problems = field_problems(error, str(path), Board, "board file", _PATTERNS)
        raise UserError(problems) from error
    problems = [*_contradictions(path, board)]
    if problems:
        raise UserError(problems)
    return board


def _contradictions(path: Path, board: Board) -> Iterator[Problem]:
    """Yield what does not go together of keys that are right by themselves."""
    prefixes = PART_PREFIXES[board.family]
    if not board.part.startswith(prefixes):
        yield Problem(
            f"{path}: part",
            f"is {board.part}, which is no part of the family {board.family}",
            f"parts of {board.family} begin with {' or '.join(prefixes)}",
        )
    yield from _wrong_processing_system(path, board)
    needed = board.feature_kib + 2 * board.weight_kib
    if needed > board.on_chip_kib():
        yield Problem(
            f"{path}: feature_kib, weight_kib",
            f"feature_kib + 2 * weight_kib is {needed} KiB, and the part has "
            f"{board.on_chip_kib()} KiB of block RAM and UltraRAM",
            "make them smaller",
        )


def _wrong_processing_system(path: Path, board: Board) -> Iterator[Problem]:
    """Yield what the family's processing system does not have."""
    system, where = board.processing_system, f"{path}: processing_system"
    if len(set(system.memory_ports)) < len(system.memory_ports):
        yield Problem(
            f"{where}.memory_ports",
            f"has a port twice: {', '.join(system.memory_ports)}",
            "name each once; engine ports share them in turn where they are fewer",
        )
    widths = PORT_WIDTHS[board.family]
    if board.memory.port_bits not in widths:
        yield Problem(
            f"{path}: memory.port_bits",
            f"is {board.memory.port_bits}, which ports of {board.family} cannot have",
            f"must be {' or '.join(map(str, widths))}",
        )
    for name in system.settings:
        if not name.startswith(SETTING_PREFIXES[board.family]):
            yield Problem(
                f"{where}.settings.{name}",
                f"is no property of the processing system of {board.family}",
                f"they begin with {SETTING_PREFIXES[board.family]}; leave CONFIG. out",
            )
        elif DERIVED_SETTINGS.match(name):
            yield Problem(
                f"{where}.settings.{name}",
                "is set from other keys of the board file (clock_mhz, memory, processing_system)",
                "remove it",
            )


def _read_yaml(path: Path) -> Any:
    what = f"is longer than {_MAX_FILE_BYTES} bytes: not a board file"
    raw = read_limited(path, _MAX_FILE_BYTES, Problem(str(path), what))
    try:
        return load_yaml(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        remedy = "save it as UTF-8; some editors write other encodings"
        raise UserError(
            Problem(str(path), "is not UTF-8 text: not a board file", remedy)
        ) from error
    except RecursionError as error:
        raise UserError(Problem(str(path), "is nested too deeply: not a board file")) from error
    except (yaml.YAMLError, ValueError) as error:
        place, reason = yaml_reason(error)
        where = f"{path}, {place}" if place else str(path)
        raise UserError(Problem(where, f"is not YAML: {reason}")) from error
