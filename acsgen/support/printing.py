"""Names from files and file systems as text: one line that every file and terminal can hold."""

from __future__ import annotations

import os
from pathlib import Path


def printable(text: str, *, keep_lines: bool = False) -> str:
    """Replace control characters: names inside a model file may come from anywhere."""
    return "".join(
        c if c.isprintable() or (keep_lines and c == "\n") else " " if c.isspace() else "?"
        for c in text
    )


def name_as_text(name: str | Path) -> str:
    """Return the name of a file as one printable line, to be written into files.

    A name is bytes.  Those that are no UTF-8 become escapes, and control characters are replaced:
    a name with a line break would otherwise go on as code behind a comment of the generated files.
    """
    raw = os.fspath(name).encode("utf-8", "surrogateescape")
    return printable(raw.decode("utf-8", "backslashreplace"))
