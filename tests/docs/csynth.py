"""``python -m tests.docs.csynth BUILD FILE``: a report of Vitis HLS, as if synthesized."""

import json
import sys
from pathlib import Path

from tests.report.csynth_text import csynth_of

build, target = map(Path, sys.argv[1:])
claims = json.loads((build / "hls" / "claims.json").read_text(encoding="utf-8"))
text = csynth_of(build).replace("@PART@", claims["part"])
target.write_text(text.replace("@PERIOD@", f"{claims['clock_ns']:.2f}"), encoding="utf-8")
