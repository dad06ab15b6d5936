"""Measure what a run has said of images: figures, a line a case, and the parts of the report."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..evaluate.bootstrap import FloatArray
from ..evaluate.parts import (
    Confusion,
    ImageParts,
    confusion_of,
    multi_label_parts,
    single_label_parts,
)
from ..evaluate.prior import DEFAULT_THRESHOLD, probabilities_of
from ..evaluate.report import EvaluatedClass, Figure, Tuned
from ..evaluate.setting import Setting
from ..evaluate.summary import multi_label_figures, single_label_figures
from ..evaluate.thresholds import choose_thresholds
from ..methods.spec import RunSpec
from ..predict.shelf import Shelf
from ..project.records import Case, Split, Task
from ..project.store import Project
from .answers import StoredAnswers, stored_answers

THRESHOLDED = ("recall", "precision", "macro_f1", "balanced_accuracy", "accuracy", "mcc", "kappa")
"""The measures that depend on the thresholds."""

Describe = Callable[[Mapping[int, int]], tuple[EvaluatedClass, ...]]
"""Describes the classes, given how many of the measured cases have each."""


class Measured(NamedTuple):
    """What measuring gives beside the classes: figures, a line a case, and the confusion."""

    classes: tuple[EvaluatedClass, ...]
    summary: Mapping[str, Figure]
    lines: tuple[Mapping[str, Any], ...]
    confusion: Confusion | None
    patients: int
    images: ImageParts | None = None
    tuned: Tuned | None = None


class ImageMeasuring:
    """Measures image-level classes under one setting.

    Parameters
    ----------
    project, shelf
        The project and the predictions of the run's weights.
    prior
        The effective training prior.
    setting
        The prior and the thresholds that the figures are made with.
    describe
        Describes the classes by the number of cases with each.
    tuning
        Validation cases on which thresholds may be chosen; none without validation.
    """

    def __init__(
        self,
        project: Project,
        shelf: Shelf,
        prior: Sequence[float] | None,
        setting: Setting,
        describe: Describe,
        tuning: Sequence[Case] = (),
    ) -> None:
        self._project, self._shelf, self._prior = project, shelf, prior
        self._setting, self._classes, self._tuning = setting, describe, tuning

    def measure(self, cases: Sequence[Case], *, graded: bool = False) -> Measured | None:
        """Measure all of `cases` whose truth is usable; None where there is nothing to measure."""
        answers = stored_answers(self._project, self._shelf, cases)
        if not answers.cases:
            return None
        return self._single_label(answers, graded) if answers.exclusive else self._multi(answers)

    def _moved(self, answers: StoredAnswers) -> FloatArray:
        moved = self._setting.moved(answers.logits, self._prior, exclusive=answers.exclusive)
        return answers.joined(moved)

    def _single_label(self, answers: StoredAnswers, graded: bool) -> Measured:
        logits, truth, patients = self._moved(answers), answers.truth, answers.patients
        classes = self._classes(answers.test)
        names = tuple(each.name for each in classes)
        summary = single_label_figures(truth, logits, classes, patients, graded=graded)
        return Measured(
            classes,
            summary,
            self._single_lines(answers, probabilities_of(logits, exclusive=True), names),
            confusion_of(truth, logits, names),
            len(set(patients)),
            single_label_parts(truth, logits, names),
        )

    def _single_lines(
        self, answers: StoredAnswers, shares: FloatArray, names: Sequence[str]
    ) -> tuple[dict[str, Any], ...]:
        said = shares.argmax(axis=1)
        return tuple(
            {
                **line_of(case, self._shelf),
                "true": names[answers.truth[row]],
                "predicted": names[said[row]],
                "probability": float(shares[row, said[row]]),
            }
            for row, case in enumerate(answers.cases)
        )

    def _multi(self, answers: StoredAnswers) -> Measured | None:
        logits, truth, patients = self._moved(answers), answers.truth, answers.patients
        classes = self._classes(answers.test)
        thresholds = [self._setting.threshold(class_id) for class_id in answers.class_ids]
        summary = multi_label_figures(truth, logits, classes, patients, thresholds=thresholds)
        if not summary:
            return None
        shares = probabilities_of(logits, exclusive=False)
        return Measured(
            classes,
            summary,
            self._multi_lines(answers, shares, classes),
            None,
            len(set(patients)),
            multi_label_parts(truth, logits, [c.name for c in classes], thresholds),
            self._tuned(answers, logits, classes),
        )

    def _multi_lines(
        self, answers: StoredAnswers, shares: FloatArray, classes: Sequence[EvaluatedClass]
    ) -> tuple[dict[str, Any], ...]:
        names = [each.name for each in classes]
        return tuple(
            {
                **line_of(case, self._shelf),
                "true": [n for n, yes in zip(names, answers.truth[row], strict=True) if yes == 1],
                "probabilities": dict(zip(names, map(float, shares[row]), strict=True)),
            }
            for row, case in enumerate(answers.cases)
        )

    def _tuned(
        self, answers: StoredAnswers, logits: FloatArray, classes: Sequence[EvaluatedClass]
    ) -> Tuned | None:
        """Measure again under thresholds chosen on the validation cases, where the run has any."""
        chosen_on = stored_answers(self._project, self._shelf, self._tuning)
        if not chosen_on.cases:
            return None
        chosen = choose_thresholds(chosen_on.truth, self._moved(chosen_on))
        thresholds = [DEFAULT_THRESHOLD if one is None else one for one in chosen]
        if all(one is None for one in chosen):
            return None
        summary = multi_label_figures(
            answers.truth, logits, classes, answers.patients, thresholds=thresholds
        )
        names = [each.name for each in classes]
        return Tuned(
            dict(zip(names, thresholds, strict=True)),
            len(chosen_on.cases),
            {name: summary[name] for name in THRESHOLDED if name in summary},
        )


def line_of(case: Case, shelf: Shelf) -> dict[str, Any]:
    """Give what the line of every case begins with."""
    uncertainty = shelf.cases[case.id].uncertainty
    return {"case": case.id, "patient": case.patient, "uncertainty": uncertainty}


def tuning_cases(project: Project, spec: RunSpec, split: str) -> list[Case]:
    """List the validation cases on which thresholds of findings may be chosen; none for `split`.

    A run without a validation part tunes nothing, and no figure is made on the cases that its
    thresholds were chosen on.
    """
    if project.task is not Task.MULTILABEL or spec.validation != "split" or split == Split.VAL:
        return []
    return project.cases(ids=spec.val, labelled=True) if spec.val else []
