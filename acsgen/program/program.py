"""The program that an engine runs, described for a host that feeds it and reads its results.

Saved as three files: ``program.bin`` and ``params.bin`` (little-endian 64-bit words, written to
memory as they are) and ``program.json`` (everything else).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from acsgen_host.digests import describe_files
from acsgen_host.files import read_file
from acsgen_host.jsontext import load_json
from acsgen_host.thresholds import pack as pack_thresholds
from acsgen_host.words import as_bytes, image_words, in_order, words_for

from acsgen.ir.integer import IntArray
from acsgen.isa.generated import HEADER_WORDS, INSTRUCTION_WORDS, SPEC_HASH, Instruction
from acsgen.program.engine_config import EngineConfig
from acsgen.program.exits import limit, write_limit
from acsgen.program.map_format import MapFormat
from acsgen.program.words import Words
from acsgen.support.digests import check_files
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error

PROGRAM_FILE = "program.bin"
PARAMS_FILE = "params.bin"
JSON_FILE = "program.json"
_WORD_FILES = (PROGRAM_FILE, PARAMS_FILE)
_AGAIN = "build it again"

#: Attributes of a program that go into its JSON file as they are.
_PLAIN = (
    "model",
    "spec_hash",
    "result_words",
    "traced_words",
)


@dataclass(frozen=True)
class Line:
    """An instruction, the layer that it belongs to, and a remark for the listing."""

    layer: str
    instruction: Instruction
    remark: str = ""


@dataclass(frozen=True)
class Trace:
    """A layer's result in the trace: ``words`` words of the result buffer from ``address``.

    ``format`` tells how the words hold a map; for a vector it is None, except for one that a
    FLATTEN made, whose words are those of its source map.  ``shape`` is the layer's.  ``order`` has
    the channel that each stored one is, where they are not stored in their own order.
    """

    layer: str
    address: int
    words: int
    shape: tuple[int, ...]
    signed: bool
    format: MapFormat | None = None
    order: tuple[int, ...] = ()


@dataclass(frozen=True)
class ProgramOutput:
    """A result that leaves the network: int32, two to a word from ``address`` of the result buffer.

    A program need not run every line, so that an output may be left out; the answer is the last one
    that was computed.
    """

    name: str
    where: str
    classes: int
    address: int

    @property
    def words(self) -> int:
        """Words of the result buffer that it takes."""
        return words_for(self.classes, 32)


@dataclass(frozen=True)
class ProgramGate:
    """A gate of a program: the places of its thresholds and its mask, the unit of its accumulator.

    ``acc_scale`` is the real value of one accumulator unit, per channel: a run-time alpha becomes
    ``threshold[o] = floor(logit(alpha) / acc_scale[o])``.  ``order`` has the channel of each bit of
    the mask and of each threshold, as they lie in memory; ``acc_scale``, masks and thresholds that
    anybody else sees are by channel.
    """

    name: str
    where: str
    channels: int
    mask_register: int
    threshold_address: int
    mask_address: int
    alpha: float
    acc_scale: tuple[float, ...] = field(repr=False)
    order: tuple[int, ...] = field(repr=False)

    @property
    def mask_words(self) -> int:
        """Words of the result buffer that its mask takes."""
        return words_for(self.channels, 1)


@dataclass(frozen=True)
class ProgramExit:
    """An early exit of a program: at its EXIT a run may end with the answer ``output``.

    Attributes:
        name: of the exit.
        where: module path in the user's network.
        output: name of the output that is the answer there.
        instruction: number of the EXIT.
        threshold: entropy in nats below which it is taken, as built; 0 where no entropy is computed
            and a budget alone takes it.
        decision: name of the layer that decides by the entropy; empty without.
        threshold_address: word of the parameter buffer that has the integer threshold; 0 without.
        decision_address: word of the result buffer that has the decision; 0 without.
        acc_scale: nats of one unit of the accumulator that is compared; 0.0 without.
        macs_before: the most multiply-accumulates from the exit before, or from the start, to this.
        macs_after: the most from this exit to the next one, or to the end.
    """

    name: str
    where: str
    output: str
    instruction: int
    threshold: float
    decision: str
    threshold_address: int
    decision_address: int
    acc_scale: float
    macs_before: int
    macs_after: int


@dataclass(frozen=True)
class Image:
    """The image that LOAD takes: planar uint8, each row padded to whole words."""

    channels: int
    height: int
    width: int

    @property
    def words(self) -> int:
        """Size in memory, in words."""
        return image_words((self.channels, self.height, self.width))


@dataclass(frozen=True)
class MemoryUse:
    """On-chip memory that the program needs.

    Attributes:
        feature_blocks: blocks of the feature memory.
        vector_words: words of the vector memory.
        mask_registers: registers for masks.
    """

    feature_blocks: int
    vector_words: int
    mask_registers: int


@dataclass(frozen=True)
class Program:
    """A compiled network.

    Attributes:
        model: name of the network.
        engine: the engine that it was compiled for.
        spec_hash: version of the instruction set.
        lines: the instructions.
        params: the parameter buffer, uint64 words.
        image: the image's shape.
        outputs: in the order in which they are computed.
        gates: in the order in which they run.
        exits: in the order in which they run.
        traces: in the order in which they are written.
        result_words: size of the result buffer without trace: header, outputs, masks.
        traced_words: size of the result buffer with trace.
        memory: on-chip memory needed.
    """

    model: str
    engine: EngineConfig
    spec_hash: int
    lines: tuple[Line, ...]
    params: Words = field(repr=False)
    image: Image
    outputs: tuple[ProgramOutput, ...]
    gates: tuple[ProgramGate, ...]
    exits: tuple[ProgramExit, ...]
    traces: tuple[Trace, ...]
    result_words: int
    traced_words: int
    memory: MemoryUse

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The instructions, without their layers."""
        return tuple(line.instruction for line in self.lines)

    @property
    def words(self) -> Words:
        """The program buffer, uint64."""
        return np.array([i.encode() for i in self.instructions], np.uint64).ravel()

    def with_thresholds(self, thresholds: Mapping[str, IntArray]) -> Words:
        """Return the parameter buffer with other thresholds, int32 ``(channels,)`` by gate name, or
        ``(1,)`` by the name of an exit's decision.

        Raises :class:`ValueError` on an unknown name or another number of thresholds.
        """
        places = {gate.name: (gate.order, gate.threshold_address) for gate in self.gates}
        places |= {exit.decision: ((0,), exit.threshold_address) for exit in self.exits}
        params: Words = self.params.copy()
        for name, values in thresholds.items():
            if name not in places:
                raise ValueError(f"{name} is not a gate or an exit of {self.model}")
            order, address = places[name]
            if np.shape(values) != (len(order),):
                raise ValueError(f"{name} takes {len(order)} thresholds, not {np.shape(values)}")
            words = pack_thresholds(in_order(values, order))
            # An odd number of thresholds leaves half of the last word to nobody.
            params[address : address + len(words)] = words
        return params

    def with_limits(
        self, macs: Mapping[int, int] | None = None, cycles: Mapping[int, int] | None = None
    ) -> Words:
        """Return the program buffer with limits in its exits, by their number from 0 on; the exits
        that are not named have none.

        Args:
            macs: multiply-accumulates beyond which a run ends at the exit.
            cycles: cycles beyond which it does.
        """
        words = self.words
        for name, limits in (("macs_limit", macs or {}), ("cycles_limit", cycles or {})):
            for number, value in limits.items():
                write_limit(words, self.exits[number].instruction, name, value)
        return words

    def with_budget(self, macs: int | None) -> Words:
        """Return the program buffer whose exits keep every run within ``macs``; None for no budget.

        Raises:
            ValueError: not even the way to the first exit is sure to be within it.
        """
        if macs is not None and macs < self.least_budget:
            raise ValueError(f"{self.model} may take {self.least_budget} MACs to its first answer")
        return self.with_limits(self.macs_limits(macs))

    def macs_limits(self, budget: int | None) -> dict[int, int]:
        """The limits of a budget in MACs, by the number of the exit; none without a budget."""
        if budget is None:
            return {}
        return {n: limit(budget, exit.macs_after) for n, exit in enumerate(self.exits)}

    def answer_at(self, index: int) -> str:
        """The output that answers in a run that ended well at instruction ``index``."""
        found = (exit.output for exit in self.exits if exit.instruction == index)
        return next(found, self.outputs[-1].name)

    @property
    def least_budget(self) -> int:
        """The least budget in MACs that no run overruns: the most to the first exit, or to the end
        of a program without exits."""
        return self.exits[0].macs_before if self.exits else 0

    def save(self, folder: Path) -> None:
        """Write the three files into ``folder``, which must exist."""
        (folder / PROGRAM_FILE).write_bytes(as_bytes(self.words).tobytes())
        (folder / PARAMS_FILE).write_bytes(as_bytes(self.params).tobytes())
        files = describe_files(folder, _WORD_FILES)
        text = json.dumps({**_description(self), "files": files}, indent=1) + "\n"
        (folder / JSON_FILE).write_text(text, encoding="utf-8")


def load_program(folder: Path) -> Program:
    """Return the program saved in ``folder``.

    Raises :class:`UserError` with everything that is missing or damaged, or if the program was made
    for another instruction set.
    """
    data = _read_description(folder / JSON_FILE)
    problems = check_files(folder, data.get("files"), _WORD_FILES)
    if problems:
        raise UserError(problems)
    words, params = (np.fromfile(folder / name, "<u8").astype(np.uint64) for name in _WORD_FILES)
    try:
        return _from_description(data, words, params)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            Problem(str(folder / JSON_FILE), f"does not describe a program: {error}", _AGAIN)
        ) from error


def _read_description(path: Path) -> dict[str, Any]:
    try:
        data = load_json(read_file(path).decode("utf-8"))
    except OSError as error:
        raise UserError(
            Problem(
                str(path),
                f"cannot be read: {plain_os_error(error)}",
                "give a directory that acsgen build wrote",
            )
        ) from error
    except ValueError as error:
        raise UserError(Problem(str(path), "is not JSON: it is damaged", _AGAIN)) from error
    if not isinstance(data, dict) or not isinstance(data.get("spec_hash"), int):
        raise UserError(Problem(str(path), "does not describe a program", _AGAIN))
    if data["spec_hash"] != SPEC_HASH:
        raise UserError(
            Problem(
                str(path),
                f"made for instruction set {data['spec_hash']:#x}, this is {SPEC_HASH:#x}",
                _AGAIN,
            )
        )
    return data


def _description(program: Program) -> dict[str, Any]:
    """Everything but the words, as JSON has it."""
    return {
        **{name: getattr(program, name) for name in _PLAIN},
        "header_words": HEADER_WORDS,
        "engine": asdict(program.engine),
        "image": {**asdict(program.image), "words": program.image.words},
        "memory": asdict(program.memory),
        "buffers": {
            "program_words": len(program.lines) * INSTRUCTION_WORDS,
            "params_words": len(program.params),
        },
        "lines": [{"layer": line.layer, "remark": line.remark} for line in program.lines],
        "outputs": [asdict(output) for output in program.outputs],
        "gates": [asdict(gate) for gate in program.gates],
        "exits": [asdict(exit) for exit in program.exits],
        "traces": [asdict(trace) for trace in program.traces],
    }


def _from_description(data: dict[str, Any], words: Words, params: Words) -> Program:
    sizes: dict[Literal["program_words", "params_words"], int] = data["buffers"]
    if len(words) != sizes["program_words"] or len(params) != sizes["params_words"]:
        raise ValueError("a file is too short or too long")
    rows = words.reshape(-1, INSTRUCTION_WORDS).tolist()
    instructions = [Instruction.decode(row) for row in rows]
    image = {key: value for key, value in data["image"].items() if key != "words"}
    return Program(
        model=data["model"],
        engine=EngineConfig(**data["engine"]),
        spec_hash=data["spec_hash"],
        lines=tuple(
            Line(line["layer"], instruction, line["remark"])
            for line, instruction in zip(data["lines"], instructions, strict=True)
        ),
        params=params,
        image=Image(**image),
        outputs=tuple(ProgramOutput(**output) for output in data["outputs"]),
        gates=tuple(
            ProgramGate(**{**g, **{name: tuple(g[name]) for name in ("acc_scale", "order")}})
            for g in data["gates"]
        ),
        exits=tuple(ProgramExit(**exit) for exit in data["exits"]),
        traces=tuple(_trace(t) for t in data["traces"]),
        result_words=data["result_words"],
        traced_words=data["traced_words"],
        memory=MemoryUse(**data["memory"]),
    )


def _trace(data: dict[str, Any]) -> Trace:
    stored = data["format"]
    values = {**data, "shape": tuple(data["shape"]), "order": tuple(data["order"])}
    values["format"] = None if stored is None else MapFormat(**stored)
    return Trace(**values)
