"""The whole engine, so that paths across units are seen: on an ECP5, and flat for the 7 series.

Four figures, none of them a measurement, and none of them the clock of a Zynq:

``packed``
    one lane group behind a harness of four pins, synthesized and packed for an ECP5; static timing
    over the delays of its cells, with one guess for every wire.
``placed``
    the same, placed by nextpnr, which then estimates every wire; not routed. Placements of one
    netlist from different seeds differ by some nanoseconds: the figure is that of the best of
    a few, and all of them are told.
``routed``
    placed for short wires from the first of these seeds, and routed, which takes hours. Its places
    are not those of ``placed``, with which the wires of the array find no way.
``abc9``
    the engine of a board, flat, as primitives of the 7 series: what ABC says of its own mapping,
    with 0.3 ns for the wire behind every look-up table.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.emit.rtl_sources import PINS, TOP, rtl_sources
from acsgen.flow.synth.ecp5 import DEVICE, OF_ECP5, RUN, SHORT_WIRES, OurNames
from acsgen.flow.synth.harness import HARNESS, render_harness
from acsgen.flow.synth.netlist import SynthesisError, count_cells, largest_fanout
from acsgen.flow.synth.process import run_python
from acsgen.flow.synth.sta import TimedPath, read_sdf
from acsgen.flow.synth.units import Unit, elaborate, top_unit
from acsgen.flow.synth.yosys import read_command, run_yosys
from acsgen.program.engine_config import EngineConfig

#: The engine that fits on the part: one lane group, and small memories.
SMALL: Mapping[str, int] = {
    "LaneGroups": 1,
    "FeatureBlocks": 512,
    "BankWords": 512,
    "VectorWords": 512,
    "PostLanes": 4,
    **OF_ECP5,
}

#: Delay of a wire before placement, in ps, calibrated on one engine that was placed.
WIRE_PS = 1500.0

#: What slow paths weigh in the placement; nextpnr's defaults are for designs that are in time.
EFFORT = ("--placer-heap-timingweight", "40", "--placer-heap-critexp", "4")

#: Where placements begin. More of them find better ones, and each takes minutes.
SEEDS = (1, 2, 3)

#: Slowest paths that are told, one for each pair of registers.
PATHS = 12

#: Seconds that a tool may take.
TIMEOUT = 5 * 3600

#: What each figure is worth, as it stands beside the figure.
WORTH: Mapping[str, str] = {
    "packed": "an estimate for an ECP5-6, one lane group: delays of cells, 1.5 ns for every wire; "
    "compares revisions, and is not the clock of a Zynq",
    "placed": "an estimate for an ECP5-6, one lane group: placed, wires estimated, not routed; the "
    "best of several placements of the same netlist; compares revisions, and is not the clock of a "
    "Zynq",
    "routed": "an estimate for an ECP5-6, one lane group: placed for short wires, which are not "
    "the fastest, from one seed, and routed; compares revisions, and is not the clock of a Zynq",
    "abc9": "an estimate for the 7 series: delays of cells at ABC's look-up tables, 0.3 ns for "
    "every wire behind one, before packing and placement; compares revisions",
}

_DELAY = re.compile(r"\bDel =\s*([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True)
class WholeTiming:
    """The whole engine.

    Attributes:
        ns: of the slowest path.
        paths: the slowest paths in words, the slowest first; empty where the tool names none.
        netlist: digest of the engine's units.
        figures: resources and the largest fan-out, where they were counted; of ``placed`` the
            nanoseconds by seed.
    """

    ns: float
    paths: tuple[str, ...]
    netlist: str
    figures: Mapping[str, float]

    @property
    def mhz(self) -> float:
        """The clock frequency of which ``ns`` is the period."""
        return round(1000 / self.ns, 1)


def digest_of(sizes: Mapping[str, int]) -> str:
    """Return a digest of an engine: it changes with the netlist of any of its units."""
    units = elaborate(Unit(TOP, tuple(sorted(sizes.items()))))
    text = " ".join(sorted(elaborated.digest for elaborated in units.values()))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def whole_timing(
    kind: str, engine: EngineConfig, on_stage: Callable[[str], None] = lambda _: None
) -> WholeTiming:
    """Return the timing of the whole engine.

    Args:
        kind: ``packed``, ``placed``, ``routed`` or ``abc9``.
        engine: the engine of ``abc9``; the others are of :data:`SMALL`.
        on_stage: called with the name of every step.

    Raises:
        SynthesisError: a tool refused the engine.
        UserError: a tool is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-whole-") as scratch:
        if kind == "abc9":
            return _flat(engine, Path(scratch), on_stage)
        return _on_ecp5(kind, Path(scratch), on_stage)


def _on_ecp5(kind: str, folder: Path, on_stage: Callable[[str], None]) -> WholeTiming:
    on_stage("read the SystemVerilog")
    digest = digest_of(SMALL)
    ports = _ports(folder)
    harness = folder / "acs_harness.sv"
    harness.write_text(render_harness(PINS, ports, SMALL), encoding="utf-8")
    on_stage("synthesize the whole engine")
    netlist = folder / "netlist.json"
    sources = [path.resolve() for path in rtl_sources()]
    for path in sources:
        (folder / path.name).symlink_to(path)
    read = read_command([*sources, harness], HARNESS, (), ())
    run_yosys([[read, f'synth_ecp5 -no-rw-check -top {HARNESS} -json "{netlist}"']], folder)
    # Links would lead out of the folder, which is all that nextpnr sees.
    for path in sources:
        (folder / path.name).unlink()
    name = OurNames(json.loads(netlist.read_text(encoding="utf-8"))["modules"][HARNESS])
    if kind == "packed":
        on_stage("pack the whole engine")
        slowest = _slowest(folder, ("--seed", "1", "--pack-only"), WIRE_PS, name)
        return _of_paths(slowest, name, digest, {})
    if kind == "routed":
        on_stage("place and route the whole engine")
        routing = ("--seed", str(SEEDS[0]), "--timing-allow-fail", *SHORT_WIRES)
        return _of_paths(_slowest(folder, routing, None, name), name, digest, {})
    found: dict[int, list[TimedPath]] = {}
    for seed in SEEDS:
        on_stage(f"place the whole engine, {seed} of {len(SEEDS)}")
        options = ("--seed", str(seed), "--no-route", "--timing-allow-fail", *EFFORT)
        found[seed] = _slowest(folder, options, None, name)
    best = min(found.values(), key=lambda paths: paths[0].ps)
    each = {f"ns from seed {seed}": _ns(paths) for seed, paths in found.items()}
    return _of_paths(best, name, digest, each)


def _slowest(
    folder: Path, options: Sequence[str], wire_ps: float | None, name: OurNames
) -> list[TimedPath]:
    """Run nextpnr, and return the slowest paths by the delays that it writes.

    Its own report has no paths of a design that is not routed.
    """
    arguments = [*DEVICE, "--json", "netlist.json", "--freq", "100", *options]
    run_python(RUN, [*arguments, "--sdf", "delays.sdf"], "nextpnr", folder, TIMEOUT)
    with (folder / "delays.sdf").open(encoding="utf-8") as lines:
        graph = read_sdf(lines, wire_ps)
    return graph.slowest(PATHS, lambda path: _ends(path, name))


def _ns(paths: Sequence[TimedPath]) -> float:
    return round(paths[0].ps / 1000, 2)


def _of_paths(
    paths: Sequence[TimedPath], name: OurNames, digest: str, figures: Mapping[str, float]
) -> WholeTiming:
    words = tuple(describe(path, name) for path in paths)
    return WholeTiming(_ns(paths), words, digest, figures)


def _flat(engine: EngineConfig, folder: Path, on_stage: Callable[[str], None]) -> WholeTiming:
    on_stage("read the SystemVerilog")
    sizes = dict(top_unit(engine).parameters)
    digest = digest_of(sizes)
    netlist = folder / "netlist.json"
    on_stage("synthesize the whole engine, flat")
    read = read_command(rtl_sources(), TOP, sorted(sizes.items()), ())
    commands = [
        read,
        f"synth_xilinx -family xc7 -flatten -abc9 -noiopad -noclkbuf -top {TOP}",
        f'write_json "{netlist}"',
    ]
    delays = _DELAY.findall(run_yosys([commands], rtl_sources()[0].parent, TIMEOUT))
    if not delays:
        raise SynthesisError("ABC told no delay")
    module = json.loads(netlist.read_text(encoding="utf-8"))["modules"][TOP]
    counted = count_cells(module, ())
    figures = {
        "lut": counted.lut,
        "ff": counted.ff,
        "dsp": counted.dsp,
        "bram18": counted.bram18,
        "fanout": largest_fanout(module, "clk_i"),
    }
    return WholeTiming(round(float(delays[-1]) / 1000, 2), (), digest, figures)


def _ports(folder: Path) -> Mapping[str, Any]:
    file = folder / "ports.json"
    boxes = [TOP]
    read = read_command(rtl_sources(), PINS, sorted(SMALL.items()), boxes)
    run_yosys([[read, f'write_json "{file}"']], rtl_sources()[0].parent)
    ports: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["modules"][PINS][
        "ports"
    ]
    return ports


def _ends(path: TimedPath, name: Callable[[str], str]) -> tuple[str, str]:
    cells = path.cells()
    return name(cells[0]), name(cells[-1])


def describe(path: TimedPath, name: Callable[[str], str]) -> str:
    """Return a path in words: where it begins and ends, its units, its nanoseconds.

    Args:
        path: the path.
        name: returns our name of a cell.
    """
    begin, end = _ends(path, name)
    within = (name(cell).rpartition(".")[0] for cell in path.cells())
    units = [unit.removeprefix("u_top.u_engine.") for unit in within if unit]
    passed = [unit for unit, before in zip(units, ["", *units], strict=False) if unit != before]
    total, logic = path.ps / 1000, (path.ps - path.wires_ps) / 1000
    text = f"{begin} -> {end}, {total:.1f} ns ({logic:.1f} logic)".replace("u_top.u_engine.", "")
    return f"{text}, by way of {' '.join(passed)}" if len(passed) > 2 else text
