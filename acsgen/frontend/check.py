"""What the engine holds the operator graph to: sizes, and a shape that ends in a classifier.

Reports where a limit is first exceeded, not every layer that inherits it.
"""

from __future__ import annotations

from acsgen.frontend.opgraph import (
    AddVectors,
    Affine,
    ApplyVector,
    Clip,
    Exit,
    GeneralConv,
    Image,
    LeakyRelu,
    Linear,
    MulVectors,
    Op,
    OpGraph,
    PartialMean,
    Pool,
    Sigmoid,
    Slice,
    Softmax,
    Unknown,
)
from acsgen.frontend.passes.square_windows import extent
from acsgen.frontend.pool_ops import EdgePad, PartialMax, WindowMeans
from acsgen.isa.bits import reach
from acsgen.isa.generated import (
    INSTRUCTION_FIELDS,
    MAX_CHANNELS,
    MAX_HEIGHT,
    MAX_KERNEL,
    MAX_STRIDE,
    MAX_WIDTH,
)
from acsgen.support.errors import Problem

_AXES = ("channels", "rows", "columns")
_MAX_PAD = reach(INSTRUCTION_FIELDS, "pad") - 1


def graph_problems(graph: OpGraph) -> list[Problem]:
    """All problems of sizes and structure, one for every operation concerned."""
    ops = graph.by_name()
    problems = []
    for op in graph.ops:
        reasons = [*_new_size_reasons(op, ops), *_window_reasons(op)]
        if reasons:
            what = ", ".join(what for what, _ in reasons)
            remedy = "; ".join(dict.fromkeys(remedy for _, remedy in reasons))
            problems.append(Problem(op.where, what, remedy))
    problems += [_left_over(op) for op in graph.ops if op.rewritten]
    problems += _sigmoid_problems(graph, ops)
    problems += _classifier_problems(graph, ops)
    problems += _exit_problems(graph)
    return problems


def _left_over(op: Op) -> Problem:
    """Why no rewrite pass has found another form of an operation that the engine does not have."""
    if isinstance(op, GeneralConv):
        rows, columns = op.weight.shape[2:]
        top, bottom, left, right = op.pads
        what = f"kernel {rows}x{columns}"
        if op.dilation != (1, 1):
            what += f" with dilation {op.dilation[0]}x{op.dilation[1]}"
        if len(set(op.pads)) > 1:
            what += f" and padding {top}, {bottom}, {left}, {right} (top, bottom, left, right)"
        what += f" does not fit a square kernel of at most {MAX_KERNEL}x{MAX_KERNEL}"
        remedy = "use a smaller kernel, less dilation, or the same padding for rows and columns"
        if max(extent(op)) <= MAX_KERNEL and op.dilation == (1, 1):
            what += " that takes as much off rows and columns"
            keeps = tuple(size // 2 for size in op.weight.shape[2:])
            remedy = (
                f"give it padding={keeps}, which keeps the map's size, or the same on all sides"
            )
        return Problem(op.where, what, remedy)
    if isinstance(op, WindowMeans):
        return Problem(op.where, op.what, op.remedy)
    if isinstance(op, EdgePad):
        what = "ceil_mode goes beyond the edge of a map that may be negative"
        return Problem(
            op.where, what, "put a ReLU before or behind the pool, or set ceil_mode=False"
        )
    if isinstance(op, PartialMax):
        what = f"maximum over axes [{op.axis + 1}]"
        return Problem(op.where, what, "take it over height and width, x.amax((2, 3))")
    if isinstance(op, Slice) and op.step == 1:
        what = f"takes {_AXES[op.axis]} {op.start} to {op.start + op.shape[op.axis] - 1} only"
        remedy = f"crop rows and columns alike, by at most {MAX_KERNEL - 1}, or crop the images"
        return Problem(op.where, what, remedy)
    if isinstance(op, Slice):
        axis = _AXES[op.axis]
        what = f"takes every {op.step}-th of the {axis} from {op.start} on"
        remedy = "take channels, or every second row and column of the whole map, x[:, :, ::2, ::2]"
        return Problem(op.where, what, remedy)
    if isinstance(op, PartialMean):
        what = f"mean over axes [{op.axis + 1}]"
        return Problem(op.where, what, "take the mean over height and width")
    if isinstance(op, Softmax):
        what = "softmax is left out at the end of the network only, where no logits are returned"
        return Problem(op.where, what, "remove it: the largest logit stays the largest")
    if isinstance(op, LeakyRelu):
        return Problem(op.where, "a leaky ReLU of a slope above 1", "use slopes up to 1, or ReLU")
    if isinstance(op, Clip):
        what = f"clamping to {op.low}..{op.high}"
        return Problem(op.where, what, "let the upper end be above the lower one")
    if isinstance(op, (AddVectors, MulVectors)):
        what = "multiplies vectors, and no map was averaged or flattened before"
        return Problem(op.where, what, "take the average of a map, and multiply vectors behind it")
    return Problem(op.where, "pads a map", "give the padding to the convolution")


def _size_reasons(op: Op) -> dict[str, tuple[str, str]]:
    """Violated limits of the result, by limit."""
    reasons = {}
    channels = op.shape[0]
    remedy = (
        "use smaller images" if isinstance(op, Image) else "use smaller images or an earlier stride"
    )
    if op.own_channels and channels < 1:
        reasons["none"] = ("has no outputs", "give it at least one; a classifier has one a class")
    if len(op.shape) == 3:
        _, height, width = op.shape
        size = f"map {height}x{width}"
        if width > MAX_WIDTH:
            what = f"{size} is wider than {MAX_WIDTH} lanes"
            reasons["width"] = (what, remedy)
        if height > MAX_HEIGHT:
            what = f"{size} is higher than {MAX_HEIGHT} rows"
            reasons["height"] = (what, remedy)
    if (len(op.shape) == 3 or op.own_channels) and channels > MAX_CHANNELS:
        what = f"output channels {channels} > {MAX_CHANNELS}"
        reasons["channels"] = (what, "use a narrower layer")
    return reasons


def _new_size_reasons(op: Op, ops: dict[str, Op]) -> list[tuple[str, str]]:
    if isinstance(op, Unknown):
        return []
    inherited = {limit for name in op.inputs for limit in _size_reasons(ops[name])}
    return [
        reason
        for limit, reason in _size_reasons(op).items()
        if limit not in inherited or (op.own_channels and limit == "channels")
    ]


def _window_reasons(op: Op) -> list[tuple[str, str]]:
    window = op.window
    if window is None:
        return []
    kernel, stride, pad = window.kernel, window.stride, window.pad
    reasons = []
    if kernel > MAX_KERNEL:
        remedy = f"use a kernel of at most {MAX_KERNEL}"
        reasons.append(
            (f"kernel {kernel}x{kernel} is larger than {MAX_KERNEL}x{MAX_KERNEL}", remedy)
        )
    if not 1 <= stride <= MAX_STRIDE:
        known = " or ".join(map(str, range(1, MAX_STRIDE + 1)))
        what, remedy = f"stride {stride}", f"use stride {known}"
        if isinstance(op, Pool):
            what += f" that leaves {op.shape[1]}x{op.shape[2]} pixels"
            remedy += f" or 4; up to {MAX_KERNEL} is possible on square maps with up to"
            remedy += f" {2 * MAX_KERNEL - 1}x{2 * MAX_KERNEL - 1} results"
        reasons.append((what, remedy))
    if pad > _MAX_PAD:
        reasons.append((f"padding {pad} > {_MAX_PAD}", "pad less"))
    return reasons


def _sigmoid_problems(graph: OpGraph, ops: dict[str, Op]) -> list[Problem]:
    problems = []
    for op in graph.ops:
        if not isinstance(op, Sigmoid):
            continue
        users = [user for user in graph.ops if op.name in user.inputs]
        scales = all(
            isinstance(u, (Affine, Linear, Unknown))
            or (isinstance(u, ApplyVector) and u.vector == op.name)
            for u in users
        )
        if not users or not scales:
            what = (
                "sigmoid is available only to scale the channels of a map and before a linear layer"
            )
            remedy = "for a gate give the logits to acsgen.nn.ChannelGate; at the end remove it"
            problems.append(Problem(op.where, what, remedy))
    return problems


def _classifier_problems(graph: OpGraph, ops: dict[str, Op]) -> list[Problem]:
    problems = []
    for index, output in enumerate(graph.outputs):
        last = ops[output]
        while isinstance(last, (Affine, Softmax)):
            last = ops[last.x]
        known = isinstance(last, (Linear, Sigmoid)) or last.rewritten  # told elsewhere
        if not known and not _follows_unknown(last, ops):
            what = "the network does not end in a linear layer"
            remedy = "end with nn.Linear, returning logits [1, classes]"
            if len(graph.outputs) > 1:
                what = f"result {index + 1} of {len(graph.outputs)} does not end in a linear layer"
                remedy = "return logits [1, classes] only, the network's answer last"
            problems.append(Problem(last.where, what, remedy))
    return problems


def _exit_problems(graph: OpGraph) -> list[Problem]:
    """Early exits where no answer is returned, or where the network ends anyway."""
    problems = []
    for op in graph.ops:
        if isinstance(op, Exit) and op.x not in graph.outputs:
            what = "an early exit whose logits the network does not return"
            problems.append(Problem(op.where, what, "return what acsgen.nn.EarlyExit returns"))
        elif isinstance(op, Exit) and op.x == graph.outputs[-1]:
            what = "an early exit at the network's last answer, where it ends anyway"
            problems.append(Problem(op.where, what, "leave out this acsgen.nn.EarlyExit"))
    return problems


def _follows_unknown(op: Op, ops: dict[str, Op]) -> bool:
    """Whether a refused node had a part in a result, whose kind is then a guess."""
    pending, seen = [op], set()
    while pending:
        op = pending.pop()
        if isinstance(op, Unknown):
            return True
        if op.name not in seen:
            seen.add(op.name)
            pending.extend(ops[name] for name in op.inputs)
    return False
