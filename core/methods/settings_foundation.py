"""What a person can set for `foundation`, with the words that the window's form shows."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from .settings_common import ADVANCED
from .settings_images import CrossEntropySettings

NAMED_ENCODERS = (
    "resnet18",
    "resnet50",
    "densenet121",
    "efficientnet-b0",
    "efficientnet-lite0",
)


class FoundationSettings(CrossEntropySettings):
    """Settings of `foundation`."""

    encoder: str = Field(  # type: ignore[assignment]
        default="auto",
        title="Encoder",
        description="The folder of an encoder (config.json and model.safetensors), such as DINOv2 "
        "or RAD-DINO, or the name of an encoder with pretrained weights.",
    )
    pretrained: str = Field(
        default="lite0",
        title="Pretrained",
        description="Weights of a named encoder: from photographs (lite0), or a file of weights "
        "(its path). A folder brings its own.",
    )
    adapt: Literal["none", "lift"] = Field(
        default="none",
        title="Adapt the encoder",
        description="Leave the encoder as it is (none), so that training takes seconds, or adapt "
        "it lightly (lift).",
    )
    head: Literal["linear", "cosine", "prototype"] = Field(
        default="linear",
        title="Classifier",
        description="Weighs what the encoder sees (linear), looks at directions only (cosine), or "
        "starts from the centre of each class (prototype).",
    )
    learning_rate: float = Field(
        default=1e-2,
        gt=0.0,
        le=1.0,
        title="Learning rate",
        description="How far one step changes the classifier. Lower it if the loss jumps about.",
    )
    size: int = Field(
        default=224,
        ge=32,
        le=1024,
        title="Image size",
        description="Side in pixels that every image is brought to; best what the encoder was "
        "trained with.",
    )
    views: int = Field(
        default=4,
        ge=1,
        le=64,
        title="Kept views",
        description="How many views of each image the frozen encoder looks at: the image itself "
        "and varied ones.",
    )
    rank: int = Field(
        default=8,
        ge=1,
        le=256,
        title="Rank",
        description="Size of what lift adds to the encoder.",
        json_schema_extra=ADVANCED,
    )
    cosine_scale: float = Field(
        default=20.0,
        gt=0.0,
        le=200.0,
        title="Cosine scale",
        description="Sharpness of the cosine and prototype classifiers.",
        json_schema_extra=ADVANCED,
    )

    @model_validator(mode="after")
    def _lite0_is_one_encoder(self) -> "FoundationSettings":
        if self.folder is not None:
            return self
        if self.pretrained == "none":
            raise ValueError("foundation needs encoder=FOLDER, or pretrained weights")
        if self.pretrained == "lite0" and self.encoder_name != "efficientnet-lite0":
            raise ValueError(f"encoder={self.encoder} needs pretrained=FILE")
        return self

    @model_validator(mode="after")
    def _fits_a_frozen_encoder(self) -> "FoundationSettings":
        if self.loss in ("ldam", "bcl"):
            raise ValueError(f"loss={self.loss} is not made for a frozen encoder")
        if self.mixup != "none":
            raise ValueError("mixup is not made for a frozen encoder")
        if self.adapt == "lift" and self.folder is None:
            raise ValueError("adapt=lift needs the folder of a transformer as encoder")
        return self

    @property
    def folder(self) -> Path | None:
        """Give the folder of the encoder; None for a named one."""
        named = self.encoder == "auto" or self.encoder in NAMED_ENCODERS
        return None if named else Path(self.encoder).expanduser()
