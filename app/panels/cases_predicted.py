"""What the chosen run predicts for the cases that nobody has labelled. Free of Qt and of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import LongtailError
from ...core.evaluate.setting import AS_TRAINED, read_setting
from ...core.project.records import NOT_LABELLED, PredictionRecord, Task

if TYPE_CHECKING:
    from ...core.project.store import Project

YES_FROM = 0.5


@dataclass(frozen=True, slots=True)
class Guess:
    """Classes predicted for one case; `probability` is that of the likeliest where known.

    `uncertainty` is 0 where the run is sure of the case, 1 where it is undecided.
    """

    class_ids: tuple[int, ...]
    probability: float | None = None
    uncertainty: float | None = None


@dataclass(frozen=True, slots=True)
class Guesses:
    """The guesses of one run a case."""

    run_id: str | None = None
    by_case: Mapping[str, Guess] = field(default_factory=dict)

    @property
    def doubts(self) -> dict[str, float]:
        """How unsure the run is, by case."""
        told = {case: guess.uncertainty for case, guess in self.by_case.items()}
        return {c: doubt for c, doubt in told.items() if doubt is not None and np.isfinite(doubt)}

    def counts(self, unlabelled: set[str]) -> dict[int, int]:
        """Count the unlabelled cases a predicted class."""
        found: dict[int, int] = {}
        for case_id in self.by_case.keys() & unlabelled:
            for class_id in self.by_case[case_id].class_ids:
                found[class_id] = found.get(class_id, 0) + 1
        return found


def read_guesses(project: "Project", run_id: str) -> Guesses:
    """Read what a run predicted; maps are opened one after the other, so ask in a thread."""
    run = project.run(run_id)
    class_ids = [int(item["id"]) for item in run.spec.get("classes", ())]
    task = Task(str(run.spec.get("task", project.task)))
    setting = AS_TRAINED if task is Task.SEGMENTATION else read_setting(run.settings, class_ids)
    prior, cuts = run.result.get("prior"), [setting.threshold(i) for i in class_ids]
    found = {}
    for record in project.predictions(run_id):
        if record.logits is not None and not setting.is_as_trained:
            exclusive = task is Task.CLASSIFICATION
            moved = setting.moved(record.logits[None], prior, exclusive=exclusive)[0]
            record = replace(record, logits=moved)
        guess = guess_of(record, class_ids, task, project.path, cuts)
        if guess is not None:
            found[record.case] = replace(guess, uncertainty=record.uncertainty)
    return Guesses(run_id, found)


def guess_of(
    record: PredictionRecord,
    class_ids: Sequence[int],
    task: Task,
    folder: Path,
    cuts: Sequence[float] | None = None,
) -> Guess | None:
    """Turn one prediction into classes; None where there is nothing to read.

    `cuts` say from which probability each class counts as found, where there are several.
    """
    if record.logits is not None and len(record.logits) == len(class_ids):
        logits = np.asarray(record.logits, dtype=np.float64)
        return _from_logits(logits, class_ids, task, cuts)
    if record.file is not None:
        return _from_map(folder / record.file)
    return None


def _from_logits(
    logits: np.ndarray[Any, np.dtype[np.float64]],
    class_ids: Sequence[int],
    task: Task,
    cuts: Sequence[float] | None,
) -> Guess | None:
    if not len(logits) or not np.isfinite(logits).all():
        return None
    if task is Task.MULTILABEL:
        shares = 1 / (1 + np.exp(-np.clip(logits, -60, 60)))
        yes = tuple(
            class_ids[int(i)] for i in np.flatnonzero(shares >= np.asarray(cuts or YES_FROM))
        )
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
