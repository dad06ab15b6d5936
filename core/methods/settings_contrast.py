"""What a person can set for `proco` and `two-stage`, with the words that the form shows."""

from typing import Literal

from pydantic import Field

from .settings_common import ADVANCED
from .settings_images import ImageSettings


class ProcoSettings(ImageSettings):
    """Settings of `proco`."""

    prototypes: bool = Field(
        default=True,
        title="Prototypes",
        description="Also compare images with the running centre of each class.",
    )
    proto_instances: bool = Field(
        default=True,
        title="Proto-instances",
        description="Also compare with hard examples made between a centre and the images of other "
        "classes that are nearest to it.",
    )
    recalibration: Literal["none", "fixed", "learned"] = Field(
        default="learned",
        title="Recalibration",
        description="How much each centre weighs: all the same (none), as frequent as its class "
        "(fixed), or as well as it is recognised (learned).",
    )
    apply_to: Literal["prototype", "classifier", "both"] = Field(
        default="both",
        title="Recalibrate",
        description="Where the weights count: at the centres, in the classifier, or in both.",
        json_schema_extra=ADVANCED,
    )
    second_view: bool = Field(
        default=True,
        title="Second view",
        description="Compare with what a slowly following copy of the encoder sees in another view "
        "of each image. Without it images are compared with earlier ones as the encoder itself saw "
        "them, and a step takes a quarter less.",
    )
    rare_margin: float = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        title="Room for rare classes",
        description="How much surer than even-handed the classifier has to be of a class while it "
        "learns, the more so the rarer it is. A handful of images is learned by heart otherwise, "
        "and others like them are missed.",
    )
    normaliser: Literal["joint", "separate"] = Field(
        default="joint",
        title="Normaliser",
        description="Classifier and comparisons share one sum (joint, as published) or are learned "
        "side by side (separate, quicker in short runs).",
    )
    contrast_weight: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        title="Weight of comparisons",
        description="How much the comparisons count beside the classifier, when learned side by "
        "side.",
        json_schema_extra=ADVANCED,
    )
    contrast_share: float = Field(
        default=0.0,
        ge=0.0,
        le=2.0,
        title="Share of the comparisons",
        description="How strongly the comparisons move the features, as a share of what the "
        "classifier does, when learned side by side; 0 takes the fixed weight of comparisons.",
    )
    spare_own_class: bool = Field(
        default=False,
        title="Spare the own class",
        description="Push images away from those of other classes alone. Otherwise the many of a "
        "common class also push each other apart. When learned side by side.",
        json_schema_extra=ADVANCED,
    )
    temperature: float = Field(
        default=0.07,
        gt=0.0,
        le=1.0,
        title="Temperature",
        description="Sharpness of comparisons; small values look at the nearest images only.",
        json_schema_extra=ADVANCED,
    )
    alpha: float = Field(
        default=0.0,
        ge=0.0,
        le=1.0,
        title="Weight of pairs",
        description="How much another image of the same class counts beside the classifier; 0 lets "
        "Longtail choose by the number of classes.",
        json_schema_extra=ADVANCED,
    )
    queue: int = Field(
        default=1024,
        ge=0,
        le=65536,
        title="Queue",
        description="How many earlier images are remembered for comparison.",
        json_schema_extra=ADVANCED,
    )
    width: int = Field(
        default=128,
        ge=8,
        le=1024,
        title="Width of comparisons",
        description="Numbers by which an image is compared with others.",
        json_schema_extra=ADVANCED,
    )
    key_momentum: float = Field(
        default=0.999,
        ge=0.0,
        lt=1.0,
        title="Slowness of the second encoder",
        description="Share of the slowly following encoder kept at each step; short runs keep less "
        "by themselves.",
        json_schema_extra=ADVANCED,
    )
    instance_share: float = Field(
        default=0.75,
        gt=0.5,
        lt=1.0,
        title="Nearness of proto-instances",
        description="How near made examples are to their centre; above a half they belong to its "
        "class.",
        json_schema_extra=ADVANCED,
    )
    hardest: int = Field(
        default=1,
        ge=1,
        le=16,
        title="Proto-instances a class",
        description="How many hard examples are made for each class.",
        json_schema_extra=ADVANCED,
    )
    recalibration_kept: float = Field(
        default=0.95,
        ge=0.0,
        lt=1.0,
        title="Slowness of recalibration",
        description="Share of the learned weights of classes kept at each step.",
        json_schema_extra=ADVANCED,
    )


class TwoStageSettings(ImageSettings):
    """Settings of `two-stage`."""

    metric: Literal[
        "none",
        "triplet",
        "centre-triplet",
        "multi-similarity",
        "proxy-anchor",
        "circle",
        "arcface",
        "contrastive",
    ] = Field(
        default="triplet",
        title="Metric loss",
        description="What pulls images of one class together in the first stage.",
    )
    metric_weight: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        title="Weight of the metric loss",
        description="How much the metric loss counts beside cross-entropy.",
        json_schema_extra=ADVANCED,
    )
    metric_ramp: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        title="Rise of the metric loss",
        description="Share of the first stage over which the metric loss comes in.",
        json_schema_extra=ADVANCED,
    )
    margin: float = Field(
        default=0.3,
        ge=0.0,
        le=2.0,
        title="Margin",
        description="How much nearer the own class must be, for the triplet losses.",
        json_schema_extra=ADVANCED,
    )
    classes_at_once: int = Field(
        default=0,
        ge=0,
        le=64,
        title="Classes at once",
        description="Classes in the batch of the metric loss; 0 takes up to 8.",
        json_schema_extra=ADVANCED,
    )
    images_a_class: int = Field(
        default=4,
        ge=2,
        le=64,
        title="Images a class",
        description="Images of each class in the batch of the metric loss.",
        json_schema_extra=ADVANCED,
    )
    head: Literal["crt", "lws", "tau-norm", "balanced-softmax", "marc"] = Field(
        default="crt",
        title="Second stage",
        description="How the classifier is re-balanced: a new one (crt), one scale a class (lws), "
        "shorter weights (tau-norm), a new one for even classes (balanced-softmax), or calibrated "
        "margins (marc).",
    )
    head_share: float = Field(
        default=0.15,
        gt=0.0,
        lt=1.0,
        title="Share of the second stage",
        description="How much of the run goes into the classifier after the encoder is frozen.",
    )
    head_learning_rate: float = Field(
        default=1e-2,
        gt=0.0,
        le=1.0,
        title="Learning rate of the second stage",
        description="How far one step changes the classifier in the second stage.",
        json_schema_extra=ADVANCED,
    )
    cache_features: bool = Field(
        default=False,
        title="Keep features",
        description="Compute what the frozen encoder sees once, from a few varied views of each "
        "image, so that the second stage takes seconds.",
        json_schema_extra=ADVANCED,
    )
    cached_views: int = Field(
        default=4,
        ge=1,
        le=64,
        title="Kept views",
        description="How many varied views of each image are kept.",
        json_schema_extra=ADVANCED,
    )
    tau: float = Field(
        default=0.7,
        ge=0.0,
        le=2.0,
        title="Tau",
        description="How much tau-norm shortens the weights: not at all (0) or to one length (1). "
        "With validation images it is chosen on them.",
        json_schema_extra=ADVANCED,
    )
    extractor: str = Field(
        default="",
        title="Encoder of the run",
        description="Take the encoder of another run, such as run-003-proco, and train the "
        "second stage only. Empty trains one.",
    )
