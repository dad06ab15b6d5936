"""Intervals by drawing patients again and again, for any measure that takes weights."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
IntArray: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

RESAMPLES = 1000
COVERAGE = 0.95
# Weights are made in pieces, so that 25,000 test images need megabytes and not gigabytes.
WEIGHTS_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """Values of one measure under several weightings of the cases.

    `overall` is (weighting,), `classes` is (weighting, class) or None for a measure that has no
    value a class. NaN means that the measure is not defined there.
    """

    overall: FloatArray
    classes: FloatArray | None = None


Measures: TypeAlias = Callable[[FloatArray], Mapping[str, Table]]
"""Takes weights (weighting, case) and gives a table a measure."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """One value and the ends of its interval, None where undefined."""

    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Bounded:
    """One measure with its interval: `overall` and a value a class, in the order of classes."""

    overall: Bounds
    classes: tuple[Bounds, ...]


def bound(
    measures: Measures,
    patients: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Bounded]:
    """Give each measure with its 95 % percentile interval over resampled patients.

    Parameters
    ----------
    measures
        What to measure, as a function of the weights of the cases.
    patients
        The patient of each case; all cases of a patient are drawn together.
    resamples
        How many times the patients are drawn.
    seed
        Makes the interval repeatable.
    """
    groups, count = _groups(patients)
    point = measures(np.ones((1, len(groups))))
    # A single patient says nothing about how patients differ.
    draws = _draws(measures, groups, count, resamples, seed) if count > 1 else {}
    return {name: _bounded(table, draws.get(name)) for name, table in point.items()}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways measured on the same cases, in the same order, after the same training labels."""

    first: Measures
    second: Measures
    patients: Sequence[str]


def bound_differences(
    pairs: Sequence[Pair], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Bounded]:
    """Give first minus second, averaged over pairs, with its 95 % percentile interval.

    Patients and pairs (seeds or draws) are crossed, so each resample draws both: the same patients
    for every pair and for both ways, and pairs with replacement (the pigeonhole bootstrap of
    Owen, *Annals of Applied Statistics* 1, 2007). Where there is one pair alone, only patients
    are drawn; where there is neither a second patient nor a second pair there is no interval.

    Parameters
    ----------
    pairs
        One for each seed or draw; all with the same classes in the same order.
    resamples
        How many times patients and pairs are drawn.
    seed
        Makes the interval repeatable.
    """
    if not pairs:
        return {}
    groups, count = _groups([patient for pair in pairs for patient in pair.patients])
    places = np.split(groups, np.cumsum([len(pair.patients) for pair in pairs])[:-1])
    once = [np.ones((1, len(place))) for place in places]
    point = _mean_difference(pairs, once, np.ones((1, len(pairs))))
    if count == 1 and len(pairs) == 1:
        return {name: _bounded(table, None) for name, table in point.items()}
    rng = np.random.default_rng(seed)
    draws: dict[str, list[Table]] = {}
    of_pairs = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=resamples)
    piece = max(1, WEIGHTS_AT_ONCE // max(1, len(groups)))
    for start in range(0, resamples, piece):
        shares = of_pairs[start : start + piece].astype(float)
        chosen = rng.multinomial(count, np.full(count, 1 / count), size=len(shares))
        weights = [chosen[:, place].astype(float) for place in places]
        for name, table in _mean_difference(pairs, weights, shares).items():
            draws.setdefault(name, []).append(table)
    return {name: _bounded(table, draws.get(name)) for name, table in point.items()}


def weighted_mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Average (case, class) values under (weighting, case) weights, leaving NaN values out.

    Returns
    -------
    (weighting, class), NaN where nothing has weight.
    """
    known = np.isfinite(values)
    total = weights @ np.where(known, values, 0.0)
    mass = weights @ known.astype(float)
    mean: FloatArray = np.divide(total, mass, out=np.full_like(total, np.nan), where=mass > 0)
    return mean


def mean_known(values: FloatArray) -> FloatArray:
    """Average (weighting, class) over the classes, leaving NaN out; NaN where all are NaN."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    out = np.full(len(values), np.nan)
    mean: FloatArray = np.divide(total, count, out=out, where=count > 0)
    return mean


def _mean_difference(
    pairs: Sequence[Pair], weights: Sequence[FloatArray], shares: FloatArray
) -> dict[str, Table]:
    """Average the differences of the pairs under (weighting, pair) shares."""
    differences = [_difference(pair, one) for pair, one in zip(pairs, weights, strict=True)]
    names = dict.fromkeys(name for each in differences for name in each)
    return {name: _averaged([each.get(name) for each in differences], shares) for name in names}


def _difference(pair: Pair, weights: FloatArray) -> dict[str, Table]:
    first, second = pair.first(weights), pair.second(weights)
    found: dict[str, Table] = {}
    for name in (each for each in first if each in second):
        mine, theirs = first[name], second[name]
        by_class = None
        if mine.classes is not None and theirs.classes is not None:
            by_class = mine.classes - theirs.classes
        found[name] = Table(mine.overall - theirs.overall, by_class)
    return found


def _averaged(tables: Sequence[Table | None], shares: FloatArray) -> Table:
    known = [(table, place) for place, table in enumerate(tables) if table is not None]
    columns = [place for _, place in known]
    overall = _share_mean(np.stack([table.overall for table, _ in known]), shares[:, columns])
    classes = [table.classes for table, _ in known if table.classes is not None]
    if len(classes) < len(known):
        return Table(overall)
    return Table(overall, _share_mean(np.stack(classes), shares[:, columns]))


def _share_mean(values: FloatArray, shares: FloatArray) -> FloatArray:
    """Average (pair, weighting, ...) over pairs under (weighting, pair) shares, NaN left out."""
    weights = shares.T.reshape(*shares.T.shape, *[1] * (values.ndim - 2)) * np.isfinite(values)
    total = (np.nan_to_num(values) * weights).sum(axis=0)
    mass = weights.sum(axis=0)
    out = np.full_like(total, np.nan)
    mean: FloatArray = np.divide(total, mass, out=out, where=mass > 0)
    return mean


def _groups(patients: Sequence[str]) -> tuple[IntArray, int]:
    names, index = np.unique(np.asarray(patients, dtype=object).astype(str), return_inverse=True)
    return index.astype(np.int64).reshape(-1), len(names)


def _draws(
    measures: Measures, groups: IntArray, count: int, resamples: int, seed: int
) -> dict[str, list[Table]]:
    draws: dict[str, list[Table]] = {}
    for weights in _weights(groups, count, resamples, seed):
        for name, table in measures(weights).items():
            draws.setdefault(name, []).append(table)
    return draws


def _weights(groups: IntArray, count: int, resamples: int, seed: int) -> Iterator[FloatArray]:
    rng = np.random.default_rng(seed)
    piece = max(1, WEIGHTS_AT_ONCE // max(1, len(groups)))
    for start in range(0, resamples, piece):
        size = min(piece, resamples - start)
        chosen = rng.multinomial(count, np.full(count, 1.0 / count), size=size)
        yield chosen[:, groups].astype(float)


def _bounded(point: Table, draws: list[Table] | None) -> Bounded:
    overall = np.concatenate([table.overall for table in draws]) if draws else None
    if point.classes is None:
        return Bounded(_bounds(float(point.overall[0]), overall), ())
    columns = point.classes.shape[1]
    drawn = [table.classes for table in draws or () if table.classes is not None]
    stacked = np.concatenate(drawn) if drawn else None
    classes = tuple(
        _bounds(float(point.classes[0, i]), None if stacked is None else stacked[:, i])
        for i in range(columns)
    )
    return Bounded(_bounds(float(point.overall[0]), overall), classes)


def _bounds(value: float, draws: FloatArray | None) -> Bounds:
    if not np.isfinite(value):
        return Bounds(None, None, None)
    known = draws[np.isfinite(draws)] if draws is not None else np.empty(0)
    if not len(known):
        return Bounds(value, None, None)
    tail = 100 * (1 - COVERAGE) / 2
    low, high = np.percentile(known, [tail, 100 - tail])
    return Bounds(value, float(low), float(high))
