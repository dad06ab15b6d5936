"""What a comparison has found: frozen, plain data that every table and plot is written from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..evaluate.bootstrap import Bounds
from ..evaluate.box_scores import COMPARED
from ..project.records import Task
from .cells import CellRecord
from .plan import Cell, Plan

SHOWN = {
    Task.SEGMENTATION: ("dice", "jaccard", "hd95_mm", "asd_mm", "nsd_1mm"),
    Task.CLASSIFICATION: (
        "balanced_accuracy",
        "accuracy",
        "macro_f1",
        "recall_head",
        "recall_medium",
        "recall_tail",
        "auc",
        "ece",
        *COMPARED,
    ),
    Task.MULTILABEL: (
        "auc",
        "average_precision",
        "balanced_accuracy",
        "macro_f1",
        "recall_head",
        "recall_medium",
        "recall_tail",
        "ece",
        *COMPARED,
    ),
}
"""The measures of a table, the decisive one first."""

BY_CLASS = {
    Task.SEGMENTATION: SHOWN[Task.SEGMENTATION],
    Task.CLASSIFICATION: ("recall", "precision", "auc", *COMPARED),
    Task.MULTILABEL: ("auc", "average_precision", "recall", *COMPARED),
}
"""The measures that are also told of each class."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation over `n` runs; the deviation (n - 1) needs two.

    Of a single run there is the 95 % interval over its test patients instead.
    """

    mean: float | None
    sd: float | None
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A method minus the reference, with its 95 % interval."""

    mean: float | None
    low: float | None
    high: float | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        if self.low is None or self.high is None:
            return False
        return self.low > 0 or self.high < 0

    @classmethod
    def of(cls, bounds: Bounds) -> "Difference":
        """Take what the bootstrap gave."""
        return cls(bounds.mean, bounds.low, bounds.high)


@dataclass(frozen=True, slots=True)
class Row:
    """One method with one number of labelled cases.

    `overall` is by measure, `classes` by measure and class name; the differences alike, empty for
    the reference itself. `points` and `class_points` are the values of each run, in the order
    of `replicates`.
    """

    name: str
    labelled: str | None
    replicates: tuple[str, ...]
    overall: Mapping[str, Spread]
    classes: Mapping[str, Mapping[str, Spread]]
    points: Mapping[str, tuple[float | None, ...]]
    class_points: Mapping[str, Mapping[str, tuple[float | None, ...]]]
    pairs: int = 0
    differences: Mapping[str, Difference] = field(default_factory=dict)
    class_differences: Mapping[str, Mapping[str, Difference]] = field(default_factory=dict)

    @property
    def labels(self) -> str:
        """The number of labelled cases in words."""
        return self.labelled or "all"


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that is known of a comparison; `records` are its runs in the order of the plan."""

    plan: Plan
    rows: tuple[Row, ...]
    records: tuple[CellRecord, ...]
    waiting: tuple[Cell, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[CellRecord, ...]:
        """The runs that failed."""
        return tuple(one for one in self.records if one.state == "failed")

    @property
    def is_complete(self) -> bool:
        """Whether every run has been measured."""
        return not self.waiting and not self.failed

    def to_json(self) -> dict[str, Any]:
        """Plain data without the cases, which `cases.csv` has."""
        return {
            "title": self.plan.title,
            "task": self.plan.task.value,
            "reference": self.plan.reference,
            "complete": self.is_complete,
            "rows": [_row(row) for row in self.rows],
            "cells": [one.model_dump(mode="json", exclude={"cases"}) for one in self.records],
            "waiting": [cell._asdict() for cell in self.waiting],
            "notes": list(self.notes),
        }


def _row(row: Row) -> dict[str, Any]:
    return {
        "method": row.name,
        "labelled": row.labelled,
        "n": len(row.replicates),
        "pairs": row.pairs,
        "summary": {
            name: asdict(spread)
            | {"classes": {c: asdict(one) for c, one in row.classes.get(name, {}).items()}}
            for name, spread in row.overall.items()
        },
        "differences": {
            name: _difference(one)
            | {
                "classes": {
                    c: _difference(each) for c, each in row.class_differences.get(name, {}).items()
                }
            }
            for name, one in row.differences.items()
        },
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {**asdict(one), "clear": one.is_clear}
