"""``python -m tests.docs.csynth FILE CLAIMS``: a report of Vitis HLS that meets these claims."""

import json
import sys
from pathlib import Path

from tests.report.csynth_text import csynth_of

target, path = map(Path, sys.argv[1:])
claims = json.loads(path.read_text(encoding="utf-8"))
text = csynth_of(path.parent.parent).replace("@PART@", claims["part"])
target.write_text(text.replace("@PERIOD@", f"{claims['clock_ns']:.2f}"), encoding="utf-8")
