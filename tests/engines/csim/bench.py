"""Hand-made programs for the engine, placed and packed with plain numpy.

A :class:`Bench` collects maps, masks, vectors and parameters, and instructions on them.  All maps
enter through one LOAD of a raw memory image, so their padding cells hold random bytes and a result
that depends on them shows.  What the counters must say is collected beside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from acsgen_host.words import POISON
from numpy.typing import NDArray

from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_WORDS,
    MASK_NONE,
    RECORD_WORDS,
    SPEC_HASH,
    Instruction,
    LinearMode,
    Opcode,
    Record,
    ResultHeader,
    Status,
)
from tests.differential.engines import EngineUnderTest

Array = NDArray[np.integer[Any]]

#: Feature memory that programs here use, and the rows in which it is loaded.
MEMORY_BLOCKS = 3072
RAW_HEIGHT = 128


@dataclass(frozen=True)
class Map:
    """Where a map lies.  ``row_log2`` is that of its planes as stored."""

    base: int
    step: int
    channels: int
    height: int
    width: int
    row_log2: int
    split: bool

    @property
    def plane(self) -> int:
        rows = (self.height + 1) // 2 if self.split else self.height
        return -(-rows * 2**self.row_log2 // 8)

    def cells(self) -> Array:
        """Byte address of every pixel, ``(channels, height, width)``."""
        c, y, x = np.indices((self.channels, self.height, self.width))
        start = (self.base + c * self.step) * 64
        if not self.split:
            return start + y * (8 << self.row_log2) + x
        phase = 2 * (y % 2) + x % 2
        # In the planes of odd columns the halves of every block are exchanged.
        within = ((y // 2) * (8 << self.row_log2) + x // 2) ^ (x % 2 * 32)
        return start + phase * self.plane * 64 + within


@dataclass
class Outcome:
    """What a run left: status, header by name, and the words behind the header."""

    status: int
    fault_index: int
    header: dict[str, int]
    words: NDArray[np.uint64]

    def bytes_at(self, address: int, words: int) -> NDArray[np.uint8]:
        return self.words[address - HEADER_WORDS :][:words].view(np.uint8)


@dataclass
class Bench:
    """See the module docstring."""

    engine: EngineUnderTest
    rng: np.random.Generator
    params: list[int] = field(default_factory=list)
    operations: list[Instruction] = field(default_factory=list)
    masks: dict[int, Array] = field(default_factory=dict)
    expected: Counter[str] = field(default_factory=Counter)
    result_words: int = HEADER_WORDS
    vector_words: int = 0
    trace: bool = True

    def __post_init__(self) -> None:
        self.memory = self.rng.integers(0, 256, (MEMORY_BLOCKS, 64), np.uint8)
        self.blocks = 0
        self.written: list[tuple[int, int]] = []

    # Placing data.

    def reserve(
        self, shape: tuple[int, int, int], row_log2: int, split: bool = False, gap: int = 0
    ) -> Map:
        """A map of ``shape`` whose channels lie ``gap`` blocks apart."""
        unplaced = Map(self.blocks, 0, *shape, row_log2, split)
        step = unplaced.plane * (4 if split else 1) + gap
        self.blocks += shape[0] * step
        assert self.blocks <= MEMORY_BLOCKS
        return replace(unplaced, step=step)

    def place(self, values: Array, row_log2: int, split: bool = False, gap: int = 0) -> Map:
        """A map that holds ``values``, 8-bit of either sign."""
        at = self.reserve(values.shape, row_log2, split, gap)
        self.memory.reshape(-1)[at.cells()] = values.astype(np.uint8)
        return at

    def store(self, words: Sequence[int] | NDArray[np.uint64]) -> int:
        """Append words to the parameters; returns their address."""
        address = len(self.params)
        self.params.extend(int(word) for word in words)
        return address

    def rows(self, weights: Array, records: Sequence[Record], spare: int = 0) -> tuple[int, int]:
        """Append weight rows ``(O, bytes)`` and return their address and the words of one.

        ``spare`` random words more than needed follow every row.
        """
        used = -(-weights.shape[1] // 8)
        padded = self.rng.integers(-128, 128, (len(weights), (used + spare) * 8)).astype(np.int8)
        padded[:, : used * 8] = 0
        padded[:, : weights.shape[1]] = weights
        address = len(self.params)
        for row, record in zip(padded, records, strict=True):
            self.store(record.encode())
            self.store(row.view(np.uint64))
        return address, RECORD_WORDS + used + spare

    def mask(self, bits: Array) -> int:
        """A mask register that holds ``bits``, made by a gate whose sums are its biases."""
        register = len(self.masks)
        self.masks[register] = bits
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
        count = len(bits)
        self.expected["read_words"] += count * words + -(-count // 2)
        self.expected["macs_executed"] += count * 8
        return register

    def bits(self, register: int, channels: int) -> Array:
        """What a mask register lets through, by channel."""
        if register == MASK_NONE:
            return np.ones(channels, np.int64)
        return self.masks[register][:channels]

    def result(self, words: int) -> int:
        """Room in the result buffer."""
        address = self.result_words
        self.result_words += words
        self.expected["written_words"] += words
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

    def traced(self, operation: Instruction, target: Map) -> int:
        """Append an operation whose result map is traced; returns the trace's address."""
        address = self.result(target.channels * target.step * 8)
        self.add(replace(operation, trace_addr=address))
        return address

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

    def run(self) -> Outcome:
        """Run twice; demand status OK, equal results, every word written, and the counters."""
        outcomes = [self.run_once() for _ in range(2)]
        for outcome in outcomes:
            assert outcome.status == Status.OK, Status(outcome.status)
        np.testing.assert_array_equal(outcomes[0].words, outcomes[1].words)
        self._check_header(outcomes[0].header)
        return outcomes[0]

    def run_once(
        self,
        program: Sequence[Instruction] | None = None,
        image: NDArray[np.uint64] | None = None,
    ) -> Outcome:
        """Run once, possibly another program or image, and judge only what is never allowed."""
        spare = 3
        run = self.engine.csim.run(
            encode(self.program() if program is None else program),
            np.array(self.params, np.uint64),
            self.image() if image is None else image,
            self.result_words + spare,
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

    def _check_header(self, header: dict[str, int]) -> None:
        program = self.program()
        wanted = Counter(self.expected)
        wanted["instructions"] = len(program)
        wanted["read_words"] += len(program) * INSTRUCTION_WORDS + len(self.image())
        wanted["spec_hash"] = SPEC_HASH
        wanted["status"] = Status.OK
        wanted["fault_index"] = len(program) - 1
        assert header == {name: wanted[name] for name in header}

    def read_map(self, outcome: Outcome, address: int, at: Map, signed: bool) -> Array:
        """The pixels of a traced map."""
        stored = outcome.bytes_at(address, at.channels * at.step * 8)
        pixels = stored[at.cells() - at.base * 64]
        return (pixels.view(np.int8) if signed else pixels).astype(np.int64)


def encode(program: Sequence[Instruction]) -> NDArray[np.uint64]:
    """The program buffer."""
    return np.array([operation.encode() for operation in program], np.uint64).reshape(-1)


# Arithmetic, from the contract in acsgen.ir.integer.


def rounded(value: Array, shift: Array | int) -> Array:
    """``value / 2**shift``, half away from zero."""
    shift = np.asarray(shift, np.int64)
    magnitude = (np.abs(value) + (np.int64(1) << (shift - 1))) >> shift
    return np.where(value < 0, -magnitude, magnitude)


def requantized(value: Array, shift: Array | int, signed: bool | int) -> Array:
    return np.clip(rounded(value, shift), *((-128, 127) if signed else (0, 255)))


def random_pixels(
    rng: np.random.Generator, shape: tuple[int, ...], signed: bool | int, extreme: bool = False
) -> Array:
    """8-bit values; ``extreme``: only the ends of the range."""
    low, high = (-128, 127) if signed else (0, 255)
    if extreme:
        return rng.choice(np.array([low, high]), shape)
    return rng.integers(low, high + 1, shape)
