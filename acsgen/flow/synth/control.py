"""The HLS engine beside its data path through Yosys, as a basis for the estimate of the whole.

The C++ is compiled to LLVM IR with the types of synthesis.  Every pipelined loop but the lane
array's, whose operators :mod:`acsgen.flow.synth.operators` counts, and everything outside pipelined
loops is translated to Verilog (:mod:`acsgen.flow.synth.translate`) and mapped.  The result is an
upper bound of what is counted: nothing is shared between states of the schedule, except functions
that the sources limit to one instance.  It is kept in ``benchmarks/hls_control.json``.

``python -m acsgen.flow.synth.control`` writes the record.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from acsgen.cost.operators import CONTROL_RECORD
from acsgen.emit.hls import render_hls
from acsgen.engines.base import CompileError
from acsgen.engines.hlscheck.ir import Function, Instruction
from acsgen.engines.hlscheck.llvm import TOP, compile_module
from acsgen.engines.hlscheck.loops import Sources
from acsgen.engines.hlscheck.recurrence import unrolled_function
from acsgen.engines.hlscheck.widths import Widths
from acsgen.flow.synth.netlist import Figures, SynthesisError, count_cells
from acsgen.flow.synth.translate import Translation
from acsgen.flow.synth.yosys import run_yosys, yosys_version
from acsgen.isa.generated import Instruction as EngineInstruction
from acsgen.isa.generated import Opcode
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset_root
from acsgen.support.errors import UserError

#: The board whose engine is counted.  Only widths of counters depend on it.
BOARD = "zedboard"

#: The loop whose operators are counted by themselves.
ARRAY = "LANE_ARRAY"

#: The part of the engine that is in no pipelined loop.
OUTSIDE = "outside pipelined loops"

#: Functions with an ALLOCATION pragma in the sources: one instance serves all calls.
ONE_INSTANCE = ("fetch", "make_lists")

#: Sources name the sizes that a program reaches, for reports of Vitis HLS; they count nothing.
_PROGRAM = (
    EngineInstruction(Opcode.LOAD, channels=1, dst_height=1, dst_width=1, dst_step=1),
    EngineInstruction(Opcode.END),
)


class Control:
    """An engine's sources as LLVM IR, divided into the parts to count.

    Args:
        sources: folder of rendered sources.
        module: of :func:`acsgen.engines.hlscheck.llvm.compile_module`, made from them.
        one_instance: functions of which every copy but the first is left out.
        top: the top function.
    """

    def __init__(
        self,
        sources: Path,
        module: Path,
        one_instance: Collection[str] = ONE_INSTANCE,
        top: str = TOP,
    ) -> None:
        self._written = Sources(sources)
        self._function = unrolled_function(sources, module, self._written, top)
        self._widths = Widths(self._function)
        self._copies = frozenset(_copies(self._function, one_instance))

    def parts(self) -> Iterator[tuple[str, frozenset[str]]]:
        """Yield the name and the blocks of every part."""
        function = self._function
        pipelined: set[str] = set()
        named: dict[str, frozenset[str]] = {}
        for loop in function.loops:
            found = self._written.pipelined(loop.start)
            if found is not None:
                pipelined |= loop.blocks
                if not self._copied(loop.blocks):
                    named.setdefault(found.label, loop.blocks)
        yield OUTSIDE, frozenset(function.order) - pipelined
        yield from ((label, blocks) for label, blocks in named.items() if label != ARRAY)

    def count(self, blocks: Collection[str]) -> Figures:
        """Return the resources of some blocks.

        Raises:
            SynthesisError: Yosys refused the translation.
            UserError: Yosys is not installed.
        """
        part = Translation(self._function, self._widths, self._written, blocks, self._copies)
        with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
            folder = Path(scratch)
            (folder / "top.v").write_text(part.verilog(), encoding="utf-8")
            run_yosys(
                [
                    [
                        "read_verilog top.v",
                        "synth_xilinx -family xc7 -top top -noiopad -noclkbuf -flatten",
                        "write_json netlist.json",
                    ]
                ],
                folder,
            )
            content = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
        return count_cells(content["modules"]["top"], ())

    def _copied(self, blocks: Collection[str]) -> bool:
        """Whether most instructions of some blocks belong to copies."""
        nodes = [node for block in blocks for node in self._function.blocks[block]]
        return 2 * sum(node in self._copies for node in nodes) > len(nodes)


def _copies(function: Function, names: Collection[str]) -> Iterator[Instruction]:
    """Yield the instructions of every copy but the first of functions that were inlined."""
    first: dict[str, str] = {}
    for block in function.order:
        for node in function.blocks[block]:
            calls = function.calls(node)
            inlined = [name for name in names if name in calls]
            if any(first.setdefault(name, calls[name]) != calls[name] for name in inlined):
                yield node


def rendered_control(folder: Path) -> Control:
    """Return the parts of the engine of :data:`BOARD`, rendered and compiled in ``folder``.

    Raises:
        UserError: clang or LLVM is not installed.
    """
    board = load_board(BOARD)
    sources = folder / "hls"
    render_hls(
        sources,
        model="control",
        board=board,
        engine=EngineConfig.for_board(board),
        instructions=_PROGRAM,
        params_words=1,
        image_words=1,
        result_words=1,
        traced_words=1,
    )
    return Control(sources, compile_module(sources, folder / "module.ll", ("ACS_AP_TYPES",)))


def main() -> int:
    """Count every part and write the record."""
    parts = {}
    try:
        version = yosys_version()
        with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
            control = rendered_control(Path(scratch))
            for name, blocks in control.parts():
                found = control.count(blocks)
                parts[name] = {"dsp": found.dsp, "lut": found.lut}
                print(f"{name}: {found.lut} LUT, {found.dsp} DSP", flush=True)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except (CompileError, SynthesisError) as error:
        print(error, file=sys.stderr)
        return 70
    path = asset_root() / CONTROL_RECORD
    content = {"yosys": version, "board": BOARD, "parts": parts}
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
