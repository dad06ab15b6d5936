"""The project as the doctor sees it: cases in columns, and which class each has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..io.table import NO_CLASS_WORDS
from ..project.catalogue import NO, UNKNOWN, YES, Catalogue
from ..project.records import Case, ClassRecord, Split, Task

NO_CLASS_ID = 0
"""The column of cases that are labelled with no class at all, where there are any."""

NO_CLASS = {Task.MULTILABEL: "no finding", Task.CLASSIFICATION: "no class"}
PARTS = tuple(Split)

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]
Presence = np.ndarray[Any, np.dtype[np.int8]]


@dataclass(frozen=True, slots=True)
class Study:
    """Cases in columns, one row a case.

    Attributes
    ----------
    ids
        The cases.
    presence
        (case, class) int8: 1 there, 0 not there, -1 nobody knows. The last column may be that of
        `NO_CLASS_ID`: labelled, and none of the classes is there.
    class_ids, names, tiers
        Of the columns.
    split
        (case,) place in `Split`.
    labelled
        (case,) whether it is draft or reviewed.
    groups
        (case,) a number for each patient; a case of nobody known is a patient of its own.
    patients
        Their names, None where nobody said.
    columns
        The columns of the table, by name: a text a case, empty where there is none.
    volumes
        Labelled volume of each class in the training part, by id; empty without label maps.
    task
        What the classes are given to.
    """

    ids: tuple[str, ...]
    presence: Presence
    class_ids: tuple[int, ...]
    names: tuple[str, ...]
    tiers: Mapping[int, str]
    split: np.ndarray[Any, np.dtype[np.uint8]]
    labelled: BoolArray
    groups: np.ndarray[Any, np.dtype[np.intp]]
    patients: tuple[str | None, ...]
    columns: Mapping[str, tuple[str, ...]]
    volumes: Mapping[int, float]
    task: Task

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def knows_patients(self) -> bool:
        """Whether any case says whose it is."""
        return any(self.patients)

    @property
    def noun(self) -> str:
        """What a case is called, in the plural."""
        return "scans" if self.task is Task.SEGMENTATION else "images"

    def has(self, column: int) -> BoolArray:
        """(case,) whether the class of a column is there."""
        return np.asarray(self.presence[:, column] == YES)

    def cases_at(self, rows: Any) -> tuple[str, ...]:
        """Give the ids of rows, by number or by mask."""
        chosen = np.asarray(rows)
        numbers = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return tuple(self.ids[row] for row in numbers.tolist())

    def only(self, rows: np.ndarray[Any, np.dtype[np.intp]]) -> "Study":
        """Give the study of some cases alone, in the order of `rows`."""
        kept = rows.tolist()
        return replace(
            self,
            ids=tuple(self.ids[row] for row in kept),
            presence=self.presence[rows],
            split=self.split[rows],
            labelled=self.labelled[rows],
            groups=self.groups[rows],
            patients=tuple(self.patients[row] for row in kept),
            columns={
                name: tuple(texts[row] for row in kept) for name, texts in self.columns.items()
            },
        )


def study_of(catalogue: Catalogue, classes: Sequence[ClassRecord], cases: Sequence[Case]) -> Study:
    """Put together what the project knows of its cases, which are in the catalogue's order."""
    names = [one.name for one in classes]
    ids, presence = list(catalogue.class_ids), catalogue.presence
    nothing = catalogue.labelled & (presence == NO).all(axis=1) & bool(ids)
    if nothing.any() and catalogue.task is not Task.SEGMENTATION:
        declared = _declared(names)
        if declared is None:
            column = np.where(catalogue.labelled, nothing, UNKNOWN).astype(np.int8)
            presence = np.column_stack([presence, column])
            ids, names = [*ids, NO_CLASS_ID], [*names, NO_CLASS[catalogue.task]]
    return Study(
        ids=tuple(catalogue.ids),
        presence=presence,
        class_ids=tuple(ids),
        names=tuple(names),
        tiers=catalogue.tiers(),
        split=catalogue.split,
        labelled=catalogue.labelled,
        groups=_groups(catalogue.patients),
        patients=tuple(catalogue.patients),
        columns=_columns(cases),
        volumes=catalogue.class_volumes(Split.TRAIN) if len(catalogue.volumes) else {},
        task=catalogue.task,
    )


def _declared(names: Sequence[str]) -> str | None:
    """Give the class that says that nothing is there, such as *normal*, if it is one."""
    return next((name for name in names if name.casefold() in NO_CLASS_WORDS), None)


def _groups(patients: Sequence[str | None]) -> np.ndarray[Any, np.dtype[np.intp]]:
    numbers: dict[object, int] = {}
    keys = [patient or row for row, patient in enumerate(patients)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)


def _columns(cases: Sequence[Case]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for case in cases for name in case.metadata)
    return {name: tuple(case.metadata.get(name, "") for case in cases) for name in names}
