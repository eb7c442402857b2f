"""Synthesizes an engine for the 7 series, unit by unit, and remembers the results."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from acsgen.emit.rtl_sources import parameters, rtl_sources
from acsgen.flow.synth.netlist import Figures, SynthesisError, count_cells
from acsgen.flow.synth.units import Elaborated, Unit, elaborate, modules, occurrences, top_unit
from acsgen.flow.synth.yosys import read_command, run_yosys, yosys_version
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.buildcache import cache_folder, cached_file
from acsgen.support.errors import Problem, UserError

#: To be raised with every change of the commands below or of the counting: results that another
#: version left in the cache are then not used.
FLOW = 1

_DELAY = re.compile(r"ABC: .*\bDel =\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class UnitResult:
    """One unit.

    Attributes:
        figures: resources of one instance.
        occurrences: number of instances in the engine.
        delay_ps: its longest combinational path in ABC's model of the part, with a guess at the
            wires; for comparing, not for setting a clock.
        netlist: digest of the netlist before synthesis.
    """

    figures: Figures
    occurrences: int
    delay_ps: int
    netlist: str


@dataclass(frozen=True)
class Synthesis:
    """An engine, synthesized."""

    engine: EngineConfig
    yosys: str
    units: Mapping[Unit, UnitResult]

    @property
    def total(self) -> Figures:
        """The figures of the whole engine."""
        return sum((r.figures * r.occurrences for r in self.units.values()), Figures())

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of the top module."""
        return parameters(self.engine)

    def shortages(self, board: Board) -> list[str]:
        """Return in words the resources of which the board's part has too little."""
        total, has = self.total, board.resources
        needed = {"dsp": total.dsp, "bram36": total.bram36, "lut": total.lut, "ff": total.ff}
        return [
            f"the engine takes {value:g} {name.upper()}, {board.title} has {getattr(has, name)}"
            for name, value in needed.items()
            if value > getattr(has, name)
        ]


def check_family(board: Board) -> None:
    """Raise :class:`UserError` for a part that is not of the 7 series."""
    if board.family != "zynq7000":
        raise UserError(
            Problem(
                f"board {board.name}",
                f"its part {board.part} is not of the 7 series, and only that is counted",
                "choose zedboard, pynq-z2 or another board with a Zynq-7000",
            )
        )


def synthesize(
    engine: EngineConfig,
    jobs: int | None = None,
    cache: Path | None = None,
    known: Mapping[str, tuple[Figures, int]] | None = None,
    on_stage: Callable[[str], None] = lambda _: None,
) -> Synthesis:
    """Synthesize ``engine``; units that were synthesized before are looked up in ``cache``.

    Args:
        engine: sizes of the engine.
        jobs: units at a time; default one for each processor.
        cache: folder of earlier results; default the user's cache.
        known: results of earlier synthesis with this Yosys, by digest of the netlist.
        on_stage: called with the name of every step.

    Raises:
        SynthesisError: Yosys refused the engine.
        UserError: Yosys is not installed.
    """
    version = yosys_version()
    folder = cache_folder() / "synth" if cache is None else cache
    on_stage("read the SystemVerilog")
    top = top_unit(engine)
    units = elaborate(top)
    number = occurrences(top, units)
    results = {u: known[e.digest] for u, e in units.items() if known and e.digest in known}
    # The largest units go first: the whole run takes at least as long as each of them.
    wanted = sorted(units.keys() - results.keys(), key=lambda unit: (-units[unit].size, str(unit)))
    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        tasks = {
            pool.submit(_figures_of, unit, units[unit], version, folder): unit for unit in wanted
        }
        for done, task in enumerate(as_completed(tasks), start=1):
            results[tasks[task]] = task.result()
            on_stage(f"synthesize, {done} of {len(tasks)} units done")
    found = {
        unit: UnitResult(figures, number[unit], delay, units[unit].digest)
        for unit, (figures, delay) in results.items()
    }
    ordered = sorted(found, key=lambda unit: (unit != top, str(unit)))
    return Synthesis(engine, version, {unit: found[unit] for unit in ordered})


def synthesis_commands(unit: Unit, box_parameters: Iterable[str] = ()) -> list[str]:
    """Return the commands that turn a unit into primitives of the 7 series."""
    return [
        read_command(rtl_sources(), unit.module, unit.parameters, unit.boxes()),
        # The front end has elaborated every box for its parameters: nothing is left to set there.
        *(f"setparam -unset {name} t:acs_*" for name in sorted(box_parameters)),
        f"synth_xilinx -family xc7 -top {unit.module} -noiopad -noclkbuf",
    ]


def remembered(
    module: str, digest: str, version: str, folder: Path, find: Callable[[], tuple[Figures, int]]
) -> tuple[Figures, int]:
    """Return the figures and the delay in ps of a netlist, found now or by an earlier call.

    Args:
        module: the unit's.
        digest: of the netlist.
        version: of Yosys.
        folder: of the cache.
        find: synthesizes it.
    """

    def build(file: Path) -> None:
        figures, delay = find()
        content = {"figures": asdict(figures), "delay_ps": delay}
        file.write_text(json.dumps(content), encoding="utf-8")

    kept = cached_file(f"{module}.json", [str(FLOW), version, digest], build, folder)
    content = json.loads(kept.read_text(encoding="utf-8"))
    return Figures(**content["figures"]), int(content["delay_ps"])


def _figures_of(
    unit: Unit, elaborated: Elaborated, version: str, folder: Path
) -> tuple[Figures, int]:
    find = partial(_synthesize, unit, elaborated.box_parameters)
    return remembered(unit.module, elaborated.digest, version, folder, find)


def _synthesize(unit: Unit, box_parameters: Iterable[str]) -> tuple[Figures, int]:
    with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
        netlist = Path(scratch) / "netlist.json"
        commands = [*synthesis_commands(unit, box_parameters), f'write_json "{netlist}"']
        log = run_yosys([commands], rtl_sources()[0].parent)
        module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][unit.module]
    try:
        figures = count_cells(module, modules().keys())
    except SynthesisError as error:
        raise SynthesisError(f"{unit}: {error}") from error
    delays = _DELAY.findall(log)
    return figures, round(float(delays[-1])) if delays else 0
