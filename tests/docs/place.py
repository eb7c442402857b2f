"""A folder as a reader has it before a page begins: model, images, shipped recipes, tools."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
import yaml

from acsgen.flow.synth import Figures, load_baseline
from acsgen.flow.synth.run import remembered
from tests.docs.pages import ROOT, Page
from tests.importers.public_gated import SkipNet
from tests.nets.modules import SMALL_SHAPE, export_small, randomized
from tests.vivado.tools import write_vitis_hls, write_vivado

#: One epoch of every phase, on few images: keys of the recipe, which ``--set`` documents.
_SMALL_TRAINING = ("data.train_limit=64", "data.test_limit=32", "batch=32")

#: The cache of ``acsgen synth``, which takes minutes without one.
_SYNTHESIZED = ".synthesized"


def furnish(folder: Path, page: Page) -> dict[str, str]:
    """Put into ``folder`` what the page takes as given; return the environment of its shell."""
    models = ROOT / "models"
    # As in a copy of the repository: recipes begin with the weights of shipped networks.
    shutil.copytree(models, folder / "models")
    shutil.copy(models / "resnet8-acs-digits32.pt", folder / "model.pt")
    export_small(folder / "mine.pt2")
    rng = np.random.default_rng(1)
    for name, shape in (("images.npz", (3, 32, 32)), ("my-images.npz", SMALL_SHAPE)):
        images = rng.integers(0, 256, (64, *shape), dtype=np.uint8)
        np.savez(folder / name, images=images, labels=rng.integers(0, 10, 64))
    for block in page.blocks:
        if block.is_file:
            (folder / block.title).write_text(block.text, encoding="utf-8")
    for path in page.linked_files:
        shutil.copy(path, folder)
    _cifar(folder / "data", rng)
    if "acsgen import" in page.text:
        checkpoint = {"epoch": 3, "state_dict": randomized(SkipNet("I")).state_dict()}
        torch.save(checkpoint, folder / "model_best.pth.tar")
    if "acsgen synth " in page.text:
        _known_netlists(folder / _SYNTHESIZED)
    tools = folder / ".tools"
    write_vivado(tools)
    write_vitis_hls(tools)
    for name, words in (("acsgen", "-m acsgen"), ("python", ""), ("python3", "")):
        path = tools / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
        path.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("XILINX", "FAKE", "ACS_"))}
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'host'}",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
    }


def _cifar(folder: Path, rng: np.random.Generator) -> None:
    """Files of the form of CIFAR-10's binary version: a byte of label, then 3072 of pixels."""
    folder.mkdir()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        records = rng.integers(0, 256, (60, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        records.tofile(folder / f"{name}.bin")


def _known_netlists(cache: Path) -> None:
    """A cache as it is after an earlier ``acsgen synth``: of the netlists of the baseline. One that
    changed since is synthesized by the command."""
    recorded = load_baseline(ROOT / "benchmarks" / "synthesis.json")
    for engine in recorded.values():
        for name, unit in engine["units"].items():
            figures = Figures(**{field.name: unit[field.name] for field in fields(Figures)})
            found = (figures, unit["delay_ps"])
            module = name.partition("(")[0]
            version, digest = engine["yosys"], unit["netlist"]
            remembered(module, digest, version, cache / "synth", lambda found=found: found)


def shortened(line: str, folder: Path) -> str:
    """Return a command of a page with options of its own that make it short; others as they are."""
    code, hash_, comment = line.partition("  #")
    words = code.split()
    more: list[str] = []
    if words[:2] == ["acsgen", "build"] and "--images" not in words:
        more = ["--images", "4"]  # as many as the pages simulate later
    elif words[:2] == ["acsgen", "sim"] and "--images" not in words:
        more = ["--images", "1"]
    elif words[:2] == ["acsgen", "eval"] and "--limit" not in words:
        more = ["--limit", "32"]
    elif words[:4] == ["acsgen", "synth", "--timing", "--whole"]:
        # Takes five minutes, which tests/flow/synth does with --run-slow: here it is parsed alone.
        more = ["--help"]
    elif words[:3] == ["acsgen", "synth", "--timing"]:
        more = ["--only", "acs_load"]
    elif words[:2] == ["acsgen", "synth"]:
        code = f"ACSGEN_CACHE={folder / _SYNTHESIZED} {code}"
    elif words[:2] == ["acsgen", "bench"]:
        more = ["--only", "resnet8/dense"]
    elif words[:2] == ["python", "own_network.py"]:
        more = ["--steps", "2"]
    elif words[:2] == ["acsgen", "compare"]:
        more = ["--images", "1", "--pairs", "1"]
    elif words[:2] == ["acsgen", "sweep"] and not words[2].endswith(".yaml"):
        more = ["--images", "1"]
    elif words[:2] in (["acsgen", "train"], ["acsgen", "sweep"]):
        recipe = yaml.safe_load((folder / words[2]).read_text(encoding="utf-8"))
        keys = [*_SMALL_TRAINING]
        keys += [f"phases.{number}.epochs=1" for number in range(len(recipe["phases"]))]
        if "max_first_component" in recipe:
            keys += ["max_first_component=null"]  # says nothing of so few images
        more = [word for key in keys for word in ("--set", key)]
    return " ".join([code.rstrip(), *more]) + f"{hash_}{comment}"
