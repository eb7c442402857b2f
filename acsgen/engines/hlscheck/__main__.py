"""``python -m acsgen.engines.hlscheck FOLDER [CLOCK_NS]``: check the LLVM IR of a folder's sources.

The findings are printed; the exit status is 1 if there are any, and 2 where the sources do not
compile.  The clock's period is 10 ns unless given.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from acsgen.engines.base import CompileError
from acsgen.engines.hlscheck.bursts import check_bursts
from acsgen.engines.hlscheck.llvm import compile_module
from acsgen.engines.hlscheck.recurrence import check_recurrences
from acsgen.support.errors import UserError


def main() -> int:
    """Check the folder that the command line names."""
    if len(sys.argv) not in (2, 3):
        print("usage: python -m acsgen.engines.hlscheck FOLDER [CLOCK_NS]", file=sys.stderr)
        return 2
    sources = Path(sys.argv[1])
    period = float(sys.argv[2]) if len(sys.argv) == 3 else 10.0
    try:
        with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:
            module = compile_module(sources, Path(scratch) / "module.ll", ("ACS_AP_TYPES",))
            findings = [*check_bursts(sources, module), *check_recurrences(sources, module, period)]
    except (CompileError, UserError) as error:
        print(error, file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
