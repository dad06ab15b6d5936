"""What a person can set for methods on image-level classes."""

from typing import Literal

from pydantic import Field, model_validator

from .settings_common import ADVANCED, MethodSettings


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

    embedding_frames: bool = Field(
        default=True,
        title="Keep how features form",
        description="Notes a dozen times how the network sees some images, to replay how the "
        "classes parted. It takes at most 2 % of the time.",
        json_schema_extra=ADVANCED,
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
        "bcl",
        "bce",
        "focal-bce",
        "asymmetric",
        "distribution-balanced",
    ] = Field(
        default="auto",
        title="Loss",
        description="What counts as a mistake. Automatic takes balanced-softmax where one class "
        "per image is uneven, ce where it is even, bce for several classes per image.",
    )
    mixup: Literal["none", "balanced"] = Field(
        default="none",
        title="Mix images",
        description="Balanced blends each image a little with one of an evenly drawn class.",
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
    weights_after: float = Field(
        default=-1.0,
        ge=-1.0,
        le=1.0,
        title="Class weights after",
        description="Share of the run after which class weights count, as in deferred re-weighting "
        "(DRW). -1 lets Longtail choose: 0.8 for ldam, 0 for other losses; 1 is never.",
        json_schema_extra=ADVANCED,
    )
    contrast_weight: float = Field(
        default=0.35,
        ge=0.0,
        le=10.0,
        title="Weight of comparisons",
        description="How much bcl's comparisons of images count beside its classifier.",
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

    @model_validator(mode="after")
    def _bcl_compares_whole_images(self) -> "CrossEntropySettings":
        if self.loss == "bcl" and self.mixup != "none":
            raise ValueError("loss=bcl compares images and cannot learn from mixed ones")
        return self


SINGLE_LABEL_LOSSES = (
    "ce",
    "weighted",
    "class-balanced",
    "focal",
    "balanced-softmax",
    "logit-adjustment",
    "ldam",
    "bcl",
)
SEVERAL_LABEL_LOSSES = (
    "bce",
    "weighted",
    "class-balanced",
    "focal-bce",
    "asymmetric",
    "distribution-balanced",
)
