"""Which cases the list shows and in which order. Free of Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.project.records import Split, Status

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue

Rows = np.ndarray[Any, np.dtype[np.intp]]

ORDERS = {
    "name": "Name",
    "status": "Status",
    "split": "Part (train, val, test)",
    "patient": "Patient",
    "uncertainty": "Uncertainty, highest first",
}
UNSURE_FIRST = "uncertainty"


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What the user asked to see; the empty filter shows all."""

    text: str = ""
    status: Status | None = None
    split: Split | None = None
    class_id: int | None = None
    order: str = "name"
    only: frozenset[str] | None = None
    """Ids of cases that another panel asked for; `words` say what they have in common."""
    words: str = ""
    boxed: bool = False
    """Only cases in which somebody drew a box."""

    @property
    def narrows(self) -> bool:
        """Whether it hides anything."""
        named = self.class_id is not None or self.only is not None
        return bool(self.text or self.status or self.split or self.boxed or named)

    def cleared(self) -> "CaseFilter":
        """Show all again, in the same order."""
        return CaseFilter(order=self.order)

    def without_class(self) -> "CaseFilter":
        """Forget the class, as when it was retired."""
        return replace(self, class_id=None)


def matching(
    catalogue: "Catalogue", wanted: CaseFilter, doubts: Mapping[str, float] | None = None
) -> Rows:
    """Give the catalogue's row numbers that a filter shows, in its order.

    `doubts` says how unsure the chosen run is of the cases that it has predicted.
    """
    rows = catalogue.find(
        text=wanted.text,
        statuses=None if wanted.status is None else (wanted.status,),
        splits=None if wanted.split is None else (wanted.split,),
        class_id=wanted.class_id,
        boxed=True if wanted.boxed else None,
    )
    if wanted.only is not None:
        listed = wanted.only
        rows = np.array([row for row in rows.tolist() if catalogue.ids[row] in listed], np.intp)
    if wanted.order == UNSURE_FIRST:
        return _unsure_first(catalogue, catalogue.order(rows), doubts or {})
    return np.asarray(catalogue.order(rows, wanted.order), dtype=np.intp)


def _unsure_first(catalogue: "Catalogue", rows: Rows, doubts: Mapping[str, float]) -> Rows:
    """Put the cases that a run is least sure of first, and those it has not predicted last."""
    told = np.array([doubts.get(catalogue.ids[row], -1.0) for row in rows])
    return np.asarray(rows[np.argsort(-told, kind="stable")], dtype=np.intp)


def status_counts(catalogue: "Catalogue") -> dict[Status, int]:
    """Count the cases of each status."""
    counts = np.bincount(catalogue.status, minlength=len(Status))
    return {status: int(counts[i]) for i, status in enumerate(Status)}


def split_counts(catalogue: "Catalogue") -> dict[Split, int]:
    """Count the cases of each part."""
    counts = np.bincount(catalogue.split, minlength=len(Split))
    return {split: int(counts[i]) for i, split in enumerate(Split)}
