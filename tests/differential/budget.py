"""How many random examples the tests try."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

#: `ACSGEN_FUZZ_EXAMPLES=5000` goes on for longer, and tries others every time.
_WANTED = os.environ.get("ACSGEN_FUZZ_EXAMPLES")


def examples(default: int) -> settings:
    """Settings for ``default`` examples, the same in every run, if not asked for others."""
    return settings(
        max_examples=int(_WANTED or default),
        derandomize=_WANTED is None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
