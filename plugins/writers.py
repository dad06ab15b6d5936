"""napari's writers: a labels layer as NIfTI, on the grid that it was read from."""

from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import LongtailError
from ..core.io.geometry import Geometry, plain_geometry
from ..core.io.labelmap import write_label_map
from .layers import GEOMETRY_KEY

LARGEST_LABEL = 65535


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write a labels layer; values, spacing and, where known, origin and direction are kept.

    Returns
    -------
    list of str
        The file written.

    Raises
    ------
    LongtailError
        The layer holds values that NIfTI label maps do not have, or the disk refuses.
    """
    array = np.asarray(data)
    if array.size and (array.min() < 0 or array.max() > LARGEST_LABEL):
        raise LongtailError(
            f"{Path(path).name} was not saved: labels must lie between 0 and {LARGEST_LABEL}."
        )
    kind = np.uint8 if array.max(initial=0) < 256 else np.uint16
    write_label_map(Path(path), array.astype(kind), _geometry(attributes, array.ndim))
    return [path]


def _geometry(attributes: dict[str, Any], dimension: int) -> Geometry:
    known = attributes.get("metadata", {}).get(GEOMETRY_KEY)
    if isinstance(known, Geometry) and known.dimension == dimension:
        return known
    scale = attributes.get("scale", (1.0,) * dimension)
    return plain_geometry(tuple(float(step) for step in scale[-dimension:]))
