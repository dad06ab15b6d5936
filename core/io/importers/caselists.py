"""Lists of cases that the semi-supervised literature keeps beside its data: `train.list` ..."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import LongtailError

LISTS = {
    "train.list": "train",
    "train_slices.list": "train",
    "val.list": "val",
    "test.list": "test",
}
BYTES_AT_MOST = 4 << 20
NO_SPACING = "The h5 files give no spacing, so there are no distances in mm."


def listed_splits(root: Path) -> dict[str, tuple[str, str]]:
    """Give (split, name of the list) of each case that the lists right in `root` name.

    A line is the name of a case, also with `/mri_norm2.h5` or `_slice_7` behind it. A case that
    several lists name is of the last of train, val and test: it must not be trained on.

    Raises
    ------
    LongtailError
        A list cannot be read.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, split in LISTS.items():
        if (root / name).is_file():
            found |= dict.fromkeys(_cases_in(root / name), (split, name))
    return found


def split_words(splits: Mapping[str, tuple[str, str]]) -> list[str]:
    """Say where the split comes from, or that there is none."""
    if not splits:
        return ["There are no lists of training and test cases, so no split is known."]
    names = dict.fromkeys(name for _, name in splits.values())
    return [f"The split is taken from {', '.join(names)}."]


def _cases_in(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > BYTES_AT_MOST:
            raise ValueError("too large")
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise LongtailError(
            f"The list {path.name} cannot be read: it is no plain text with a case a line.",
            "Download it again, or take it away to import without its split.",
        ) from error
    for line in lines:
        name = line.strip().replace("\\", "/").partition("/")[0].removesuffix(".h5")
        if name:
            yield name.partition("_slice_")[0]
