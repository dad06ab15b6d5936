"""Settings of the methods that also learn from scans without labels."""

from typing import Any, ClassVar, Literal

from pydantic import Field

from .settings import ADVANCED, SegmentationSettings

CONTRAST: dict[str, Any] = {**ADVANCED, "group": "Contrast"}
UNLABELLED: dict[str, Any] = {**ADVANCED, "group": "Scans without labels"}
PRETRAINING: dict[str, Any] = {**ADVANCED, "group": "Pre-training"}


class SemiSupervisedSettings(SegmentationSettings):
    """What every method that uses unlabelled scans has."""

    cost_factor: ClassVar[float] = 2.5
    """Time and memory of a step, as a multiple of a supervised one."""

    unlabelled_weight: float = Field(
        default=1.0,
        ge=0.0,
        le=10.0,
        title="Weight of unlabelled scans",
        description="How much the scans without labels count beside the labelled ones.",
        json_schema_extra=UNLABELLED,
    )
    ramp_share: float = Field(
        default=0.15,
        ge=0.0,
        le=1.0,
        title="Slow start",
        description="Share of the training over which the scans without labels come in.",
        json_schema_extra=UNLABELLED,
    )


class MeanTeacherSettings(SemiSupervisedSettings):
    """Settings of `mean-teacher`."""

    unlabelled_weight: float = Field(
        default=10.0,
        ge=0.0,
        le=200.0,
        title="Weight of unlabelled scans",
        description="How much the scans without labels count beside the labelled ones.",
        json_schema_extra=UNLABELLED,
    )
    cutmix: bool = Field(
        default=True,
        title="Mix scans",
        description="Put a box of one unlabelled scan into another while learning from them.",
        json_schema_extra=UNLABELLED,
    )


class UncertaintySettings(MeanTeacherSettings):
    """Settings of `ua-mt`."""

    passes: int = Field(
        default=4,
        ge=2,
        le=16,
        title="Looks of the teacher",
        description="How often the teacher looks at a noisy copy to find out where it is unsure.",
        json_schema_extra=UNLABELLED,
    )
    noise: float = Field(
        default=0.1,
        gt=0.0,
        le=1.0,
        title="Noise of those looks",
        description="How noisy the copies are, in standard deviations of the scan.",
        json_schema_extra=UNLABELLED,
    )


class PseudoLabelSettings(SemiSupervisedSettings):
    """What methods with pseudo-labels have."""

    confidence: float = Field(
        default=0.95,
        ge=0.0,
        lt=1.0,
        title="Confidence",
        description="How sure the teacher must be before its answer is learned from.",
        json_schema_extra=UNLABELLED,
    )


class FixMatchSettings(PseudoLabelSettings):
    """Settings of `fixmatch`."""

    cutmix: bool = Field(
        default=True,
        title="Mix scans",
        description="Put a box of one unlabelled scan into another while learning from them.",
        json_schema_extra=UNLABELLED,
    )


class CopyPasteSettings(SemiSupervisedSettings):
    """Settings of `bcp`."""

    unlabelled_weight: float = Field(
        default=0.5,
        ge=0.0,
        le=10.0,
        title="Weight of unlabelled scans",
        description="How much the pasted part with pseudo-labels counts beside the labelled part.",
        json_schema_extra=UNLABELLED,
    )
    ramp_share: float = Field(
        default=0.15,
        ge=0.0,
        le=1.0,
        title="Labelled scans first",
        description="Share of the training that mixes labelled scans only, before the others "
        "come in.",
        json_schema_extra=UNLABELLED,
    )
    pasted_side: float = Field(
        default=2 / 3,
        gt=0.0,
        lt=1.0,
        title="Side of the pasted box",
        description="Length of the box that is copied, as a share of the piece's side.",
        json_schema_extra=UNLABELLED,
    )


class ActionSettings(PseudoLabelSettings):
    """Settings of `action`, and with everything switched on of `action++`."""

    cost_factor: ClassVar[float] = 3.2

    confidence: float = Field(
        default=0.97,
        ge=0.0,
        lt=1.0,
        title="Confidence",
        description="How sure the teacher must be for a pixel to count towards the weight of its "
        "scan.",
        json_schema_extra=UNLABELLED,
    )
    unlabelled: bool = Field(
        default=True,
        title="Pseudo-labels",
        description="Learn from what the teacher is sure of on scans without labels.",
        json_schema_extra=UNLABELLED,
    )
    pseudo_dice: bool = Field(
        default=True,
        title="Dice of pseudo-labels",
        description="Also count how well each class overlaps with the pseudo-labels, so that small "
        "ones are heard; the paper does not.",
        json_schema_extra=UNLABELLED,
    )
    mix: Literal["none", "unlabelled", "labelled", "both"] = Field(
        default="both",
        title="Mix scans",
        description="Put a box of another unlabelled or of a labelled scan into an unlabelled one; "
        "both also puts one of an unlabelled scan into a labelled one.",
        json_schema_extra=UNLABELLED,
    )
    per_class_threshold: Literal["auto", "always", "never"] = Field(
        default="auto",
        title="Own bar for each class",
        description="A pixel counts only when the teacher is surer of it than it usually is of "
        "that class. Automatic: for classes below 1 % of the voxels.",
        json_schema_extra=UNLABELLED,
    )
    fill_gaps: bool = Field(
        default=True,
        title="Fill gaps of labelled scans",
        description="Where a labelled scan is not labelled in full, learn from pseudo-labels there "
        "too. Else what is drawn slowly grows over what is not.",
        json_schema_extra=UNLABELLED,
    )
    hold_shares: bool = Field(
        default=False,
        title="Hold the shares of scarce classes",
        description="Where the teacher gives a class of which little is labelled less of the "
        "unlabelled scans than the labelled ones have, its answers are moved towards the class, so "
        "that it does not wither; the paper does not.",
        json_schema_extra=UNLABELLED,
    )
    labelled_first: float = Field(
        default=0.0,
        ge=0.0,
        le=0.9,
        title="Labelled scans first",
        description="Share of the training that mixes labelled scans only, before the others "
        "come in.",
        json_schema_extra=UNLABELLED,
    )
    pretrain_share: float = Field(
        default=0.1,
        ge=0.0,
        le=0.9,
        title="Pre-training",
        description="Share of the training that first learns what scans look like; 0 leaves it "
        "out.",
        json_schema_extra=PRETRAINING,
    )
    pretrain_global: bool = Field(
        default=True,
        title="Whole scans",
        description="Compare whole scans in pre-training.",
        json_schema_extra=PRETRAINING,
    )
    pretrain_local: bool = Field(
        default=True,
        title="Parts of scans",
        description="Compare parts of scans in pre-training.",
        json_schema_extra=PRETRAINING,
    )
    bank: int = Field(
        default=36,
        ge=2,
        le=4096,
        title="Remembered scans",
        description="How many earlier scans pre-training compares with.",
        json_schema_extra=PRETRAINING,
    )
    student_temperature: float = Field(
        default=0.1,
        gt=0.0,
        le=1.0,
        title="Student's temperature",
        description="Lower end of the temperature in pre-training.",
        json_schema_extra=PRETRAINING,
    )
    teacher_temperature: float = Field(
        default=0.04,
        gt=0.0,
        le=1.0,
        title="Teacher's temperature",
        description="Lower end for the teacher; above the student's, all scans become alike. The "
        "paper's numbers are 0.01 (ACDC) and 0.6 (LA).",
        json_schema_extra=PRETRAINING,
    )
    anco: bool = Field(
        default=True,
        title="Contrast of pixels",
        description="Pull pixels to the mean of their class and push other classes away (AnCo).",
        json_schema_extra=CONTRAST,
    )
    saacl: bool = Field(
        default=True,
        title="Contrast to class centres",
        description="Pull pixels to evenly spread class centres, which holds rare classes apart "
        "(SAACL).",
        json_schema_extra=CONTRAST,
    )
    adaptive_temperature: bool = Field(
        default=True,
        title="Moving temperature",
        description="Let the temperature of the contrast fall and rise again during training "
        "(ATS).",
        json_schema_extra=CONTRAST,
    )
    temperature: float = Field(
        default=0.1,
        gt=0.0,
        le=1.0,
        title="Temperature",
        description="Sharpness of the contrast: its lower end, or its value when it does not move.",
        json_schema_extra=CONTRAST,
    )
    contrast_share: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        title="Strength of contrast",
        description="Each contrast pulls this share as hard as the labels do; 0 takes the fixed "
        "weights below.",
        json_schema_extra=CONTRAST,
    )
    contrast_every: int = Field(
        default=1,
        ge=1,
        le=100,
        title="Contrast every so many steps",
        description="The contrasts take part in one step of so many: the others are faster.",
        json_schema_extra=CONTRAST,
    )
    anco_weight: float = Field(
        default=0.01,
        ge=0.0,
        le=10.0,
        title="Fixed weight, pixels",
        description="Weight of the contrast of pixels where the strength is 0.",
        json_schema_extra=CONTRAST,
    )
    saacl_weight: float = Field(
        default=0.01,
        ge=0.0,
        le=10.0,
        title="Fixed weight, centres",
        description="Weight of the contrast to class centres where the strength is 0.",
        json_schema_extra=CONTRAST,
    )
    centre_weight: float = Field(
        default=0.2,
        ge=0.0,
        le=10.0,
        title="Centres beside pixels",
        description="How much the centre counts beside other pixels of the class, within SAACL.",
        json_schema_extra=CONTRAST,
    )
    divide_centre: bool = Field(
        default=False,
        title="Centre term of the code",
        description="Divide the centre term as the authors' code does; the paper does not.",
        json_schema_extra=CONTRAST,
    )
    head: Literal["points", "dense"] = Field(
        default="points",
        title="Head of the contrast",
        description="Points looks only at the pixels that are compared; dense is the published "
        "head, many times slower.",
        json_schema_extra=CONTRAST,
    )
    width_contrast: int = Field(
        default=128,
        ge=8,
        le=1024,
        title="Width of the contrast",
        description="Numbers that describe a pixel.",
        json_schema_extra=CONTRAST,
    )
    queries: int = Field(
        default=64,
        ge=1,
        le=4096,
        title="Pixels a class",
        description="Pixels of each class that are compared in a step.",
        json_schema_extra=CONTRAST,
    )
    negatives: int = Field(
        default=128,
        ge=1,
        le=8192,
        title="Pixels to push away",
        description="Pixels of other classes that each is compared with.",
        json_schema_extra=CONTRAST,
    )
    mean_pixels: int = Field(
        default=512,
        ge=1,
        le=65536,
        title="Pixels of a mean",
        description="Pixels that the mean of a class is taken over.",
        json_schema_extra=CONTRAST,
    )
    queue: int = Field(
        default=2048,
        ge=1,
        le=100_000,
        title="Remembered pixels",
        description="Pixels of earlier scans that SAACL compares with; the paper has 12,288.",
        json_schema_extra=CONTRAST,
    )
    contrast_confidence: float = Field(
        default=0.7,
        ge=0.0,
        lt=1.0,
        title="Confidence for contrast",
        description="How sure the teacher must be of a pixel that is compared.",
        json_schema_extra=CONTRAST,
    )
    easy_above: float = Field(
        default=0.97,
        gt=0.0,
        le=1.0,
        title="Easy pixels",
        description="Pixels that the student is surer of than this are not compared.",
        json_schema_extra=CONTRAST,
    )
