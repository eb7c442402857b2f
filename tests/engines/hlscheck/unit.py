"""A folder of sources with one unit, to be checked."""

from pathlib import Path


def write_unit(folder: Path, text: str) -> Path:
    """Write a unit and return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "unit.cpp").write_text(text, encoding="utf-8")
    return folder
