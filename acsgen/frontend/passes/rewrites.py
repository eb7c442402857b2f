"""The rewrite passes in their order: each makes something that a later one may need."""

from __future__ import annotations

from acsgen.frontend.opgraph import OpGraph
from acsgen.frontend.passes import (
    average_first,
    clips,
    complements,
    convolve_slices,
    drop_softmax,
    gate_views,
    leaky_relus,
    merge_means,
    merge_padding,
    mix_identity,
    split_pools,
    square_windows,
    vector_sums,
)
from acsgen.frontend.passes.base import Pass

REWRITES: tuple[Pass, ...] = (
    drop_softmax.PASS,
    merge_means.PASS,
    convolve_slices.PASS,
    merge_padding.PASS,
    average_first.PASS,
    clips.PASS,
    leaky_relus.PASS,
    split_pools.PASS,
    square_windows.PASS,
    mix_identity.PASS,
    complements.PASS,
    vector_sums.PASS,
    gate_views.PASS,
)


def rewrite(graph: OpGraph) -> OpGraph:
    """Run all passes."""
    for step in REWRITES:
        graph = step.run(graph)
    return graph
