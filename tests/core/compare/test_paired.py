"""Paired differences beside an independent computation with plain loops."""

import numpy as np
import pytest

from longtail.core.evaluate.bootstrap import Pair, Table, bound_differences, weighted_mean

RESAMPLES = 200


def measures_of(values):
    values = np.asarray(values, float)

    def measure(weights):
        classes = weighted_mean(values, weights)
        return {"dice": Table(np.nanmean(classes, axis=1), classes)}

    return measure


def brute_force(pairs, seed):
    """Draw the same patients and pairs, and average with loops over cases and classes."""
    names = sorted({patient for _, _, patients in pairs for patient in patients})
    rng = np.random.default_rng(seed)
    of_pairs = rng.multinomial(len(pairs), np.full(len(pairs), 1 / len(pairs)), size=RESAMPLES)
    of_patients = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    drawn = [
        mean_difference(pairs, of_pairs[b], dict(zip(names, of_patients[b], strict=True)))
        for b in range(RESAMPLES)
    ]
    point = mean_difference(pairs, [1] * len(pairs), dict.fromkeys(names, 1))
    low, high = np.nanpercentile(np.array(drawn), [2.5, 97.5], axis=0)
    return np.array(point), low, high


def mean_difference(pairs, times, weights):
    """Give the difference a class, and their mean last."""
    total, count = 0.0, 0
    for (first, second, patients), repeat in zip(pairs, times, strict=True):
        one = [class_mean(first, patients, weights, k) for k in range(len(first[0]))]
        two = [class_mean(second, patients, weights, k) for k in range(len(first[0]))]
        both = [a - b for a, b in zip(one, two, strict=True)]
        total = total + repeat * np.array([*both, np.nanmean(one) - np.nanmean(two)])
        count += repeat
    return list(total / count)


def class_mean(values, patients, weights, k):
    top = bottom = 0.0
    for row, patient in zip(values, patients, strict=True):
        if np.isfinite(row[k]):
            top += weights[patient] * row[k]
            bottom += weights[patient]
    return top / bottom if bottom else np.nan


def three_pairs():
    rng = np.random.default_rng(4)
    patients = [f"p{number // 2}" for number in range(20)]
    pairs = []
    for seed in range(3):
        second = rng.uniform(0.4, 0.8, (20, 2))
        first = second + rng.normal(0.05 + 0.02 * seed, 0.05, (20, 2))
        first[3, 1] = second[3, 1] = np.nan
        pairs.append((first, second, patients))
    return pairs


def test_the_interval_is_that_of_plain_loops():
    pairs = three_pairs()
    made = [Pair(measures_of(a), measures_of(b), patients) for a, b, patients in pairs]
    found = bound_differences(made, resamples=RESAMPLES, seed=7)["dice"]
    point, low, high = brute_force(pairs, 7)
    bounds = [*found.classes, found.overall]
    assert [one.mean for one in bounds] == pytest.approx(list(point), abs=1e-12)
    assert [one.low for one in bounds] == pytest.approx(list(low), abs=1e-12)
    assert [one.high for one in bounds] == pytest.approx(list(high), abs=1e-12)


def test_pieces_change_nothing(monkeypatch):
    made = [Pair(measures_of(a), measures_of(b), p) for a, b, p in three_pairs()]
    whole = bound_differences(made, resamples=RESAMPLES)
    monkeypatch.setattr("longtail.core.evaluate.bootstrap.WEIGHTS_AT_ONCE", 700)
    assert bound_differences(made, resamples=RESAMPLES) == whole


def test_seeds_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    base = rng.uniform(0.4, 0.8, (30, 1))
    patients = [str(number) for number in range(30)]

    def width(shifts):
        pairs = [Pair(measures_of(base + s), measures_of(base), patients) for s in shifts]
        found = bound_differences(pairs)["dice"].overall
        return found.high - found.low

    assert width([0.1, 0.1, 0.1]) == pytest.approx(0.0, abs=1e-9)
    assert width([0.0, 0.1, 0.2]) > 0.1


def test_a_method_against_itself_differs_by_nothing():
    values = np.random.default_rng(1).uniform(size=(9, 2))
    same = Pair(measures_of(values), measures_of(values), [str(n) for n in range(9)])
    overall = bound_differences([same])["dice"].overall
    assert (overall.mean, overall.low, overall.high) == (0.0, 0.0, 0.0)


def test_one_patient_and_one_seed_have_no_interval():
    pair = Pair(measures_of([[0.5]]), measures_of([[0.25]]), ["only"])
    overall = bound_differences([pair])["dice"].overall
    assert (overall.mean, overall.low, overall.high) == (0.25, None, None)
    assert bound_differences([]) == {}


def test_a_class_that_nobody_has_is_left_out():
    first, second = np.array([[0.6, np.nan], [0.7, np.nan]]), np.array([[0.5, np.nan]] * 2)
    found = bound_differences([Pair(measures_of(first), measures_of(second), ["a", "b"])])["dice"]
    assert found.classes[0].mean == pytest.approx(0.15)
    assert found.classes[1].mean is None
    assert found.overall.mean == pytest.approx(0.15)
