"""Bad input to ``acsgen build``: one screen, exit status 2, and nothing left behind."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from torch import nn
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.nn.checkpoint import save_checkpoint
from acsgen.nn.networks.resnet import ResNet, ResNetConfig
from acsgen.support.assets import asset

SCREEN_LINES = 24


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small good model, so that each test has one fault only."""
    path = tmp_path_factory.mktemp("model") / "good.pt"
    config = ResNetConfig(depth=8, widths=(4, 4, 8), gate=None)
    torch.manual_seed(0)
    save_checkpoint(path, ResNet(config), "resnet", config, {})
    return path


def tree(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def refused(folder: Path, *arguments: object) -> str:
    """Run a build that must be refused; return its message, after a check of its form."""
    before = tree(folder)
    words = ["build", *map(str, arguments), "--out", str(folder / "new" / "out")]
    if "--board" not in words:
        words += ["--board", "zedboard"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2, result.output
    assert tree(folder) == before
    check_message(result.stderr)
    return " ".join(result.stderr.split())


def check_message(said: str) -> None:
    assert "acsgen: error:" in said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= SCREEN_LINES


def test_missing_file(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path, tmp_path / "absent.pt")


def test_a_directory_for_a_model(tmp_path: Path) -> None:
    assert str(tmp_path) in refused(tmp_path, tmp_path)


@pytest.mark.parametrize("keep", [0, 1, 100, 0.5, 0.99])
def test_truncated_file(tmp_path: Path, model_file: Path, keep: float) -> None:
    whole = model_file.read_bytes()
    path = tmp_path / "cut.pt"
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    assert str(path) in refused(tmp_path, path)


class Evil:
    """Unpickling this runs a command."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.proof,))


@pytest.mark.parametrize("suffix", [".pt", ".pt2"])
def test_a_pickle_with_code_in_it_is_refused_and_not_run(tmp_path: Path, suffix: str) -> None:
    proof = tmp_path / "ran"
    plain, archive = tmp_path / f"plain{suffix}", tmp_path / f"archive{suffix}"
    plain.write_bytes(pickle.dumps(Evil(proof)))
    torch.save({"format": "acsgen-checkpoint", "version": 1, "arch": Evil(proof)}, archive)
    for path in (plain, archive):
        assert str(path) in refused(tmp_path, path)
        assert not proof.exists()


def test_what_is_not_a_model_at_all(tmp_path: Path) -> None:
    for content in (b"hello", b"PK\x03\x04 not a zip", b"\x80\x02."):
        path = tmp_path / "other.pt"
        path.write_bytes(content)
        assert str(path) in refused(tmp_path, path)


def test_a_bare_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "bare.pt"
    torch.save(nn.Linear(3, 4).state_dict(), path)
    assert "not an acsgen checkpoint" in refused(tmp_path, path)


def rewrite(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    content = torch.load(source, weights_only=True)
    change(content)
    torch.save(content, target)
    return target


def test_state_dict_of_another_architecture(tmp_path: Path, model_file: Path) -> None:
    def other(content: dict[str, Any]) -> None:
        content["state_dict"] = nn.Sequential(nn.Conv2d(3, 8, 5), nn.BatchNorm2d(8)).state_dict()

    path = rewrite(model_file, tmp_path / "other.pt", other)
    assert str(path) in refused(tmp_path, path)


def test_state_dict_of_other_widths(tmp_path: Path, model_file: Path) -> None:
    def wider(content: dict[str, Any]) -> None:
        content["config"]["widths"] = [8, 8, 8]

    path = rewrite(model_file, tmp_path / "wider.pt", wider)
    assert "shape" in refused(tmp_path, path)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_numbers(tmp_path: Path, model_file: Path, value: float) -> None:
    names = []

    def poison(content: dict[str, Any]) -> None:
        names.append(next(n for n, t in content["state_dict"].items() if t.dim() == 4))
        content["state_dict"][names[0]].view(-1)[0] = value

    path = rewrite(model_file, tmp_path / "poisoned.pt", poison)
    assert names[0].removesuffix(".weight") in refused(tmp_path, path)


def test_lanes_that_the_part_cannot_have(tmp_path: Path, model_file: Path) -> None:
    said = refused(tmp_path, model_file, "--board", "zedboard", "--lanes", 4096)
    assert "DSP" in said


def test_a_network_that_does_not_fit_says_what_is_short(tmp_path: Path, model_file: Path) -> None:
    board = yaml.safe_load(asset("hw", "boards", "zedboard.yaml").read_text())
    board |= {"feature_kib": 1}
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(board))
    said = refused(tmp_path, model_file, "--board", path)
    assert "feature" in said
    assert "KiB" in said or "bytes" in said


def test_unknown_dataset(tmp_path: Path, model_file: Path) -> None:
    assert "digits32" in refused(tmp_path, model_file, "--dataset", "mnist99")


def test_calibration_images_of_the_wrong_shape(tmp_path: Path, model_file: Path) -> None:
    path = tmp_path / "small.npz"
    np.savez(path, images=np.zeros((4, 3, 16, 16), np.uint8), labels=np.zeros(4, np.int64))
    said = refused(tmp_path, model_file, "--dataset", f"npz:{path}")
    assert "16" in said
    assert "32" in said


class Unsupported(nn.Module):
    """Two operators that no accelerator of ours has, under names to be found in the message."""

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(3, 8, 2, stride=2)
        self.norm = nn.GroupNorm(2, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return something of a classifier's shape."""
        y: torch.Tensor = self.norm(self.up(x)).amax((2, 3)).sin()
        return y


def test_unsupported_layers_of_a_users_network_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt2"
    program = torch.export.export(Unsupported().eval(), (torch.zeros(1, 3, 32, 32),))
    torch.export.save(program, path)
    said = refused(tmp_path, path)
    assert "up" in said
    assert "norm" in said
    assert "sin" in said


def test_output_directory_of_somebody_else(tmp_path: Path, model_file: Path) -> None:
    precious = tmp_path / "new" / "out" / "thesis.tex"
    precious.parent.mkdir(parents=True)
    precious.write_text("precious")
    assert "left untouched" in refused(tmp_path, model_file)


def test_output_under_a_file(tmp_path: Path, model_file: Path) -> None:
    (tmp_path / "new").write_text("a file")
    assert "not a directory" in refused(tmp_path, model_file)


# A mount of our own, which an ordinary user may make in a namespace of their own.
IN_NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]


def namespaces_work() -> bool:
    if not shutil.which("unshare"):
        return False
    command = [*IN_NAMESPACE, "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("option", "said"), [("ro", "read-only"), ("size=32k", "no space left on the disk")]
)
def test_read_only_and_full_disks(tmp_path: Path, model_file: Path, option: str, said: str) -> None:
    if not namespaces_work():
        pytest.skip("this system lets nobody make a mount namespace")
    disk = tmp_path / "disk"
    disk.mkdir()
    script = (
        'mount -t tmpfs -o "$1" tmpfs "$2"; shift; disk=$1; shift; "$@"; status=$?; '
        'ls -A "$disk"; exit $status'
    )
    build = [sys.executable, "-m", "acsgen", "build", str(model_file), "--board", "zedboard"]
    command = [*IN_NAMESPACE, script, "sh", option, str(disk), *build, "--out", str(disk / "out")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    check_message(result.stderr)
    assert said in " ".join(result.stderr.split())
    assert "out" not in result.stdout.split()


def test_a_share_in_the_place_of_a_percentage_is_told(model_file: Path, tmp_path: Path) -> None:
    text = refused(tmp_path, model_file, "--board", "zedboard", "--require-agreement", "0.95")
    assert "give 95 for a share of 0.95" in " ".join(text.split())
