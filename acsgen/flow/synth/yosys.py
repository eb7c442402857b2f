"""Runs Yosys commands in a process of their own.

Yosys comes as the Python package ``pyosys``, with the SystemVerilog front end slang inside: nothing
else has to be installed, and every machine gets the same version.  Yosys ends its process on an
error; hence the child process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from acsgen.flow.synth.process import installed_version, run_python

#: Seconds that one unit may take; the largest takes about a minute.
TIMEOUT = 1800

# Every script runs in a fork of its own: Yosys numbers the objects that it makes from its start on,
# and the netlist of a script must not depend on the scripts before it.
_RUN = """
import os, sys
from pyosys import libyosys
for script in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        libyosys.run_pass("script " + script, libyosys.Design())
        sys.stdout.flush()
        libyosys.log_flush()
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(1)
"""


def yosys_version() -> str:
    """Return the version of Yosys.

    Raises:
        UserError: it is not installed.
    """
    return installed_version("pyosys", "synthesis", "Yosys")


def run_yosys(
    scripts: Iterable[Sequence[str]], folder: Path | None = None, timeout: int = TIMEOUT
) -> str:
    """Run each script, a list of commands, on an empty design; return the output of Yosys.

    ``folder`` is where file names without a folder are looked for; ``timeout`` is in seconds.

    Raises:
        SynthesisError: a command failed, with the end of the log.
        UserError: Yosys is not installed.
    """
    yosys_version()
    with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
        files = []
        for number, commands in enumerate(scripts):
            files.append(Path(scratch) / f"{number}.ys")
            files[-1].write_text("\n".join(commands) + "\n", encoding="utf-8")
        return run_python(_RUN, list(map(str, files)), "Yosys", folder, timeout)


def read_command(
    sources: Iterable[Path], top: str, parameters: Iterable[tuple[str, int]], boxes: Iterable[str]
) -> str:
    """Return the command that reads ``top``, with the modules ``boxes`` left as boxes.

    It is to run in the folder of the sources: the front end's command takes no quotes, and folders
    may have spaces in their names.
    """
    words = ["read_slang", "--top", top]
    for name, value in parameters:
        words += ["-G", f"{name}={value}"]
    for name in sorted(boxes):
        words += ["--blackboxed-module", name]
    return " ".join([*words, *(path.name for path in sources)])
