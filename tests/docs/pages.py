"""The pages of the documentation and their blocks of code, as a reader meets them.

A block's title, which readers see, says where it runs:

* none, or ``Takes ...``: on the reader's machine; the tests execute it;
* ``With Vivado``, ``With AMD's tools``: executed with the commands of ``tests.vivado``;
* ``With CIFAR-10``: executed with files of that form;
* ``With a checkpoint of another code base``: executed with one of a SkipNet;
* ``On the board ...``, ``With the card ...``, ``On the PC ...``: held to the commands' parsers;
* ``In a copy of the repository``: held to the Makefile and the files that it names.

A title that is a file's name makes the block that file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

#: Every page, in the order in which the reader meets them; the site has the same.
PAGES = (
    "README.md",
    "docs/index.md",
    "docs/tutorial.md",
    "docs/networks.md",
    "docs/own-gate.md",
    "docs/own-data.md",
    "docs/training.md",
    "docs/add-a-board.md",
    "docs/add-a-layer-kind.md",
    "docs/bitstream.md",
    "docs/first-board.md",
    "docs/power.md",
    "docs/troubleshooting.md",
    "host/README.md",
    "hw/rtl/README.md",
    "sim/README.md",
    "models/README.md",
    "CONTRIBUTING.md",
)

_FENCE = re.compile(r'^```(\w*)(?: title="([^"\n]*)")?\n(.*?)^```$', re.M | re.S)
_INLINE = re.compile(r"`(acsgen [a-z-]+ [^`]*|python3? -m acsgen_host [^`]*)`")
_EXECUTED = re.compile("Takes|Each takes|With (Vivado|AMD|CIFAR|a checkpoint)")
_LINKED = re.compile(r"\]\((examples/\w+\.py)\)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its title ("" for none) and its text."""

    language: str
    title: str
    text: str

    @property
    def is_file(self) -> bool:
        return bool(re.fullmatch(r"\w+\.(py|yaml)", self.title))

    @property
    def is_shell(self) -> bool:
        return self.language == "sh"

    @property
    def is_executed(self) -> bool:
        return self.is_shell and (
            not self.title
            or bool(re.match("Takes|Each takes|With (Vivado|AMD|CIFAR|a checkpoint)", self.title))
        )

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


@dataclass(frozen=True)
class Page:
    """A page, by its path in the repository."""

    path: str

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @property
    def blocks(self) -> list[Block]:
        return [Block(*found) for found in _FENCE.findall(self.text)]

    @property
    def prose(self) -> str:
        """The text outside of blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.M | re.S)

    @property
    def commands_in_prose(self) -> list[str]:
        """Commands with options inside of sentences."""
        found = (" ".join(words.split()) for words in _INLINE.findall(self.prose))
        return [command for command in found if " --" in command]

    @property
    def linked_files(self) -> list[Path]:
        return [ROOT / "docs" / name for name in _LINKED.findall(self.text)]


def all_pages() -> list[Page]:
    """The pages listed, and all others of ``docs/``."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))
    return [Page(path) for path in (*PAGES, *(p for p in found if p not in PAGES))]
