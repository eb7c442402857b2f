"""The integer network does not depend on the processor, its vector units, libraries or threads."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

ROOT = Path(__file__).parents[2]

#: Quantizes a seeded network and prints a digest of all constants of the integer graph.
PROGRAM = """
import hashlib
from dataclasses import fields

import numpy as np
import torch

from acsgen.frontend import layers_of
from acsgen.nn import AcsConfig, ResNet, ResNetConfig
from acsgen.quant import quantize
from tests.frontend.compiled import program_of
from tests.quant.test_processors import seeded, spread

if {onednn!r} == "off":
    torch.backends.mkldnn.set_flags(False)
torch.set_num_threads({threads})
model = seeded(ResNet(ResNetConfig(image_size=16, widths=(8, 12, 16), gate=AcsConfig())))
images = np.random.default_rng(1).integers(0, 256, (24, 3, 16, 16), np.uint8)
digest = hashlib.sha256()
own, centred, refined = 0, 0, 0
for network, dtype in ((model, torch.uint8), (spread(), torch.float32)):
    graph, _ = layers_of(program_of(network, (3, 16, 16), dtype))
    # Once as it is, and once with the second try, which these networks do not need.
    for quantize.REFINE_BELOW in (0.0, 2.0):
        integers, told = quantize.quantize_and_judge(graph, images)
        refined += told.used
        digest.update(repr(told).encode())
        for layer in integers:
            own += layer.format.one_scale is None
            centred += layer.name.endswith(".centred")
            for field in fields(layer):
                value = getattr(layer, field.name)
                text = value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()
                digest.update(field.name.encode() + text)
print(own, centred, refined, digest.hexdigest())
"""

#: Settings that stand for another processor: environment of the libraries, threads, oneDNN.
PROCESSORS = {
    "as it is": ({}, 1, "on"),
    "two threads": ({}, 2, "on"),
    "no oneDNN": ({}, 1, "off"),
    "AVX2": (
        {
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "ATEN_CPU_CAPABILITY": "avx2",
            "OPENBLAS_CORETYPE": "Haswell",
        },
        1,
        "on",
    ),
    "no vectors": (
        {
            "ONEDNN_MAX_CPU_ISA": "SSE41",
            "ATEN_CPU_CAPABILITY": "default",
            "OPENBLAS_CORETYPE": "Nehalem",
            "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
            "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
        },
        2,
        "on",
    ),
}


def seeded(module: nn.Module) -> nn.Module:
    """``module`` in eval mode with weights from whole numbers, which are the same everywhere."""
    rng = np.random.default_rng(0)

    def draw(tensor: torch.Tensor, low: int, high: int, unit: float) -> None:
        values = rng.integers(low, high, tuple(tensor.shape))
        tensor.copy_(torch.from_numpy(values.astype(np.float64) * unit))

    with torch.no_grad():
        for name, value in sorted(module.state_dict().items()):
            if name.endswith("running_var"):
                draw(value, 32, 128, 2.0**-6)
            elif name.endswith("running_mean"):
                draw(value, -64, 64, 2.0**-8)
            elif value.dim() > 1:
                spread = 2.0 ** -round(math.log2(value[0].numel()) / 2)
                draw(value, -97, 98, spread * 2.0**-6)
            elif value.dtype.is_floating_point:
                draw(value, -40, 90, 2.0**-6)
    return module.eval()


def spread() -> nn.Module:
    """Channels that differ a thousandfold and take scales of their own, and an average that hardly
    differs between images."""
    net = seeded(
        nn.Sequential(
            nn.Conv2d(3, 16, 3, padding=1),
            nn.ReLU6(),
            nn.Conv2d(16, 16, 3, padding=1, groups=16),
            nn.ReLU(),
            nn.Conv2d(16, 16, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, 10),
        )
    )
    sizes = 2.0 ** (torch.arange(16) * 5 % 16 - 12)
    with torch.no_grad():
        net[0].weight.mul_(sizes[:, None, None, None])
        net[0].bias.mul_(sizes)
        net[2].bias.mul_(sizes)
        net[4].weight.div_(sizes[None, :, None, None])
    return net


def digest(environment: dict[str, str], threads: int, onednn: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(threads=threads, onednn=onednn)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_processor_makes_the_same_integers() -> None:
    digests = {name: digest(*settings) for name, settings in PROCESSORS.items()}
    own, centred, refined, hexadecimal = digests["as it is"].split()
    assert int(own) >= 2
    assert int(centred) >= 1
    assert int(refined) == 2
    assert len(hexadecimal) == 64
    assert set(digests.values()) == {digests["as it is"]}, digests
