"""Settling BatchNorm leaves the statistics of the data, and nothing else changed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from acsgen.nn import AcsConfig, ChannelGate, ResNet, ResNetConfig
from acsgen.train.batchnorm import SETTLING_BATCHES, settle_batch_norm


def test_statistics_are_means_over_batches_whatever_they_were_before() -> None:
    norm = nn.BatchNorm2d(1, momentum=0.3)
    nn.init.constant_(norm.running_mean, 77.0)
    batches = [torch.tensor([low, low + 2.0]).reshape(2, 1, 1, 1) for low in (0.0, 4.0, 11.0)]
    settle_batch_norm(norm, [(batch, torch.zeros(2)) for batch in batches])
    assert norm.running_mean.item() == pytest.approx((1 + 5 + 12) / 3)
    assert norm.running_var.item() == pytest.approx(2.0)  # unbiased: each batch has two values
    assert norm.momentum == 0.3
    assert not norm.training


def test_gates_are_quiet_and_weights_stay() -> None:
    torch.manual_seed(0)
    model = ResNet(ResNetConfig(widths=(2, 3, 4), image_size=8, gate=AcsConfig()))
    gates = [module for module in model.modules() if isinstance(module, ChannelGate)]
    for gate in gates:
        gate.noise = 5.0
    weights = {name: value.detach().clone() for name, value in model.named_parameters()}
    batch = (torch.randint(0, 256, (8, 3, 8, 8), dtype=torch.uint8), torch.zeros(8))
    runs = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        settle_batch_norm(model, [batch, batch])
        runs.append({name: value.clone() for name, value in model.named_buffers()})
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])
    assert all(gate.noise == 5.0 for gate in gates)
    assert all(torch.equal(value, weights[name]) for name, value in model.named_parameters())


def test_only_so_many_batches_are_read() -> None:
    norm = nn.BatchNorm2d(1)
    batch = (torch.randn(2, 1, 1, 1), torch.zeros(2))
    settle_batch_norm(norm, [batch] * (SETTLING_BATCHES + 50))
    assert norm.num_batches_tracked.item() == SETTLING_BATCHES
