"""Parts of programs that are written by hand: small maps, weight rows, gates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import (
    HEADER_WORDS,
    SHIFT_MIN,
    WORD_BYTES,
    Instruction,
    LinearMode,
    Opcode,
    Record,
)

#: Maps of one block a channel: 8 x 8 pixels.
PLANE = {"dst_height": 8, "dst_width": 8}
POINTWISE = {"kernel": 1, "stride": 1, "pixels": 64, "src_height": 8, "src_width": 8, **PLANE}
POINTWISE |= {"src_step": 1, "dst_step": 1, "groups": 1, "masked_zero": 1}
EXACT = Record(mult=1 << SHIFT_MIN, shift=SHIFT_MIN)


class Params:
    """A parameter buffer that grows."""

    def __init__(self) -> None:
        self.words: list[int] = []

    def rows(
        self,
        outputs: int,
        inputs: int,
        weight: int | NDArray[np.int8] = 1,
        masked: Record | None = None,
    ) -> dict[str, int]:
        """Weight rows, all the same, maybe with a masked record; the fields that point to them."""
        address = len(self.words)
        for _ in range(outputs):
            weights = np.zeros(-(-inputs // WORD_BYTES) * WORD_BYTES, np.int8)
            weights[:inputs] = weight
            for record in (EXACT,) if masked is None else (masked, EXACT):
                self.words += record.encode()
            self.words += (int(w) for w in weights.view(np.uint64))
        return {"weight_addr": address, "row_words": (len(self.words) - address) // outputs}

    def gate(self, mask: int, bits: list[bool]) -> Instruction:
        """Set a mask register: by thresholds below and above a sum of nothing."""
        rows = self.rows(len(bits), 1, weight=0)
        thresholds = np.zeros(-(-len(bits) // 2) * 2, np.int32)
        thresholds[: len(bits)] = np.where(bits, -1, 2**31 - 1)
        fields = {"threshold_addr": len(self.words), "result_addr": HEADER_WORDS}
        self.words += [int(w) for w in thresholds.view(np.uint64)]
        mode = {"linear_mode": LinearMode.GATE, "mask_out": mask}
        return Instruction(Opcode.LINEAR, channels=len(bits), **mode, **fields, **rows)
