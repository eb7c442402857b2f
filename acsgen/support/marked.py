"""Text that is written into a Markdown file by a command, between two marks."""

from __future__ import annotations

from pathlib import Path

from acsgen.support.errors import Problem, UserError


def replace_marked(file: Path, begin: str, end: str, text: str) -> None:
    """Put ``text`` between the marks ``begin`` and ``end`` of ``file``.

    Raises:
        UserError: no such file, or no marks in it.
    """
    try:
        content = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(Problem(str(file), f"cannot be read: {error.strerror}")) from None
    if content.count(begin) != 1 or end not in content.split(begin)[1]:
        raise UserError(Problem(str(file), "has no marks", f"put {begin} and {end} into it"))
    before, rest = content.split(begin)
    after = rest.split(end, 1)[1]
    file.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")
