"""What a person can set for `radiomic-contrast`, with the words that the form shows."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from .settings_common import ADVANCED
from .settings_images import ImageSettings

REGION: dict[str, Any] = {**ADVANCED, "group": "Regions"}
CONTRAST: dict[str, Any] = {**ADVANCED, "group": "Contrast"}


class RadiomicContrastSettings(ImageSettings):
    """Settings of `radiomic-contrast`."""

    cost_factor: ClassVar[float] = 2.2
    """As many unlabelled images are looked at as labelled ones, and all of them for their maps."""

    loss: Literal["auto", "ce", "balanced-softmax", "bce", "asymmetric"] = Field(
        default="auto",
        title="Loss",
        description="What counts as a mistake. Automatic takes balanced-softmax where one class "
        "per image is uneven, ce where it is even, bce for several classes per image; asymmetric "
        "suits several classes of which most are rare.",
    )
    mix: Literal["balanced", "published"] = Field(
        default="balanced",
        title="Mix of the losses",
        description="Balanced holds the comparisons with regions at a share of what the classes "
        "do to the encoder. Published is 0.7 x focal loss and 0.3 x comparisons, whatever is set "
        "as the loss; then the comparisons can drown the classes.",
    )
    contrast_share: float = Field(
        default=0.5,
        ge=0.0,
        le=2.0,
        title="Share of the comparisons",
        description="How strongly the comparisons move the last part of the encoder, as a share "
        "of what the classes do. 0 leaves them out, and with them the regions.",
    )
    warm_up: float = Field(
        default=0.2,
        ge=0.0,
        lt=1.0,
        title="Classes alone at first",
        description="Share of the run that learns the classes alone, until the map of a class "
        "can be trusted.",
    )
    unlabelled: int = Field(
        default=1,
        ge=0,
        le=8,
        title="Unlabelled images",
        description="How many images without labels are learned from beside each labelled one; "
        "0 uses none.",
    )
    refresh: int = Field(
        default=1,
        ge=1,
        le=100_000,
        title="Find regions anew",
        description="After how many steps the region of an image is found anew when the image "
        "comes up again; 1 is always, as in the authors' code. More is faster.",
    )
    map: Literal["grad-cam", "grad-cam++", "hirescam", "layercam", "eigen-cam", "two-scale"] = (
        Field(
            default="grad-cam",
            title="Map",
            description="How it is found out which part of an image speaks for a class. two-scale "
            "shows small findings small.",
            json_schema_extra=REGION,
        )
    )
    map_layer: str = Field(
        default="",
        title="Layer of the map",
        description="Part of the encoder whose maps are looked at, such as body.network.layer3; "
        "empty takes the last. Earlier ones show more detail, and speak less for one class.",
        json_schema_extra=REGION,
    )
    threshold: float = Field(
        default=0.5,
        gt=0.0,
        le=1.0,
        title="Edge of a region",
        description="Share of the map's maximum from which a place belongs to the region.",
        json_schema_extra=REGION,
    )
    drawn_boxes: bool = Field(
        default=True,
        title="Use drawn boxes",
        description="Take the box that a person drew in place of the map's, where there is one.",
        json_schema_extra=REGION,
    )
    grey: Literal["scaled", "raw"] = Field(
        default="scaled",
        title="Grey values",
        description="Features come from grey values scaled from the 1st to the 99th percentile of "
        "the body (scaled), or as they are in the file (raw, as published): then exposure alone "
        "can tell images apart.",
        json_schema_extra=REGION,
    )
    bin_width: float = Field(
        default=25.0,
        gt=0.0,
        le=1000.0,
        title="Width of a grey level",
        description="Grey values that count as one level in the texture of a region.",
        json_schema_extra=REGION,
    )
    temperature: float = Field(
        default=0.5,
        gt=0.0,
        le=5.0,
        title="Temperature",
        description="Sharpness of comparisons; small values look at the nearest images only.",
        json_schema_extra=CONTRAST,
    )
    width: int = Field(
        default=64,
        ge=8,
        le=1024,
        title="Width of comparisons",
        description="Numbers by which an image is compared with the regions of others.",
        json_schema_extra=CONTRAST,
    )
    hidden: int = Field(
        default=128,
        ge=8,
        le=1024,
        title="Width of the region's encoder",
        description="Numbers by which a region is described before it is compared.",
        json_schema_extra=CONTRAST,
    )
