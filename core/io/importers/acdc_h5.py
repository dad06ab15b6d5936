"""ACDC as the semi-supervised literature keeps it: `data/patient001_frame01.h5` and lists.

Each file holds `image` (z, y, x), scaled to 0..1, and `label`; `data/slices` holds the slices of
the training volumes once more, a file a slice. The files give no spacing.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from .caselists import NO_SPACING, listed_splits, split_words
from .maskplan import plan_with_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import Request

VOLUME = re.compile(r"(?P<patient>patient\d+)_frame\d+", re.I)
SLICE = re.compile(r"(?P<volume>(?P<patient>patient\d+)_frame\d+)_slice_\d+", re.I)


def is_acdc_h5(source: Path) -> bool:
    """Tell whether a folder holds `data/patientNNN_frameNN.h5`, or the slices of them."""
    return any(True for _ in _matching(_data(source), VOLUME)) or any(
        True for _ in _matching(_data(source) / "slices", SLICE)
    )


def plan_acdc_h5(request: Request, classes: Mapping[int, str]) -> ImportPlan:
    """Plan the import of the volumes, and of slices whose volume is not there."""
    splits = listed_splits(request.root)
    volumes = dict(_matching(_data(request.root), VOLUME))
    slices = dict(_matching(_data(request.root) / "slices", SLICE))
    whole = _stems(volumes)
    loose = {path: match for path, match in slices.items() if match["volume"] not in whole}
    cases = [
        _case(path, match["patient"], request.root, splits)
        for path, match in [*volumes.items(), *loose.items()]
    ]
    there = whole | {match["volume"] for match in loose.values()}
    skipped = [
        Skipped(name, f"{listing} names it, but it is not there.")
        for name, (_, listing) in splits.items()
        if name not in there
    ]
    twice = [_left_words(len(slices) - len(loose))] if len(slices) > len(loose) else []
    return plan_with_masks(
        "acdc",
        cases,
        request,
        named=classes,
        skipped=skipped,
        notes=[*split_words(splits), *twice, NO_SPACING],
    )


def _left_words(count: int) -> str:
    if count == 1:
        return "1 slice is left out: its volume is imported."
    return f"{count:,} slices are left out: their volumes are imported."


def _data(root: Path) -> Path:
    return root / "data" if (root / "data").is_dir() else root


def _matching(folder: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    for path in sorted(folder.glob("*.h5")) if folder.is_dir() else []:
        if match := pattern.fullmatch(path.stem):
            yield path, match


def _stems(files: Mapping[Path, re.Match[str]]) -> set[str]:
    return {path.stem for path in files}


def _case(path: Path, patient: str, root: Path, splits: Mapping[str, tuple[str, str]]) -> FoundCase:
    file = path.as_posix()
    volume = path.stem.partition("_slice_")[0]
    return FoundCase(
        id=path.relative_to(root).with_suffix("").as_posix(),
        channels=(f"{file}#image",),
        shape=(),
        channel_count=1,
        spacing_mm=None,
        split=splits[volume][0] if volume in splits else None,
        patient=patient,
        mask=f"{file}#label",
    )
