import numpy as np
import pytest
from sklearn import metrics

from longtail.core.evaluate.prior import sigmoid
from longtail.core.evaluate.thresholds import choose_thresholds, named


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_has_a_higher_f1(seed):
    rng = np.random.default_rng(seed)
    truth = (rng.random((60, 2)) < 0.3).astype(np.int8)
    logits = rng.normal(size=(60, 2)).round(1) + 2 * truth - 2
    for k, chosen in enumerate(choose_thresholds(truth, logits)):
        shares = sigmoid(logits[:, k])
        best = max(metrics.f1_score(truth[:, k], shares >= cut) for cut in shares)
        assert metrics.f1_score(truth[:, k], shares >= chosen) == pytest.approx(best)
        # Not on an image: a probability that is a little lower must not flip it.
        assert np.abs(shares - chosen).min() > 1e-6


def test_too_few_yes_or_no_no_choose_nothing():
    truth = np.array([[1, 1, -1], [1, 1, 1], [0, 1, 1], [0, 1, 1]], dtype=np.int8)
    assert choose_thresholds(truth, np.zeros((4, 3))) == [None, None, None]


def test_unknown_answers_are_left_out():
    truth = np.array([[1], [1], [1], [0], [0], [-1], [-1]], dtype=np.int8)
    logits = np.array([[3.0], [2.0], [1.0], [-1.0], [-2.0], [0.9], [8.0]])
    (chosen,) = choose_thresholds(truth, logits)
    assert sigmoid(np.array(-1.0)) < chosen < sigmoid(np.array(1.0))
    assert named([chosen, None], [4, 5]) == {4: chosen}
