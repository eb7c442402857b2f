"""Runs all rules over a folder of rendered sources."""

from __future__ import annotations

from pathlib import Path

from acsgen.engines.csim.compile import TESTBENCH
from acsgen.engines.lint.constructs import check_constructs, check_includes, check_recursion
from acsgen.engines.lint.finding import Finding
from acsgen.engines.lint.form import check_divisions, check_labels, check_names
from acsgen.engines.lint.loops import check_dataflow, check_loops
from acsgen.engines.lint.parse import parse_units, read_pragmas, whole_constants
from acsgen.engines.lint.scopes import (
    Body,
    Pragmas,
    bodies,
    check_interface,
    check_placed,
    check_placement,
)

TOP = "acs_engine"

#: Every rule, with its demand in words.
RULES = {
    "parse": "the sources compile as C++14",
    "include": "only headers of the tool and own headers are included",
    "dynamic-memory": "no new, delete, malloc, arrays of run-time size",
    "recursion": "no function reaches itself",
    "exception": "no throw, no try",
    "standard-library": "nothing of namespace std",
    "foreign-call": "no functions of the host: system calls, input and output",
    "virtual": "no virtual functions",
    "function-pointer": "no pointers to functions, no lambdas",
    "pointer-to-pointer": "no pointers to pointers",
    "pointer-cast": "no casts to or from pointers",
    "goto": "no goto",
    "union": "no unions",
    "rtti": "no dynamic_cast, no typeid",
    "assembly": "no asm",
    "variadic": "no functions with any number of arguments",
    "floating-point": "no floating-point numbers",
    "global": "no global variables but constants",
    "static-local": "static variables only in the top function",
    "pragma": "every pragma is one of Vitis HLS, with options and values that it knows",
    "pragma-place": "pragmas stand where they count and name what is there",
    "interface": "every port of the top function has its registers; a bus says all of its bursts",
    "trip-count": "loops with run-time bounds carry a LOOP_TRIPCOUNT",
    "unroll": "only loops with constant bounds are unrolled whole",
    "pipeline": "no loop with run-time bounds inside a pipeline",
    "dataflow": "dataflow regions are canonical",
    "label": "every loop has a label; those that reports list have different ones",
    "division": "divisors are constant powers of two",
    "reserved": "names that reach the RTL are no reserved words of its languages",
}


def lint_sources(folder: Path, top: str = TOP) -> list[Finding]:
    """Return the findings on the C++ in ``folder``, sorted; the test bench is left out."""
    folder = folder.resolve()
    files = sorted(p for p in folder.iterdir() if p.suffix in (".cpp", ".hpp"))
    files = [path for path in files if path.name != TESTBENCH]
    units = parse_units(folder, [path.name for path in files if path.suffix == ".cpp"])
    constants = whole_constants(units)
    findings: set[Finding] = set()
    pragmas: Pragmas = {}
    for path in files:
        pragmas[path.name], problems = read_pragmas(path, constants)
        findings.update(problems)
        findings.update(check_includes(path))

    everything: list[Body] = []
    for unit in units:
        found = bodies(unit, pragmas)
        everything.extend(found)
        findings.update(unit.diagnostics)
        findings.update(check_constructs(unit, top))
    findings.update(check_placement(units, everything, top))
    findings.update(check_interface(everything, top))
    findings.update(check_placed(everything, pragmas))
    findings.update(check_recursion(units))
    findings.update(check_loops(everything, units))
    findings.update(check_dataflow(everything))
    findings.update(check_labels(everything, units))
    findings.update(check_divisions(units))
    findings.update(check_names(units, pragmas, top))
    return sorted(findings)
