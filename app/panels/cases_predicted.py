"""What the chosen run predicts for the cases that nobody has labelled. Free of Qt and of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import LongtailError
from ...core.project.records import NOT_LABELLED, PredictionRecord, Task

if TYPE_CHECKING:
    from ...core.project.store import Project

YES_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Guess:
    """Classes predicted for one case; `probability` is that of the likeliest where known."""

    class_ids: tuple[int, ...]
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Guesses:
    """The guesses of one run a case."""

    run_id: str | None = None
    by_case: Mapping[str, Guess] = field(default_factory=dict)

    def counts(self, unlabelled: set[str]) -> dict[int, int]:
        """Count the unlabelled cases a predicted class."""
        found: dict[int, int] = {}
        for case_id in self.by_case.keys() & unlabelled:
            for class_id in self.by_case[case_id].class_ids:
                found[class_id] = found.get(class_id, 0) + 1
        return found


def read_guesses(project: "Project", run_id: str) -> Guesses:
    """Read what a run predicted; maps are opened one after the other, so ask in a thread."""
    spec = project.run(run_id).spec
    class_ids = [int(item["id"]) for item in spec.get("classes", ())]
    task = Task(str(spec.get("task", project.task)))
    found = {}
    for record in project.predictions(run_id):
        guess = guess_of(record, class_ids, task, project.path)
        if guess is not None:
            found[record.case] = guess
    return Guesses(run_id, found)


def guess_of(
    record: PredictionRecord, class_ids: Sequence[int], task: Task, folder: Path
) -> Guess | None:
    """Turn one prediction into classes; None where there is nothing to read."""
    if record.logits is not None and len(record.logits) == len(class_ids):
        return _from_logits(np.asarray(record.logits, dtype=np.float64), class_ids, task)
    if record.file is not None:
        return _from_map(folder / record.file)
    return None


def _from_logits(
    logits: np.ndarray[Any, np.dtype[np.float64]], class_ids: Sequence[int], task: Task
) -> Guess | None:
    if not len(logits) or not np.isfinite(logits).all():
        return None
    if task is Task.MULTILABEL:
        shares = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        yes = tuple(class_ids[int(i)] for i in np.flatnonzero(shares >= YES_FROM))
        return Guess(yes, float(shares.max()))
    shares = np.exp(logits - logits.max())
    best = int(shares.argmax())
    return Guess((class_ids[best],), float(shares[best] / shares.sum()))


def _from_map(path: Path) -> Guess | None:
    from ...core.io.labelmap import read_label_map

    try:
        values = np.unique(read_label_map(str(path)).array)
    except LongtailError:  # a prediction that was deleted by hand is no prediction
        return None
    return Guess(tuple(int(v) for v in values if v not in (0, NOT_LABELLED)))
