"""The site: built without a warning, complete, and nothing of a page comes from elsewhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, all_pages

#: What a browser would fetch to show a page. Links to be followed may lead anywhere.
_FETCHED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=\"?([^\"\s>]+)"
    r"|<link\b(?=[^>]*\brel=\"?(?:stylesheet|icon|preload|preconnect|dns-prefetch))[^>]*"
    r"\bhref=\"?([^\"\s>]+)"
)
_STYLE = re.compile(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')\s]+)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site; a warning of MkDocs fails it: a broken link, a page that no menu has."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    titles = {
        re.sub(r"\s+", " ", re.search(r"<h1[^>]*>(.*?)<", path.read_text(), re.S)[1]).strip()  # type: ignore[index]
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }
    for page in all_pages():
        if page.path.endswith("0000-template.md"):
            continue
        title = re.search(r"^# (.*)$", page.text, re.M)
        assert title is not None, page.path
        shown = title[1].replace("`", "").replace("'", "&#39;")
        assert any(shown.split("<")[0].startswith(t.replace("'", "&#39;")) for t in titles), page


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 30
    for path in pages:
        text = path.read_text(encoding="utf-8")
        fetched = [a or b for a, b in _FETCHED.findall(text)]
        assert fetched, path
        for address in fetched:
            assert "//" not in address, (path, address)
            if path.name != "404.html":
                assert (path.parent / address.split("?")[0]).is_file(), (path, address)
    for path in site.rglob("*.css"):
        assert _STYLE.findall(path.read_text(encoding="utf-8")) == [], path


def test_it_can_be_searched_without_a_network(site: Path) -> None:
    found = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    texts = " ".join(entry["title"] for entry in found["docs"])
    for title in ("acsgen build", "Opcodes", "Your own gate", "Why a skipped channel"):
        assert title in texts
