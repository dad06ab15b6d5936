"""Two runs measured on the same cases: paired differences, and the cases behind them; no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .bootstrap import RESAMPLES, Bounds, FloatArray, Measures, Pair, bound_differences
from .classification import IntArray, PresenceArray, multi_label_measures, single_label_measures
from .prior import probabilities_of, sigmoid
from .segmentation import told_measures

LEAST_CHANGE = 0.005
"""A Dice that moved by less than this is the same to two digits."""

DECISIVE = "dice"


@dataclass(frozen=True, slots=True)
class ChangedCase:
    """A case that the two runs answer unlike.

    Parameters
    ----------
    before, after
        What the other run and this run gave, in words.
    gain
        Above 0 where this run does better: a difference of Dice, of the labelled class's
        probability, or in the number of right answers where an image may have several findings.
    truth
        What is labelled, in words; empty for label maps.
    """

    case: str
    before: str
    after: str
    gain: float
    truth: str = ""


@dataclass(frozen=True, slots=True)
class Versus:
    """What sets one run apart from another, on the cases that both were measured on.

    `overall` is by measure, `classes` by measure and class name: this run minus the other. The
    changed cases are ordered by how much they changed, the largest first.
    """

    shared: int
    overall: Mapping[str, Bounds] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, Bounds]] = field(default_factory=dict)
    changed: tuple[ChangedCase, ...] = ()

    @property
    def better(self) -> int:
        """How many cases this run does better."""
        return sum(one.gain > 0 for one in self.changed)

    @property
    def worse(self) -> int:
        """How many cases this run does worse."""
        return sum(one.gain < 0 for one in self.changed)


@dataclass(frozen=True, slots=True)
class ImageAnswers:
    """What a run says of images, one row a case.

    Parameters
    ----------
    cases, patients
        The id of each case and whose it is.
    truth
        (case,) the column of the class where classes exclude each other, else (case, class) 1
        yes, 0 no, -1 unknown.
    logits
        (case, class), moved to the setting that is kept with the run.
    thresholds
        From which probability a class counts as found, where classes do not exclude each other.
    """

    cases: Sequence[str]
    patients: Sequence[str]
    truth: IntArray | PresenceArray
    logits: FloatArray
    thresholds: Sequence[float] = ()

    def at(self, rows: Sequence[int]) -> "ImageAnswers":
        """Give these rows alone."""
        return ImageAnswers(
            [self.cases[row] for row in rows],
            [self.patients[row] for row in rows],
            self.truth[list(rows)],
            self.logits[list(rows)],
            self.thresholds,
        )


def compare_maps(
    lines: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    *,
    resamples: int = RESAMPLES,
) -> Versus:
    """Compare two runs that outline, from the lines of their reports.

    Parameters
    ----------
    lines, others
        `Report.cases` of this run and of the other: figures by measure and class name.
    names
        The classes to compare, which both runs know.
    """
    theirs = {str(line["case"]): line for line in others}
    mine = [line for line in lines if str(line["case"]) in theirs]
    if not mine:
        return Versus(0)
    other = [theirs[str(line["case"])] for line in mine]
    patients = [str(line.get("patient") or line["case"]) for line in mine]
    pair = Pair(told_measures(mine, names), told_measures(other, names), patients)
    changed = [
        one
        for pair_of_lines in zip(mine, other, strict=True)
        if (one := _changed_map(*pair_of_lines, names)) is not None
    ]
    return _versus(len(mine), pair, names, changed, resamples)


def compare_images(
    answers: ImageAnswers,
    others: ImageAnswers,
    names: Sequence[str],
    tiers: Mapping[str, Sequence[int]],
    *,
    exclusive: bool,
    resamples: int = RESAMPLES,
) -> Versus:
    """Compare two runs on image-level classes.

    Parameters
    ----------
    answers, others
        What this run and the other say, columns in the order of `names`.
    tiers
        The columns of the head, medium and tail classes.
    exclusive
        Classes exclude each other.
    """
    places = {case: row for row, case in enumerate(others.cases)}
    rows = [row for row, case in enumerate(answers.cases) if case in places]
    if not rows:
        return Versus(0)
    mine = answers.at(rows)
    other = others.at([places[case] for case in mine.cases])
    measures = [_image_measures(one, tiers, exclusive) for one in (mine, other)]
    pair = Pair(measures[0], measures[1], mine.patients)
    told = _changed_classes if exclusive else _changed_findings
    return _versus(len(rows), pair, names, told(mine, other, names), resamples)


def _versus(
    shared: int,
    pair: Pair,
    names: Sequence[str],
    changed: Sequence[ChangedCase],
    resamples: int,
) -> Versus:
    found = bound_differences([pair], resamples=resamples)
    return Versus(
        shared,
        {name: one.overall for name, one in found.items()},
        {
            name: dict(zip(names, one.classes, strict=True))
            for name, one in found.items()
            if len(one.classes) == len(names)  # a tier's measure has the classes of its tier
        },
        tuple(sorted(changed, key=lambda one: (-abs(one.gain), one.case))),
    )


def _image_measures(
    answers: ImageAnswers, tiers: Mapping[str, Sequence[int]], exclusive: bool
) -> Measures:
    if exclusive:
        return single_label_measures(answers.truth.astype(np.int64), answers.logits, tiers)
    cuts = list(answers.thresholds) or None
    return multi_label_measures(
        answers.truth.astype(np.int8), answers.logits, tiers, thresholds=cuts
    )


def _changed_map(
    line: Mapping[str, Any], other: Mapping[str, Any], names: Sequence[str]
) -> ChangedCase | None:
    after, before = line.get(DECISIVE, {}), other.get(DECISIVE, {})
    both = [name for name in names if after.get(name) is not None and before.get(name) is not None]
    if not both:
        return None
    now, then = (float(np.mean([told[name] for name in both])) for told in (after, before))
    if abs(now - then) < LEAST_CHANGE:
        return None
    return ChangedCase(str(line["case"]), f"{then:.2f}", f"{now:.2f}", now - then)


def _changed_classes(
    answers: ImageAnswers, others: ImageAnswers, names: Sequence[str]
) -> list[ChangedCase]:
    now, then = answers.logits.argmax(axis=1), others.logits.argmax(axis=1)
    gains = (now == answers.truth).astype(int) - (then == answers.truth).astype(int)
    # Of as many right answers, those first whose labelled class gained or lost most probability.
    rows = np.arange(len(now))
    after, before = (
        probabilities_of(one.logits, exclusive=True)[rows, answers.truth]
        for one in (answers, others)
    )
    return [
        ChangedCase(
            answers.cases[row],
            names[then[row]],
            names[now[row]],
            float(gains[row] * abs(after[row] - before[row])),
            names[answers.truth[row]],
        )
        for row in np.flatnonzero(gains).tolist()
    ]


def _changed_findings(
    answers: ImageAnswers, others: ImageAnswers, names: Sequence[str]
) -> list[ChangedCase]:
    known, yes = answers.truth >= 0, answers.truth == 1
    now, then = (_found(one) for one in (answers, others))
    gains = (known & (now == yes)).sum(axis=1) - (known & (then == yes)).sum(axis=1)
    return [
        ChangedCase(
            answers.cases[row],
            _listed(names, then[row]),
            _listed(names, now[row]),
            float(gains[row]),
            _listed(names, yes[row]),
        )
        for row in np.flatnonzero(gains).tolist()
    ]


def _found(answers: ImageAnswers) -> np.ndarray[Any, np.dtype[np.bool_]]:
    cuts = np.asarray(answers.thresholds or [0.5] * answers.logits.shape[1])
    found: np.ndarray[Any, np.dtype[np.bool_]] = sigmoid(answers.logits) >= cuts
    return found


def _listed(names: Sequence[str], chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> str:
    return ", ".join(name for name, yes in zip(names, chosen, strict=True) if yes) or "none"
