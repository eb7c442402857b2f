"""The model file: a written model is read back, and every bad file is refused in words."""

from __future__ import annotations

import pickle
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from acsgen.nn import (
    AcsConfig,
    ResNet,
    ResNetConfig,
    load_checkpoint,
    save_checkpoint,
)
from acsgen.nn.checkpoint import build_model
from acsgen.nn.networks import ARCHITECTURES
from acsgen.nn.weights_digest import weights_digest
from acsgen.support.assets import asset
from acsgen.support.errors import UserError
from tests.inputs.judge import in_time

CONFIG = ResNetConfig(depth=8, widths=(3, 4, 5), gate=AcsConfig())
WEIGHT = "layer1.0.conv1.weight"
SHAPE = (3, 3, 3, 3)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    file = tmp_path / "model.pt"
    save_checkpoint(file, ResNet(CONFIG), "resnet", CONFIG, {"seed": 0})
    return file


def change(path: Path, **fields: Any) -> None:
    content = torch.load(path, weights_only=True)
    torch.save(content | fields, path)


def change_weights(path: Path, **weights: Any) -> None:
    """Change weights as their author would, with the digest of the new ones."""
    content = torch.load(path, weights_only=True)
    state = content["state_dict"] | weights
    try:
        digest = weights_digest(state)
    except (AttributeError, NotImplementedError, RuntimeError):
        digest = content["digest"]  # of no ordinary tensors there is none
    change(path, state_dict=state, digest=digest)


def problems(path: Path) -> list[str]:
    """The reported problems, each as one line; every one names the file."""
    with pytest.raises(UserError) as caught:
        load_checkpoint(path)
    found = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith(str(path)) for text in found)
    return [text.removeprefix(f"{path}: ") for text in found]


class Evil:
    """Unpickling this would create a file."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return (open, (str(self.trace), "w"))


def test_a_saved_model_is_read_back(path: Path) -> None:
    torch.manual_seed(0)
    original = ResNet(CONFIG).eval()
    loaded = load_checkpoint(path)
    assert (loaded.arch, loaded.config, loaded.meta) == ("resnet", CONFIG, {"seed": 0})
    assert not loaded.model.training
    image = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        assert torch.equal(loaded.model(image), original(image))
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]


def test_a_disk_that_is_full_is_told_and_keeps_the_earlier_file(path: Path) -> None:
    """There torch itself raises a RuntimeError about streams."""
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
        with pytest.raises(UserError, match=r"model\.pt: cannot be written: the file would be"):
            save_checkpoint(path, ResNet(CONFIG), "resnet", CONFIG, {"seed": 1})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_num_batches_tracked_may_be_missing(path: Path) -> None:
    state = torch.load(path, weights_only=True)["state_dict"]
    kept = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    assert len(kept) < len(state)
    change(path, state_dict=kept, digest=weights_digest(kept))
    assert load_checkpoint(path).config == CONFIG


def test_half_precision_weights_are_read_as_float32(path: Path) -> None:
    change_weights(path, **{WEIGHT: torch.full(SHAPE, 0.5, dtype=torch.float16)})
    weight = load_checkpoint(path).model.state_dict()[WEIGHT]
    assert weight.dtype == torch.float32
    assert weight.unique().tolist() == [0.5]


def test_weights_beyond_half_precision_are_not_stored_so(path: Path) -> None:
    loaded = load_checkpoint(path)
    before = path.read_bytes()
    with torch.no_grad():
        loaded.model.get_parameter(WEIGHT)[0] = 1e5
    with pytest.raises(UserError, match=f"{WEIGHT}: has weights above 65504"):
        save_checkpoint(path, loaded.model, loaded.arch, loaded.config, {}, half=True)
    assert path.read_bytes() == before


def test_missing_file_and_folder(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.pt") == ["no such file (name the .pt file)"]
    assert "is a folder" in problems(tmp_path)[0]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_truncated_file(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    said = "not a readable PyTorch file (it may be truncated; copy it again)"
    assert problems(path) == [
        said if share else "not an acsgen checkpoint, but an empty file (copy it again)"
    ]


def test_files_of_other_kinds(path: Path) -> None:
    for content in (b"hello\n", b"junk", bytes(range(256))):
        path.write_bytes(content)
        assert "not a readable PyTorch file" in problems(path)[0]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "not a readable PyTorch file" in problems(path)[0]
    torch.save(ResNet(CONFIG).state_dict(), path)
    assert "not an acsgen checkpoint" in problems(path)[0]
    torch.save([1, 2], path)
    assert "not an acsgen checkpoint" in problems(path)[0]


@pytest.mark.parametrize("bare", [False, True])
def test_a_file_with_code_is_refused_and_the_code_does_not_run(path: Path, bare: bool) -> None:
    trace = path.with_name("trace")
    content = {"format": "acsgen-checkpoint", "meta": Evil(trace)}
    if bare:
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path)
    with pytest.raises(UserError) as caught:
        load_checkpoint(path)
    (problem,) = caught.value.problems
    assert "refused for safety" in problem.what
    assert not bare or "torch.export.export(network" in problem.remedy
    assert not trace.exists()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"format": torch.zeros(2)}, ["not an acsgen checkpoint"]),
        ({"version": 99}, ["checkpoint version 99; this acsgen reads 1 and 2"]),
        ({"version": torch.zeros(2)}, ["checkpoint version"]),
        (
            {"arch": "transformer"},
            [f"unknown architecture 'transformer' ({ARCHITECTURES.known()})"],
        ),
        (
            {"arch": 3, "config": [], "state_dict": None, "meta": "x"},
            ["'arch' should be", "'config' should be", "'state_dict' should be", "'meta' should"],
        ),
        (
            {"config": {"depth": "x", "foo": 1, "gate": {"granularity": "z", "threshold": 2}}},
            ["config: depth", "config: gate.granularity", "config: gate.threshold", "config: foo"],
        ),
        ({"config": {"depth": 9}}, ["config: depth must be 6n+2"]),
        ({"config": {"widths": [10**9, 1, 0]}}, ["config: widths.0", "config: widths.2"]),
        ({"config": {"mean": [0.5]}}, ["config: mean needs one value per image channel (3)"]),
        ({"config": {"std": [1, 1, float("nan")]}}, ["config: std.2"]),
        ({"config": {"std": [1, 1, 0]}}, ["config: std must be positive"]),
        ({"config": {"gate": {"bottleneck": 12}}}, ["config: gate: bottleneck must be a power"]),
        (
            {"config": {"gate": {"granularity": "conv", "mask_target": "inner"}}},
            ["config: gate: mask_target applies to granularity 'block' only"],
        ),
    ],
)
def test_bad_content_is_listed(path: Path, fields: dict[str, Any], expected: list[str]) -> None:
    change(path, **fields)
    found = problems(path)
    assert len(found) == len(expected)
    for text, start in zip(found, expected, strict=True):
        assert text.startswith(start)


def test_a_file_that_asks_for_more_memory_than_there_is(path: Path) -> None:
    """A few words of a configuration make a network of 120 GB; no part of it is ever made."""
    large = {"depth": 152, "widths": [4096] * 3}
    with in_time(20):
        (problem,) = problems_of_config(path, large)
    assert "network of 29," in problem
    assert "536,870,912 is the most" in problem


def problems_of_config(path: Path, changes: dict[str, Any]) -> list[str]:
    config = torch.load(path, weights_only=True)["config"]
    change(path, config=config | changes)
    return problems(path)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_counting_the_weights_first_leaves_the_random_numbers_alone(arch: str) -> None:
    """Trained networks begin with the weights that their seed gives."""
    torch.manual_seed(3)
    plain = ARCHITECTURES[arch].build(ARCHITECTURES[arch].config())
    torch.manual_seed(3)
    counted, _ = build_model(arch, {}, "here")
    for name, value in plain.state_dict().items():
        assert torch.equal(value, counted.state_dict()[name]), name


def test_names_without_end_are_cut(path: Path) -> None:
    change_weights(path, **{"x" * 10**6: torch.zeros(1)})
    (problem,) = problems(path)
    assert "unexpected weights: xxx" in problem
    assert len(problem) < 1000


def test_weights_of_another_architecture(path: Path) -> None:
    other = ResNet(ResNetConfig(depth=14, widths=(3, 4, 6)))
    change(path, state_dict=other.state_dict())
    missing, unexpected, shapes = problems(path)
    assert missing.startswith("missing weights: layer1.0.gate1.reduce.weight, ")
    assert unexpected.startswith("unexpected weights: layer1.1.conv1.weight, ")
    assert "and 31 more" in unexpected
    assert "layer3.0.conv1.weight ((6, 4, 3, 3) for (5, 4, 3, 3))" in shapes


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(path: Path, value: float) -> None:
    change_weights(path, **{WEIGHT: torch.full(SHAPE, value), "fc.bias": torch.full((10,), value)})
    assert problems(path)[0].startswith(f"NaN or infinite values in {WEIGHT}, fc.bias")


def test_weights_that_overflow_float32_and_negative_variances(path: Path) -> None:
    huge = torch.full(SHAPE, 1e300, dtype=torch.float64)
    change_weights(path, **{WEIGHT: huge, "bn1.running_var": torch.full((3,), -1.0)})
    overflow, negative = problems(path)
    assert overflow.startswith(f"NaN or infinite values in {WEIGHT}")
    assert negative.startswith("negative values in bn1.running_var")


@pytest.mark.parametrize(
    "value",
    [
        "text",
        torch.zeros(SHAPE).to_sparse(),
        torch.zeros(SHAPE, dtype=torch.complex64),
        torch.zeros(SHAPE, dtype=torch.int8),
        torch.zeros(SHAPE).to(torch.float8_e4m3fn),
        torch.zeros(SHAPE, device="meta"),
    ],
)
def test_weights_that_are_no_ordinary_tensors(path: Path, value: object) -> None:
    change_weights(path, **{WEIGHT: value})
    assert problems(path)[0].startswith(f"not ordinary tensors: {WEIGHT}")


@pytest.mark.parametrize("bit", [0, 7])
def test_a_changed_bit_anywhere_in_the_weights_is_noticed(path: Path, bit: int) -> None:
    whole = path.read_bytes()
    weight = load_checkpoint(path).model.state_dict()[WEIGHT].numpy().tobytes()
    place = whole.index(weight)
    for offset in (0, len(weight) // 2, len(weight) - 1):
        damaged = bytearray(whole)
        damaged[place + offset] ^= 1 << bit
        path.write_bytes(damaged)
        assert "does not match its checksum" in problems(path)[0]


def test_weights_that_are_not_those_of_the_digest_are_refused(path: Path) -> None:
    state = torch.load(path, weights_only=True)["state_dict"]
    state[WEIGHT].view(-1)[0] += 1e-3
    change(path, state_dict=state)
    assert "do not match the digest" in problems(path)[0]
    change(path, state_dict=state, digest=weights_digest(state))
    load_checkpoint(path)
    change(path, digest=None)
    assert "do not match the digest" in problems(path)[0]


def test_a_file_of_version_1_is_read_with_a_warning(path: Path) -> None:
    content = torch.load(path, weights_only=True) | {"version": 1}
    torch.save(content | {"digest": "sha256:0"}, path)
    assert "do not match the digest" in problems(path)[0]
    del content["digest"]
    torch.save(content, path)
    with pytest.warns(UserWarning, match="before model files had a digest"):
        load_checkpoint(path)


def test_the_digest_sees_names_types_shapes_and_bits() -> None:
    state = {"a": torch.zeros(2, 3), "b": torch.ones(1)}
    same = {"b": torch.ones(1), "a": torch.zeros(3, 2).t()}
    assert weights_digest(same) == weights_digest(state)
    others = [
        state | {"a": torch.zeros(3, 2)},
        state | {"a": torch.zeros(2, 3, dtype=torch.bfloat16)},
        state | {"a": -torch.zeros(2, 3)},
        {"a": state["a"], "c": state["b"]},
    ]
    assert len({weights_digest(other) for other in [state, *others]}) == 5


def test_the_shipped_models_have_a_digest() -> None:
    for model in sorted(asset("models").glob("*.pt")):
        assert torch.load(model, weights_only=True)["version"] == 2, model
        load_checkpoint(model)
