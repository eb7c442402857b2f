"""Files that people try first are recognized by content, and answered with how to export."""

from __future__ import annotations

import json
import os
import pickle
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from acsgen.importers.load import load_model
from acsgen.importers.source_line import source_line
from acsgen.importers.weights import import_weights
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.nn.other_files import EXPORT
from acsgen.support.errors import Problem, UserError

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
    elif kind == "exported program":
        torch.export.save(torch.export.export(network(), IMAGE), path)
    elif kind == "Git LFS":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n")
    elif kind == "HTML":
        path.write_text("\n<!DOCTYPE html><html><body>404</body></html>")
    elif kind == "empty file":
        path.write_bytes(b"")
    elif kind == "NumPy":
        np.savez(path.with_suffix(".npz"), images=np.zeros(3))
        path.with_suffix(".npz").rename(path)


#: Files of networks and weights, and what is no model at all.
OTHERS = (
    "TorchScript", "ONNX", "safetensors", "state_dict", "old state_dict", "training checkpoint",
    "pickled module", "old pickled module",
)  # fmt: skip
REMEDIES = {
    "Git LFS": "git lfs pull",
    "HTML": "get the file",
    "empty file": "copy it again",
    "NumPy": "--dataset npz:FILE",
}


def problem(read: Callable[[Path], object], path: Path) -> Problem:
    with pytest.raises(UserError) as caught:
        read(path)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize("kind", [*OTHERS, *REMEDIES])
@pytest.mark.parametrize("suffix", [".pt", ".pt2", ".onnx"])
def test_each_kind_is_named_and_answered(tmp_path: Path, kind: str, suffix: str) -> None:
    path = tmp_path / f"file{suffix}"
    write(path, kind)
    found = problem(load_model, path)
    assert kind.removeprefix("old ") in found.what
    assert found.remedy.endswith(REMEDIES.get(kind, EXPORT))


@pytest.mark.parametrize("kind", [*OTHERS, *REMEDIES, "exported program"])
def test_where_only_a_checkpoint_will_do_they_are_named_too(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.pt"
    write(path, kind)
    found = problem(load_checkpoint, path)
    assert kind.removeprefix("old ") in found.what
    if kind == "exported program":
        assert "acsgen build and acsgen eval take it" in found.remedy


@pytest.mark.parametrize("kind", ["ONNX", "TorchScript", "pickled module", "safetensors"])
def test_weights_are_looked_for_in_weights_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file.pt"
    write(path, kind)
    assert kind in problem(import_weights, path).what


@pytest.mark.parametrize("read", [load_model, load_checkpoint, import_weights])
def test_what_has_no_end_is_not_read(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    for path in (tmp_path / "pipe.pt", Path("/dev/zero")):
        assert problem(read, path).what == "is not a regular file"
    (tmp_path / "one.pt").symlink_to("two.pt")
    (tmp_path / "two.pt").symlink_to("one.pt")
    assert "go in a circle" in problem(read, tmp_path / "one.pt").what
    assert problem(read, tmp_path / "none.pt").what == "no such file"
    assert problem(read, Path("a\0b")).what == "is no name of a file: embedded null byte"


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


@pytest.mark.parametrize("name", ["a#b", "50%", "größe", "a&b!", "a,b", "a;b", "a[b", "a(b),c"])
def test_odd_names_of_modules(tmp_path: Path, name: str) -> None:
    torch.export.save(torch.export.export(network(name), IMAGE), tmp_path / "odd.pt2")
    assert f"{name}.weight" in load_model(tmp_path / "odd.pt2").exported.state_dict


class InContext(nn.Module):
    """A network inside of a ``with`` statement."""

    def __init__(self, context: Callable[[], AbstractContextManager[object]]) -> None:
        super().__init__()
        self.network = network()
        self.context = context

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with self.context():
            hidden = torch.relu(x)
            return self.network(hidden)


@pytest.mark.parametrize(
    ("context", "what", "remedy"),
    [
        (torch.no_grad, "torch.no_grad() or the like", "leave it out of forward"),
        (lambda: torch.autocast("cpu", torch.bfloat16), "torch.autocast", "export in float32"),
        (None, "cond: control flow inside the network", "write this part with torch.nn layers"),
    ],
)
def test_parts_in_a_graph_of_their_own_are_placed_in_the_source(
    tmp_path: Path,
    context: Callable[[], AbstractContextManager[object]] | None,
    what: str,
    remedy: str,
) -> None:
    module = Branching() if context is None else InContext(context)
    torch.export.save(torch.export.export(module.eval(), IMAGE), tmp_path / "net.pt2")
    found = problem(load_model, tmp_path / "net.pt2")
    assert re.fullmatch(r"test_other_files\.py:\d+", found.where)
    assert what in found.what
    assert remedy in found.remedy


class Branching(nn.Module):
    """A network that decides by its input which branch to compute."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cond(x.mean() > 0.5, torch.relu, torch.neg, (x,))


@pytest.mark.unit
def test_the_line_of_the_users_source() -> None:
    trace = 'File "/home/me/net.py", line 12, in forward\n    y = x.sin()'
    assert source_line(trace) == "net.py:12"
    assert source_line(r'File "C:\me\net.py", line 3') == "net.py:3"
    in_torch = '\n  File "/lib/site-packages/torch/nn/modules/conv.py", line 5, in forward'
    assert source_line(trace + in_torch) == ""
    generated = '\n  File "<eval_with_key>.7", line 13, in forward\n    cond = torch.ops'
    assert source_line(trace + generated) == "net.py:12"
    assert source_line("") == ""
