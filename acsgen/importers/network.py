"""A network as a model file holds it: an exported program in eval mode, on one image.

The rest of acsgen does not see which kind of file it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind

from acsgen.importers.exported import floating_parameters, run_program
from acsgen.ir.rewrites import Rewrite
from acsgen.nn.checkpoint import MAX_WEIGHTS
from acsgen.support.errors import Problem, UserError
from acsgen.support.printing import name_as_text

_LISTED = 5
_ACCEPTED_DTYPES = (torch.uint8, torch.int32, torch.int64, torch.float32, torch.float64)
#: Kinds of model files.
Source = Literal["checkpoint", "pt2"]

_EXPORT_REMEDY = "export with one example of shape [1, C, H, W]"


@dataclass(frozen=True)
class ImportedNetwork:
    """A network as exported, before any lowering.

    Attributes:
        name: the file's name without suffix, as one line of text.
        exported: the program; one input ``[1, C, H, W]``.
        input_shape: (C, H, W).
        input_dtype: type of the program's input.
        meta: remarks of the file about the network; an acsgen checkpoint names its data set.
        source: which kind of file it was.
        pixel_scale: factor of a byte of the image before it enters the program: 1 where the network
            takes 0..255, 1/255 where it takes 0..1.
        rewrites: the passes that the front end applied; empty before it ran.
    """

    name: str
    exported: ExportedProgram = field(repr=False)
    input_shape: tuple[int, int, int]
    input_dtype: torch.dtype
    meta: dict[str, Any]
    source: Source
    pixel_scale: float = 1.0
    rewrites: tuple[Rewrite, ...] = ()

    def as_input(self, image: Tensor) -> Tensor:
        """A uint8 image ``[C, H, W]`` as the program's input ``[1, C, H, W]``."""
        pixels = image.unsqueeze(0).to(self.input_dtype)
        return pixels if self.pixel_scale == 1.0 else pixels * self.pixel_scale

    def logits(self, images: Tensor) -> Tensor:
        """The answer of the float network, which is the last result that it returns.

        Args:
            images: uint8 ``[N, C, H, W]``.

        Returns:
            ``[N, classes]``.
        """
        results = [run_program(self.exported, self.as_input(image)) for image in images]
        return torch.stack([result.outputs[-1].reshape(-1) for result in results])


def imported_network(
    path: Path,
    exported: ExportedProgram,
    meta: dict[str, Any],
    source: Source,
) -> ImportedNetwork:
    """An exported network as if it had been read from ``path``.

    Raises:
        UserError: an input other than one image, dynamic shapes, too many weights, or NaN or
            infinite ones.
    """
    shape, dtype = _image_of(exported, str(path))
    _require_few(exported, str(path))
    _require_finite(exported, str(path))
    name = name_as_text(path.stem)
    return ImportedNetwork(name, exported, shape, dtype, meta, source)


def _image_of(exported: ExportedProgram, where: str) -> tuple[tuple[int, int, int], torch.dtype]:
    specs = exported.graph_signature.input_specs
    names = [spec.arg.name for spec in specs if spec.kind == InputKind.USER_INPUT]
    if len(names) != 1:
        what = f"the network takes {len(names)} inputs, not one image"
        raise UserError(Problem(where, what, _EXPORT_REMEDY))
    node = next(n for n in exported.graph.nodes if n.op == "placeholder" and n.name == names[0])
    value = node.meta.get("val")
    if not isinstance(value, Tensor):
        what = f"the network's input is a {type(value).__name__}, not a tensor"
        raise UserError(Problem(where, what, _EXPORT_REMEDY))
    if not all(isinstance(size, int) for size in value.shape):
        what = "the network was exported with dynamic shapes"
        raise UserError(Problem(where, what, f"{_EXPORT_REMEDY} and without dynamic_shapes"))
    if value.dim() != 4:
        what = f"the network's input has shape {list(value.shape)}, not [1, C, H, W]"
        remedy = _EXPORT_REMEDY
        if value.dim() == 2:
            shape = [1, value.shape[1], 1, 1]
            remedy = f"put nn.Flatten first, and export with one example of shape {shape}"
        raise UserError(Problem(where, what, remedy))
    batch, channels, height, width = value.shape
    if batch != 1:
        what = (
            f"the network was exported for batches of {batch}; the engine runs one image at a time"
        )
        raise UserError(Problem(where, what, _EXPORT_REMEDY))
    if value.dtype not in _ACCEPTED_DTYPES:
        what = f"the network's input is {value.dtype}"
        remedy = "take uint8 pixels, or float32; export in float32"
        raise UserError(Problem(where, what, remedy))
    return (channels, height, width), value.dtype


def _require_few(exported: ExportedProgram, where: str) -> None:
    """Count the weights before any is looked at: one number can stand for a tensor of any size."""
    tensors = [*exported.state_dict.values(), *exported.constants.values()]
    weights = sum(value.numel() for value in tensors if isinstance(value, Tensor))
    if weights > MAX_WEIGHTS:
        what = f"has {weights:,} weights, and {MAX_WEIGHTS:,} is the most"
        raise UserError(Problem(where, what, "export a smaller network"))


def _require_finite(exported: ExportedProgram, where: str) -> None:
    bad = [
        name
        for name, value in floating_parameters(exported)
        if not bool(torch.isfinite(value).all())
    ]
    if bad:
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        what = f"NaN or infinite values in {', '.join(bad[:_LISTED])}{more}"
        raise UserError(Problem(where, what, "the training diverged; train again"))
