"""DICOM below a folder: each series a case, each picture without a place a case."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from ..dicom import read_notes
from ..dicom_series import Folder, Series, scan_folder
from ..image_paths import split_source
from .headers import look_into
from .listing import case_id, with_unique_ids
from .masknames import MaskNames
from .masks import settle_masks
from .plan import FoundCase, ImportPlan, Skipped
from .request import SEGMENTATION, Request

UNFIT = re.compile(r"[^\w.+-]+")


def plan_dicom(request: Request) -> ImportPlan:
    """Plan the import of all DICOM images below a folder.

    Raises
    ------
    LongtailError
        There are none.
    """
    cases: list[FoundCase] = []
    skipped: list[Skipped] = []
    for folder in _folders(request.source):
        cases += _cases(folder, request.root)
        skipped += [Skipped(file.path.name, f"{file.refusal}.") for file in folder.refused]
    if not cases:
        why = f" {skipped[0].path}: {skipped[0].reason}" if skipped else ""
        raise LongtailError(
            f"There is no DICOM image below {request.source}.{why}", "Choose another folder."
        )
    if request.labels is not None:
        return _plan_with_masks(request, cases, skipped, MaskNames(request.labels))
    looked = look_into(with_unique_ids(cases))
    return ImportPlan(
        format="dicom",
        cases=looked.cases,
        skipped=(*skipped, *looked.skipped),
        notes=(*looked.notes, *_oddities(looked.cases)),
        class_names=tuple(request.classes),
        task=request.task or SEGMENTATION,
    )


def _plan_with_masks(
    request: Request, cases: Sequence[FoundCase], skipped: Sequence[Skipped], masks: MaskNames
) -> ImportPlan:
    """Give each series the mask that is called like its case or its folder."""
    named = [replace(case, mask=_mask_of(case, masks)) for case in with_unique_ids(cases)]
    looked = look_into(named)
    settled = settle_masks(looked.cases, looked.headers, request)
    return ImportPlan(
        format="dicom",
        cases=settled.cases,
        skipped=(*skipped, *looked.skipped, *settled.skipped, *masks.orphans(named)),
        notes=(*looked.notes, *_oddities(settled.cases), *settled.notes),
        class_names=settled.class_names,
        mask_values=settled.mask_values,
        ignore_values=settled.ignore_values,
        task=SEGMENTATION,
    )


def _mask_of(case: FoundCase, masks: MaskNames) -> str | None:
    names = (case.id, case.id.replace("/", "_"), case.id.rpartition("/")[2])
    return next((mask for mask in map(masks.of, names) if mask), None)


def _folders(source: Path) -> Iterator[Folder]:
    if source.is_file():
        folder = scan_folder(source.parent)
        series = [s for s in folder.series if any(file.path == source for file in s.files)]
        yield Folder(folder.path, tuple(series), ())
        return
    for place, folders, _ in os.walk(source):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = scan_folder(Path(place))
        if found.series or found.refused:
            yield found


def _cases(folder: Folder, root: Path) -> Iterator[FoundCase]:
    damaged = any(file.damaged for file in folder.refused)
    alone = len(folder.series) == 1 and not damaged
    relative = folder.path.relative_to(root).as_posix()
    name = folder.path.name if relative == "." else relative
    for series in folder.series:
        if series.is_stack or (len(series.files) == 1 and alone):
            yield _stack_case(folder, series, name, alone=alone)
        else:
            yield from (_file_case(series, file.path, root) for file in series.files)


def _stack_case(folder: Folder, series: Series, name: str, *, alone: bool) -> FoundCase:
    path = folder.path.as_posix()
    channel = path if alone else f"{path}#{series.uid}"
    words = UNFIT.sub("-", series.files[0].description).strip("-")
    own = "-".join(part for part in (str(series.files[0].series_number), words) if part)
    return _case(name if alone else f"{name}/{own}", channel, series)


def _file_case(series: Series, path: Path, root: Path) -> FoundCase:
    return _case(case_id(path.relative_to(root).as_posix()), path.as_posix(), series)


def _case(identity: str, channel: str, series: Series) -> FoundCase:
    first = series.files[0]
    told = {"modality": first.modality, "series": first.description, "view": first.view}
    metadata = {key: value for key, value in told.items() if value}
    patient = first.patient or None
    return FoundCase(identity, (channel,), (), 1, None, patient=patient, metadata=metadata)


def _oddities(cases: tuple[FoundCase, ...]) -> list[str]:
    """Collect what is odd about the stacks: tilt, uneven or missing slices."""
    notes: dict[str, None] = {}
    for case in cases:
        if len(case.shape) == 3:
            notes.update(dict.fromkeys(read_notes(split_source(case.channels[0]))))
    return list(notes)
