"""What a board cannot hold is told before any quantization, all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.flow.build import BuildRequest, build
from acsgen.flow.build.pipeline import NETWORK_STEPS
from acsgen.support.errors import UserError
from tests.nets.modules import export, randomized
from tests.own_board import own_board


class Large(nn.Module):
    """Too much for a small board in three ways."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 48, 3, padding=1)
        self.wide = nn.Conv2d(48, 48, 7, padding=3)
        self.last = nn.Linear(48 * 64, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.wide(F.relu(self.stem(x / 255))))
        return self.last(F.max_pool2d(x, 4).flatten(1))


def test_shortages_come_before_quantization_and_together(tmp_path: Path) -> None:
    board = own_board(tmp_path / "small.yaml")
    small = yaml.safe_load(board.read_text(encoding="utf-8"))
    small |= {"feature_kib": 64, "weight_kib": 1, "vector_bytes": 1024}
    board.write_text(yaml.safe_dump(small), encoding="utf-8")
    model = tmp_path / "large.pt2"
    torch.export.save(export(randomized(Large()), (3, 32, 32), torch.float32), model)
    stages: list[str] = []
    request = BuildRequest(model=model, board=str(board), out=tmp_path / "out", engine="hls")
    with pytest.raises(UserError) as caught:
        build(request, stages.append)
    told = [str(problem) for problem in caught.value.problems]
    assert stages == [NETWORK_STEPS[0].name]
    for part in ("a weight row takes", "of feature memory", "of vector memory"):
        assert sum(part in text for text in told) == 1, told
    assert not (tmp_path / "out").exists()
