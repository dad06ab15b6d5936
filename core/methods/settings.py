"""What a person can set for each method, with the words that the window's form shows.

The models are frozen and refuse unknown names; `settings_sentence` turns a refusal into words.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from ..errors import LongtailError
from .settings_common import ADVANCED, MethodSettings
from .settings_images import (
    SEVERAL_LABEL_LOSSES,
    SINGLE_LABEL_LOSSES,
    CrossEntropySettings,
    ImageSettings,
)

__all__ = (
    "ADVANCED",
    "SEVERAL_LABEL_LOSSES",
    "SINGLE_LABEL_LOSSES",
    "CrossEntropySettings",
    "ImageSettings",
    "MethodSettings",
    "SegmentationSettings",
    "SupervisedSettings",
    "read_settings",
    "settings_sentence",
)

_PATCH = re.compile(r"auto|\d+(x\d+){1,2}")


class SegmentationSettings(MethodSettings):
    """What every method on label maps has."""

    learning_rate: float = Field(
        default=3e-3,
        gt=0.0,
        le=1.0,
        title="Learning rate",
        description="How far one step changes the network. Lower it if the loss jumps about.",
    )
    dimensions: Literal["auto", "2d", "3d"] = Field(
        default="auto",
        title="Dimensions",
        description="Work on whole volumes or slice by slice. Automatic takes slices where they "
        "are few or far apart.",
    )
    patch: str = Field(
        default="auto",
        title="Patch",
        description="Size of the piece looked at in one go, in voxels, such as 48x64x48 (z, y, x).",
    )
    # Other choices than images have.
    augmentation: Literal["none", "light", "strong", "published"] = Field(  # type: ignore[assignment]
        default="strong",
        title="Vary the images",
        description="Turns, stretches, brightens and blurs the images while learning, so that few "
        "labels go further. Published is what the literature on few labels does: mirrored, turned "
        "by quarters, in slices also by up to 20 degrees.",
    )
    mirror: Literal["none", "sides", "all"] = Field(
        default="none",
        title="Mirror",
        description="Also learn from mirrored images: left to right (sides) or along every axis. "
        "Not for classes that differ by side.",
    )
    width: int = Field(
        default=16,
        ge=4,
        le=128,
        title="Width",
        description="Feature maps in the first level; more is stronger and slower.",
    )
    oversample: Literal["none", "foreground", "rare"] = Field(
        default="rare",
        title="Look more often at",
        description="Where pieces are taken: anywhere, around any class, or around rare classes "
        "as often as around common ones.",
    )
    oversample_share: float = Field(
        default=0.67,
        ge=0.0,
        le=1.0,
        title="Share of such pieces",
        description="How many of the pieces are taken around a class instead of anywhere.",
        json_schema_extra=ADVANCED,
    )
    class_weights: Literal["none", "balanced"] = Field(
        default="none",
        title="Class weights",
        description="Balanced lets mistakes on rare classes count more.",
    )
    levels: int = Field(
        default=0,
        ge=0,
        le=6,
        title="Levels",
        description="How often the network halves the resolution; 0 lets Longtail choose.",
        json_schema_extra=ADVANCED,
    )
    dropout: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        title="Dropout",
        description="Share of features switched off at random while learning.",
        json_schema_extra=ADVANCED,
    )
    network: Literal["unet", "plain-unet", "vnet"] = Field(
        default="unet",
        title="Network",
        description="A residual U-Net; or the networks of the literature on few labels, for "
        "comparison with it: the plain U-Net (ACDC) and the V-Net (left atrium).",
        json_schema_extra=ADVANCED,
    )
    optimizer: Literal["adamw", "sgd"] = Field(
        default="adamw",
        title="Optimiser",
        description="AdamW learns fast from few steps; SGD with momentum is what the literature "
        "takes, with tens of thousands of steps and a learning rate of 0.01.",
        json_schema_extra=ADVANCED,
    )
    decay: Literal["cosine", "poly"] = Field(
        default="cosine",
        title="Fall of the learning rate",
        description="Along a cosine after a short start, or as a power of what is left of the "
        "training, as published.",
        json_schema_extra=ADVANCED,
    )
    spacing: Literal["auto", "keep"] = Field(
        default="auto",
        title="Voxel size",
        description="Automatic brings all volumes to their usual voxel size in mm; keep leaves "
        "each on its own grid.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("patch")
    @classmethod
    def _patch_reads(cls, patch: str) -> str:
        patch = patch.lower().replace(" ", "")
        if not _PATCH.fullmatch(patch):
            raise ValueError("write it like 48x64x48 or 256x256, or auto")
        return patch

    @property
    def patch_size(self) -> tuple[int, ...] | None:
        """The patch in voxels, (z, y, x) or (y, x); None when it is chosen automatically."""
        return None if self.patch == "auto" else tuple(map(int, self.patch.split("x")))


class SupervisedSettings(SegmentationSettings):
    """Settings of `supervised`."""


def read_settings(model: type[MethodSettings], values: Mapping[str, Any]) -> MethodSettings:
    """Make settings of `model` from plain values; texts such as `"96"` are read as numbers.

    Raises
    ------
    LongtailError
        A setting is unknown or its value is not possible; the sentence names it.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise LongtailError(settings_sentence(model, error), _known_settings(model)) from error


def settings_sentence(model: type[MethodSettings], error: ValidationError) -> str:
    """Say in words which setting is wrong and why."""
    return " ".join(_one_sentence(model, dict(problem)) for problem in error.errors())


def _one_sentence(model: type[MethodSettings], problem: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"There is no setting {name!r}."
    reason = str(problem["msg"]).removeprefix("Value error, ")
    if not name:
        return f"These settings do not fit: {reason}."
    title = model.model_fields[name].title or name
    return f"{title} ({name}) cannot be {problem['input']!r}: {reason}."


def _known_settings(model: type[MethodSettings]) -> str:
    return "Settings are: " + ", ".join(model.model_fields) + "."
