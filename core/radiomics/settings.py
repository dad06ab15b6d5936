"""What is measured and how: one frozen model, also read from PyRadiomics' parameter files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import LongtailError
from .names import CLASSES, FEATURES, class_of, full_name

WORDS = {
    "binWidth": "bin_width",
    "binCount": "bin_count",
    "force2D": "force_2d",
    "force2Ddimension": "force_2d_axis",
    "distances": "distances",
    "voxelArrayShift": "voxel_array_shift",
    "symmetricalGLCM": "symmetrical",
    "gldm_a": "gldm_alpha",
    "minimumROIDimensions": "minimum_dimensions",
    "minimumROISize": "minimum_size",
}
"""PyRadiomics' words for our settings."""

WITHOUT_EFFECT: dict[str, tuple[Any, ...] | None] = {
    "label": None,
    "label_channel": None,
    "additionalInfo": None,
    "geometryTolerance": None,
    "correctMask": (False,),
    "normalize": (False,),
    "normalizeScale": None,
    "removeOutliers": None,
    "resampledPixelSpacing": (None, [], [0, 0, 0]),
    "interpolator": None,
    "padDistance": None,
    "preCrop": None,
    "resegmentRange": (None,),
    "resegmentMode": None,
    "resegmentShape": None,
    "weightingNorm": (None, "no_weighting"),
}
"""PyRadiomics' further words with the values that ask for nothing; None: whatever they are."""

SIZE_MOST = 1_000_000
"""A parameter file larger than this many bytes is none."""


class RadiomicSettings(BaseModel):
    """What is measured of a region; the defaults are PyRadiomics' defaults.

    Parameters
    ----------
    bin_width
        Width of a grey level in the image's own values; not used where `bin_count` is given.
    bin_count
        Number of equal grey levels between the smallest and the largest value of the region.
    force_2d, force_2d_axis
        Texture within slices only, across this axis (0 z, 1 y, 2 x); a flat picture is always
        measured within itself.
    distances
        How many voxels apart neighbours lie (largest step along an axis), for `glcm`, `gldm`
        and `ngtdm`.
    classes
        Some of `CLASSES`.
    features
        For some classes, the short names of the features wanted; a class not named: all.
    voxel_array_shift
        Added to the values in Energy, TotalEnergy and RootMeanSquared.
    symmetrical
        Neighbours are counted in both directions (`glcm`).
    gldm_alpha
        Largest difference of grey levels at which a neighbour depends on a voxel (`gldm`).
    minimum_dimensions
        Along how many axes a region must be longer than a voxel.
    minimum_size
        A region must have more voxels than this.
    channel
        Which channel of an image of several that are not colours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bin_width: float = Field(default=25.0, gt=0)
    bin_count: int | None = Field(default=None, ge=1)
    force_2d: bool = False
    force_2d_axis: int = Field(default=0, ge=0, le=2)
    distances: tuple[int, ...] = (1,)
    classes: tuple[str, ...] = CLASSES
    features: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    voxel_array_shift: float = 0.0
    symmetrical: bool = True
    gldm_alpha: int = Field(default=0, ge=0)
    minimum_dimensions: int = Field(default=2, ge=1, le=3)
    minimum_size: int | None = Field(default=None, ge=1)
    channel: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _known(self) -> Self:
        unknown = [one for one in (*self.classes, *self.features) if one not in FEATURES]
        if unknown:
            raise ValueError(f"there is no class of features {', '.join(unknown)}")
        for class_, wanted in self.features.items():
            kinds = ("shape", "shape2D") if class_ == "shape" else (class_,)
            known = {name for kind in kinds for name in FEATURES[kind]}
            if missing := sorted(set(wanted) - known):
                raise ValueError(f"{class_} has no feature {', '.join(missing)}")
        if not self.distances or min(self.distances) < 1:
            raise ValueError("distances must be 1 or more")
        return self

    def names(self, *, flat: bool) -> tuple[str, ...]:
        """Give the full names of what is measured, in order; `flat` for 2D pictures."""
        return tuple(
            full_name(class_of(chosen, flat), feature)
            for chosen in self.classes
            for feature in self._wanted(chosen, flat)
        )

    def _wanted(self, chosen: str, flat: bool) -> tuple[str, ...]:
        wanted = self.features.get(chosen)
        every = FEATURES[class_of(chosen, flat)]
        return every if not wanted else tuple(name for name in every if name in wanted)


def read_settings(path: Path) -> RadiomicSettings:
    """Read a PyRadiomics parameter file (YAML or JSON).

    Raises
    ------
    LongtailError
        It cannot be read, or asks for something that is not done here; the sentence names it.
    """
    document = _document(path)
    strange = sorted(set(document) - {"setting", "featureClass", "imageType", "voxelSetting"})
    refused = [f"the part {name}" for name in strange]
    refused += [f"the image type {name}" for name in _filters(document)]
    refused += ["voxelSetting"] if document.get("voxelSetting") else []
    settings = _part(document, "setting", path)
    refused += [name for name in settings if not _harmless(name, settings[name])]
    if refused:
        raise LongtailError(
            f"The settings {path.name} ask for what is not done here: {', '.join(refused)}.",
            "Take these out of the file.",
        )
    given = {WORDS[name]: value for name, value in settings.items() if name in WORDS}
    return _checked({**given, **_classes(_part(document, "featureClass", path))}, path)


def _document(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > SIZE_MOST:
            raise LongtailError(f"{path.name} is too large for a file of settings.")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise LongtailError(
            f"The settings {path.name} could not be read: {type(error).__name__}.",
            "Give a PyRadiomics parameter file in YAML.",
        ) from error
    if not isinstance(document, dict):
        raise LongtailError(
            f"{path.name} is no file of settings: it holds no named parts.",
            "Give a PyRadiomics parameter file in YAML.",
        )
    return {str(name): value for name, value in document.items()}


def _part(document: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    part = document.get(name) or {}
    if not isinstance(part, dict):
        raise LongtailError(f"The part {name} of {path.name} is not a list of names and values.")
    return {str(key): value for key, value in part.items()}


def _filters(document: Mapping[str, Any]) -> list[str]:
    types = document.get("imageType") or {}
    return [str(name) for name in types if name != "Original"]


def _harmless(name: str, value: Any) -> bool:
    if name in WORDS:
        return True
    if name not in WITHOUT_EFFECT:
        return False
    allowed = WITHOUT_EFFECT[name]
    return allowed is None or value in allowed


def _classes(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Classes and features as our model has them; both kinds of shape are one class."""
    if not wanted:
        return {}
    one_name = {name: "shape" if name == "shape2D" else name for name in wanted}
    chosen = {one_name[name]: tuple(features or ()) for name, features in wanted.items()}
    return {
        "classes": tuple(name for name in CLASSES if name in chosen)
        + tuple(name for name in chosen if name not in CLASSES),
        "features": {name: names for name, names in chosen.items() if names},
    }


def _checked(given: dict[str, Any], path: Path) -> RadiomicSettings:
    try:
        return RadiomicSettings(**given)
    except (ValidationError, TypeError) as error:
        said = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
        where = ".".join(str(part) for part in said.get("loc", ()))
        raise LongtailError(
            f"The settings {path.name} cannot be used: {where} {said['msg']}.".replace("  ", " "),
            "Correct the file.",
        ) from error
