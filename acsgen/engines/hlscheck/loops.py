"""The pipelined loops of rendered sources, as their text says: labels, intervals, dependences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from acsgen.engines.hlscheck.ir import Place
from acsgen.engines.lint.directives import Pragma
from acsgen.engines.lint.parse import read_pragmas, without_comments

_LOOP = re.compile(r"\b(?:for|while|do)\b")
_LABELLED = re.compile(r"\b([A-Za-z_]\w*)\s*:\s*(?:for|while|do)\b")
_LABEL_ABOVE = re.compile(r"^\s*([A-Za-z_]\w*)\s*:\s*$")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class PipelinedLoop:
    """A loop with a PIPELINE pragma.

    Attributes:
        file: its file, without folder.
        line: the line on which it starts.
        label: its label, or "".
        interval: as the pragma asks.
        independent: last names of the variables of which a pragma says that iterations do not
            depend on each other through them.
    """

    file: str
    line: int
    label: str
    interval: int
    independent: frozenset[str]


class Sources:
    """The text of a folder of sources, with its pragmas."""

    def __init__(self, folder: Path) -> None:
        files = [path for path in sorted(folder.iterdir()) if path.suffix in (".cpp", ".hpp")]
        self._lines = {path.name: without_comments(path).splitlines() for path in files}
        self._pragmas = {path.name: read_pragmas(path, {})[0] for path in files}
        #: The types of memory that BIND_STORAGE pragmas name, by the last name of the variable.
        self.storage = {
            _last_name(pragma): pragma.options.get("type", "")
            for pragmas in self._pragmas.values()
            for pragma in pragmas
            if pragma.directive == "BIND_STORAGE"
        }

        #: The variables that these pragmas name, or that have a member which they name.
        self.stored = frozenset(
            pragma.options.get("variable", "").split(".", 1)[0]
            for pragmas in self._pragmas.values()
            for pragma in pragmas
            if pragma.directive == "BIND_STORAGE"
        )

    def loops(self) -> list[PipelinedLoop]:
        """Return all pipelined loops."""
        places = [Place(f, n + 1) for f, lines in self._lines.items() for n in range(len(lines))]
        return [loop for loop in map(self.pipelined, places) if loop is not None]

    def pipelined(self, start: Place | None) -> PipelinedLoop | None:
        """Return the pipelined loop that starts at a place, if one does."""
        if start is None or start.file not in self._lines:
            return None
        lines = self._lines[start.file]
        text = lines[start.line - 1]
        if not _LOOP.search(text):
            return None
        last = self._head_end(lines, start.line)
        pragmas = []
        for pragma in self._pragmas[start.file]:
            between = lines[last : pragma.line - 1]
            if pragma.line > last and all(_plain(line) for line in between):
                pragmas.append(pragma)
        pipeline = next((p for p in pragmas if p.directive == "PIPELINE"), None)
        if pipeline is None or "off" in pipeline.flags:
            return None
        label = _LABELLED.search(text)
        above = _LABEL_ABOVE.match(lines[start.line - 2]) if start.line > 1 else None
        return PipelinedLoop(
            start.file,
            start.line,
            label[1] if label else above[1] if above else "",
            int(pipeline.options.get("II", "1")),
            frozenset(_last_name(p) for p in pragmas if _denies(p)),
        )

    def names(self, place: Place | None) -> frozenset[str]:
        """Return the identifiers on a line."""
        if place is None or place.line == 0:
            return frozenset()
        return frozenset(_IDENTIFIER.findall(self._lines[place.file][place.line - 1]))

    @staticmethod
    def _head_end(lines: list[str], line: int) -> int:
        """Return the line on which the head of a loop ends, with its opening brace."""
        while "{" not in lines[line - 1] and line < len(lines):
            line += 1
        return line


def _plain(line: str) -> bool:
    """Whether pragmas may follow a line: it is empty, or a pragma, or the probe of a loop."""
    return not line.strip() or line.lstrip().startswith(("#pragma", "ACS_LOOP"))


def _denies(pragma: Pragma) -> bool:
    if pragma.directive != "DEPENDENCE":
        return False
    denied = "false" in pragma.flags or pragma.options.get("dependent") == "false"
    intra = "intra" in pragma.flags or pragma.options.get("type") == "intra"
    return denied and not intra


def _last_name(pragma: Pragma) -> str:
    return pragma.options.get("variable", "").rsplit(".", 1)[-1]
