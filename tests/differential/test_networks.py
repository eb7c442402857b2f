"""Networks from a user's module to the engine: equal to the golden model, or refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from acsgen.errors import UserError
from tests.differential import networks
from tests.differential.budget import examples
from tests.differential.engines import EngineUnderTest
from tests.differential.networks import (
    DenseHead,
    LargeStem,
    Shape,
    UserNet,
    check_network,
    integer_network,
)
from tests.differential.random_networks import RandomNetwork, random_networks

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


def test_random_networks(engine: EngineUnderTest, tmp_path_factory: pytest.TempPathFactory) -> None:
    refusals: list[tuple[RandomNetwork, UserError]] = []

    @examples(10)
    @given(drawn=random_networks(), seed=st.integers(0, 99))
    def run(drawn: tuple[RandomNetwork, Shape], seed: int) -> None:
        network, shape = drawn
        try:
            graph = integer_network(network, shape, tmp_path_factory.mktemp("random"), seed)
            check_network(graph, engine, images=1)
        except UserError as refusal:
            refusals.append((network, refusal))

    run()
    for network, refusal in refusals:
        modules = {name for name, _ in network.named_modules()}
        assert all(problem.where in modules for problem in refusal.problems)
