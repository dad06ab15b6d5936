import numpy as np
import pytest

from longtail.core.evaluate.classification import single_label_measures
from longtail.core.evaluate.intervals import wilson
from longtail.core.evaluate.prior import softmax
from longtail.core.evaluate.reliability import reliability


def test_a_perfectly_calibrated_set_has_no_error():
    # In each bin the share that is right is exactly what was stated.
    stated = np.repeat([0.1, 0.5, 0.9], 10)
    right = np.concatenate([np.arange(10) < n for n in (1, 5, 9)])
    found = reliability("", stated, right)
    assert found.error == pytest.approx(0.0, abs=1e-12)
    assert [one.n for one in found.bins if one.n] == [10, 10, 10]


def test_the_error_is_that_of_the_report():
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 3, 200), rng.normal(size=(200, 3))
    shares = softmax(logits)
    found = reliability("", shares.max(axis=1), shares.argmax(axis=1) == truth)
    measured = single_label_measures(truth, logits, {})(np.ones((1, 200)))["ece"].overall[0]
    assert found.error == pytest.approx(measured)
    assert sum(one.n for one in found.bins) == found.n == 200


def test_a_bin_says_how_sure_its_own_share_is():
    found = reliability("a", np.array([0.95, 0.95]), np.array([True, True]))
    (last,) = [one for one in found.bins if one.n]
    assert (last.right, last.right_high) == (1.0, 1.0)
    assert last.right_low == pytest.approx(wilson(2, 2)[0])
    assert 0.2 < last.right_low < 0.4


def test_unknown_cases_are_left_out_and_nothing_is_no_error():
    none = reliability("a", np.array([0.5]), np.array([True]), np.array([False]))
    assert (none.n, none.error) == (0, None)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    # R: binom::binom.wilson, and Brown, Cai and DasGupta (2001).
    [(0, 10, 0.0, 0.2775), (3, 3, 0.4385, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(hits, total, low, high):
    assert wilson(hits, total) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_nothing_has_no_interval():
    assert wilson(0, 0) is None
