"""Hooks of MkDocs: pages that lie outside of ``docs/``, and links that are right in both places.

The repository's pages link as on a disk or a forge: relative to the file.  On the site, files
outside of ``docs/`` that :data:`PAGES` names are pages too.  A link to any other file of the
repository becomes plain text; a link to nothing stays as it is, so that MkDocs warns and a strict
build fails.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent

#: Pages of the site that lie outside of ``docs/``: address on the site to file of the repository.
PAGES = {
    "overview.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "driver.md": "host/README.md",
    "rtl-engine.md": "hw/rtl/README.md",
    "simulation.md": "sim/README.md",
    "models.md": "models/README.md",
}

_FENCE = re.compile(r"^(```.*?^```$)", re.M | re.S)
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s#]*)(#[^()\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside of ``docs/``."""
    for address, path in PAGES.items():
        files.append(File.generated(config, address, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Make the links of a page those of the site."""
    address = page.file.src_uri
    source = PAGES.get(address, posixpath.join("docs", address))
    on_site = {path: site for site, path in PAGES.items()}
    on_site |= {posixpath.join("docs", uri): uri for uri in files.src_uris if uri not in PAGES}

    def rewritten(match: re.Match[str]) -> str:
        image, text, target, anchor = match.groups(default="")
        if not target or ":" in target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        site = on_site.get(path) or on_site.get(posixpath.join(path, "README.md"))
        if site is not None:
            way = posixpath.relpath(site, posixpath.dirname(address) or ".")
            return f"{image}[{text}]({way}{anchor})"
        return text if (ROOT / path).exists() else match[0]

    parts = _FENCE.split(markdown)
    parts[::2] = [_LINK.sub(rewritten, part) for part in parts[::2]]
    return "".join(parts)
