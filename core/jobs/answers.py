"""What a run has said of labelled images, beside what is true; reads files only, no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..evaluate.bootstrap import FloatArray
from ..evaluate.operating import Answers, Join, Truth
from ..predict.classids import merge_columns
from ..predict.shelf import Shelf, read_shelf
from ..project.records import Case, ImageLabels, RunRecord, Split, Task
from ..project.store import Project
from .predicting import current_ids


@dataclass(frozen=True)
class StoredAnswers:
    """The outputs of a run for the images whose truth is usable.

    Parameters
    ----------
    cases
        The images, in the order of the rows.
    truth
        (case,) the column of the true class where classes exclude each other, else (case, class):
        1 yes, 0 no, -1 unknown.
    logits
        (case, column of the run), as the network gave them.
    now
        The present class of each column of the run, 0 for a retired one.
    class_ids
        The classes of now that the run knows, each once.
    exclusive
        Classes exclude each other.
    """

    cases: tuple[Case, ...]
    truth: Truth
    logits: FloatArray
    now: tuple[int, ...]
    class_ids: tuple[int, ...]
    exclusive: bool

    @property
    def patients(self) -> list[str]:
        """Whose images they are; an image without a name is a patient of its own."""
        return [case.patient or case.id for case in self.cases]

    @property
    def test(self) -> dict[int, int]:
        """Count the images with each class."""
        if self.exclusive:
            counts = np.bincount(self.truth, minlength=len(self.class_ids))
        else:
            counts = (self.truth == 1).sum(axis=0)
        return dict(zip(self.class_ids, counts.tolist(), strict=True))

    def joined(self, logits: FloatArray) -> FloatArray:
        """Give (case, class of now) out of (case, column of the run)."""
        return merge_columns(logits, self.now, self.class_ids, exclusive=self.exclusive)

    def operating(self) -> Answers:
        """Give the same for counting under many settings."""
        return Answers(self.truth, self.logits, self._join())

    def _join(self) -> Join | None:
        if self.now == self.class_ids:
            return None
        return partial(
            merge_columns, now=self.now, class_ids=self.class_ids, exclusive=self.exclusive
        )


def stored_answers(project: Project, shelf: Shelf, cases: Sequence[Case]) -> StoredAnswers:
    """Put the outputs on a shelf beside the labels; cases without either are left out."""
    now = current_ids(project, shelf.class_ids)
    class_ids = tuple(dict.fromkeys(i for i in now if i))
    exclusive = project.task is Task.CLASSIFICATION
    columns = {class_id: column for column, class_id in enumerate(class_ids)}
    predicted = [case for case in cases if case.id in shelf.cases]
    truth: Truth
    if exclusive:
        answers = [_only_class(case.labels, columns) for case in predicted]
        predicted = [c for c, answer in zip(predicted, answers, strict=True) if answer is not None]
        truth = np.array([answer for answer in answers if answer is not None], dtype=np.int64)
    else:
        told = [_answers(case.labels, class_ids) for case in predicted]
        truth = np.array(told, dtype=np.int8).reshape(len(predicted), len(class_ids))
    rows = [np.asarray(shelf.cases[case.id].logits, dtype=np.float64) for case in predicted]
    logits = np.stack(rows) if rows else np.zeros((0, len(now)))
    return StoredAnswers(tuple(predicted), truth, logits, now, class_ids, exclusive)


def read_answers(project: Project, run: RunRecord, split: Split) -> StoredAnswers | None:
    """Read what a run has said of the labelled images of a part; None where it said nothing."""
    shelf = read_shelf(project.run_folder(run.id))
    if shelf is None or project.task is Task.SEGMENTATION:
        return None
    found = stored_answers(project, shelf, project.cases(split=split, labelled=True))
    return found if found.cases and found.class_ids else None


def _only_class(labels: ImageLabels | None, columns: Mapping[int, int]) -> int | None:
    if labels is None or len(labels.yes) != 1:
        return None
    return columns.get(next(iter(labels.yes)))


def _answers(labels: ImageLabels | None, class_ids: Sequence[int]) -> list[int]:
    """Give 1, 0 or -1 a class, as training does: what was not answered is unknown."""
    if labels is None:
        return [-1] * len(class_ids)
    return [1 if i in labels.yes else 0 if i in labels.no else -1 for i in class_ids]
