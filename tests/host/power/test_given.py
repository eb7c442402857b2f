"""What a user gives to a measurement: refused in words before it runs, rather than for ever."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Accelerator, InputError
from acsgen_host.notebook import start
from acsgen_host.power import Inferences, Plan, SyntheticBench
from acsgen_host.power.sources import open_source, parse

from tests.host.test_simulate import folder as folder

pytestmark = pytest.mark.xdist_group("driver")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "must be a text"),
        (5, "must be a text"),
        ("zedboard:bus=1,bus=2", "has bus= twice"),
        ("", "is no power source"),
        ("ina219:bus=1,addr=0x40", "has no option addr"),
    ],
)
def test_a_source_that_is_none(text: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(text)


@pytest.mark.parametrize("text", ["csv:meter.csv", "synthetic"])
def test_a_source_that_is_not_read_while_images_run(text: str) -> None:
    """As a notebook may name it."""
    with pytest.raises(InputError, match="measure-power takes it"):
        open_source(parse(text))


@pytest.mark.parametrize(
    "settings",
    [
        {"seconds": float("inf")},
        {"seconds": float("nan")},
        {"seconds": "10"},
        {"repeats": 5.5},
        {"repeats": True},
        {"repeats": 10**400},
        {"settle": None},
        {"settle": 5.0},
    ],
)
def test_a_plan_has_an_end(settings: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(settings))):
        Plan(**settings).check()
    Plan().check()


def test_loops_have_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Accelerator.simulate(folder) as accelerator:
        images = accelerator.bundle.vectors().images
        for kind in (Inferences, SyntheticBench):
            for wrong in (images[:0], [], images / 255, "images.npy", None):
                with pytest.raises(InputError, match="images"):
                    kind(accelerator, wrong)  # type: ignore[arg-type]
    monkeypatch.setitem(os.environ, "ACSGEN_BUILD", str(folder))
    for limit in (0, -1, "2", 1.5):
        with pytest.raises(InputError, match="limit"):
            start(limit)  # type: ignore[arg-type]
    assert np.array_equal(start(1).images, images[:1])
