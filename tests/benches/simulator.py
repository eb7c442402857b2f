"""Compiles the benches of ``sim/cocotb`` once and runs them through cocotb's runner."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from acsgen.emit.rtl_sources import PINS, rtl_sources
from acsgen.engines.rtl.compile import (
    FLAGS,
    parameter_flags,
    run_verilator,
    verilator_version,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.buildcache import cached_file

BENCHES = asset("sim", "cocotb")

#: Only the ports of the bench are visible to cocotb: the engine inside stays optimized.
PUBLIC = '`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n'


@dataclass(frozen=True)
class Top:
    """The top of a simulation.

    Attributes:
        source: file of the top module, which has its name.
        sources: everything below it, packages first.
        flags: parameters of the top module, as Verilator wants them.
    """

    source: Path
    sources: tuple[Path, ...]
    flags: tuple[str, ...] = ()

    @classmethod
    def of_engine(cls, engine: EngineConfig) -> Top:
        """Return the engine with its pins."""
        sources = {path.stem: path for path in rtl_sources()}
        return cls(sources.pop(PINS), tuple(sources.values()), tuple(parameter_flags(engine)))

    @classmethod
    def of_bench(cls, name: str) -> Top:
        """Return a top of ``sim/cocotb``, above the engine's modules."""
        return cls(BENCHES / f"{name}.sv", tuple(rtl_sources()))


def compiled(top: Top, scratch: Path) -> Path:
    """Return the simulator of a bench, from the cache if its sources are the same."""
    import cocotb
    import cocotb.config

    main = Path(cocotb.__file__).parent / "share" / "lib" / "verilator" / "verilator.cpp"
    name = top.source.stem
    public = scratch / "public.vlt"
    public.write_text(PUBLIC.format(top=name))
    sources = [*top.sources, top.source]
    libraries = cocotb.config.libs_dir
    flags = [
        *FLAGS,
        "--exe",
        "--build",
        "--vpi",
        "--prefix",
        "Vtop",
        "--top-module",
        name,
        "-CFLAGS",
        "-O1 -std=c++17",
        "-LDFLAGS",
        f"-Wl,-rpath,{libraries} -L{libraries} -lcocotbvpi_verilator",
        *top.flags,
    ]

    def build(path: Path) -> None:
        objects = scratch / "objects"
        inputs = map(str, [public, *sources, main])
        run_verilator([*flags, "--Mdir", str(objects), "-o", "simulator", *inputs])
        (objects / "simulator").replace(path)

    return cached_file(
        f"{name}.sim", [verilator_version(), " ".join(flags), public, main, *sources], build
    )


def run_bench(
    top: Top,
    module: str,
    scratch: Path,
    *,
    tests: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    seed: int = 1,
) -> None:
    """Run the tests of a bench module, all if none are named; fails with their messages."""
    simulator = compiled(top, scratch)
    # The runner wants the simulator in a folder, by the name of the top module.
    link = scratch / top.source.stem
    link.unlink(missing_ok=True)
    link.symlink_to(simulator)
    log, results = scratch / f"{module}.log", scratch / "results.xml"
    results.unlink(missing_ok=True)
    settings = {"COCOTB_REDUCED_LOG_FMT": "1", "COCOTB_LOG_LEVEL": "INFO"}
    settings["ACSGEN_TOP_SOURCE"] = str(top.source)
    with pytest.MonkeyPatch.context() as patch:
        # The runner passes all of this on; it judges results itself where it sees pytest's test.
        patch.delenv("PYTEST_CURRENT_TEST", raising=False)
        patch.syspath_prepend(BENCHES)
        for name, value in {**settings, **(environment or {})}.items():
            patch.setenv(name, value)
        try:
            _runner().test(
                test_module=module,
                hdl_toplevel=top.source.stem,
                hdl_toplevel_lang="verilog",
                testcase=list(tests) or None,
                seed=seed,
                build_dir=scratch,
                test_dir=scratch,
                results_xml=str(results),
                log_file=log,
            )
        except SystemExit as stop:
            pytest.fail(f"{stop}\n{_tail(log)}")
    if not results.exists():
        pytest.fail(f"the simulation ended without results\n{_tail(log)}")
    cases = list(ElementTree.parse(results).iter("testcase"))
    failed = [case.get("name") for case in cases if case.find("failure") is not None]
    assert not failed, f"{failed}\n{_tail(log)}"
    done = {case.get("name") for case in cases if case.find("skipped") is None}
    assert done >= set(tests), f"only {done} ran\n{_tail(log)}"
    assert done, _tail(log)


def _runner() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cocotb calls its runner experimental
        from cocotb.runner import get_runner

        return get_runner("verilator")


def _tail(log: Path, lines: int = 60) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""
