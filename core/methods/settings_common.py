"""What a person can set for every method, with the words that the window's form shows."""

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

ADVANCED: dict[str, Any] = {"advanced": True}


class MethodSettings(BaseModel):
    """What every method has: how big a step is and how the images are varied."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    cost_factor: ClassVar[float] = 1.0
    """Time and memory of a step, as a multiple of one on the labelled examples alone."""

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
    tail_guard: bool = Field(
        default=True,
        title="Tail guard",
        description="Watches each class while it trains, warns when one is being lost and keeps "
        "the network that was best for it.",
        json_schema_extra=ADVANCED,
    )
