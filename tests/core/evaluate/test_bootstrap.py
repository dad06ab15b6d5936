import numpy as np
import pytest

from longtail.core.evaluate import bootstrap
from longtail.core.evaluate.bootstrap import Table, bound, mean_known, weighted_mean


def mean_of(values):
    column = np.asarray(values, dtype=float)[:, None]

    def measure(weights):
        classes = weighted_mean(column, weights)
        return {"mean": Table(mean_known(classes), classes)}

    return measure


def test_interval_of_a_mean_is_near_the_normal_one():
    rng = np.random.default_rng(0)
    values = rng.normal(10, 2, size=400)
    found = bound(mean_of(values), [str(i) for i in range(400)], resamples=2000)["mean"].overall
    half = 1.96 * values.std() / np.sqrt(400)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_patients_are_drawn_whole():
    # Two patients of ten equal images each: a drawn mean can only be 0, 0.5 or 1.
    values = [0.0] * 10 + [1.0] * 10
    patients = ["a"] * 10 + ["b"] * 10
    found = bound(mean_of(values), patients)["mean"].overall
    assert (found.low, found.mean, found.high) == (0.0, 0.5, 1.0)
    apart = bound(mean_of(values), [str(i) for i in range(20)])["mean"].overall
    assert apart.low > 0.2


def test_one_patient_has_no_interval():
    found = bound(mean_of([1.0, 2.0]), ["a", "a"])["mean"].overall
    assert (found.mean, found.low, found.high) == (1.5, None, None)


def test_the_same_seed_gives_the_same_interval_in_any_pieces(monkeypatch):
    values, patients = np.arange(30.0), [str(i) for i in range(30)]
    whole = bound(mean_of(values), patients, seed=5)
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 100)
    assert bound(mean_of(values), patients, seed=5) == whole


def test_a_class_without_values_is_undefined():
    found = bound(mean_of([np.nan, np.nan]), ["a", "b"])["mean"]
    assert found.overall == found.classes[0] == bootstrap.Bounds(None, None, None)
