"""One face to both engines: the features of each region of an image, and why one is missing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import LongtailError
from ..io.image_types import Image
from .names import full_name
from .regions import FloatArray, Region, problem_of, regions_of
from .settings import RadiomicSettings

Engine = Literal["fast", "pyradiomics"]
ENGINES: tuple[Engine, ...] = ("fast", "pyradiomics")

ONE_VALUE = tuple(full_name("firstorder", name) for name in ("Skewness", "Kurtosis"))
"""Nothing over nothing where all values are equal."""

ONE_LEVEL = (
    *(full_name("glcm", name) for name in ("Correlation", "Imc1", "MCC")),
    *(full_name("ngtdm", name) for name in ("Busyness", "Coarseness", "Contrast", "Strength")),
)
"""Nothing over nothing where all voxels are of one grey level."""


@dataclass(frozen=True, slots=True)
class RegionFeatures:
    """What was measured of one region.

    Parameters
    ----------
    label
        Its number in the label map.
    features
        By full name; None where there is no value.
    reasons
        For each feature without a value, why, in a sentence.
    """

    label: int
    features: Mapping[str, float | None]
    reasons: Mapping[str, str]


def extract(
    image: Image,
    labels: Image,
    settings: RadiomicSettings | None = None,
    engine: Engine = "fast",
    device: str = "cpu",
) -> tuple[RegionFeatures, ...]:
    """Measure every region of a label map on an image.

    Parameters
    ----------
    image, labels
        On one grid; see `regions_of`.
    settings
        None: PyRadiomics' defaults.
    engine
        Which one computes; names, definitions and settings are the same, in float64.
    device
        For the engine `fast`.

    Raises
    ------
    LongtailError
        Image and mask do not fit, or the engine is not there. A region that cannot be measured is
        no error: its features are None, with the reason.
    """
    chosen = settings or RadiomicSettings()
    return measure_regions(regions_of(image, labels, chosen), chosen, engine, device)


def measure_regions(
    regions: Sequence[Region],
    settings: RadiomicSettings,
    engine: Engine = "fast",
    device: str = "cpu",
) -> tuple[RegionFeatures, ...]:
    """Measure regions, of pictures and volumes alike, in one call; see `extract`."""
    if engine not in ENGINES:
        raise LongtailError(
            f"There is no engine {engine} for radiomics.", f"There are: {', '.join(ENGINES)}."
        )
    problems = [problem_of(region, settings) for region in regions]
    rows: dict[int, FloatArray] = {}
    for flat in (True, False):
        sound = [
            number
            for number, region in enumerate(regions)
            if problems[number] is None and region.flat == flat
        ]
        if sound:
            values = _values([regions[number] for number in sound], settings, engine, device)
            rows.update(zip(sound, values, strict=True))
    return tuple(
        _told(region, settings, rows.get(number), problems[number])
        for number, region in enumerate(regions)
    )


def _values(
    regions: Sequence[Region], settings: RadiomicSettings, engine: Engine, device: str
) -> FloatArray:
    if engine == "pyradiomics":
        from . import reference

        return reference.measure(regions, settings)
    from . import fast  # late: it imports torch

    values: FloatArray = fast.measure(regions, settings, device).cpu().numpy()
    return values


def _told(
    region: Region, settings: RadiomicSettings, row: FloatArray | None, problem: str | None
) -> RegionFeatures:
    names = settings.names(flat=region.flat)
    if row is None:
        said = problem or "The region could not be measured."
        return RegionFeatures(region.label, dict.fromkeys(names), dict.fromkeys(names, said))
    undefined = _undefined(region, settings)
    features: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for name, value in zip(names, row.tolist(), strict=True):
        missing = undefined.get(name) or _missing(name, value)
        features[name] = None if missing else value
        if missing:
            reasons[name] = missing
    return RegionFeatures(region.label, features, reasons)


def _undefined(region: Region, settings: RadiomicSettings) -> dict[str, str]:
    inside = region.values[region.mask]
    low, high = float(inside.min()), float(inside.max())
    found: dict[str, str] = {}
    if low == high:
        found.update(dict.fromkeys(ONE_VALUE, "All voxels of the region have the same value."))
    start = low - np.remainder(low, settings.bin_width)
    one_bin = high == low if settings.bin_count else high - start < settings.bin_width
    if one_bin or settings.bin_count == 1:
        found.update(dict.fromkeys(ONE_LEVEL, "All voxels of the region are of one grey level."))
    return found


def _missing(name: str, value: float) -> str | None:
    if math.isfinite(value):
        return None
    if name.startswith("original_glcm"):
        return "No two voxels of the region lie side by side at the distance asked for."
    return "It is not defined for this region."
