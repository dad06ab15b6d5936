"""What the axes of a volume file beyond the third hold: channels, or points in time."""

import numpy as np

from ..errors import LongtailError
from .image_paths import Source

CHANNELS_AT_MOST = 8
"""A fourth axis without a meaning counts as channels up to here, beyond it as time."""


def channels_in(sizes: tuple[int, ...], source: Source, *, timed: bool) -> int:
    """Give the number of channels that the axes beyond the third hold.

    Parameters
    ----------
    sizes
        Lengths of the axes beyond the third, in the order of the file.
    source
        Its part `channels` says that an importer knows the fourth axis to hold channels.
    timed
        The file gives the fourth axis a unit of time.

    Raises
    ------
    LongtailError
        The axes hold a time series.
    """
    count = int(np.prod(sizes, dtype=np.int64)) if sizes else 1
    if count == 1 or source.part == "channels":
        return count
    if timed or count > CHANNELS_AT_MOST or sum(size > 1 for size in sizes) > 1:
        raise LongtailError(
            f"{source.path.name} holds a series of {count} volumes, and Longtail does not read "
            "time series yet.",
            "Save the volume that you want to work on as a file of its own. If the volumes are "
            "channels of one scan, import the folder by a dataset.json that says so.",
        )
    return count
