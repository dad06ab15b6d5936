"""When a class is being lost: pure functions on the series of a measure while a run goes on.

A series is a table (n, 2) of steps and values, oldest first. All rules wait for several values in
a row, so that a single bad one, and noise, say nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Series = np.ndarray[Any, np.dtype[np.float64]]

QUIET_SHARE = 0.2
"""Nothing is said in this share of the steps: classes are learned one after the other."""

SETTLED_SHARE = 0.1
"""What was reached before is luck: a network that has learned nothing may answer one class only."""

LATE_SHARE = 0.3
FEWEST_VALUES = 3
STAYED_SHARE = 0.25
KEPT_SHARE = 2 / 3
LEAST_BEST = 0.1
NEAR_ZERO = 0.05
OTHERS_LEARN = 0.3
SLOWLY = 0.02
TENFOLD = 10.0
BETTERS = 1.25
"""A share that moves by this factor in the right direction is left to itself."""

NOISES, UNSURE = 3.0, 8.0
SMOOTHED_FROM = 10
SMOOTHED_OVER = 8
MOST_SMOOTHED = 15
RECOVERED_SHARE = 5 / 6
RECOVERED_FROM_ZERO = 0.15
RECOVERED_FOLD = 5.0

Kind = Literal["lost", "never", "unseen", "rare", "common"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a class: the value now, and the one that it is held against.

    Parameters
    ----------
    kind
        `lost` (against the best value, at `then_step`), `never` learned (against the mean of the
        other classes), `unseen` so far, predicted too `rare` or too `common` (against the labelled
        share).
    """

    kind: Kind
    now: float
    then: float
    then_step: int = 0


def smoothed(series: Series, after: int = 0) -> Series:
    """Take trailing means over an eighth of the values so far; short series stay as they are.

    `after` leaves out that many of the first values, which count for the width all the same.
    """
    kept = series[after:]
    if len(series) < SMOOTHED_FROM or not len(kept):
        return kept
    width = int(np.clip(len(series) // SMOOTHED_OVER, FEWEST_VALUES, MOST_SMOOTHED))
    width = min(width, len(kept))
    sums = np.cumsum(kept[:, 1])
    sums[width:] -= np.cumsum(kept[:, 1])[:-width]
    values = sums / np.minimum(np.arange(1, len(kept) + 1), width)
    # The first means are of too few values to be compared with.
    whole = width - 1 if after else 0
    return np.column_stack([kept[:, 0], values])[whole:]


def latest(series: Series) -> float:
    """Give the last value, smoothed; not-a-number without any."""
    return float(smoothed(series)[-1, 1]) if len(series) else math.nan


def noise(series: Series) -> float:
    """Give the standard deviation of the values around their course.

    It comes from the median absolute deviation of the differences, so that one fall is no noise.
    """
    if len(series) < FEWEST_VALUES:
        return 0.0
    steps = np.diff(series[:, 1])
    return float(1.4826 * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2))


def find_lost(
    series: Series, loss: Series, total: int, *, memory: int = 0, chance: float = 0.0
) -> Finding | None:
    """Find a class that fell by more than a third of its best and stayed there.

    Parameters
    ----------
    loss
        The training loss; it must have gone down meanwhile, else all is lost and not one class.
    total
        Steps that the run will take.
    memory
        Steps within which values of the series hang together; it must stay down longer.
    chance
        Standard deviation that a value has because few cases are behind it.
    """
    settled = int(np.searchsorted(series[:, 0], max(SETTLED_SHARE * total, memory)))
    course = smoothed(series, settled)
    first = _stayed_from(course, memory)
    if first < 1 or course[-1, 0] < QUIET_SHARE * total:
        return None
    at = int(course[:first, 1].argmax())
    best, recent = float(course[at, 1]), course[first:, 1]
    if best < LEAST_BEST or (recent >= KEPT_SHARE * best).any():
        return None
    now = float(recent.mean())
    # Careful, since the best of many values is lucky, and the noise of a few is hardly known.
    careful = NOISES * max(chance, (1 + UNSURE / len(series)) * noise(series))
    if best - now <= careful or not _went_down(loss, course[at, 0]):
        return None
    return Finding("lost", now, best, int(course[at, 0]))


def find_never(
    series: Series, others: Sequence[float], total: int, *, memory: int = 0
) -> Finding | None:
    """Find a class at about zero from 30 % of the run on while the others are learned.

    `others` are the latest values of the other classes, not-a-number where there is none;
    `memory` is that of `find_lost`.
    """
    course = smoothed(series)
    first = _stayed_from(course, memory)
    rest = [value for value in others if not math.isnan(value)]
    if first < 0 or not rest or course[-1, 0] < LATE_SHARE * total:
        return None
    recent = course[first:, 1]
    if course[:, 1].max() >= LEAST_BEST or (recent >= NEAR_ZERO).any():
        return None
    if recent[-1] - recent[0] > SLOWLY:  # it has begun to be learned
        return None
    mean = sum(rest) / len(rest)
    return Finding("never", float(course[-1, 1]), mean) if mean > OTHERS_LEARN else None


def find_unseen(series: Series, done: int, total: int) -> Finding | None:
    """Find a class of which nothing was shown in 30 % of the run."""
    return Finding("unseen", 0.0, 0.0) if not len(series) and done >= LATE_SHARE * total else None


def find_share(
    series: Series, labelled: float, others: Sequence[tuple[float, float]], total: int
) -> Finding | None:
    """Find a class that is predicted ten times too rarely or too often.

    Parameters
    ----------
    series
        Its share of the unlabelled pixels.
    labelled
        Its share of the labelled pixels.
    others
        Latest share and labelled share of the other classes: where none of them fits, it is not
        about one class.
    """
    course = smoothed(series)
    first = _stayed_from(course)
    if first < 0 or labelled <= 0 or course[-1, 0] < LATE_SHARE * total:
        return None
    folds = course[first:, 1] / labelled
    if others and not any(_fits(*shares) for shares in others):
        return None
    now = float(course[-1, 1])
    if (folds < 1 / TENFOLD).all() and folds[-1] <= BETTERS * folds[0]:
        return Finding("rare", now, labelled)
    if (folds > TENFOLD).all() and folds[-1] >= folds[0] / BETTERS:
        return Finding("common", now, labelled)
    return None


def is_over(finding: Finding, series: Series) -> bool:
    """Tell whether a class has recovered from what was found."""
    recent = smoothed(series)[-FEWEST_VALUES:, 1]
    if len(recent) < FEWEST_VALUES:
        return False
    match finding.kind:
        case "lost":
            return bool((recent > RECOVERED_SHARE * finding.then).all())
        case "never" | "unseen":
            return bool((recent > RECOVERED_FROM_ZERO).all())
    folds = recent / finding.then
    return bool(((folds > 1 / RECOVERED_FOLD) & (folds < RECOVERED_FOLD)).all())


def _stayed_from(course: Series, memory: int = 0) -> int:
    """Give the row where the last quarter of the run so far begins; -1 where it is too short."""
    if len(course) < FEWEST_VALUES or course[-1, 0] - course[0, 0] < memory:
        return -1
    since = min((1 - STAYED_SHARE) * course[-1, 0], course[-1, 0] - memory)
    return min(int(np.searchsorted(course[:, 0], since)), len(course) - FEWEST_VALUES)


def _went_down(loss: Series, since: float) -> bool:
    """Tell whether the loss is lower now than around step `since`."""
    if len(loss) < 2 * FEWEST_VALUES:
        return False
    at = int(np.searchsorted(loss[:, 0], since))
    width = max(FEWEST_VALUES, len(loss) // SMOOTHED_OVER)
    then = loss[max(0, at - width // 2) : at + width // 2 + 1, 1]
    return bool(len(then)) and float(loss[-width:, 1].mean()) < float(then.mean())


def _fits(predicted: float, labelled: float) -> bool:
    fold = predicted / labelled if labelled > 0 else 0.0
    return 1 / TENFOLD <= fold <= TENFOLD
