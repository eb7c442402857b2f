"""Says in words what the Python that runs this lacks, before anything is imported that needs it."""

from __future__ import annotations

import sys

#: The oldest Python of a PYNQ image that is supported.
OLDEST = (3, 8)


def missing() -> str | None:
    """Return what is missing and what to do; None if all is there."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return f"this is Python {version}, and 3.8 or later is needed: run it with another python3"
    try:
        import numpy  # noqa: F401
    except ImportError as error:
        return (
            f"numpy cannot be imported by {sys.executable} (Python {version}): {error}; install it "
            "(python3 -m pip install numpy), or run this with a Python that has it"
        )
    return None


_missing = missing()
if _missing is not None:
    # While ``python -m acsgen_host`` imports the package, the first word is "-m": a command ends
    # with a sentence, and a program that imports the package gets an exception.
    if sys.argv[:1] == ["-m"]:
        sys.stderr.write(f"acsgen_host: {_missing}\n")
        raise SystemExit(2)
    raise ImportError(_missing)
