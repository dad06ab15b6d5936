"""Turn what `core.io` reads into napari's layer data: every layer in millimetres, or in pixels."""

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..core.io.image import Image, read_image

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
GEOMETRY_KEY = "longtail_geometry"


def layers_of(path: str) -> list[LayerData]:
    """Read an image as one layer a channel, colour images as one."""
    image = read_image(path)
    name = Path(path).name.split(".")[0] or Path(path).name
    keywords = placed(image)
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


def placed(image: Image) -> dict[str, Any]:
    """Give the scale and the units of an image's layers, and its geometry for a later writer."""
    dimension = image.array.ndim - 1
    if image.geometry is None:
        return {"scale": (1.0,) * dimension, "units": ("pixel",) * dimension}
    return {
        "scale": image.geometry.spacing_mm,
        "units": ("mm",) * dimension,
        "metadata": {GEOMETRY_KEY: image.geometry},
    }
