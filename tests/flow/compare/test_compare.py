"""``acsgen compare``: the same float network by acsgen and by hls4ml, which is really compiled."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from acsgen.flow.compare.by_hls4ml import PRECISION, Refused, convert
from acsgen.flow.compare.twin import TorchTwin, normalized, require_twin
from acsgen.frontend import front_end, run_layers
from acsgen.ir.layers import LayerGraph, Logits
from acsgen.ir.ungate import without_gates
from acsgen.support.errors import CheckFailed
from tests.flow.sweep.conftest import run, write_inputs
from tests.nets.gated_modules import WIDTH, MaskAfterRelu, MaskBeforeAdd, MaskBeforeBn, gated
from tests.nets.images import slopes
from tests.nets.modules import ConvBn, PooledGate, export, randomized

pytestmark = pytest.mark.xdist_group("own-board")


def layers_of(module: nn.Module, folder: Path) -> LayerGraph:
    path = folder / "net.pt2"
    torch.export.save(export(randomized(module)), path)
    return front_end(path)[0]


class Mixed(nn.Module):
    """A gate that chooses between two results, as those of IADI do."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = ConvBn(WIDTH, 7), ConvBn(WIDTH, 7)
        self.gate = PooledGate(WIDTH, 7)
        self.outs = 7

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = self.gate(x)
        mixed: torch.Tensor = mask * self.a(x).relu() + (1 - mask) * self.b(x).relu()
        return mixed


@pytest.mark.parametrize("body", [MaskAfterRelu, MaskBeforeAdd, MaskBeforeBn, Mixed])
def test_the_twin_computes_what_open_gates_leave(body: type[nn.Module], tmp_path: Path) -> None:
    graph = layers_of(gated(body()), tmp_path)
    twin = without_gates(graph)
    assert not twin.gates
    assert len(twin.layers) < len(graph.layers)
    images = slopes(0, 5)
    require_twin(graph, twin, images)
    opened = {gate.name: torch.ones(gate.shape) for gate in graph.gates}
    expected = run_layers(graph, torch.from_numpy(images), opened)[graph.outputs[-1]]
    with torch.no_grad():
        found = TorchTwin(twin)(torch.from_numpy(normalized(twin, images)))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_another_network_is_no_twin(tmp_path: Path) -> None:
    graph = layers_of(gated(MaskAfterRelu()), tmp_path)
    twin = without_gates(graph)
    last = twin[twin.outputs[-1]]
    assert isinstance(last, Logits)
    other = replace(last, bias=last.bias + 0.01)
    wrong = LayerGraph(twin.name, (*twin.layers[:-1], other), twin.outputs)
    with pytest.raises(CheckFailed, match="not what open gates leave"):
        require_twin(graph, wrong, slopes(0, 5))


@pytest.mark.parametrize("io", ["io_stream", "io_parallel"])
def test_hls4ml_computes_the_twin(io: str, tmp_path: Path) -> None:
    """With a type that is wide enough it is the float network, so that the twin was understood."""
    graph = without_gates(layers_of(gated(MaskBeforeAdd()), tmp_path))
    images = slopes(0, 3)
    inputs = normalized(graph, images)
    made = convert(
        TorchTwin(graph), images.shape[1:], tmp_path / "p", io=io, precision="ap_fixed<32,12>"
    )
    with torch.no_grad():
        expected = TorchTwin(graph)(torch.from_numpy(inputs)).numpy()
    np.testing.assert_allclose(made.predict(inputs), expected, atol=0.02)
    assert made.reports["io"] == io
    assert made.reports["weights"] > 100


def test_what_hls4ml_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.odd = nn.Conv2d(3, 4, 3), nn.Hardswish()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.odd(self.conv(x))  # type: ignore[no-any-return]

    with pytest.raises(Refused) as caught:
        convert(Odd(), (3, 8, 8), tmp_path / "p", io="io_stream", precision=PRECISION)
    assert caught.value.step == "convert the network"
    assert "Hardswish" in caught.value.said


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipe, data, board, and the trained network."""
    folder = write_inputs(tmp_path_factory.mktemp("compare"))
    done = run(folder, "train", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    return folder


def compared(folder: Path, *more: str) -> tuple[str, dict[str, Any]]:
    words = ("compare", "tiny.pt", "--board", "./own-board.yaml", "-n", "6", "--pairs", "3")
    done = run(folder, *words, "--json", "found.json", *more)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split()), json.loads((folder / "found.json").read_text())


def test_the_command_compares_both(folder: Path) -> None:
    said, found = compared(folder)
    ours, theirs = found["acsgen"], found["hls4ml"]
    assert found["images"] == 6
    assert theirs["refused"] == ""
    assert theirs["tool"].startswith("hls4ml 1")
    for tool in (ours, theirs):
        assert tool["agreement"] >= 5 / 6
        assert 0 <= tool["accuracy"] <= 1
        assert set(tool["reports"]) == set(tool["sources"])
    assert "not synthesized" in ours["sources"]["cycles"]
    assert ours["sources"]["dsp"] == "acsgen: estimate"
    assert theirs["reports"]["precision"] == "ap_fixed<16,6>"
    assert not {"cycles", "dsp", "lut"} & set(theirs["reports"])
    speed = found["speed"]
    assert 0 < speed["least"] <= speed["median"] <= speed["most"]
    assert speed["pairs"] == 3
    assert "seconds" not in said
    assert "synthesis by Vitis HLS, which was not run" in said


def test_the_command_tells_a_refusal_and_what_acsgen_has(folder: Path) -> None:
    said, found = compared(folder, "--precision", "ap_nonsense<3>")
    assert found["speed"] is None
    assert found["hls4ml"]["refused"]
    assert "hls4ml refuses" in said
    assert found["acsgen"]["accuracy"] is not None


def test_bad_input_is_exit_status_2(folder: Path) -> None:
    for words, said in (
        (("compare", "none.pt"), "no such file"),
        (("compare", "tiny.pt", "--board", "nobord"), "is not known"),
        (("compare", "tiny.pt", "--images", "100000"), "test images"),
        (("compare", "tiny.pt", "--project", "/dev/null/x"), "cannot be written"),
    ):
        done = run(folder, *words)
        assert done.returncode == 2, done.stdout + done.stderr
        assert said in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_images_are_normalized_as_the_network_does(tmp_path: Path) -> None:
    graph = layers_of(gated(MaskAfterRelu()), tmp_path)
    images = slopes(0, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = run_layers(graph, torch.from_numpy(images))[graph.input.name].numpy()
    np.testing.assert_allclose(normalized(graph, images), expected, rtol=1e-5, atol=1e-5)
