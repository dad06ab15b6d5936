import numpy as np
import pytest

from longtail.core.evaluate.prior import (
    blend,
    shift_sigmoid,
    shift_softmax,
    sigmoid,
    softmax,
    uniform,
)


def test_uniform_target_is_logit_adjustment_with_the_right_sign():
    prior = [0.9, 0.1]
    logits = np.log([[0.9, 0.1]])  # knows nothing but the prior
    shifted = softmax(shift_softmax(logits, prior, uniform(2)))
    np.testing.assert_allclose(shifted, [[0.5, 0.5]])


def test_shift_is_bayes():
    likelihood = np.array([[0.2, 0.5, 0.1]])
    old, new = np.array([0.7, 0.2, 0.1]), np.array([0.2, 0.2, 0.6])
    shifted = softmax(shift_softmax(np.log(likelihood * old), old.tolist(), new.tolist()))
    np.testing.assert_allclose(shifted, likelihood * new / (likelihood * new).sum())


def test_a_rebalanced_run_is_not_corrected_twice():
    logits = np.array([[0.3, -1.0, 2.0]])
    np.testing.assert_allclose(shift_softmax(logits, uniform(3), uniform(3)), logits)


def test_sigmoid_shift_is_in_log_odds():
    logits = np.array([[np.log(0.01 / 0.99), 0.0]])
    shifted = shift_sigmoid(logits, [0.01, 0.5], [0.5, 0.5])
    np.testing.assert_allclose(sigmoid(shifted), [[0.5, 0.5]])


@pytest.mark.parametrize(("amount", "expected"), [(0, [0.9, 0.1]), (1, [0.5, 0.5])])
def test_blend_runs_from_the_runs_prior_to_uniform(amount, expected):
    np.testing.assert_allclose(blend([0.9, 0.1], amount), expected)


def test_blend_scales_the_adjustment():
    prior = [0.8, 0.15, 0.05]
    logits = np.zeros((1, 3))
    half = shift_softmax(logits, prior, blend(prior, 0.5))
    whole = shift_softmax(logits, prior, uniform(3))
    np.testing.assert_allclose(half - half.mean(), 0.5 * (whole - whole.mean()))


def test_a_class_never_seen_stays_finite():
    assert np.isfinite(shift_softmax(np.zeros((1, 2)), [1.0, 0.0], uniform(2))).all()
    assert np.isfinite(shift_sigmoid(np.zeros((1, 2)), [1.0, 0.0], [0.5, 0.5])).all()


def test_large_logits_do_not_overflow():
    with np.errstate(over="raise"):
        np.testing.assert_allclose(sigmoid(np.array([-2000.0, 2000.0])), [0, 1])
        np.testing.assert_allclose(softmax(np.array([[-2000.0, 2000.0]])), [[0, 1]])
