"""The example of a user's own network in the documentation, run as a reader would run it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import acsgen.nn
from acsgen.frontend import front_end

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "own_network.py"


def test_the_example_trains_exports_and_compiles(tmp_path: Path) -> None:
    out = tmp_path / "own.pt2"
    command = [sys.executable, str(EXAMPLE), "--steps", "2", "--out", str(out)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "step 0: cross-entropy" in result.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["own.pt2"]
    program = torch.export.load(out)
    nodes = [n for n in program.graph.nodes if n.target is torch.ops.acsgen.channel_gate.default]
    assert len(nodes) == 2
    graph, loaded = front_end(out)
    assert [gate.shape for gate in graph.gates] == [(24,), (40,)]
    assert loaded.input_shape == (3, 32, 32)


def test_the_example_in_the_docstring_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert acsgen.nn.__doc__ is not None
    code = acsgen.nn.__doc__.split("::\n", 1)[1].split("``docs/")[0]
    exec(textwrap.dedent(code), {})
    graph, _ = front_end(tmp_path / "own.pt2")
    assert [gate.shape for gate in graph.gates] == [(32,)]
