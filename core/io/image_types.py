"""What an image is once it is read: its header, its pixels and where they lie."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .geometry import Geometry

AnyArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Header:
    """What is known of an image without its pixels.

    `shape` is (z, y, x) or (y, x), without the channel; `dtype` is NumPy's name of the pixel type
    after rescaling; `geometry` is None where the file gives no spacing; `colour` says that the
    three channels are red, green and blue.
    """

    shape: tuple[int, ...]
    channel_count: int
    dtype: str
    geometry: Geometry | None
    colour: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """An image in memory, or a view of its file.

    Parameters
    ----------
    array
        (channel, z, y, x) or (channel, y, x), in the order of the file.
    geometry
        None where the file gives no spacing.
    colour
        The three channels are red, green and blue.
    notes
        Sentences on what was changed when reading: transparency laid on black, not-a-number
        voxels replaced.
    """

    array: AnyArray
    geometry: Geometry | None
    colour: bool = False
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x) or (y, x), without the channel."""
        shape: tuple[int, ...] = self.array.shape
        return shape[1:]
