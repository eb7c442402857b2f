"""An early exit: the network may end with the answer that was computed last."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.grammar import Grammar, a_mask
from acsgen.ir.kinds._workless import IntWorkless
from acsgen.ir.kinds.base import Layer, ZeroMaskOf, register
from acsgen.ir.masks import UNMASKED, ChannelMask


@dataclass(frozen=True)
class Exit(Layer):
    """Nothing behind it runs where ``decision``, of one bit, is 1; without one it ends a run by a
    budget alone.  Its result is that bit."""

    decision: ChannelMask

    KIND = "exit"
    READS = ("decision",)
    LEAVES = True


@dataclass(frozen=True)
class IntExit(IntWorkless):
    """As :class:`Exit`."""

    decision: ChannelMask

    KIND = "exit"
    READS = ("decision",)
    LEAVES = True

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        return UNMASKED


GRAMMAR = Grammar(result=a_mask("O"), reads={"decision": a_mask("O")})

register(Exit, IntExit, GRAMMAR)
