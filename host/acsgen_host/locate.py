"""Finds what belongs to a bitstream: its .hwh, and the bundle of the network that it is for.

``acsgen bitstream`` names the files ``NAME-HASH.bit`` and ``NAME-HASH.hwh``, where HASH begins the
SHA-256 of both files one after the other.  A file that was replaced is thereby known, which nothing
in the files themselves tells; and pynq never takes what it kept of an earlier build, since it knows
that by another name.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from .backend import Backend
from .bundle import MANIFEST
from .errors import BackendError, BundleError, Problem
from .files import read_file
from .handoff import REMEDY

#: Hexadecimal digits of a hash that is made; any number from eight on is understood.
HASH_DIGITS = 8

#: A stem with a hash.  Eight digits without a letter are rather a date.
HASHED = re.compile(r"(?P<name>.+)-(?P<hash>(?=[0-9]*[a-f])[0-9a-f]{8,64})")

#: How far above a .bit its bundle may begin.
LEVELS_ABOVE = 2

SIMULATE = 'without a board, simulate it: Accelerator.simulate("{}")'


def stem_hash(bitstream: str | Path, handoff: str | Path) -> str:
    """Return the SHA-256 of a .bit and its .hwh, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in (bitstream, handoff):
        digest.update(read_file(path))
    return digest.hexdigest()


def hashed_stem(name: str, bitstream: str | Path, handoff: str | Path) -> str:
    """Return the stem that a .bit and its .hwh get: NAME, a hyphen, and the start of their hash.

    A hash without a letter would be taken for a date; it gets more digits until it has one.
    """
    digest = stem_hash(bitstream, handoff)
    digits = HASH_DIGITS
    while digest[:digits].isdigit() and digits < len(digest):
        digits += 1
    return f"{name}-{digest[:digits]}"


def find_bundle(source: str | Path, bundle: str | Path | None = None) -> tuple[Path, Path]:
    """Return a bitstream and the folder of its bundle.

    Args:
        source: a .bit, or a folder that holds a bundle and one .bit.
        bundle: the folder of the bundle, where it is known.

    The bundle is the folder of the .bit or one of the two above it; otherwise the folder beside the
    .bit that has its name, or the only one there is.

    Raises:
        BackendError: there is no such .bit, or the folder has none or several.
        BundleError: no bundle is found, or several.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(path.rglob("*.bit"))
        if len(found) != 1:
            names = ": " + ", ".join(str(p.relative_to(path)) for p in found) if found else ""
            what = "has {} bitstreams{}".format(len(found) or "no", names)
            raise BackendError(
                Problem(str(path), what, f"pass the path of one; {SIMULATE.format(path)}")
            )
        (bitstream,) = found
        if bundle is None and (path / MANIFEST).is_file():
            return bitstream, path
    else:
        bitstream = path
    if bundle is not None:
        return bitstream, Path(bundle)
    if not bitstream.is_file():
        # That is said of the bitstream, rather than of a bundle that was looked for in vain.
        check_pair(bitstream)
    return bitstream, _bundle_of(bitstream.resolve())


def open_bitstream(bitstream: Path, bundle: Path) -> Backend:
    """Load a bitstream on the board.

    Raises:
        BackendError: a file is missing or was replaced, or this machine is no board.
        EngineBusy: another process uses the engine and does not let go of it.
    """
    check_pair(bitstream)
    try:
        from .pynq_backend import PynqBackend
    except (ImportError, OSError, RuntimeError) as error:
        raise BackendError(
            Problem(
                "pynq",
                f"cannot be imported: {error}",
                "run this on a board with a PYNQ image, in pynq's environment; "
                + SIMULATE.format(bundle),
            )
        ) from error
    try:
        return PynqBackend.load(bitstream)
    except BackendError as error:
        if isinstance(error.__cause__, RuntimeError):
            # No device: this is a PC, or the environment of the board is not set.
            problems = [
                p._replace(remedy=f"{p.remedy}; {SIMULATE.format(bundle)}") for p in error.problems
            ]
            raise BackendError(problems) from error
        raise


def check_pair(bitstream: Path) -> None:
    """Raise :class:`BackendError` unless a .bit and its .hwh are there and fit their hash."""
    handoff = bitstream.with_suffix(".hwh")
    problems = []
    for path in (bitstream, handoff):
        if not path.is_file():
            others = sorted(p.name for p in path.parent.glob("*" + path.suffix))
            beside = ", beside it there is " + ", ".join(others) if others else ""
            problems.append(Problem(str(path), "is not there" + beside, REMEDY))
    if problems:
        raise BackendError(problems)
    named = HASHED.fullmatch(bitstream.stem)
    if named and not stem_hash(bitstream, handoff).startswith(named.group("hash")):
        raise BackendError(
            Problem(
                f"{bitstream} and {handoff.name}",
                "are not the files that their name tells by its hash: one of them is stale or "
                "damaged",
                "copy both again from the folder that acsgen bitstream wrote",
            )
        )


def _bundle_of(bitstream: Path) -> Path:
    above = [bitstream.parent, *bitstream.parent.parents][: LEVELS_ABOVE + 1]
    for folder in above:
        if (folder / MANIFEST).is_file():
            return folder
    beside = sorted(p.parent for p in bitstream.parent.glob("*/" + MANIFEST))
    named = HASHED.fullmatch(bitstream.stem)
    names = {bitstream.stem, named.group("name") if named else bitstream.stem}
    chosen = [folder for folder in beside if folder.name in names] or beside
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        what = "could be for any of " + ", ".join(folder.name for folder in chosen)
        remedy = "say which: Accelerator(BIT, bundle=FOLDER), or give the folder the .bit's name"
    else:
        places = ", ".join(str(folder) for folder in above)
        what = f"has no bundle: no {MANIFEST} in {places}, or in a folder beside it"
        remedy = "copy the whole folder that acsgen wrote, or say Accelerator(BIT, bundle=FOLDER)"
    raise BundleError(Problem(str(bitstream), what, remedy))
