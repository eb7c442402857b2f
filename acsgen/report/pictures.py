"""Images as PNG in a data URI, so that a page has no other files."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def data_uri(image: NDArray[np.uint8]) -> str:
    """Return an image ``[C, H, W]`` as a data URI.

    One channel is grey, three are red, green and blue; of any other number the first is shown.
    """
    if len(image) == 3:
        picture = Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0)))
    else:
        picture = Image.fromarray(np.ascontiguousarray(image[0]))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"
