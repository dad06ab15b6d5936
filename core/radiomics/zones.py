"""Connected zones of one grey level (GLSZM)."""

from typing import Any

import numpy as np
import torch
from skimage.measure import label

from .counted import Counted, count
from .neighbours import Levels
from .packing import Packed

IntArray = np.ndarray[Any, np.dtype[Any]]


def zones(packed: Packed, levels: Levels, apart: int | None) -> Counted:
    """Count zones by level and size; voxels touch across faces, edges and corners.

    The zones are found on the processor (scikit-image's union of equal neighbours, all regions in
    one picture), whatever the device of the rest.

    Parameters
    ----------
    packed, levels
        The regions and their levels.
    apart
        The axis across which voxels do not touch (slice by slice), or None.
    """
    code = packed.grid(packed.line(levels.code)).cpu().numpy()
    numbers = label(
        code if apart is None else _alternating(code, apart), background=0, connectivity=code.ndim
    ).ravel()
    sizes = np.bincount(numbers)
    of_zone = np.zeros(len(sizes), dtype=np.int32)
    of_zone[numbers] = code.ravel()
    found, size = (
        torch.from_numpy(part).to(levels.code.device) for part in (of_zone[1:], sizes[1:])
    )
    return count(found, size, levels.table)


def _alternating(code: IntArray, axis: int) -> IntArray:
    """Make neighbouring slices differ everywhere, so that no zone leads from one to the next."""
    odd = np.arange(code.shape[axis]) % 2
    shape = [-1 if one == axis else 1 for one in range(code.ndim)]
    parted: IntArray = code * 2 + odd.reshape(shape) * (code > 0)
    return parted
