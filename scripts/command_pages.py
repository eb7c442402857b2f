"""Renders docs/reference/commands.md: every command of acsgen and of the driver.

From their own parsers, so that the page has what they take.

python scripts/command_pages.py            # `make spec` does it
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "host")]

from acsgen_host import __main__ as host  # noqa: E402
from acsgen_host.power import command as power  # noqa: E402

from acsgen.cli import app  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "commands.md"

_HEAD = """\
<!-- Rendered by `python scripts/command_pages.py`; do not edit. -->

# The command line

Every command answers `--help`. Its exit status is 0 when all is well, 1 when a check failed on
good input, 2 for input that cannot be used or a disk that is full, 130 when it was interrupted, and
70 for a defect of acsgen.
"""

_HOST = """\
## On the board: `python3 -m acsgen_host`

The driver in `host/` of every build. It needs no acsgen; [its own page](../driver.md) tells more.
"""


def page() -> str:
    """Return the page."""
    group: Any = get_command(app)
    parts = [_HEAD]
    for name, command in group.commands.items():
        parts.append("\n".join(_command(name, command)))
    # The driver's page lies outside of docs/.
    parts.append(_HOST.replace("../driver.md", "../../host/README.md"))
    parts.append("\n".join(_parser(host._parser())))
    parts.append("\n".join(_parser(power._parser())))
    return "\n".join(parts).rstrip() + "\n"


def _command(name: str, command: Any) -> Iterator[str]:
    context = typer.Context(command)
    yield f"## acsgen {name}\n"
    yield _text(command.help) + "\n"
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = " ".join(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)
    yield f"    acsgen {name} [OPTIONS] {usage}".rstrip() + "\n"
    rows = []
    for item in command.params:
        shown = False
        if item in arguments:
            names, value = f"`{item.name.upper()}`", ""
        else:
            names = ", ".join(f"`{option}`" for option in item.opts + item.secondary_opts)
            value = item.metavar or ("" if item.is_flag else _value(item, context))
        shown = not (item.required or item.default is None or item.is_flag)
        rows.append((names, value, str(item.default) if shown else "", item.help or ""))
    yield from _table(rows)


def _value(item: Any, context: typer.Context) -> str:
    """Return what an option takes, with the range of a number."""
    value = (
        str(item.display_type(context))
        .replace(" range", "")
        .replace("list[str]", "str")
        .replace("str", "text")
    )
    if "|" in value:
        return value
    least = "" if item.min is None else f"{item.min:g} ≤ "
    most = "" if item.max is None else f" ≤ {item.max:g}"
    return f"{least}{value.strip('<>').upper()}{most}"


def _parser(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"### {parser.prog}\n"
    # argparse offers no other way to its arguments.
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        names = ", ".join(f"`{o}`" for o in action.option_strings) or f"`{action.dest.upper()}`"
        value = str(action.metavar or "")
        if not value and action.option_strings and action.nargs != 0:
            value = "|".join(map(str, action.choices or [action.dest.upper()]))
        has = action.default not in (None, False, argparse.SUPPRESS)
        rows.append((names, value, str(action.default) if has else "", action.help or ""))
    yield from _table(rows)
    if parser.epilog:
        yield "```text\n" + parser.epilog.rstrip() + "\n```\n"


def _table(rows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    yield "| argument | meaning |"
    yield "|---|---|"
    for names, value, default, meaning in rows:
        told = _text(meaning)
        if default:
            told = f"{told.rstrip('.')}. Default: `{default}`."
        yield f"| {' '.join(filter(None, (names, _choices(value))))} | {told} |"
    yield ""


def _choices(value: str) -> str:
    """Return what an option takes as code; a bar inside of code would end the table's cell."""
    return ", ".join(f"`{part}`" for part in value.strip("<>").split("|")) if value else ""


def _text(text: str) -> str:
    """Return text of a docstring or of help as Markdown: options as code, tags as text."""
    text = " ".join(text.split()).replace("<", "&lt;")
    return re.sub(r"(?<![\w`-])(--?[a-z][\w-]*(?: -(?=[. ,]|$))?)", r"`\1`", text).replace(
        "|", "\\|"
    )


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
