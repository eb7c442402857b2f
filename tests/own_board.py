"""A board of our own, for the tests of the commands."""

from __future__ import annotations

from pathlib import Path

import yaml

from acsgen.support.assets import asset
from tests.differential.engines import CONFIGURATIONS


def own_board(path: Path) -> Path:
    """Write a board whose engine the other tests of the RTL compile too."""
    config = CONFIGURATIONS[4]
    board = yaml.safe_load(asset("hw", "boards", "zcu104.yaml").read_text())
    board |= {
        "name": "own-board",
        "lane_groups": config.lane_groups,
        "feature_kib": config.feature_kib,
        "weight_kib": config.weight_kib,
        "vector_bytes": config.vector_bytes,
    }
    path.write_text(yaml.safe_dump(board))
    return path
