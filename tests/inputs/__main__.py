"""Goes on with damaged files until one is read wrongly: ``python -m tests.inputs --count 1000``.

Each kind of file that the product reads is damaged so many times (slow readers fewer), in its bytes
and in its values.  A reader may read it or refuse it in words; a traceback, a hang, and a file
outside of the folder are failures.  The first of each kind is made small and shown; the exit status
is then 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import resource
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.inputs.judge import LIMIT
from tests.inputs.session import all_kinds, try_many

#: Bytes of memory: more is as bad as a hang.
MEMORY = 12 * 2**30


def main() -> int:
    """See the module docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.inputs", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="damages of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="+", help="only these")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    failed = []
    with tempfile.TemporaryDirectory() as scratch:
        known = all_kinds(Path(scratch) / "build")
        for name in options.kinds or known:
            kind = known[name]
            count = max(1, round(options.count * kind.weight))
            started = time.monotonic()
            # In compiled code no alarm is heard.
            faulthandler.dump_traceback_later(60 * LIMIT, exit=True)
            try:
                try_many(kind, Path(scratch) / name.strip("."), count, options.seed)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                failed.append(name)
                print(f"{name}: FAILED", flush=True)
                traceback.print_exc()
            else:
                print(f"{name}: {count} tried, {time.monotonic() - started:.0f} s", flush=True)
            faulthandler.cancel_dump_traceback_later()
    print(f"failed: {', '.join(failed)}" if failed else f"all well, seed {options.seed}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
