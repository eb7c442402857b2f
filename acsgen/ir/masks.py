"""Masks of maps: which bit of which mask switches a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class MaskSlice:
    """The bits that switch ``count`` channels of a map.

    Attributes:
        mask: name of the mask; None for channels that nothing switches off.
        first: bit of the mask that switches the first of them; 0 where nothing does.
        count: of channels, and of bits.
    """

    mask: str | None
    first: int
    count: int


#: The mask of a map: slices for its channels in their order. Empty where nothing switches any.
ChannelMask = tuple[MaskSlice, ...]

UNMASKED: ChannelMask = ()


def whole(mask: str, channels: int) -> ChannelMask:
    """The mask of a map of which channel ``c`` is switched by bit ``c``."""
    return (MaskSlice(mask, 0, channels),)


def mask_names(mask: ChannelMask) -> tuple[str, ...]:
    """The masks that it is made of, each once."""
    return tuple(dict.fromkeys(part.mask for part in mask if part.mask is not None))


def one_mask(mask: ChannelMask) -> str | None:
    """The name of the mask whose bits are, from the first on, those of the map; None if there is
    no such mask."""
    if len(mask) == 1 and mask[0].first == 0:
        return mask[0].mask
    return None


def joined(parts: Iterable[tuple[ChannelMask, int]]) -> ChannelMask:
    """The mask of maps that are put one behind the other, each given with its channels."""
    slices: list[MaskSlice] = []
    for mask, channels in parts:
        for part in mask or (MaskSlice(None, 0, channels),):
            last = slices[-1] if slices else None
            if last is not None and _continues(last, part):
                slices[-1] = MaskSlice(last.mask, last.first, last.count + part.count)
            else:
                slices.append(part)
    return tuple(slices) if mask_names(tuple(slices)) else UNMASKED


def _continues(last: MaskSlice, part: MaskSlice) -> bool:
    if last.mask is None or part.mask is None:
        return last.mask is part.mask
    return last.mask == part.mask and part.first == last.first + last.count


def bits_of(
    mask: ChannelMask,
    bits: Callable[[str], T],
    cut: Callable[[T, int, int], T],
    ones: Callable[[int], T],
) -> list[T]:
    """The bits of every slice, to be put one behind the other.

    Args:
        mask: of a map.
        bits: the bits of a mask by its name.
        cut: takes bits, and which are wanted: the first, and how many.
        ones: so many bits that are 1.
    """
    return [
        ones(part.count) if part.mask is None else cut(bits(part.mask), part.first, part.count)
        for part in mask
    ]
