"""The rewrite passes in their order: each makes something that a later one may need."""

from __future__ import annotations

from acsgen.frontend.opgraph import Conv, GeneralConv, Op, OpGraph
from acsgen.frontend.passes import (
    average_first,
    ceil_pools,
    clips,
    complements,
    convolve_slices,
    drop_softmax,
    drop_zeros,
    end_linear,
    extremes,
    fold_picks,
    gate_views,
    global_max,
    join_masks,
    join_parts,
    join_sums,
    large_strides,
    leaky_relus,
    merge_means,
    merge_padding,
    mix_identity,
    one_pixel,
    one_sign,
    pick_pixels,
    pools_into_means,
    rectify_picks,
    row_pieces,
    split_pools,
    square_windows,
    vector_products,
    vector_sums,
)
from acsgen.frontend.passes.base import Pass
from acsgen.ir.rewrites import Rewrite

REWRITES: tuple[Pass, ...] = (
    drop_softmax.PASS,
    merge_means.PASS,
    clips.PASS,
    ceil_pools.PASS,
    convolve_slices.PASS,
    fold_picks.PASS,
    merge_padding.PASS,
    large_strides.PASS,
    rectify_picks.PASS,
    average_first.PASS,
    extremes.PASS,
    end_linear.PASS,
    leaky_relus.PASS,
    pools_into_means.PASS,
    global_max.PASS,
    split_pools.PASS,
    pick_pixels.PASS,
    square_windows.PASS,
    mix_identity.PASS,
    complements.PASS,
    vector_sums.PASS,
    join_sums.PASS,
    row_pieces.PASS,
    vector_products.PASS,
    gate_views.PASS,
    join_masks.PASS,
    drop_zeros.PASS,
    one_pixel.PASS,
    one_sign.PASS,
    join_parts.PASS,
)


def rewrite(graph: OpGraph) -> tuple[OpGraph, tuple[Rewrite, ...]]:
    """Run all passes; returns the new graph, and what each pass did that did anything."""
    applied: list[Rewrite] = []
    for step in REWRITES:
        before, graph = graph, step.run(graph)
        places = _places(before, graph)
        if places:
            applied.append(Rewrite(step.name, step.does, places))
    return graph, tuple(applied)


def _places(before: OpGraph, after: OpGraph) -> tuple[str, ...]:
    """Where operations are gone or new; each place once, in the order of execution."""
    old, new = before.by_name(), after.by_name()
    kept = {name for name in old.keys() & new.keys() if _is_the_same(old[name], new[name])}
    changed = (op.where for op in (*before.ops, *after.ops) if op.name not in kept)
    return tuple(dict.fromkeys(changed))


def _is_the_same(old: Op, new: Op) -> bool:
    """Whether nothing was rewritten; every convolution starts as a general one."""
    plain = isinstance(old, GeneralConv) and isinstance(new, Conv) and new.weight is old.weight
    return old is new or plain
