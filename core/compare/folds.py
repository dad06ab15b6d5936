"""Cross-validation: every labelled case is measured once, by runs that have not seen its patient.

Each fold is a copy of the project in which the fold is the part test and all else the part train.
"""

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from ..errors import LongtailError
from ..project.copying import copy_project
from ..project.folder import SUFFIX
from ..project.records import Split
from ..project.store import Project
from .aside import made_aside
from .cells import CellRecord
from .draws import FOLDER
from .plan import Plan
from .planning import data_digest


def fold_project(folder: Path, plan: Plan, name: str) -> Path:
    """Give the project of a fold under a comparison's folder.

    The first that is asked for makes all of them, so that people may go on labelling.

    Raises
    ------
    LongtailError
        The project has changed since the comparison was planned, it cannot be read, or the copy
        cannot be written.
    """
    if not _place(folder, name).is_dir():
        _make_all(folder, plan)
    return _place(folder, name)


def _place(folder: Path, name: str) -> Path:
    return folder / FOLDER / f"{name}{SUFFIX}"


def _make_all(folder: Path, plan: Plan) -> None:
    source = Path(plan.project)
    with Project.open(source, write=False) as project:
        if data_digest(project) != plan.data:
            raise LongtailError(
                f"The cases or labels of {project.name} have changed since this comparison began.",
                "Start another comparison with --out.",
            )
        folds = project.folds(len(plan.fold_names))
    for name, held_out in zip(plan.fold_names, folds, strict=True):
        target = _place(folder, name)
        if target.is_dir():
            continue
        with made_aside(target) as aside:
            copy_project(source, aside)
            with Project.open(aside) as copy:
                _hold_out(copy, held_out)


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
