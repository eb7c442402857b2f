"""How the integers of a result stand for real values: scale and sign, by channel or one for all."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

#: Lowest and highest integer of a channel, by its sign.
RANGES = {False: (0, 255), True: (-128, 127)}

T = TypeVar("T", float, bool)


@dataclass(frozen=True)
class Format:
    """The real value of an integer ``q`` of channel ``c`` is ``scale[c] * q``; zero point 0.

    A channel is the first dimension of a result: a map of a map's channels, an entry of a vector.

    Attributes:
        scale: real value of one unit, by channel or one for all.
        signed: whether the integers are -128..127 rather than 0..255, by channel or one for all.
    """

    scale: float | tuple[float, ...]
    signed: bool | tuple[bool, ...]

    @classmethod
    def by_channel(cls, scales: Iterable[float], signs: Iterable[bool]) -> Format:
        """The format with these scales and signs; one for all stands for many that are equal."""
        return cls(_shortest(map(float, scales)), _shortest(map(bool, signs)))

    def scales(self, channels: int) -> NDArray[np.float64]:
        """The scale of each channel, ``(channels,)``."""
        return np.broadcast_to(np.asarray(self.scale, np.float64), channels)

    def signs(self, channels: int) -> NDArray[np.bool_]:
        """Whether each channel is signed, ``(channels,)``."""
        return np.broadcast_to(np.asarray(self.signed, np.bool_), channels)

    @property
    def any_signed(self) -> bool:
        """Whether some channel is signed."""
        return bool(np.any(self.signed))

    @property
    def one_scale(self) -> float | None:
        """The scale of all channels; None where they differ."""
        return self.scale if isinstance(self.scale, float) else None

    @property
    def one_sign(self) -> bool | None:
        """The sign of all channels; None where they differ."""
        return self.signed if isinstance(self.signed, bool) else None

    @property
    def channels(self) -> int | None:
        """How many channels it tells apart; None where all are alike.

        Raises:
            ValueError: scale and sign tell different numbers of channels apart.
        """
        counts = {len(part) for part in (self.scale, self.signed) if isinstance(part, tuple)}
        if len(counts) > 1:
            raise ValueError(f"scales and signs of {' and '.join(map(str, sorted(counts)))}")
        return counts.pop() if counts else None

    def scaled(self, factor: float, signed: bool | tuple[bool, ...]) -> Format:
        """Units ``factor`` times as large, and other signs."""
        if isinstance(self.scale, tuple):
            return Format(tuple(scale * factor for scale in self.scale), signed)
        return Format(self.scale * factor, signed)

    def repeated(self, channels: int, times: int) -> Format:
        """The format of a vector that has each of ``channels`` so many times in a row."""
        return Format.by_channel(
            np.repeat(self.scales(channels), times), np.repeat(self.signs(channels), times)
        )

    def faults(self) -> list[str]:
        """What is wrong with the format itself, in words."""
        scales = self.scale if isinstance(self.scale, tuple) else (self.scale,)
        wrong = [scale for scale in scales if not (math.isfinite(scale) and scale > 0)]
        return [f"scale {wrong[0]} is no finite number above zero"] if wrong else []


def _shortest(values: Iterable[T]) -> T | tuple[T, ...]:
    every = tuple(values)
    return every[0] if len(set(every)) == 1 else every
