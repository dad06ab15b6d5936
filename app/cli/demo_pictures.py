"""Pictures of predictions beside the labels, for those without a display."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Picture

from ...core.io.image import read_channels
from ...core.io.labelmap import read_label_map
from ...core.project.records import NOT_LABELLED, Case, ClassRecord
from ...core.project.store import Project

ENLARGED = 3
OPACITY = 0.55
AT_MOST = 6
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def write_pictures(project: Project, run: str, folder: Path) -> list[Path]:
    """Write, for some predicted cases, a PNG of image, label and prediction side by side.

    Returns
    -------
    list of Path
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for prediction in project.predictions(run)[:AT_MOST]:
        if prediction.file is None:
            continue
        case = project.case(prediction.case)
        predicted = read_label_map(str(project.path / prediction.file)).array
        picture = _picture(project, case, np.asarray(predicted))
        path = folder / f"{case.id.replace('/', '__')}.png"
        Picture.fromarray(picture).save(path)
        written.append(path)
    return written


def _picture(project: Project, case: Case, predicted: np.ndarray[Any, Any]) -> Pixels:
    image = np.asarray(read_channels(case.channels).array[0], dtype=np.float32)
    label = project.read_label_map(case.id)
    known = np.isin(predicted, (0, NOT_LABELLED), invert=True)
    place = int(known.reshape(len(known), -1).sum(axis=1).argmax()) if image.ndim == 3 else None
    if place is not None:
        image, label, predicted = image[place], label[place], predicted[place]
    grey = _grey(image)
    parts = [
        grey,
        _overlay(grey, label, project.classes),
        _overlay(grey, predicted, project.classes),
    ]
    return np.concatenate(
        [np.kron(part, np.ones((ENLARGED, ENLARGED, 1), np.uint8)) for part in parts], 1
    )


def _grey(image: np.ndarray[Any, np.dtype[np.float32]]) -> Pixels:
    low, high = np.percentile(image, (1, 99))
    scaled = np.clip((image - low) / max(float(high - low), 1e-6), 0, 1) * 255
    return np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=2)


def _overlay(grey: Pixels, label: np.ndarray[Any, Any], classes: tuple[ClassRecord, ...]) -> Pixels:
    drawn = grey.astype(np.float32)
    for one in classes:
        colour = np.array([int(one.colour[place : place + 2], 16) for place in (1, 3, 5)])
        here = label == one.id
        drawn[here] = (1 - OPACITY) * drawn[here] + OPACITY * colour
    return drawn.astype(np.uint8)
