"""A program with all that it runs on, and an instruction in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from acsgen.isa.generated import Instruction

from .machine import Words


@dataclass
class Case:
    """A program, its buffers, and two images to run it on."""

    program: list[Instruction]
    params: Words = field(repr=False)
    images: list[Words] = field(repr=False)
    result_words: int

    def __repr__(self) -> str:
        lines = (f"  {index}: {listing(op)}" for index, op in enumerate(self.program))
        sizes = f"{len(self.params)} parameter words, {self.result_words} result words"
        return "\n".join(["", *lines, f"  {sizes}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would print every word

    @cached_property
    def words(self) -> Words:
        """The program buffer."""
        return np.array([op.encode() for op in self.program], np.uint64).reshape(-1)


def listing(op: Instruction) -> str:
    """An instruction with the fields that are not zero."""
    used = [f"{k}={int(v)}" for k, v in vars(op).items() if v and k != "opcode"]
    return " ".join([op.opcode.name, *used])
