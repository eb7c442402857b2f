"""Networks from a user's module to the engine: equal to the golden model, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import nn

from tests.differential import networks
from tests.differential.engines import EngineUnderTest
from tests.differential.networks import (
    DenseHead,
    LargeStem,
    Shape,
    UserNet,
    check_network,
    integer_network,
)

GATED = [
    networks.MaskAfterRelu,
    networks.MaskBeforeBn,
    networks.MaskBeforeAdd,
    networks.MaskAfterAdd,
    networks.GateOfEarlierFeatures,
    networks.SharedGate,
    networks.GateOfMaskedMap,
    networks.BlockGate,
    networks.Separable,
    networks.MaskedTwice,
    networks.MaskedInput,
    networks.GateOfFlattenedMap,
]


@pytest.mark.parametrize("kind", GATED)
def test_gated_networks(kind: type[UserNet], engine: EngineUnderTest, tmp_path: Path) -> None:
    graph = integer_network(kind(), (3, 12, 12), tmp_path)
    check_network(graph, engine)


PLAIN = {
    "lenet-28": (1, 28, 28),
    "five-channels": (5, 16, 16),
    "oblong": (3, 22, 13),
}
POOLS = {
    "max": nn.MaxPool2d(2),
    "average": nn.AvgPool2d(2),
    "overlapping": nn.MaxPool2d(3, 2, 1),
}


@pytest.mark.parametrize("shape", PLAIN.values(), ids=PLAIN)
@pytest.mark.parametrize("pool", POOLS.values(), ids=POOLS)
def test_plain_networks(
    pool: nn.Module, shape: Shape, engine: EngineUnderTest, tmp_path: Path
) -> None:
    check_network(integer_network(DenseHead(shape, pool, 3), shape, tmp_path), engine)


def test_large_stem(engine: EngineUnderTest, tmp_path: Path) -> None:
    check_network(integer_network(LargeStem(), (3, 40, 64), tmp_path), engine)
