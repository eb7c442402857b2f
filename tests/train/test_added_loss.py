"""The loss that the documentation adds, added as a reader would: by its one file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import acsgen
from acsgen.train.losses import LOSSES

GUIDE = Path(__file__).parents[2] / "docs" / "training.md"


def test_a_loss_is_one_file(tmp_path: Path) -> None:
    assert acsgen.__file__ is not None
    package = tmp_path / "acsgen"
    shutil.copytree(Path(acsgen.__file__).parent, package)
    guide = GUIDE.read_text(encoding="utf-8")
    code = next(part for part in guide.split("```python\n") if "OpenShareLoss" in part)
    (package / "train" / "losses" / "open_share.py").write_text(code.split("```")[0])
    images = np.random.default_rng(0).integers(0, 256, (64, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(64) % 4)
    recipe = tmp_path / "tiny.yaml"
    phase = "{name: skip, epochs: 1, gates: learned, loss: {name: open_share, share: 0.6}}"
    recipe.write_text(
        "{name: tiny, model: {depth: 8, widths: [4, 4, 4], gate: {}}, batch: 32, "
        f"data: {{name: 'npz:{tmp_path / 'noise.npz'}'}}, phases: [{phase}]}}"
    )

    def run(*settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "acsgen", "train", str(recipe), "--out", "out", *settings],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        )

    done = run()
    assert done.returncode == 0, done.stderr
    (line,) = (tmp_path / "out" / "tiny.metrics.jsonl").read_text().splitlines()
    metrics = json.loads(line)
    assert metrics["share_error"] > 0.0
    assert metrics["loss"] > metrics["ce"]
    refused = run("--set", "phases.0.loss={name: open_shear}", "--set", "batch=x")
    assert refused.returncode == 2
    text = " ".join(refused.stderr.split())
    known = ", ".join(sorted([*LOSSES, "open_share"]))
    assert f"unknown loss 'open_shear' (known: {known})" in text
    assert "batch" in text
