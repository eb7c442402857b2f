"""``python -m acsgen.engines.lint FOLDER``: print the findings of the lint on a folder's sources.

The exit status is 1 if there are any.
"""

from __future__ import annotations

import sys
from pathlib import Path

from acsgen.engines.lint import lint_sources


def main() -> int:
    """Lint the folder that the command line names."""
    if len(sys.argv) != 2:
        print("usage: python -m acsgen.engines.lint FOLDER", file=sys.stderr)
        return 2
    findings = lint_sources(Path(sys.argv[1]))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
