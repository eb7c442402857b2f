#!/usr/bin/env python3
"""Formats the C++ sources with clang-format, or with ``--check`` names those that would change.

clang-format takes ``#pragma HLS PIPELINE II=1`` for an assignment and puts blanks around the sign.
A ``#pragma mark`` it leaves alone, so the pragmas pass through it as marks.

Templates are not formatted, and neither are headers that are rendered.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    *("templates/hls", "sim/csim", "sim/rtl"),
    *(f"acsgen/engines/hlscheck/include/{name}" for name in ("analysis", "probe")),
)
SUFFIXES = (".cpp", ".hpp", ".h")
RENDERED = "// Generated from "

PRAGMA, MARK = "#pragma HLS ", "#pragma mark HLS "


def sources() -> list[Path]:
    """Return the files that people write."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).iterdir()))
    return [
        path
        for path in paths
        if path.suffix in SUFFIXES and not path.read_text(encoding="utf-8").startswith(RENDERED)
    ]


def formatted(path: Path, tool: str) -> str:
    """Return the text of a file as it should be."""
    text = path.read_text(encoding="utf-8")
    done = subprocess.run(
        [tool, f"--assume-filename={path}"],
        input=text.replace(PRAGMA, MARK),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.replace(MARK, PRAGMA)


def main() -> int:
    """Format all sources, or with ``--check`` return 1 when one would change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--tool", default=str(Path(sys.executable).with_name("clang-format")))
    options = parser.parse_args()
    changed = 0
    for path in sources():
        text = formatted(path, options.tool)
        if text == path.read_text(encoding="utf-8"):
            continue
        changed += 1
        print(f"{'would reformat' if options.check else 'reformatted'} {path.relative_to(ROOT)}")
        if not options.check:
            path.write_text(text, encoding="utf-8")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
