"""Cross-validation: every labelled case is measured once, by runs that have not seen its patient.

Each fold is a copy of the project in which the fold is the part test and all else the part train.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from ..project.copying import copy_project
from ..project.folder import SUFFIX
from ..project.records import Split
from ..project.store import Project
from .cells import CellRecord
from .draws import FOLDER
from .plan import Plan


def fold_project(folder: Path, plan: Plan, name: str) -> Path:
    """Give the project of a fold under a comparison's folder, made on first use.

    Raises
    ------
    LongtailError
        The project cannot be read or the copy cannot be written.
    """
    target = folder / FOLDER / f"{name}{SUFFIX}"
    if target.is_dir():
        return target
    source = Path(plan.project)
    with Project.open(source, write=False) as project:
        held_out = project.folds(len(plan.fold_names))[plan.fold_names.index(name)]
    aside = target.with_name(f"making-{target.name}")
    shutil.rmtree(aside, ignore_errors=True)  # what an earlier try left
    copy_project(source, aside)
    with Project.open(aside) as copy:
        _hold_out(copy, held_out)
    aside.rename(target)
    return target


def pooled(records: Sequence[CellRecord]) -> list[CellRecord]:
    """Join the folds of each seed into one record, as if one run had measured all cases."""
    by_seed: dict[int, list[CellRecord]] = {}
    for record in records:
        by_seed.setdefault(record.seed, []).append(record)
    return [_joined(parts) for parts in by_seed.values()]


def _joined(parts: Sequence[CellRecord]) -> CellRecord:
    first = parts[0]
    classes = tuple(
        each.model_copy(
            update={"training": round(fmean(one.classes[at].training for one in parts))}
        )
        for at, each in enumerate(first.classes)
    )
    cases = tuple(case for one in parts for case in one.cases)
    return first.model_copy(update={"draw": None, "classes": classes, "cases": cases})


def _hold_out(copy: Project, held_out: Sequence[str]) -> None:
    """Make `held_out`, and all unlabelled cases of its patients, the part test."""
    catalogue = copy.catalogue()
    wanted = set(held_out)
    patients = {
        patient
        for id_, patient in zip(catalogue.ids, catalogue.patients, strict=True)
        if id_ in wanted and patient
    }
    test = [
        id_
        for id_, patient in zip(catalogue.ids, catalogue.patients, strict=True)
        if id_ in wanted or patient in patients
    ]
    copy.set_split(catalogue.ids, Split.TRAIN)
    copy.set_split(test, Split.TEST)
