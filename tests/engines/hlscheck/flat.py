"""Which checks apply to the engine that the templates render.

The claims that are checked here are those of the flat loop.  An engine declares itself flat by its
probes, ``acs_probe.hpp``; the sources without them make other claims.
"""

from pathlib import Path

import pytest

from acsgen.support.assets import asset


def declares_itself_flat() -> bool:
    return (asset("templates", "hls") / "acs_probe.hpp").is_file()


flat_only = pytest.mark.skipif(
    not declares_itself_flat(), reason="the engine has no probes: it makes other claims"
)


def write_unit(folder: Path, text: str) -> Path:
    """Write a unit and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unit.cpp").write_text(text, encoding="utf-8")
    return folder
