"""Goes on with random programs until one is wrong: ``python -m tests.fuzz --count 1000 --seed 7``.

Raw programs run on the machine (:mod:`tests.fuzz.machine`), the C simulation and the RTL, on two
images in several orders, with random memories; then damaged, several times.  For ten of them there
are two random integer graphs, and for a hundred three networks of PyTorch modules, which run on the
golden model too.  The first failure is made small, printed, and saved with its buffers; the exit
status is then 1.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from acsgen.support.assets import asset_root
from tests.differential.engines import CONFIGURATIONS, engines_for

from .session import Attempt, try_graphs, try_networks, try_programs

CACHE = Path(".pytest_cache") / "d" / "acsgen-engines"

#: Kinds of cases, and the number of each for one raw program.
KINDS = {
    "programs": (try_programs, 1.0),
    "graphs": (try_graphs, 0.2),
    "networks": (try_networks, 0.03),
}

#: Seconds between two lines of progress.
PERIOD = 10.0


class Progress:
    """Says now and then how far it is."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.started = self.said = time.monotonic()

    def __call__(self, tally: Counter[str]) -> None:
        now = time.monotonic()
        if now - self.said >= PERIOD:
            self.said = now
            done = tally["programs"]
            rate = done / (now - self.started)
            print(f"  {done} of {self.count}, {rate:.1f} a second", flush=True)


def main() -> int:
    """See the module docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="programs for each engine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lanes", type=int, nargs="+", default=[4], choices=sorted(CONFIGURATIONS))
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    parser.add_argument("--no-rtl", action="store_true", help="the C simulation only")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of compiled engines")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where failures go")
    parser.add_argument("--replay", type=Path, help="try a saved failure again")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    for lanes in options.lanes:
        print(f"{lanes} lane groups, seed {options.seed}, sources of {asset_root()}", flush=True)
        engine = engines_for(lanes, options.cache, rtl=not options.no_rtl)
        if options.replay is not None:
            tally: Counter[str] = Counter()
            Attempt.load(options.replay).run(engine, tally)
            print(f"  nothing wrong with {options.replay}")
            continue
        for kind in options.kinds:
            attempt, share = KINDS[kind]
            count = math.ceil(options.count * share)
            keep = options.out / f"{kind}-{lanes}-{options.seed}.npz"
            try:
                tally = attempt(engine, count, options.seed, keep, Progress(count))
            except Exception:
                traceback.print_exc()
                replay = f"python -m tests.fuzz --lanes {lanes} --replay {keep}"
                print(f"\nsaved; to try it again: {replay}", file=sys.stderr)
                return 1
            done = ", ".join(f"{value} {name}" for name, value in sorted(tally.items()))
            print(f"  {kind}: {done}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
