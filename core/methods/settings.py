"""What a person can set for each method, with the words that the window's form shows.

The models are frozen and refuse unknown names; `settings_sentence` turns a refusal into words.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..errors import LongtailError

ADVANCED: dict[str, Any] = {"advanced": True}
_PATCH = re.compile(r"auto|\d+(x\d+){1,2}")


class MethodSettings(BaseModel):
    """What every method has: how big a step is and how the images are varied."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    batch: int = Field(
        default=0,
        ge=0,
        le=512,
        title="Batch",
        description="Examples that are learned from together; 0 lets Longtail choose.",
    )
    learning_rate: float = Field(
        default=2e-3,
        gt=0.0,
        le=1.0,
        title="Learning rate",
        description="How far one step changes the network. Lower it if the loss jumps about.",
    )
    augmentation: Literal["none", "light", "strong"] = Field(
        default="strong",
        title="Vary the images",
        description="Turns, stretches, brightens and blurs the images while learning, so that few "
        "labels go further.",
    )
    weight_decay: float = Field(
        default=0.01,
        ge=0.0,
        le=1.0,
        title="Weight decay",
        description="Pulls weights towards zero; more of it learns smoother rules.",
        json_schema_extra=ADVANCED,
    )
    gradient_clip: float = Field(
        default=5.0,
        ge=0.0,
        title="Gradient clipping",
        description="Longest gradient that a step may follow; 0 switches it off.",
        json_schema_extra=ADVANCED,
    )
    precision: Literal["auto", "full", "bfloat16"] = Field(
        default="auto",
        title="Precision",
        description="Automatic computes in bfloat16 where the device is faster in it.",
        json_schema_extra=ADVANCED,
    )
    ema: float = Field(
        default=0.99,
        ge=0.0,
        lt=1.0,
        title="Averaging of weights",
        description="Share of the running average kept at each step; the average is what predicts. "
        "0 uses the newest weights.",
        json_schema_extra=ADVANCED,
    )


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


class ImageSettings(MethodSettings):
    """What every method on image-level classes has."""

    learning_rate: float = Field(
        default=1e-3,
        gt=0.0,
        le=1.0,
        title="Learning rate",
        description="How far one step changes the network. Lower it if the loss jumps about.",
    )
    encoder: Literal[
        "auto", "resnet18", "resnet50", "densenet121", "efficientnet-b0", "efficientnet-lite0"
    ] = Field(
        default="auto",
        title="Encoder",
        description="The network that looks at the image. Automatic takes resnet18, or "
        "efficientnet-lite0 with pretrained weights.",
    )
    size: int = Field(
        default=128,
        ge=32,
        le=1024,
        title="Image size",
        description="Side in pixels that every image is brought to; twice the side takes four "
        "times as long.",
    )
    pretrained: str = Field(
        default="none",
        title="Pretrained",
        description="Start from scratch (none), from photographs (lite0), or from a file of "
        "weights (its path).",
    )
    sampler: Literal["instance", "class-balanced", "square-root"] = Field(
        default="instance",
        title="Show classes",
        description="As often as they are (instance), all equally (class-balanced), or in between "
        "(square-root).",
    )
    orientation: Literal["auto", "any", "upright"] = Field(
        default="auto",
        title="Which way up",
        description="Whether images mean the same however they are turned, as cells and skin do. "
        "Automatic says yes to colour images and no to grey ones.",
    )
    mixup: Literal["none", "balanced"] = Field(
        default="none",
        title="Mix images",
        description="Balanced blends each image a little with one of an evenly drawn class.",
    )

    @model_validator(mode="after")
    def _lite0_is_one_encoder(self) -> "ImageSettings":
        if self.pretrained == "lite0" and self.encoder not in ("auto", "efficientnet-lite0"):
            raise ValueError(
                f"pretrained=lite0 are weights of efficientnet-lite0 and do not fit {self.encoder}"
            )
        return self

    @property
    def encoder_name(self) -> str:
        """The encoder, with automatic resolved."""
        if self.encoder != "auto":
            return self.encoder
        return "efficientnet-lite0" if self.pretrained == "lite0" else "resnet18"


class CrossEntropySettings(ImageSettings):
    """Settings of `cross-entropy`."""

    loss: Literal[
        "auto",
        "ce",
        "weighted",
        "class-balanced",
        "focal",
        "balanced-softmax",
        "logit-adjustment",
        "ldam",
        "bce",
        "focal-bce",
    ] = Field(
        default="auto",
        title="Loss",
        description="What counts as a mistake. Automatic takes balanced-softmax where one class "
        "per image is uneven, ce where it is even, bce for several classes per image.",
    )
    label_smoothing: float = Field(
        default=0.0,
        ge=0.0,
        lt=0.5,
        title="Label smoothing",
        description="How much doubt the labels are taken with; some is good for noisy labels.",
        json_schema_extra=ADVANCED,
    )
    focal_gamma: float = Field(
        default=2.0,
        ge=0.0,
        le=10.0,
        title="Focal gamma",
        description="How strongly focal losses turn to hard examples.",
        json_schema_extra=ADVANCED,
    )
    class_balanced_beta: float = Field(
        default=0.99,
        ge=0.0,
        lt=1.0,
        title="Class-balanced beta",
        description="Near 1 the class-balanced loss weighs by 1/count; at 0 it does not weigh.",
        json_schema_extra=ADVANCED,
    )
    adjustment_tau: float = Field(
        default=1.0,
        ge=0.0,
        le=4.0,
        title="Adjustment tau",
        description="Strength of logit-adjustment; 1 is the balanced softmax.",
        json_schema_extra=ADVANCED,
    )
    ldam_scale: float = Field(
        default=30.0,
        gt=0.0,
        le=200.0,
        title="LDAM scale",
        description="Sharpness of LDAM's cosine classifier.",
        json_schema_extra=ADVANCED,
    )
    mixup_alpha: float = Field(
        default=0.2,
        gt=0.0,
        le=4.0,
        title="Mix-up alpha",
        description="How strongly balanced mix-up blends; small values blend little.",
        json_schema_extra=ADVANCED,
    )


SINGLE_LABEL_LOSSES = (
    "ce",
    "weighted",
    "class-balanced",
    "focal",
    "balanced-softmax",
    "logit-adjustment",
    "ldam",
)
SEVERAL_LABEL_LOSSES = ("bce", "weighted", "focal-bce")


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
