"""Whether the integer network predicts the same as the float network often enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from acsgen.ir.noise import LayerNoise, blamed

#: Below this agreement of predictions a build warns.
WARN_BELOW = 0.95


def complaint(
    agreement: Mapping[str, float], images: int, noise: Sequence[LayerNoise], least: float
) -> str | None:
    """Say that the predictions agree on too few images, and which layers are to blame.

    Args:
        agreement: share of images with the same prediction, by output.
        images: how many images.
        noise: of every layer.
        least: the least share that is good enough.

    Returns:
        The message; None where all outputs agree on enough images.
    """
    bad = {name: share for name, share in agreement.items() if share < least}
    if not bad:
        return None
    shares = ", ".join(
        f"{100 * share:.2f} % of {images} images" + (f" at {name}" if len(agreement) > 1 else "")
        for name, share in bad.items()
    )
    layers = "; ".join(
        f"{item.layer} (signal to noise {item.channel_snr_db:.0f} dB by channel, "
        f"{item.snr_db:.0f} dB in all)"
        for item in blamed(noise)
    )
    return (
        f"float and integer network predict the same on {shares}, less than {100 * least:g} %; "
        f"the noise comes from {layers}"
    )
