"""The 2018 atrial challenge: a folder a scan; also the h5 files that the literature made of it."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import LongtailError
from .caselists import NO_SPACING, listed_splits, split_words
from .maskplan import NO_MASK, plan_with_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import Request

CLASS = "left atrium"
SCAN, MASK = "lgemri.nrrd", "laendo.nrrd"
H5 = "mri_norm2.h5"
DEEPEST = 3
SET = re.compile(r"^(training|testing)( set)?$", re.I)


def is_la(source: Path) -> bool:
    """Tell whether folders below hold `lgemri.nrrd` or `mri_norm2.h5`."""
    return next(_scan_folders(source), None) is not None


def plan_la(request: Request) -> ImportPlan:
    """Plan the import of the challenge's folders, or of the h5 files of the literature.

    Raises
    ------
    LongtailError
        There is neither.
    """
    splits = listed_splits(request.root)
    scans = [_Scan(folder, request.root, splits) for folder in _scan_folders(request.root)]
    if not scans:
        raise LongtailError(
            f"The folder {request.root} holds no scan of the atrial challenge.",
            f"Choose the folder that holds Training Set; each scan is a folder with {SCAN} and "
            f"{MASK}, or with {H5}.",
        )
    names = {scan.folder.name for scan in scans}
    lost = [
        Skipped(name, f"{listing} names it, but it is not there.")
        for name, (_, listing) in splits.items()
        if name not in names
    ]
    unlabelled = [f"{scan.folder.name}/{MASK}" for scan in scans if scan.mask is None]
    blind = [
        Skipped(f"{folder.name}/{SCAN}", "the scan is not there, only its mask.")
        for folder in _folders_with(request.root, MASK)
        if folder.name not in names
    ]
    return plan_with_masks(
        "la",
        [scan.case() for scan in scans],
        request,
        named=dict.fromkeys((1, 255), _class_name(request)),
        ignore=(),
        skipped=[*lost, *blind, *(Skipped(name, NO_MASK) for name in unlabelled)],
        notes=_notes(scans, splits),
    )


class _Scan(NamedTuple):
    """A scan's folder."""

    folder: Path
    root: Path
    splits: Mapping[str, tuple[str, str]]

    @property
    def is_h5(self) -> bool:
        return not (self.folder / SCAN).is_file()

    @property
    def mask(self) -> str | None:
        """The path of its mask, None where there is none."""
        if self.is_h5:
            # Made with pynrrd, which keeps the axes in the order x, y, z.
            return f"{(self.folder / H5).as_posix()}#label:xyz"
        path = self.folder / MASK
        return path.as_posix() if path.is_file() else None

    def case(self) -> FoundCase:
        """Make a case of it."""
        file = (self.folder / (H5 if self.is_h5 else SCAN)).as_posix()
        relative = self.folder.relative_to(self.root)
        return FoundCase(
            id=relative.as_posix() if relative.parts else self.folder.name,
            channels=(f"{file}#image:xyz" if self.is_h5 else file,),
            shape=(),
            channel_count=1,
            spacing_mm=None,
            split=self._split(relative.parts[:-1]),
            patient=self.folder.name,
            mask=self.mask,
        )

    def _split(self, above: Sequence[str]) -> str | None:
        if self.splits:
            return self.splits[self.folder.name][0] if self.folder.name in self.splits else None
        sets = (SET.match(name) for name in reversed(above))
        found = next((match for match in sets if match), None)
        return {"training": "train", "testing": "test"}[found[1].lower()] if found else None


def _scan_folders(root: Path) -> Iterator[Path]:
    return _folders_with(root, SCAN, H5)


def _folders_with(root: Path, *wanted: str) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders.sort()
        if any(name in names for name in wanted):
            yield Path(place)
        if len(Path(place).relative_to(root).parts) >= DEEPEST:
            folders[:] = []


def _class_name(request: Request) -> str:
    """Give the project's only class, or its class of this name: there is but one to draw."""
    if len(request.classes) == 1:
        return request.classes[0]
    return request.class_like(CLASS) or CLASS


def _notes(scans: Sequence[_Scan], splits: Mapping[str, tuple[str, str]]) -> list[str]:
    if not any(scan.is_h5 for scan in scans):
        return split_words(splits) if splits else []
    return [*split_words(splits), NO_SPACING]
