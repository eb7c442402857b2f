"""``acsgen import``: weights of another code base become a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import check_file

_SHOWN = 6


@guarded
def import_command(
    weights: Annotated[
        Path, typer.Argument(help="A checkpoint or state_dict of torch.save (.pth, .pt, .tar).")
    ],
    model: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Model file to write; default NAME.acsgen.pt here."),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(min=1, help="Height and width of the images; default the code base's."),
    ] = None,
    mean: Annotated[
        str | None,
        typer.Option(
            metavar="R,G,B", help="Mean of the pixels in 0..1; default the code base's data set's."
        ),
    ] = None,
    std: Annotated[
        str | None,
        typer.Option(metavar="R,G,B", help="Standard deviation of the pixels, likewise."),
    ] = None,
    ignore_unknown: Annotated[
        bool,
        typer.Option("--ignore-unknown", help="Leave out weights that the layout does not know."),
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Read weights of ACS, OFAS, SkipNet, DDI's lineage or torchvision, and write a model file.

    The names of the weights tell the network, their shapes its sizes. No code of the file, and
    none of the other project, is run. Takes also ResNet, ResNeXt, VGG, DenseNet and MobileNetV2
    with torchvision's names. acsgen build takes the result.
    """
    check_json(json_file)
    target = model or Path(f"{weights.name.split('.')[0]}.acsgen.pt")
    if target.resolve() == weights.resolve():
        raise UserError(Problem("--out", "is the file that is read", "give another name"))
    check_file(target)
    statistics = {"mean": _numbers("--mean", mean), "std": _numbers("--std", std)}

    from acsgen.importers.weights import ImageOptions, import_weights
    from acsgen.nn.checkpoint import save_checkpoint

    found = import_weights(weights, ImageOptions(image_size, **statistics), ignore_unknown)
    meta = {"imported": {"file": weights.name, "layout": found.layout, "remarks": [*found.remarks]}}
    save_checkpoint(target, found.model, found.arch, found.config, meta)
    parameters = sum(parameter.numel() for parameter in found.model.parameters())
    config = found.config.model_dump(mode="json")
    out.print(f"{found.title}: {found.arch}, {parameters:,} parameters", soft_wrap=True)
    for key, value in config.items():
        out.print(f"  {key}: {value}", soft_wrap=True)
    for remark in found.remarks:
        out.print(f"note: {remark}", soft_wrap=True)
    for reason, keys in found.left.items():
        # Nobody knows what unknown weights are for, so each of them is named.
        limit = len(keys) if reason == "unknown" else _SHOWN
        more = f" and {len(keys) - limit} more" if len(keys) > limit else ""
        shown = ", ".join(keys[:limit])
        text = f"left out, {reason}: {shown}{more}"
        out.print(text, soft_wrap=True)
    out.print(f"written to {target}", soft_wrap=True)
    write_json(
        json_file,
        {
            "layout": found.layout,
            "arch": found.arch,
            "config": config,
            "parameters": parameters,
            "remarks": found.remarks,
            "left_out": dict(found.left),
            "model": str(target),
        },
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        remedy = "give one number a channel, separated by commas"
        raise UserError(Problem(option, f"'{text}' is not a list of numbers", remedy)) from None
