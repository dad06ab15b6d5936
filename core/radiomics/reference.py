"""The reference engine: PyRadiomics itself, region by region, in float64."""

import logging
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .names import class_of
from .regions import FloatArray, Region
from .settings import WORDS, RadiomicSettings


def measure(regions: Sequence[Region], settings: RadiomicSettings) -> FloatArray:
    """Measure regions by PyRadiomics; see `fast.measure` for the form.

    Raises
    ------
    LongtailError
        PyRadiomics is not installed.
    """
    rows = [_one(region, settings) for region in regions]
    return np.array(rows, dtype=np.float64)


def _one(region: Region, settings: RadiomicSettings) -> list[float]:
    extractor = _extractor(settings, flat=region.flat)
    image, mask = _pictures(region)
    with warnings.catch_warnings():
        # NumPy's remarks on empty means; what is missing is told by the face.
        warnings.simplefilter("ignore", RuntimeWarning)
        found: dict[str, Any] = extractor.execute(image, mask)
    return [_number(found.get(name)) for name in settings.names(flat=region.flat)]


def _number(value: Any) -> float:
    return math.nan if value is None else float(np.real(np.squeeze(value)))


def _extractor(settings: RadiomicSettings, *, flat: bool) -> Any:
    try:
        from radiomics.featureextractor import (  # type: ignore[import-untyped]
            RadiomicsFeatureExtractor,
        )
    except ImportError as error:
        raise LongtailError(
            "PyRadiomics is not installed, so the engine pyradiomics cannot be used.",
            'Install it with: python -m pip install "napari-longtail[radiomics]", or use the '
            "engine fast.",
        ) from error
    logging.getLogger("radiomics").setLevel(logging.ERROR)  # else a remark for every region
    extractor = RadiomicsFeatureExtractor(**_words(settings, flat=flat), additionalInfo=False)
    extractor.disableAllFeatures()
    wanted = {class_of(name, flat): list(_known(settings, name, flat)) for name in settings.classes}
    extractor.enableFeaturesByName(**wanted)
    return extractor


def _known(settings: RadiomicSettings, chosen: str, flat: bool) -> tuple[str, ...]:
    start = f"original_{class_of(chosen, flat)}_"
    return tuple(
        name.removeprefix(start) for name in settings.names(flat=flat) if name.startswith(start)
    )


def _words(settings: RadiomicSettings, *, flat: bool) -> dict[str, Any]:
    """Our settings in PyRadiomics' words; a flat picture needs no plane forced on it."""
    said = {theirs: getattr(settings, ours) for theirs, ours in WORDS.items()}
    said["distances"] = list(settings.distances)
    if flat:
        said["force2D"] = False
    return said


def _pictures(region: Region) -> tuple[Any, Any]:
    """Image and mask with a rim: PyRadiomics refuses a mask that fills its picture."""
    import SimpleITK as sitk

    place = 0 if region.flat else slice(None)
    pictures = []
    for whole in (region.values[place], region.mask[place].astype(np.uint8)):
        array = np.pad(whole, 1)
        picture = sitk.GetImageFromArray(np.ascontiguousarray(array))
        picture.SetSpacing([float(size) for size in region.spacing_mm[::-1]][: array.ndim])
        pictures.append(picture)
    return pictures[0], pictures[1]
