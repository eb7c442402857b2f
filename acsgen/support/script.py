"""How modules end that are run as ``python -m``, beside the command line: one ending for all."""

from __future__ import annotations

import sys
from collections.abc import Callable

from acsgen.support.errors import CheckFailed, UserError


def status_of(task: Callable[[], object]) -> int:
    """Run a task, and return the exit status of its process.

    It is 2 for bad input, whose problems are printed, 1 for a failed check, which is told, and 0
    otherwise.  Any other exception is a defect of ours, and keeps its traceback.
    """
    try:
        task()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except CheckFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0
