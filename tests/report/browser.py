"""Chromium without a screen: lays a page out, and prints it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
AUDIT = Path(__file__).with_name("audit.js")

FRAME = """<!DOCTYPE html><meta charset="utf-8"><body><script>
addEventListener("message", (event) => {{
  document.body.appendChild(document.createElement("pre")).textContent = event.data;
}});
</script><iframe src="{copy}" width="{width}" height="900" style="border: 0"></iframe></body>
"""


def browser() -> str | None:
    """Return the path of a browser, or None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def audit(page: Path, width: int, dark: bool, folder: Path) -> dict[str, Any]:
    """Lay a page out, and return what ``audit.js`` finds.

    The page itself has no script: a copy gets one.
    """
    text = page.read_text(encoding="utf-8")
    copy = folder / f"{page.stem}-{width}-{dark}.html"
    script = f"<script>{AUDIT.read_text(encoding='utf-8')}</script></body>"
    copy.write_text(text.replace("</body>", script), encoding="utf-8")
    # A window is not as narrow as a phone; a frame is.
    frame = folder / f"frame-{copy.name}"
    frame.write_text(FRAME.format(copy=copy.name, width=width), encoding="utf-8")
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    options = ("--window-size=1400,1000", "--virtual-time-budget=20000", *scheme, "--dump-dom")
    shown = _run(folder, *options, f"file://{frame}")
    found = re.search(r"<pre>(\{.*\})</pre>", shown, re.S)
    assert found, f"the page was not laid out: {shown[-2000:]}"
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


def print_pages(page: Path, target: Path) -> int:
    """Print a page to a PDF file, and return its number of sheets."""
    _run(target.parent, "--no-pdf-header-footer", f"--print-to-pdf={target}", f"file://{page}")
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    return len(re.findall(rb"/Type\s*/Page\b", content))


def _run(folder: Path, *words: str) -> str:
    program = browser()
    assert program is not None
    options = (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--hide-scrollbars", f"--user-data-dir={folder / 'browser'}"),
    )
    finished = subprocess.run(
        [program, *options, *words], capture_output=True, text=True, check=False, timeout=120
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout
