"""Every kind of file that the product reads: good ones to start from, and the readers."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from acsgen_host import Bundle
from acsgen_host.digests import describe_files
from acsgen_host.handoff import VLNV, check_handoff, expected_registers
from hypothesis import strategies as st

from acsgen.cli.info import _show_board
from acsgen.cli.report import layers_table
from acsgen.cli.sim_images import read_images
from acsgen.cli.synth_report import comparison_table
from acsgen.cli.tables import print_table
from acsgen.cost.resources import check_resources
from acsgen.data import load_dataset
from acsgen.emit.claims import load_claims
from acsgen.flow.baseline import load_baseline
from acsgen.frontend import front_end
from acsgen.nn.checkpoint import save_checkpoint
from acsgen.nn.networks.resnet import ResNet, ResNetConfig
from acsgen.nn.weights_digest import weights_digest
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.report.claims import compare
from acsgen.report.csynth import read_report as read_synthesis
from acsgen.report.file import REPORT_FILE, read_report, write_report
from acsgen.report.hints import hints
from acsgen.report.text import summary_rows
from acsgen.support.assets import asset
from acsgen.train import load_recipe
from acsgen.verify.builddir import MANIFEST_FILE, open_build
from tests.inputs import mutate
from tests.inputs.mutate import ODD_VALUES, Draw
from tests.nets.modules import export_small
from tests.report.samples import REPORT
from tests.report.test_csynth import CLAIMS
from tests.report.test_csynth import report as synthesis_report

_REPORT_BOARD = "zedboard"


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        start: writes a good file, and what lies beside it, into an empty folder; returns the file.
        damage: makes another content of a good one.
        read: reads the file as the product does, and uses what it read.
        renew: makes the digests beside the file those of its new content, so that the damage is
            not merely noticed by them.
        weight: how many of the examples it gets: slow readers get fewer.
    """

    start: Callable[[Path], Path]
    damage: Callable[[bytes, Draw], bytes]
    read: Callable[[Path], object]
    renew: Callable[[Path], object] = lambda _: None
    weight: float = 1.0


def _checkpoint(folder: Path) -> Path:
    config = ResNetConfig(depth=8, widths=(4, 4, 8), gate=None)
    torch.manual_seed(0)
    save_checkpoint(folder / "small.pt", ResNet(config), "resnet", config, {"dataset": "digits32"})
    return folder / "small.pt"


def _odd_tensors() -> tuple[Any, ...]:
    few = torch.zeros(4)
    return (
        few, torch.zeros(()), torch.zeros(0), torch.full((4,), torch.nan), torch.zeros(4, 3, 3, 3),
        torch.zeros(1).expand(2**40), torch.zeros(4, dtype=torch.complex64), few.to_sparse(),
        few.to("meta"), torch.zeros(4, dtype=torch.bool), torch.zeros(4, dtype=torch.uint16),
        torch.quantize_per_tensor(few, 0.1, 0, torch.qint8), torch.full((4,), 1e38) * 1e3,
    )  # fmt: skip


def _damage_checkpoint(content: bytes, draw: Draw) -> bytes:
    if draw(st.integers(0, 3)) == 0:
        return mutate.damage_zip(content, draw, lambda _, inside, d: mutate.damage_bytes(inside, d))
    model = torch.load(io.BytesIO(content), weights_only=True)
    laughing: list[Any] = []
    for _ in range(40):
        laughing = [laughing, laughing]
    odd = (*ODD_VALUES, *_odd_tensors(), laughing)
    part = draw(st.sampled_from(["", "config", "config", "meta", "state_dict"]))
    if part:
        numbers = (0, 1, 2, 3, 7, 9, 64, 1025, 100_000, 2**20, 2**40, -8, 1.5, [1, 1, 1], "conv1")
        model[part] = mutate.damage_value(model[part], draw, (*odd, *numbers))
    else:
        model = mutate.damage_value(model, draw, odd)
    if isinstance(model, dict) and isinstance(model.get("state_dict"), dict):
        state = model["state_dict"]
        if all(_digestible(key, value) for key, value in state.items()):
            model["digest"] = weights_digest(state)
    result = io.BytesIO()
    torch.save(model, result)
    return result.getvalue()


def _digestible(key: object, value: object) -> bool:
    """Whether a digest can be made of a value, as the writer of a file would."""
    plain = isinstance(value, torch.Tensor) and value.layout is torch.strided
    return isinstance(key, str) and plain and value.device.type == "cpu" and value.numel() < 1e6  # type: ignore[attr-defined]


def _damage_program(content: bytes, draw: Draw) -> bytes:
    def part(name: str, inside: bytes, draw: Draw) -> bytes:
        if name.endswith(".json") and draw(st.booleans()):
            values = (*ODD_VALUES, 3, 7, 8, 15, 64, 1025, 2**20, 2**40, -2, 1.5, "conv", "relu")
            return json.dumps(mutate.damage_value(json.loads(inside), draw, values)).encode()
        if name.endswith(".json"):
            return mutate.damage_json(inside, draw)
        return mutate.damage_bytes(inside, draw)

    return mutate.damage_zip(content, draw, part)


def _npz(folder: Path) -> Path:
    images = np.arange(2 * 3 * 8 * 8, dtype=np.uint8).reshape(2, 3, 8, 8)
    np.savez(folder / "images.npz", images=images, labels=np.array([0, 1]))
    return folder / "images.npz"


def _damage_npz(content: bytes, draw: Draw) -> bytes:
    if draw(st.booleans()):
        return mutate.damage_zip(content, draw, lambda _, inside, d: mutate.damage_bytes(inside, d))
    arrays = dict(np.load(io.BytesIO(content)))
    key = draw(st.sampled_from(sorted(arrays)))
    dtype = draw(st.sampled_from(["u1", "i8", "f8", "O", "U3", "V5", "M8[s]", "c16", "?", ">i2"]))
    shape = draw(st.sampled_from([(), (0,), (2,), (3,), (2, 3, 8, 8), (2, 3, 8, 0), (1,) * 30]))
    arrays[key] = np.zeros(shape, dtype)
    if draw(st.booleans()):
        arrays[key] = np.full_like(arrays[key], 1, dtype=dtype)
    result = io.BytesIO()
    np.savez(result, **arrays)
    return result.getvalue()


def _read_npz(path: Path) -> None:
    for read in (
        partial(load_dataset, f"npz:{path}", "test"),
        partial(read_images, path, (3, 8, 8)),
    ):
        yielding(read)


def yielding(read: Callable[[], object]) -> None:
    """Call one of several readers; each has to read the file or to refuse it."""
    from tests.inputs.judge import REFUSALS, in_words

    try:
        read()
    except REFUSALS as error:
        in_words(error)


def _board(folder: Path) -> Path:
    path = folder / "mine.yaml"
    path.write_bytes(asset("hw", "boards", "zedboard.yaml").read_bytes())
    return path


def _read_board(path: Path) -> None:
    board = load_board(str(path))
    _show_board(board, str(path))
    for groups in (None, 1):
        engine = EngineConfig.for_board(board, groups)
        check_resources(engine, board)


def _recipe(folder: Path) -> Path:
    path = folder / "recipe.yaml"
    path.write_bytes(asset("models", "recipes", "resnet8-acs-digits32.yaml").read_bytes())
    return path


def _build_file(name: str, build: Path, folder: Path) -> Path:
    """A copy of a build in ``folder``; the file to damage is ``name`` in it."""
    for part in ("program", "vectors"):
        shutil.copytree(build / part, folder / part)
    shutil.copyfile(build / MANIFEST_FILE, folder / MANIFEST_FILE)
    return folder / name


def _renew(path: Path) -> None:
    """Give a damaged file of a build the digest that its content has, wherever it is noted."""
    for holder, root in (
        (path.parent.parent / MANIFEST_FILE, path.parent.parent),
        (path.parent / "program.json", path.parent),
    ):
        name = str(path.relative_to(root))
        if holder == path or not holder.is_file():
            continue
        content = json.loads(holder.read_text())
        if name in content["files"]:
            content["files"] |= describe_files(root, [name])
            holder.write_text(json.dumps(content))
            if holder.name != MANIFEST_FILE:
                _renew(holder)


def _read_build(path: Path) -> None:
    folder = path.parent if path.name == MANIFEST_FILE else path.parent.parent

    def on_board() -> None:
        bundle = Bundle.load(folder)
        bundle.vectors()

    yielding(lambda: open_build(folder))
    yielding(on_board)


def _budget(build: Path, folder: Path) -> Path:
    path = _build_file("program/budget.json", build, folder)
    point = {"strictness": 0.5, "macs_mean": 5e6, "macs_max": 6_000_000, "accuracy": None}
    path.write_text(json.dumps({"images": 2, "source": "here", "points": [point]}))
    return path


def _report(folder: Path) -> Path:
    write_report(folder, REPORT)
    return folder / REPORT_FILE


def _read_report(path: Path) -> None:
    report = read_report(path.parent)
    summary_rows(report, load_board(_REPORT_BOARD))
    print_table(layers_table(report))
    hints(report)


def _handoff(folder: Path) -> Path:
    path = folder / "acs.hwh"
    registers = "".join(
        f'<REGISTER NAME="{name}"><PROPERTY NAME="ADDRESS_OFFSET" VALUE="{offset:#x}"/></REGISTER>'
        for name, offset in expected_registers().items()
    )
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<EDKSYSTEM><MODULES><MODULE FULLNAME="/ps7" INSTANCE="ps7"><MEMORYMAP>
<MEMRANGE BASEVALUE="0x43C00000" HIGHVALUE="0x43C0FFFF" INSTANCE="acs_engine_0"/>
</MEMORYMAP></MODULE>
<MODULE FULLNAME="/acs_engine_0" INSTANCE="acs_engine_0" VLNV="{VLNV}"><ADDRESSBLOCKS><ADDRESSBLOCK>
<REGISTERS>{registers}</REGISTERS></ADDRESSBLOCK></ADDRESSBLOCKS></MODULE></MODULES></EDKSYSTEM>
"""
    )
    return path


def _synthesis(folder: Path) -> Path:
    _claims(folder)
    path = folder / "csynth.xml"
    path.write_text(synthesis_report())
    return path


def _read_synthesis(path: Path) -> None:
    found = read_synthesis(path)
    print_table(comparison_table(found.version, compare(load_claims(path.parent), found)))


def _claims(folder: Path) -> Path:
    (folder / "hls").mkdir()
    path = folder / "hls" / "claims.json"
    loops = {label: asdict(claim) for label, claim in CLAIMS.loops.items()}
    path.write_text(json.dumps({**vars(CLAIMS), "loops": loops}))
    return path


def _read_claims(path: Path) -> None:
    claims = load_claims(path.parent.parent)
    synthesis = path.parent.parent / "csynth.xml"
    synthesis.write_text(synthesis_report())
    print_table(comparison_table("", compare(claims, read_synthesis(synthesis))))


def _baseline(folder: Path) -> Path:
    return Path(shutil.copy(asset("benchmarks", "rtl.json"), folder / "rtl.json"))


def kinds(build: Path) -> dict[str, Kind]:
    """Every kind by its name; ``build`` is a build directory."""
    words = mutate.damage_bytes
    texts = mutate.damage_json
    files: dict[str, Callable[[bytes, Draw], bytes]] = {
        "manifest.json": texts,
        "program/program.json": texts,
        "program/program.bin": words,
        "program/params.bin": words,
        "vectors/images.bin": words,
        "vectors/expected.bin": words,
        "vectors/golden.npz": _damage_npz,
    }
    return {
        ".pt": Kind(_checkpoint, _damage_checkpoint, front_end, weight=0.1),
        ".pt2": Kind(
            lambda folder: export_small(folder / "small.pt2"),
            _damage_program,
            front_end,
            weight=0.3,
        ),
        ".npz": Kind(_npz, _damage_npz, _read_npz),
        "board.yaml": Kind(_board, mutate.damage_yaml, _read_board),
        "recipe.yaml": Kind(_recipe, mutate.damage_yaml, load_recipe),
        "report.json": Kind(_report, texts, _read_report),
        ".hwh": Kind(_handoff, mutate.damage_xml, check_handoff),
        "csynth.xml": Kind(_synthesis, mutate.damage_xml, _read_synthesis),
        "claims.json": Kind(_claims, texts, _read_claims),
        "baseline": Kind(_baseline, texts, lambda path: load_baseline(path, "x", "cases")),
        "budget.json": Kind(partial(_budget, build), texts, _read_build),
        **{
            name: Kind(partial(_build_file, name, build), damage, _read_build, _renew)
            for name, damage in files.items()
        },
    }
