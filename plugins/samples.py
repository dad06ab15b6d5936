"""Sample data of napari's File menu, generated on the spot: no download, no patient."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..core.io.image import read_image
from ..core.io.labelmap import read_label_map
from ..core.io.samples import write_chest_images, write_heart_volumes
from .layers import LayerData, layers_of, placed


def heart() -> list[LayerData]:
    """Generate one short-axis heart volume with its label map."""
    with TemporaryDirectory() as folder:
        write_heart_volumes(Path(folder), 1, 0)
        image = next(Path(folder).glob("imagesTr/*.nii.gz"))
        labels = read_label_map(str(Path(folder) / "labelsTr" / image.name))
        scan = read_image(str(image))
        place = placed(scan.geometry, 3)
        return [
            (np.array(scan.array[0]), {**place, "name": "heart"}, "image"),
            (np.array(labels.array), {**place, "name": "heart labels"}, "labels"),
        ]


def chest() -> list[LayerData]:
    """Generate one X-ray-like image."""
    with TemporaryDirectory() as folder:
        write_chest_images(Path(folder), 1, 0)
        image = next(Path(folder).rglob("*.png"))
        return [
            (np.array(data), {**keywords, "name": "chest"}, kind)
            for data, keywords, kind in layers_of(str(image))
        ]
