"""Opening model files: good ones of both kinds, and every kind of bad one."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from acsgen.frontend import describe, front_end
from acsgen.importers.load import load_model
from acsgen.nn import AcsConfig, ResNet, ResNetConfig, save_checkpoint
from acsgen.support.errors import UserError
from tests.inputs.judge import in_time
from tests.nets.images import noise
from tests.nets.modules import Body, ConvBn, Net, export, randomized


def small_net() -> nn.Module:
    return randomized(Net(Body(lambda s, x: torch.relu(s.c(x)), c=ConvBn(6, 6))))


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "net.pt2"
    torch.export.save(export(small_net()), path)
    return path


def rewritten(archive: Path, target: Path, change) -> Path:
    """A copy of the archive; ``change(name, content)`` gives the new content, None drops it."""
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as copy:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                copy.writestr(name, content)
    return target


def with_program(archive: Path, target: Path, change) -> Path:
    """A copy of the archive whose serialized graph went through ``change(program)``."""

    def edit(name, content):
        if not name.endswith("models/model.json"):
            return content
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    return rewritten(archive, target, edit)


class Attack:
    """Unpickling this creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.count("\n") < 20
    return message


def test_both_kinds_give_the_same_graph(tmp_path):
    config = ResNetConfig(image_size=8, widths=(4, 4, 4), gate=AcsConfig())
    model = randomized(ResNet(config))
    checkpoint, archive = tmp_path / "a.pt", tmp_path / "a.pt2"
    save_checkpoint(checkpoint, model, "resnet", config, {"note": "x"})
    torch.export.save(export(model), archive)
    first, loaded = front_end(checkpoint)
    second, other = front_end(archive)
    assert describe(first) == describe(second)
    assert (loaded.source, other.source) == ("checkpoint", "pt2")
    assert (loaded.name, loaded.meta, loaded.input_shape) == ("a", {"note": "x"}, (3, 8, 8))
    images = torch.from_numpy(noise((3, 8, 8), 3, seed=1))
    torch.testing.assert_close(loaded.logits(images), other.logits(images))
    json.dumps(describe(first))


def test_a_file_is_what_is_in_it_whatever_its_name(tmp_path, archive):
    config = ResNetConfig(image_size=8, widths=(4, 4, 4), gate=AcsConfig())
    save_checkpoint(tmp_path / "a.pt", randomized(ResNet(config)), "resnet", config, {})
    checkpoint = (tmp_path / "a.pt").rename(tmp_path / "checkpoint.pt2")
    (tmp_path / "archive.pt").write_bytes(archive.read_bytes())
    assert load_model(checkpoint).source == "checkpoint"
    assert load_model(tmp_path / "archive.pt").source == "pt2"


def test_saved_in_place_operations(tmp_path):
    body = Body(lambda s, x: s.r(s.c(x)), c=ConvBn(6, 6), r=nn.ReLU(inplace=True))
    torch.export.save(export(randomized(Net(body))), tmp_path / "n.pt2")
    front_end(tmp_path / "n.pt2")


def test_missing_folder_and_device(tmp_path):
    assert "no such file" in refusal(tmp_path / "none.pt")
    assert "folder" in refusal(tmp_path)
    assert "not a regular file" in refusal(Path(os.devnull))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".pt2", ".pt"])
def test_truncated(archive, tmp_path, share, suffix):
    path = tmp_path / f"cut{suffix}"
    content = archive.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "truncated" in refusal(path)


@pytest.mark.parametrize("part", ["weights/weight_3", "models/model.json", "archive_version"])
def test_missing_part(archive, tmp_path, part):
    path = rewritten(archive, tmp_path / "m.pt2", lambda n, c: None if n.endswith(part) else c)
    refusal(path)


def test_weights_that_a_few_numbers_stand_for(archive, tmp_path):
    """Strides of zero make a tensor of any size; nobody computes with it."""

    def stretch(name, content):
        if not name.endswith("model_weights_config.json"):
            return content
        config = json.loads(content)
        for weight in config["config"].values():
            sides = {"sizes": [{"as_int": 10**6}] * 2, "strides": [{"as_int": 0}] * 2}
            weight["tensor_meta"].update(sides)
        return json.dumps(config).encode()

    with in_time(20):
        assert "000,000,000 weights" in refusal(rewritten(archive, tmp_path / "s.pt2", stretch))


def test_garbage_in_the_graph(archive, tmp_path):
    def change(program):
        program["graph_module"]["graph"]["nodes"][3]["inputs"] = "nonsense"

    assert "not a readable" in refusal(with_program(archive, tmp_path / "g.pt2", change))


def test_pickled_code_in_a_checkpoint(tmp_path):
    path, mark = tmp_path / "evil.pt", tmp_path / "mark"
    torch.save({"format": Attack(mark)}, path)
    refusal(path)
    path.write_bytes(pickle.dumps(Attack(mark)))
    refusal(path)
    assert not mark.exists()


def test_pickled_code_in_example_inputs(archive, tmp_path):
    mark = tmp_path / "mark"
    payload = io.BytesIO()
    torch.save((Attack(mark),), payload)

    def change(name, content):
        return payload.getvalue() if "sample_inputs" in name else content

    assert "refused for safety" in refusal(rewritten(archive, tmp_path / "e.pt2", change))
    assert not mark.exists()


def test_pickled_code_in_weights(archive, tmp_path):
    mark = tmp_path / "mark"
    payload = io.BytesIO()
    torch.save(Attack(mark), payload)

    def change(name, content):
        if name.endswith("weights_config.json"):
            config = json.loads(content)
            for entry in config["config"].values():
                entry["use_pickle"] = True
            return json.dumps(config).encode()
        return payload.getvalue() if "/weight_" in name else content

    assert "refused for safety" in refusal(rewritten(archive, tmp_path / "e.pt2", change))
    assert not mark.exists()


@pytest.mark.parametrize("prefix", ["custom_obj_0", "opaque_obj_0"])
def test_custom_objects(archive, tmp_path, prefix):
    mark = tmp_path / "mark"

    def change(name, content):
        if name.endswith("constants_config.json"):
            return json.dumps({"config": {"k": {"path_name": prefix, "use_pickle": True}}}).encode()
        return content

    path = rewritten(archive, tmp_path / "e.pt2", change)
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr(f"net/data/constants/{prefix}", pickle.dumps(Attack(mark)))
    assert "custom object" in refusal(path)
    assert not mark.exists()


def test_compiled_library(archive, tmp_path):
    path = rewritten(archive, tmp_path / "e.pt2", lambda n, c: c)
    with zipfile.ZipFile(path, "a") as opened:
        opened.writestr("net/data/aotinductor/model/code.so", b"\x7fELF")
    assert "compiled code" in refusal(path)


@pytest.mark.parametrize(
    "target", ["torch.os.system", "torch.ops.higher_order.cond", "math.sqrt", "#ext.op", "builtins"]
)
def test_foreign_operators_are_listed(archive, tmp_path, target):
    def change(program):
        nodes = program["graph_module"]["graph"]["nodes"]
        for node in nodes[-2:]:
            node["target"] = target

    with pytest.raises(UserError) as caught:
        load_model(with_program(archive, tmp_path / "e.pt2", change))
    where = [p.where for p in caught.value.problems]
    assert where[0].startswith("modules.py:") or where[0].startswith("test_load.py:")
    assert where[1:] == ["fc"]


def test_expressions_are_never_evaluated(archive, tmp_path):
    mark = tmp_path / "mark"

    def change(program):
        values = program["graph_module"]["graph"]["tensor_values"]
        code = f"__import__('os').mkdir('{mark}')"
        next(iter(values.values()))["sizes"][0] = {"as_expr": {"expr_str": code, "hint": None}}

    assert "dynamic shapes" in refusal(with_program(archive, tmp_path / "e.pt2", change))
    assert not mark.exists()


def test_guards_are_never_run(archive, tmp_path):
    mark = tmp_path / "mark"

    def change(program):
        program["guards_code"] = [f"__import__('os').mkdir('{mark}')"]

    front_end(with_program(archive, tmp_path / "e.pt2", change))
    assert not mark.exists()


def test_names_that_are_code(archive, tmp_path):
    mark = tmp_path / "mark"
    name = f"x\n__import__('os').mkdir('{mark}')\ny"

    def change(name_, content):
        if not name_.endswith("models/model.json"):
            return content
        return content.replace(b'"p_stem_0_weight"', json.dumps(name).encode())

    assert "unexpected text" in refusal(rewritten(archive, tmp_path / "e.pt2", change))
    assert not mark.exists()


def test_file_opening_operator_is_not_called(archive, tmp_path):
    victim = tmp_path / "victim"

    def change(program):
        node = program["graph_module"]["graph"]["nodes"][-1]
        node["target"] = "torch.ops.aten.from_file.default"
        node["inputs"] = [
            {"name": "filename", "arg": {"as_string": str(victim)}, "kind": 1},
            {"name": "shared", "arg": {"as_bool": True}, "kind": 1},
            {"name": "size", "arg": {"as_int": 4}, "kind": 1},
        ]

    with pytest.raises(UserError):
        front_end(with_program(archive, tmp_path / "e.pt2", change))
    assert not victim.exists()


def test_not_finite_weights(tmp_path):
    model = small_net()
    with torch.no_grad():
        model.body.c[0].weight[0, 0, 0, 0] = float("nan")
        model.fc.bias[1] = float("inf")
    torch.export.save(export(model), tmp_path / "n.pt2")
    message = refusal(tmp_path / "n.pt2")
    assert "NaN or infinite" in message
    assert "body.c.0.weight" in message
    assert "fc.bias" in message


INPUTS = {
    "batch": (((torch.zeros(2, 3, 8, 8),)), None, "batches of 2"),
    "rank": ((torch.zeros(3, 8, 8),), None, "[3, 8, 8]"),
    "half": ((torch.zeros(1, 3, 8, 8, dtype=torch.float16),), None, "torch.float16"),
    "dynamic": (
        (torch.zeros(2, 3, 8, 8),),
        ({0: torch.export.Dim("n", min=1, max=8)},),
        "dynamic shapes",
    ),
}


@pytest.mark.parametrize("case", INPUTS)
def test_unusable_inputs(tmp_path, case):
    args, dynamic, what = INPUTS[case]
    exported = torch.export.export(nn.ReLU(), args, dynamic_shapes=dynamic, strict=False)
    torch.export.save(exported, tmp_path / "i.pt2")
    assert what in refusal(tmp_path / "i.pt2")


def test_two_inputs(tmp_path):
    module = Body(lambda s, x: x)
    module.forward = lambda x, y: x + y
    args = (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
    torch.export.save(torch.export.export(module, args, strict=False), tmp_path / "t.pt2")
    assert "takes 2 inputs" in refusal(tmp_path / "t.pt2")
