"""``acsgen compare``: the network without its gates, by acsgen and by hls4ml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from acsgen.cli.console import StageDisplay, guarded
from acsgen.cli.options import (
    DataOption,
    DatasetOption,
    ImageSeedOption,
    JsonOption,
    check_json,
    write_json,
)
from acsgen.cli.tables import print_remarks
from acsgen.support.numbers import count, percent
from acsgen.support.numbers import images as count_images
from acsgen.support.printing import printable

if TYPE_CHECKING:
    from acsgen.flow.compare import Comparison


@guarded
def compare(
    model: Annotated[
        Path, typer.Argument(help="An acsgen checkpoint (.pt) or a torch.export program (.pt2).")
    ],
    board: Annotated[
        str, typer.Option("--board", "-b", help="Board whose engine acsgen's C++ is.")
    ] = "zedboard",
    images: Annotated[
        int, typer.Option("--images", "-n", min=1, help="Test images that both run.")
    ] = 20,
    pairs: Annotated[
        int, typer.Option(min=1, help="How often both run them in turn, for the ratio of times.")
    ] = 5,
    dataset: DatasetOption = None,
    data: DataOption = None,
    seed: ImageSeedOption = 0,
    io: Annotated[
        Literal["io_stream", "io_parallel"], typer.Option(help="How hls4ml passes values on.")
    ] = "io_stream",
    precision: Annotated[
        str, typer.Option(metavar="TYPE", help="hls4ml's default type of values.")
    ] = "ap_fixed<16,6>",
    project: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep hls4ml's project there.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Compare the network without its gates, built by acsgen and by hls4ml.

    hls4ml's own converter makes a project of the same float network, and its C++ is compiled and
    run, as acsgen's is. Told are accuracy, agreement with the float network, the ratio of the two
    C simulations' times, which run in turn, and what each tool itself reports. Where hls4ml
    refuses, its words are told.
    """
    check_json(json_file)

    from acsgen.flow.compare import CompareRequest
    from acsgen.flow.compare import compare as run_compare

    request = CompareRequest(
        model=model,
        board=board,
        images=images,
        pairs=pairs,
        dataset=dataset,
        data_root=data,
        seed=seed,
        io=io,
        precision=precision,
        project=project,
    )
    with StageDisplay() as display:
        found = run_compare(request, on_stage=display)
    title = f"{found.model} without its gates, {count_images(found.images)} of {found.dataset}"
    print_remarks(title, ("figure", "value", "source"), _rows(found))
    write_json(json_file, found)


def _rows(found: Comparison) -> list[tuple[str, str, str]]:
    """Return the figures, each with its source."""
    rows = [
        ("accuracy, float, with gates", percent(found.gated_accuracy), "PyTorch"),
        ("accuracy, float", percent(found.twin_accuracy), "PyTorch"),
    ]
    for tool in (found.acsgen, found.hls4ml):
        name = tool.tool.split()[0]
        if tool.refused:
            rows.append((f"{name} refuses", "-", f"{tool.tool}: {printable(tool.refused)}"))
            continue
        rows.append((f"accuracy, {name}", percent(tool.accuracy), f"{tool.tool}, C simulation"))
        rows.append(
            (f"same as float, {name}", percent(tool.agreement), f"{tool.tool}, C simulation")
        )
        sources = tool.sources or {}
        rows += [
            (f"{key.replace('_', ' ')}, {name}", _plain(value), sources.get(key, ""))
            for key, value in (tool.reports or {}).items()
            if value is not None
        ]
    if found.speed is not None:
        speed = found.speed
        rows.append(
            (
                "time hls4ml / acsgen",
                f"{speed.median:.2f}",
                f"C simulations on this machine, {speed.pairs} runs of each in turn: median, from "
                f"{speed.least:.2f} to {speed.most:.2f}",
            )
        )
        rows.append(
            (
                "cycles, LUT, DSP, hls4ml",
                "-",
                "hls4ml has them from a synthesis by Vitis HLS, which was not run",
            )
        )
    return rows


def _plain(value: Any) -> str:
    return count(value) if isinstance(value, (int, float)) else str(value)
