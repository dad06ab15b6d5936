"""Features of regions in words: short names, what they tell, how unusual one is; free of Qt."""

import math

from ...core.radiomics.unusual import FEWEST, Compared, TrainingRegions
from .train_words import plural

UNUSUAL = 2.0
"""From so many deviations on a value is called unusual: one of twenty regions is."""

FAMILIES = {
    "firstorder": "Grey values, wherever they lie in the region",
    "shape": "Size and shape of the region",
    "shape2D": "Size and shape of the region",
    "glcm": "Texture: which grey values lie side by side (co-occurrence)",
    "glrlm": "Texture: how long runs of one grey value are",
    "glszm": "Texture: how large patches of one grey value are",
    "gldm": "Texture: how many neighbours are like a pixel",
    "ngtdm": "Texture: how a pixel differs from those around it",
}


def short_name(name: str) -> str:
    """Give `glcm Contrast` for `original_glcm_Contrast`."""
    return " ".join(name.split("_")[1:])


def family_words(name: str) -> str:
    """Say what a class of features tells."""
    parts = name.split("_")
    return FAMILIES.get(parts[1], "") if len(parts) > 1 else ""


def z_words(z: float | None) -> str:
    """Write a z-score with its sign; a dash where there is none."""
    if z is None or not math.isfinite(z):
        return "–"  # noqa: RUF001 - a dash is what a reader of tables expects
    if abs(z) >= 99.5:
        return "> +99" if z > 0 else "< -99"
    return f"{z:+.1f}"


def rank_words(one: Compared) -> str:
    """Say where a value stands: `higher than 41 of 43`."""
    return f"higher than {one.below:,} of {one.count:,}"


def value_words(value: float | None) -> str:
    """Write a value with as many digits as are looked at."""
    if value is None or not math.isfinite(value):
        return "–"  # noqa: RUF001 - as above
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}".replace("e+", "e")


def change_words(change: float) -> str:
    """Write a difference with its sign."""
    words = value_words(change)
    return f"+{words}" if change > 0 else words


def compared_sentence(name: str, one: Compared) -> str:
    """Say a feature and how it compares, as its tooltip does."""
    return (
        f"{short_name(name)} {value_words(one.value)}: {rank_words(one)} training regions "
        f"(mean {value_words(one.mean)}, z {z_words(one.z)}).\n{family_words(name)}."
    )


def source_words(regions: TrainingRegions, class_name: str, *, boxes: bool) -> str:
    """Say what a region is compared with."""
    count = len(regions.values)
    if regions.source == "found":
        return (
            f"Compared with the boxes that the run's own map finds in {count:,} training images "
            f"with {class_name}."
        )
    what = "drawn boxes" if boxes else "labelled regions"
    return f"Compared with {count:,} {what} of {class_name} in training."


def too_few_words(regions: TrainingRegions, class_name: str, *, boxes: bool) -> str:
    """Say why there is nothing to compare with."""
    count = len(regions.values)
    if regions.waiting:
        return (
            f"{count:,} of {count + regions.waiting:,} training regions of {class_name} are "
            f"measured; what is unusual is known from {FEWEST} on."
        )
    if not count:
        return f"There is no training region of {class_name} to compare with. " + (
            "Draw boxes." if boxes else "Label more scans."
        )
    if boxes and regions.source == "found":
        return (
            f"Only {plural(count, 'training image')} with {class_name}: too few to say what is "
            "unusual. Label more, or draw boxes."
        )
    return (
        f"Only {plural(count, 'training region')} of {class_name}: too few to say what is "
        "unusual. " + ("Draw more boxes." if boxes else "Label more scans.")
    )
