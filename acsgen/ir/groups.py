"""Finds the channel groups hidden in a convolution's zeros.

A DGConv is a dense weight with zeroed kernels: a grouped convolution after a fixed permutation of
its channels. The compiler lets the engine walk the groups; the MAC count prices the same groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True)
class ChannelGroups:
    """A convolution as ``groups`` blocks of equal size.

    Group ``g`` reads input channels ``in_order[g*I/groups : (g+1)*I/groups]`` and makes output
    channels ``out_order[g*O/groups : (g+1)*O/groups]``; all kernels outside the blocks are zero.
    """

    groups: int
    in_order: tuple[int, ...]
    out_order: tuple[int, ...]

    @property
    def inputs(self) -> NDArray[np.intp]:
        """``in_order`` as ``(groups, I/groups)``."""
        return np.array(self.in_order, np.intp).reshape(self.groups, -1)

    @property
    def outputs(self) -> NDArray[np.intp]:
        """``out_order`` as ``(groups, O/groups)``."""
        return np.array(self.out_order, np.intp).reshape(self.groups, -1)


def channel_groups(weight: NDArray[np.generic], groups: int = 1) -> ChannelGroups | None:
    """The finest division of a convolution into equal groups.

    Output ``o`` and input ``c`` belong together if the kernel ``weight[o, c]`` has a nonzero tap.
    The connected components of that relation are packed, largest first, into as many equal groups
    as possible; channels that no kernel connects fill the gaps.

    Args:
        weight: ``(O, I/groups, K, K)``.
        groups: declared groups of the convolution.

    Returns:
        The groups, ordered by their first channels: the declared ones where no finer division is
        found; None where the convolution is undivided.
    """
    pattern = kernel_pattern(weight, groups)
    outs, ins = pattern.shape
    components = _components(pattern)
    for count in _common_divisors(ins, outs, groups):
        packed = _pack(components, count, ins // count, outs // count)
        if packed is not None:
            in_order = tuple(channel for group_in, _ in packed for channel in group_in)
            out_order = tuple(channel for _, group_out in packed for channel in group_out)
            return ChannelGroups(count, in_order, out_order)
    if groups == 1:
        return None
    return ChannelGroups(groups, tuple(range(ins)), tuple(range(outs)))


def kernel_pattern(weight: NDArray[np.generic], groups: int = 1) -> NDArray[np.bool_]:
    """``(O, I)``: which kernels have a nonzero tap, declared groups expanded.

    Args:
        weight: ``(O, I/groups, K, K)``.
        groups: declared groups.
    """
    outs, ins = weight.shape[:2]
    nonzero = np.any(weight.reshape(groups, outs // groups, ins, -1), axis=-1)
    pattern = np.zeros((groups, outs // groups, groups, ins), bool)
    index = np.arange(groups)
    pattern[index, :, index, :] = nonzero
    return pattern.reshape(outs, groups * ins)


_Component = tuple[list[int], list[int]]


def _components(pattern: NDArray[np.bool_]) -> list[_Component]:
    """Connected components as (inputs, outputs), unconnected channels included, in input order."""
    outs, ins = pattern.shape
    rows, columns = np.nonzero(pattern)
    graph = coo_matrix((np.ones(len(rows)), (columns, ins + rows)), shape=(ins + outs,) * 2)
    count, labels = connected_components(graph, directed=False)
    components: list[_Component] = [([], []) for _ in range(count)]
    for node, label in enumerate(labels):
        if node < ins:
            components[label][0].append(node)
        else:
            components[label][1].append(node - ins)
    return sorted(components, key=lambda c: (c[0] or [ins], c[1]))


def _common_divisors(a: int, b: int, above: int) -> list[int]:
    """Common divisors greater than ``above``, largest first."""
    greatest = math.gcd(a, b)
    return [d for d in range(greatest, above, -1) if greatest % d == 0]


def _pack(
    components: list[_Component], count: int, group_ins: int, group_outs: int
) -> list[_Component] | None:
    """First fit, largest component first; None if a component finds no group with room."""
    packed: list[_Component] = [([], []) for _ in range(count)]
    for ins, outs in sorted(components, key=lambda c: -len(c[0]) - len(c[1])):
        for group_in, group_out in packed:
            if len(group_in) + len(ins) <= group_ins and len(group_out) + len(outs) <= group_outs:
                group_in.extend(ins)
                group_out.extend(outs)
                break
        else:
            return None
    return sorted((sorted(ins), sorted(outs)) for ins, outs in packed)
