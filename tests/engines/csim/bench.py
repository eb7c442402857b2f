"""Hand-made programs for the engine, compared with the machine of the instruction set.

A :class:`Bench` collects maps, masks, vectors and parameters, and instructions on them.  All maps
enter through one LOAD of a raw memory image, so their padding cells hold random bytes and a result
that depends on them shows.  A run must leave the words and counters that
:class:`tests.fuzz.machine.Machine` leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from acsgen_host.words import POISON
from numpy.typing import NDArray

from acsgen.isa.generated import (
    HEADER_WORDS,
    Instruction,
    LinearMode,
    Opcode,
    Record,
    ResultHeader,
    Status,
)
from tests.differential.engines import EngineUnderTest
from tests.fuzz.check import compare
from tests.fuzz.machine import Machine
from tests.fuzz.planes import Plane, plane_blocks
from tests.fuzz.rows import row_heads

Array = NDArray[np.integer[Any]]

#: Feature memory that programs here use, and the rows in which it is loaded.
MEMORY_BLOCKS = 3072
RAW_HEIGHT = 128

#: Words of the result buffer behind the last result, which must stay as they are.
SPARE_WORDS = 3


@dataclass
class Outcome:
    """The outcome of a run: status, header by name, and the words behind the header."""

    status: int
    fault_index: int
    header: dict[str, int]
    words: NDArray[np.uint64]


@dataclass
class Bench:
    """See the module docstring."""

    engine: EngineUnderTest
    rng: np.random.Generator
    params: list[int] = field(default_factory=list)
    operations: list[Instruction] = field(default_factory=list)
    masks: int = 0
    result_words: int = HEADER_WORDS
    vector_words: int = 0
    trace: bool = True

    def __post_init__(self) -> None:
        self.memory = self.rng.integers(0, 256, (MEMORY_BLOCKS, 64), np.uint8)
        self.blocks = 0
        self.written: list[tuple[int, int]] = []

    # Placing data.

    def reserve(
        self, shape: tuple[int, int, int], pitch: int, split: bool = False, gap: int = 0
    ) -> Plane:
        """A map of ``shape`` whose channels lie ``gap`` blocks apart."""
        phase = plane_blocks((shape[1] + 1) // 2, pitch) if split else None
        unplaced = Plane(self.blocks, 0, *shape, pitch, phase)
        step = (plane_blocks(shape[1], pitch) if phase is None else 4 * phase) + gap
        self.blocks += shape[0] * step
        assert self.blocks <= MEMORY_BLOCKS
        return replace(unplaced, step=step)

    def place(self, values: Array, pitch: int, split: bool = False, gap: int = 0) -> Plane:
        """A map that holds ``values``, 8-bit of either sign."""
        at = self.reserve(values.shape, pitch, split, gap)
        self.memory.reshape(-1)[at.cells()] = values.astype(np.uint8)
        return at

    def store(self, words: Sequence[int] | NDArray[np.uint64]) -> int:
        """Append words to the parameters; returns their address."""
        address = len(self.params)
        self.params.extend(int(word) for word in words)
        return address

    def rows(
        self,
        weights: Array,
        records: Sequence[Record],
        spare: int = 0,
        masked: Sequence[Record] | None = None,
    ) -> tuple[int, int]:
        """Append weight rows ``(O, bytes)`` and return their address and the words of one.

        ``spare`` random words more than needed follow every row; ``masked`` are masked records.
        """
        used = -(-weights.shape[1] // 8)
        padded = self.rng.integers(-128, 128, (len(weights), (used + spare) * 8)).astype(np.int8)
        padded[:, : used * 8] = 0
        padded[:, : weights.shape[1]] = weights
        address = len(self.params)
        heads = row_heads(records, masked)
        for row, head in zip(padded, heads, strict=True):
            self.store(head)
            self.store(row.view(np.uint64))
        return address, heads.shape[1] + used + spare

    def mask(self, bits: Array) -> int:
        """A mask register that holds ``bits``, made by a gate whose sums are its biases."""
        register = self.masks
        self.masks += 1
        records = [Record(bias=int(bit)) for bit in bits]
        address, words = self.rows(np.zeros((len(bits), 8), np.int64), records)
        thresholds = self.store([0] * -(-len(bits) // 2))
        result = self.result(-(-len(bits) // 64))
        self.add(
            Instruction(
                Opcode.LINEAR,
                linear_mode=LinearMode.GATE,
                channels=len(bits),
                weight_addr=address,
                row_words=words,
                threshold_addr=thresholds,
                mask_out=register,
                result_addr=result,
            )
        )
        return register

    def result(self, words: int) -> int:
        """Room in the result buffer."""
        address = self.result_words
        self.result_words += words
        self.written.append((address, words))
        return address

    def vector(self, values: Array) -> int:
        """A vector of bytes in the vector memory, put there by FLATTEN; returns its first word."""
        blocks = -(-len(values) // 64)
        at = self.blocks
        self.memory[at : at + blocks].reshape(-1)[: len(values)] = values.astype(np.uint8)
        self.blocks += blocks
        word = self.vector_words
        self.vector_words += blocks * 8
        self.add(
            Instruction(Opcode.FLATTEN, channels=1, src_base=at, src_step=blocks, vec_dst=word)
        )
        return word

    # Running.

    def add(self, operation: Instruction) -> None:
        self.operations.append(operation)

    def traced(self, operation: Instruction, target: Plane) -> None:
        """Append an operation whose result map is traced."""
        address = self.result(target.channels * target.step * 8)
        self.add(replace(operation, trace_addr=address))

    def program(self) -> list[Instruction]:
        load = []
        if self.blocks:
            channels = -(-self.blocks // RAW_HEIGHT)
            load = [
                Instruction(
                    Opcode.LOAD,
                    channels=channels,
                    dst_height=RAW_HEIGHT,
                    dst_width=64,
                    row_log2=3,
                    dst_step=RAW_HEIGHT,
                )
            ]
        return [*load, *self.operations, Instruction(Opcode.END)]

    def image(self) -> NDArray[np.uint64]:
        blocks = -(-self.blocks // RAW_HEIGHT) * RAW_HEIGHT
        return self.memory[:blocks].reshape(-1).view(np.uint64)

    def run(
        self,
        program: Sequence[Instruction] | None = None,
        image: NDArray[np.uint64] | None = None,
    ) -> dict[str, int]:
        """Run twice; demand the machine's words, counters and status; returns the header."""
        program = self.program() if program is None else program
        image = self.image() if image is None else image
        params, size = np.array(self.params, np.uint64), self.result_words + SPARE_WORDS
        machine = Machine(self.engine.config, params, image, size, self.trace)
        expected = machine.run(program)
        for number in (1, 2):
            run = self.engine.csim.run(encode(program), params, image, size, self.trace)
            compare(program, expected, run, f"run {number}", unsettled=())
        return {word.name.lower(): int(run.result[word]) for word in ResultHeader}

    def run_once(self, program: Sequence[Instruction] | None = None) -> Outcome:
        """Run once, perhaps another program; refuse only effects that are never allowed."""
        run = self.engine.csim.run(
            encode(self.program() if program is None else program),
            np.array(self.params, np.uint64),
            self.image(),
            self.result_words + SPARE_WORDS,
            self.trace,
        )
        header = {word.name.lower(): int(run.result[word]) for word in ResultHeader}
        assert (header["status"], header["fault_index"]) == (run.status, run.fault_index)
        untouched = np.ones(len(run.result), bool)
        untouched[:HEADER_WORDS] = False
        for address, words in self.written:
            untouched[address : address + words] = False
        if run.status == Status.OK:
            assert (run.result[untouched] == POISON).all(), "written outside its results"
        return Outcome(run.status, run.fault_index, header, run.result[HEADER_WORDS:])


def encode(program: Sequence[Instruction]) -> NDArray[np.uint64]:
    """The program buffer."""
    return np.array([operation.encode() for operation in program], np.uint64).reshape(-1)


def random_pixels(
    rng: np.random.Generator, shape: tuple[int, ...], signed: bool | int, extreme: bool = False
) -> Array:
    """8-bit values; ``extreme``: only the ends of the range."""
    low, high = (-128, 127) if signed else (0, 255)
    if extreme:
        return rng.choice(np.array([low, high]), shape)
    return rng.integers(low, high + 1, shape)
