"""A table of channels that ends the run, whatever else is under way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acsgen.isa.generated import MASK_NONE, RECORD_WORDS, Instruction, Opcode, Status
from tests.differential.engines import Engines
from tests.engines.csim.bench import encode
from tests.engines.csim.flip_bits import every_operation

pytestmark = pytest.mark.rtl


def test_bad_entry_while_macs_are_counted(engines: Engines) -> None:
    """MACs of the convolution before are still multiplied when the table is found to be bad."""
    twins = engines(4, True)
    assert twins.rtl is not None
    bench = every_operation(twins.csim)
    program = bench.program()
    index = next(i for i, op in enumerate(program) if op.opcode == Opcode.CONV)
    plain = {"kernel": 1, "pad": 0, "mask_in": MASK_NONE, "mask_out": MASK_NONE, "res_enable": 0}
    plain |= {"row_words": RECORD_WORDS + 1, "res_mult": 0, "res_base": 0, "res_step": 0}
    plain |= {"channels": 4, "channels_in": 4, "groups": 1, "chunk": 4, "trace_addr": 0}
    dense = replace(program[index], **plain, has_table=0, table_addr=0)
    listed = replace(program[index], **plain)
    bad = bench.store(np.full(2 * listed.channels, 5, np.uint16).view(np.uint64))
    end = Instruction(Opcode.END)
    for table, wanted in ((listed.table_addr, Status.OK), (bad, Status.BAD_FIELD)):
        words = encode([*program[:index], dense, replace(listed, table_addr=table), end])
        for engine in (twins.csim, twins.rtl):
            run = engine.run(words, np.array(bench.params, np.uint64), bench.image(), 64)
            assert run.status == wanted
            assert wanted == Status.OK or run.fault_index == index + 1
