"""ACDC: a folder a patient with the heart when it is filled (ED) and emptied (ES)."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ...errors import LongtailError
from ..image_paths import VOLUME_SUFFIXES, image_suffix, strip_suffix
from . import acdc_h5
from .folders import split_in
from .listing import case_id
from .masknames import ORPHAN
from .maskplan import NO_MASK, plan_with_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import Request

CLASSES = {1: "right ventricle", 2: "myocardium", 3: "left ventricle"}
PATIENT = re.compile(r"patient\d+", re.I)
FRAME = re.compile(r"(?P<patient>patient\d+)_frame(?P<frame>\d+)", re.I)
WHOLE_CYCLE = re.compile(r"patient\d+_4d", re.I)
DEEPEST = 3
"""`database/training/patient001` is the deepest place in which the challenge came."""

INFO = "Info.cfg"
INFO_BYTES_AT_MOST = 1 << 16
NO_FRAME = f"{INFO} names it, but it is not there."


def is_acdc(source: Path) -> bool:
    """Tell whether a folder holds patients of the challenge, or the h5 files made from them."""
    folders = patient_folders(source)
    return any(_frames(folder).images for folder in folders) or acdc_h5.is_acdc_h5(source)


def plan_acdc(request: Request) -> ImportPlan:
    """Plan the import of the challenge's folders, or of the h5 files of the literature.

    Raises
    ------
    LongtailError
        There is neither.
    """
    folders = patient_folders(request.root)
    if not folders and acdc_h5.is_acdc_h5(request.root):
        return acdc_h5.plan_acdc_h5(request, CLASSES)
    patients = [_Patient(folder, request.root) for folder in folders]
    cases = [case for patient in patients for case in patient.cases()]
    if not cases:
        raise LongtailError(
            f"The folder {request.root} holds no patient of ACDC.",
            "Choose the folder that holds patient001, or training and testing; its images are "
            "called patient001_frame01.nii.gz.",
        )
    return plan_with_masks(
        "acdc",
        cases,
        request,
        named=CLASSES,
        skipped=[item for patient in patients for item in patient.skipped()],
        notes=_notes(patients),
    )


def patient_folders(root: Path) -> list[Path]:
    """List the folders called like patients, `root` itself or below it."""
    if PATIENT.fullmatch(root.name):
        return [root]
    found: list[Path] = []
    for place, folders, _ in os.walk(root):
        folders.sort()
        found += [Path(place) / name for name in folders if PATIENT.fullmatch(name)]
        deep = len(Path(place).relative_to(root).parts) + 1 >= DEEPEST
        folders[:] = [] if deep else [name for name in folders if not PATIENT.fullmatch(name)]
    return found


class _Frames(NamedTuple):
    """The files of a patient by the number of their frame, and the film they were cut from."""

    images: Mapping[int, Path]
    masks: Mapping[int, Path]
    films: Sequence[Path]


def _frames(folder: Path) -> _Frames:
    images: dict[int, Path] = {}
    masks: dict[int, Path] = {}
    films: list[Path] = []
    for path in sorted(folder.iterdir()):
        stem = strip_suffix(path.name)
        if image_suffix(path.name) not in VOLUME_SUFFIXES:
            continue
        if match := FRAME.fullmatch(stem):
            images[int(match["frame"])] = path
        elif match := FRAME.fullmatch(re.sub("_gt$", "", stem, flags=re.I)):
            masks[int(match["frame"])] = path
        elif WHOLE_CYCLE.fullmatch(stem):
            films.append(path)
    return _Frames(images, masks, films)


class _Patient:
    """One patient's folder."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.frames = _frames(folder)
        self.info = _read_info(folder / INFO)
        self._root = root
        numbers = {phase: self.info.get(phase.lower(), "") for phase in ("ED", "ES")}
        self.phases = {int(text): phase for phase, text in numbers.items() if text.isdigit()}

    def cases(self) -> Iterator[FoundCase]:
        """Make a case of each frame."""
        for frame, path in self.frames.images.items():
            relative = path.relative_to(self._root)
            told = {"phase": self.phases.get(frame, ""), "group": self.info.get("group", "")}
            mask = self.frames.masks.get(frame)
            case = FoundCase(case_id(relative.as_posix()), (path.as_posix(),), (), 1, None)
            yield replace(
                case,
                split=split_in(relative.parts[:-2]),
                patient=self.folder.name,
                mask=mask.as_posix() if mask else None,
                metadata={key: value for key, value in told.items() if value},
            )

    def skipped(self) -> Iterator[Skipped]:
        """Name the files that should be there and are not."""
        images, masks = self.frames.images, self.frames.masks
        for frame in sorted(self.phases.keys() - images.keys()):
            yield Skipped(f"{self.folder.name}_frame{frame:02d}.nii.gz", NO_FRAME)
        for frame in sorted(images.keys() - masks.keys()):
            yield Skipped(f"{strip_suffix(images[frame].name)}_gt.nii.gz", NO_MASK)
        for frame in sorted(masks.keys() - images.keys()):
            yield Skipped(masks[frame].name, ORPHAN)


def _notes(patients: Sequence[_Patient]) -> list[str]:
    films = sum(len(patient.frames.films) for patient in patients)
    blind = [patient.folder.name for patient in patients if not patient.phases]
    notes = []
    if films:
        notes.append(
            f"{films} films of the whole heartbeat (patientNNN_4d) are left out: the frames are "
            "cut from them."
        )
    if blind:
        told = ", ".join(blind[:5]) + (f" and {len(blind) - 5} more" if len(blind) > 5 else "")
        notes.append(f"No {INFO} says which frame is which (ED, ES) of {told}.")
    return notes


def _read_info(path: Path) -> dict[str, str]:
    """Read `Info.cfg`, a `key: value` a line; empty where it is absent or no text."""
    try:
        if path.stat().st_size > INFO_BYTES_AT_MOST:
            return {}
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip().lower(): value.strip()[:200] for key, _, value in pairs if value.strip()}
