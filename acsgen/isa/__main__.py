"""``python -m acsgen.isa [--check]``: render the specification, or verify the rendered files."""

from __future__ import annotations

import argparse
import sys

from acsgen.isa.render import render_all, stale, target_path
from acsgen.support.errors import UserError


def main() -> int:
    """Write all rendered files, or with ``--check`` name the stale ones and return 1.

    Returns 2 for a specification that contradicts itself.
    """
    parser = argparse.ArgumentParser(prog="python -m acsgen.isa", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    check = parser.parse_args().check
    try:
        rendered = render_all()
    except UserError as error:
        for problem in error.problems:
            print(f"hw/spec/engine.yaml: {problem}", file=sys.stderr)
        return 2
    outdated = stale(rendered)
    for target in outdated:
        if check:
            print(f"{target} is stale: run python -m acsgen.isa", file=sys.stderr)
            continue
        path = target_path(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(rendered[target], encoding="utf-8")
        print(f"wrote {target}")
    return 1 if check and outdated else 0


if __name__ == "__main__":
    sys.exit(main())
