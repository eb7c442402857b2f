"""The HLS engine beside its data path through Yosys, as a basis for the estimate of the whole.

The C++ is compiled to LLVM IR with the types of synthesis.  Every pipelined loop and everything
outside of them is translated to Verilog (:mod:`acsgen.flow.synth.translate`) and mapped.  Of the
lane array, what :mod:`acsgen.flow.synth.operators` counts is left out.  Operators that never work
at the same time are counted each by itself, except where a pragma of the sources limits them: a
function to one instance, the products of a function to a number of multipliers, whose operands are
then chosen by tables.  The result is kept in ``benchmarks/hls_control.json``.

``python -m acsgen.flow.synth.control`` writes the record.
"""

from __future__ import annotations

import json
import re
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
from acsgen.engines.hlscheck.widths import Widths
from acsgen.flow.synth.netlist import Figures, SynthesisError, count_cells
from acsgen.flow.synth.partition import partitioned_function
from acsgen.flow.synth.translate import Translation
from acsgen.flow.synth.yosys import run_yosys, yosys_version
from acsgen.isa.generated import Instruction as EngineInstruction
from acsgen.isa.generated import Opcode
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset, asset_root
from acsgen.support.errors import UserError

#: The board whose engine is counted.  Only widths of counters depend on it.
BOARD = "zedboard"

#: The function whose loop has the data path.
ARRAY = "run_array"

#: Functions of that loop whose operators are counted by themselves, and the registers of its sums.
DATA_PATH = frozenset({"add_tap", "shift_window", "requantize", "leaving_sum", "leave"})
SUMS = "lanes"

#: A variable that stays from one run of that loop to the next.
KEPT = ("loader",)

#: The part of the engine that is in no pipelined loop.
OUTSIDE = "outside pipelined loops"

#: Functions with an ALLOCATION pragma in the sources: one instance serves all calls.
ONE_INSTANCE = ("fetch", "make_lists")

#: Operands that a table of six inputs chooses from.
CHOICES = 4

_LIMIT = re.compile(
    r"\b(\w+)\([^;{}]*\) \{\n#pragma HLS INLINE off\n(?://[^\n]*\n)*"
    r"#pragma HLS ALLOCATION operation instances=mul limit=(\d+)"
)

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
        self._function = partitioned_function(sources, module, self._written, top)
        self._widths = Widths(self._function)
        self._copies = frozenset(_copies(self._function, one_instance))
        self._limits = product_limits(sources)
        self._shared = dict(self._shared_products())

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
        yield from named.items()

    def count(self, blocks: Collection[str]) -> Figures:
        """Return the resources of some blocks, beside the data path.

        Raises:
            SynthesisError: Yosys refused the translation.
            UserError: Yosys is not installed.
        """
        shared = {
            node
            for block in blocks
            for node in self._function.blocks[block]
            if node in self._shared
        }
        choices = sum(self._shared[node] for node in shared)
        left_out = self._copies | frozenset(shared) | self._data_path(blocks)
        part = Translation(self._function, self._widths, self._written, blocks, left_out, kept=KEPT)
        with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
            folder = Path(scratch)
            (folder / "top.v").write_text(part.verilog(), encoding="utf-8")
            run_yosys([synthesis_script(asset("hw", "hls", "two_operands.v"))], folder)
            content = json.loads((folder / "netlist.json").read_text(encoding="utf-8"))
        return count_cells(content["modules"]["top"], ()) + Figures(lut=choices)

    def _data_path(self, blocks: Collection[str]) -> frozenset[Instruction]:
        """What is counted by itself: operators, and the registers of sums."""
        return frozenset(
            node
            for block in blocks
            for node in self._function.blocks[block]
            if node.name.startswith(f"%{SUMS}.")
            or (ARRAY in (calls := self._function.calls(node)) and not DATA_PATH.isdisjoint(calls))
        )

    def _shared_products(self) -> Iterator[tuple[Instruction, int]]:
        """Yield products that wait for a multiplier of another one, with the tables that it takes.

        The widest products of a function keep the multipliers.  Tables choose their operands.
        """
        for function, limit in self._limits.items():
            products = [
                node
                for block in self._function.order
                for node in self._function.blocks[block]
                if node.opcode == "mul"
                and function in self._function.calls(node)
                and node not in self._copies
            ]
            products.sort(key=self._widths.of, reverse=True)
            for number, product in enumerate(products[limit:]):
                # A table chooses one of four; each further one replaces a choice of those before.
                first = number // limit % (CHOICES - 1) == 0
                yield product, self._widths.of(product) if first else 0

    def _copied(self, blocks: Collection[str]) -> bool:
        """Whether most instructions of some blocks belong to copies."""
        nodes = [node for block in blocks for node in self._function.blocks[block]]
        return 2 * sum(node in self._copies for node in nodes) > len(nodes)


def product_limits(sources: Path) -> dict[str, int]:
    """Return the functions whose multipliers the sources limit, with their number."""
    found: dict[str, int] = {}
    for path in sorted(sources.glob("*.cpp")):
        for name, limit in _LIMIT.findall(path.read_text(encoding="utf-8")):
            found[name] = int(limit)
    return found


def synthesis_script(sums: Path) -> list[str]:
    """Return the commands that map ``top.v`` for a 7-series part.

    They are those of ``synth_xilinx``, but that sums keep their two operands, and that flip-flops
    keep their enables: Yosys would put these into tables, where it thinks them to be free.
    """
    xilinx = "synth_xilinx -family xc7 -top top -noiopad -noclkbuf -flatten -run"
    return [
        "read_verilog top.v",
        *("hierarchy -top top", "proc", "opt_expr", "opt_clean", "opt", "wreduce"),
        *("opt_clean", "opt_expr -fine", f"techmap -map {sums}", "opt_clean"),
        f"{xilinx} begin:map_luts",
        "opt_expr -mux_undef -noclkinv",
        "scratchpad -set abc9.W 300",
        "abc9 -luts 2:2,3,6:5,10,20",
        "clean",
        "xilinx_srl -fixed -minlen 3",
        "techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6",
        "opt_lut_ins -tech xilinx",
        f"{xilinx} finalize:edif",
        "select top",
        "write_json -selected netlist.json",
    ]


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
