"""Turn what `core.io` reads into napari's layer data: every layer in millimetres, or in pixels."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..core.io.geometry import Geometry
from ..core.io.image import read_image

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
GEOMETRY_KEY = "longtail_geometry"


def layers_of(path: str) -> list[LayerData]:
    """Read an image as one layer a channel, colour images as one."""
    image = read_image(path)
    name = Path(path).name.split(".")[0] or Path(path).name
    keywords = placed(image.geometry, len(image.shape))
    if image.colour:
        return [
            (
                np.moveaxis(np.asarray(image.array), 0, -1),
                {**keywords, "name": name, "rgb": True},
                "image",
            )
        ]
    single = len(image.array) == 1
    return [
        (channel, {**keywords, "name": name if single else f"{name} {number}"}, "image")
        for number, channel in enumerate(image.array)
    ]


def placed(geometry: Geometry | None, dimension: int) -> dict[str, Any]:
    """Give the scale and the units of a grid's layers, and its geometry for a later writer."""
    if geometry is None:
        return {"scale": (1.0,) * dimension, "units": ("pixel",) * dimension}
    return {
        "scale": geometry.spacing_mm,
        "units": ("mm",) * dimension,
        "metadata": {GEOMETRY_KEY: geometry},
    }
