"""Weight rows as the specification lays them out: records, then weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import RECORD_WORDS, Instruction, Record

from .planes import Ints

Words = NDArray[np.uint64]


class Rows:
    """The first ``count`` weight rows of an instruction.

    Attributes:
        records: of the channels when they are active.
        masked_records: the same when they are masked; None where rows have none.
        weights: ``(count, bytes)``.
    """

    def __init__(self, params: Words, op: Instruction, count: int) -> None:
        size = count * op.row_words
        words = params[op.weight_addr : op.weight_addr + size].reshape(count, op.row_words)
        heads, weights = words[:, : op.record_words], words[:, op.record_words :]
        self.records = _decoded(heads[:, -RECORD_WORDS:])
        masked = _decoded(heads[:, :RECORD_WORDS])
        self.masked_records = masked if op.has_masked_records else None
        self.weights: Ints = np.ascontiguousarray(weights).view(np.int8).astype(np.int64)


def _decoded(words: Words) -> list[Record]:
    return [Record.decode([int(word) for word in row]) for row in words]


def row_heads(records: Sequence[Record], masked: Sequence[Record] | None) -> Words:
    """The words before the weights of rows, which have a masked record where ``masked`` has one."""
    words = [record.encode() for record in records]
    if masked is not None:
        words = [(*m.encode(), *word) for m, word in zip(masked, words, strict=True)]
    return np.array(words, np.uint64)
