"""Files that people try first are recognized by content, and answered with how to export."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from acsgen.importers.load import load_model
from acsgen.importers.other_files import EXPORT
from acsgen.importers.source_line import source_line
from acsgen.support.errors import UserError

IMAGE = (torch.zeros(1, 3, 16, 16),)


def network(name: str = "conv") -> nn.Sequential:
    layers = [(name, nn.Conv2d(3, 8, 3)), ("pool", nn.AdaptiveAvgPool2d(1)), ("flat", nn.Flatten())]
    return nn.Sequential(OrderedDict([*layers, ("fc", nn.Linear(8, 10))])).eval()


def write(path: Path, kind: str) -> None:
    if kind == "TorchScript":
        with zipfile.ZipFile(path, "w") as archive:
            for name in ("m/data.pkl", "m/constants.pkl", "m/code/__torch__/net.py"):
                archive.writestr(name, pickle.dumps(()))
    elif kind == "ONNX":
        path.write_bytes(b"\x08\x07\x12\x07pytorch" + bytes(200))
    elif kind == "safetensors":
        path.write_bytes((40).to_bytes(8, "little") + b'{"weight":{"dtype":"F32"}}')
    elif kind == "state_dict":
        torch.save(network().state_dict(), path)
    elif kind == "old state_dict":
        torch.save(network().state_dict(), path, _use_new_zipfile_serialization=False)
    elif kind == "training checkpoint":
        torch.save({"state_dict": network().state_dict(), "epoch": 3}, path)
    elif kind == "pickled module":
        torch.save(network(), path)
    elif kind == "old pickled module":
        torch.save(network(), path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize(
    "kind",
    [
        "TorchScript", "ONNX", "safetensors", "state_dict", "old state_dict",
        "training checkpoint", "pickled module", "old pickled module",
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", [".pt", ".pt2", ".onnx"])
def test_each_kind_is_named_and_answered(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"file{suffix}"
    write(path, kind)
    with pytest.raises(UserError) as caught:
        load_model(path)
    (problem,) = caught.value.problems
    assert kind.removeprefix("old ") in problem.what
    assert problem.remedy.endswith(EXPORT)


def test_a_program_exported_on_a_gpu_is_read_to_the_cpu(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(network(), IMAGE), tmp_path / "cpu.pt2")
    changed = 0

    def on_gpu(value: object) -> object:
        nonlocal changed
        if isinstance(value, dict):
            if set(value) == {"type", "index"}:
                changed += 1
                return {"type": "cuda", "index": 0}
            return {key: on_gpu(item) for key, item in value.items()}
        return [on_gpu(item) for item in value] if isinstance(value, list) else value

    old, new = zipfile.ZipFile(tmp_path / "cpu.pt2"), zipfile.ZipFile(tmp_path / "gpu.pt2", "w")
    with old, new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith(".json"):
                content = json.dumps(on_gpu(json.loads(content))).encode()
            new.writestr(name, content)
    assert changed > 4
    image = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    loaded = [load_model(tmp_path / f"{name}.pt2") for name in ("cpu", "gpu")]
    assert torch.equal(loaded[0].logits(image), loaded[1].logits(image))


@pytest.mark.parametrize("name", ["a#b", "50%", "größe", "a&b!"])
def test_odd_names_of_modules(tmp_path: Path, name: str) -> None:
    torch.export.save(torch.export.export(network(name), IMAGE), tmp_path / "odd.pt2")
    assert f"{name}.weight" in load_model(tmp_path / "odd.pt2").exported.state_dict


@pytest.mark.unit
def test_the_line_of_the_users_source() -> None:
    trace = 'File "/home/me/net.py", line 12, in forward\n    y = x.sin()'
    assert source_line(trace) == "net.py:12"
    assert source_line(r'File "C:\me\net.py", line 3') == "net.py:3"
    in_torch = '\n  File "/lib/site-packages/torch/nn/modules/conv.py", line 5, in forward'
    assert source_line(trace + in_torch) == ""
    assert source_line("") == ""
