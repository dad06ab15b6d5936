"""The words that findings share."""

from collections.abc import Sequence

PART_WORDS = {"train": "train", "val": "validation", "test": "test"}
NAMED = 3


def number_of(count: int, one: str, many: str) -> str:
    """Write a count with its noun: `1 image`, `1,204 images`."""
    return f"{count:,} {one if count == 1 else many}"


def listed(names: Sequence[str], most: int = NAMED) -> str:
    """Join names as a sentence does: `a, b and c`, or `a, b, c and 4 more`."""
    shown, rest = list(names[:most]), len(names) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest:,} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def singular(noun: str) -> str:
    """Give `image` for `images`, `scan` for `scans`."""
    return noun.removesuffix("s")
