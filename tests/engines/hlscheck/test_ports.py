"""Accesses for which a memory has no port, or that come too soon, are found in a trace."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path
from typing import Any

import pytest

from acsgen.engines.base import EngineRun
from acsgen.engines.csim import CSimEngine
from acsgen.engines.csim.compile import compiler
from acsgen.engines.hlscheck import ports
from acsgen.engines.hlscheck.loops import Sources
from acsgen.engines.hlscheck.ports import AccessLog, Trace, build_probed, check_ports, check_probes
from acsgen.engines.lint.parse import parse_units, whole_constants
from tests.differential.engines import CONFIGURATIONS, EngineUnderTest
from tests.engines.csim.rendering import render_engine
from tests.fuzz.session import try_graphs, try_programs

from .unit import write_unit

MARGIN = 4

PROBE = """
#ifdef ACS_PROBE
#include "acs_probe_hooks.hpp"
#else
#define ACS_LOOP(label)
#define ACS_PORT_TRACE(memory, bank, site, is_write, address)
#endif
"""

#: The body of a pipelined loop over i, the pragmas of the function and of the loop, and words of
#: the finding; "" if there is none.
BODIES = {
    "one read and one write": (
        "READ(0, i) WRITE(0, i + 8)",
        "ram_t2p",
        "",
        "",
    ),
    "two reads of a true dual port": ("READ(0, i) READ(0, i + 1)", "ram_t2p", "", ""),
    "two reads of a simple dual port": (
        "READ(0, i) READ(0, i + 1)",
        "ram_s2p",
        "",
        "2 reads in iteration 1, for 1",
    ),
    "three accesses": (
        "READ(0, i) READ(0, i + 1) WRITE(0, i + 9)",
        "ram_t2p",
        "",
        "3 accesses in iteration 1, for 2",
    ),
    "three accesses in two banks": ("READ(0, i) READ(1, i) WRITE(0, i + 9)", "ram_t2p", "", ""),
    "a clash in one iteration of many": (
        "READ(0, i) WRITE(0, i + 8) if (i == 5) { READ(0, 3) }",
        "ram_t2p",
        "",
        "3 accesses in iteration 6",
    ),
    "exclusive sites that need a proof": (
        "if (i % 3 == 0) { ACS_PORT_TRACE(mem, 0, first, true, i) }"
        "if (i % 3 == 1) { ACS_PORT_TRACE(mem, 0, second, true, i) }"
        "if (i % 3 == 2) { ACS_PORT_TRACE(mem, 0, third, true, i) }",
        "ram_t2p",
        "",
        "3 sites write it, for 2 there are ports: first, second, third",
    ),
    "a word read soon, with the dependence respected": (
        "READ(0, i) WRITE(0, i + 1)",
        "ram_t2p",
        "",
        "",
    ),
    "a word read soon, with the dependence denied": (
        "READ(0, i) WRITE(0, i + 1)",
        "ram_t2p",
        "mem",
        "1 behind its write; the DEPENDENCE pragma needs 4",
    ),
    "a word read in the iteration that writes it": (
        "WRITE(0, i) READ(0, i)",
        "ram_t2p",
        "mem",
        "0 behind its write",
    ),
    "a word read late enough": ("READ(0, i) WRITE(0, i + 4)", "ram_t2p", "mem", ""),
    "another bank's word": ("READ(0, i) WRITE(1, i + 1)", "ram_t2p", "mem", ""),
    "a denied dependence without a probe": (
        "ACS_PORT_TRACE(other, 0, read, false, i)",
        "ram_t2p",
        "mem",
        "mem: no probe beside its accesses",
    ),
}


def traced(folder: Path, body: str, storage: str, independent: str, runs: int = 1) -> Trace:
    """Run a loop of ten iterations, compiled as the engine is, and return its trace."""
    denied = "#pragma HLS DEPENDENCE variable=mem type=inter dependent=false\n"
    write_unit(
        folder / "hls",
        f"{PROBE}"
        "#define READ(bank, at) ACS_PORT_TRACE(mem, bank, read, false, at)\n"
        "#define WRITE(bank, at) ACS_PORT_TRACE(mem, bank, write, true, at)\n"
        'extern "C" void acs_csim_run() {\nint mem[64];\n'
        f"#pragma HLS BIND_STORAGE variable=mem type={storage} impl=bram\n"
        f"for (int run = 0; run < {runs}; ++run) {{\nACS_LOOP(OUTER)\n"
        "LOOP: for (int i = 0; i < 10; ++i) {\n#pragma HLS PIPELINE II=1\n"
        f"{denied if independent else ''}ACS_LOOP(LOOP)\n{body}\n}}\n}}\n(void)mem;\n}}\n",
    )
    library = folder / "probed.so"
    units = [folder / "hls" / "unit.cpp", Path(ports.FLAGS[1][2:]) / "acs_probe_log.cpp"]
    command = [compiler(), "-std=c++14", "-shared", "-fPIC", "-w", *ports.FLAGS, *map(str, units)]
    subprocess.run([*command, "-o", str(library)], check=True)
    ctypes.CDLL(str(library)).acs_csim_run()
    log = AccessLog(library)
    assert log.iterations() == {"OUTER": runs, "LOOP": 10 * runs}
    return log.trace()


@pytest.mark.parametrize("name", BODIES)
def test_claims_of_a_loop(tmp_path: Path, name: str) -> None:
    body, storage, independent, problem = BODIES[name]
    trace = traced(tmp_path, body, storage, independent)
    findings = check_ports(tmp_path / "hls", trace, MARGIN)
    findings += check_probes(tmp_path / "hls", trace.memories())
    found = [f.message for f in findings]
    assert bool(found) == bool(problem), found
    assert any(problem in message for message in found) or not problem
    assert all(message.startswith("loop LOOP, ") for message in found)


def test_runs_of_a_loop_do_not_overlap(tmp_path: Path) -> None:
    """The last writes of a run are in the memory before the next one begins."""
    body = "if (i == 0) { READ(0, 40) } if (i == 9) { WRITE(0, 40) }"
    trace = traced(tmp_path, body, "ram_t2p", "mem", 3)
    assert len(trace.accesses) == 6
    assert check_ports(tmp_path / "hls", trace, MARGIN) == []


def test_a_clear_log_is_empty(tmp_path: Path) -> None:
    traced(tmp_path, "READ(0, i)", "ram_t2p", "")
    log = AccessLog(tmp_path / "probed.so")
    log.clear()
    assert len(log.trace().accesses) == 0
    assert log.iterations() == {}


class HeldToItsPorts(CSimEngine):
    """A C simulation with probes that checks the trace of every run."""

    def __init__(self, sources: Path, library: Path) -> None:
        super().__init__(build_probed(sources, library))
        self.log = AccessLog(library)
        self.sources = sources
        units = parse_units(sources, [path.name for path in sources.glob("acs_*.cpp")])
        self.margin = whole_constants(units)["MARGIN"]
        self.traced: set[tuple[str, str]] = set()

    def run_in_place(self, *arguments: Any, **options: Any) -> EngineRun:
        self.log.clear()
        run = super().run_in_place(*arguments, **options)
        trace = self.log.trace()
        self.traced |= trace.memories()
        assert check_ports(self.sources, trace, self.margin) == []
        return run


def test_the_engine_has_a_port_for_every_access(tmp_path: Path) -> None:
    config = CONFIGURATIONS[4]
    sources = render_engine(tmp_path / "hls", config)
    engine = HeldToItsPorts(sources, tmp_path / "probed.so")
    assert engine.margin > 0
    under_test = EngineUnderTest(config, engine)
    assert try_programs(under_test, count=15, chosen_seed=3, damages=1)["programs"] >= 15
    assert try_graphs(under_test, count=5, chosen_seed=3)["programs"] >= 3
    assert check_probes(sources, engine.traced) == []
    memories = {memory for _, memory in engine.traced}
    assert memories >= set(Sources(sources).storage), "a memory without a probe"
    assert "" not in {loop for loop, _ in engine.traced}, "an access outside every labelled loop"
