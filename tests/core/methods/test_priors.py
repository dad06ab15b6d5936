"""What the logits take for granted."""

import numpy as np
import pytest

from longtail.core.methods.priors import mixed_shares, several_prior, single_prior

SHARES = np.array([0.8, 0.15, 0.05])


@pytest.mark.parametrize("loss", ["ce", "focal"])
def test_plain_losses_learn_what_is_shown(loss):
    np.testing.assert_allclose(single_prior(loss, SHARES, None, 1.0), SHARES)


def test_the_balanced_softmax_learns_an_even_world():
    np.testing.assert_allclose(single_prior("balanced-softmax", SHARES, None, 1.0), 1 / 3)


def test_half_an_adjustment_leaves_half():
    expected = np.sqrt(SHARES) / np.sqrt(SHARES).sum()
    np.testing.assert_allclose(single_prior("logit-adjustment", SHARES, None, 0.5), expected)


def test_inverse_weights_learn_an_even_world():
    np.testing.assert_allclose(single_prior("weighted", SHARES, 1 / SHARES, 1.0), 1 / 3)


def test_an_absent_class_has_none():
    shares = np.array([0.9, 0.1, 0.0])
    np.testing.assert_allclose(single_prior("balanced-softmax", shares, None, 1.0), [0.5, 0.5, 0])


def test_weighted_training_recovers_its_prior():
    """Scores of the best weighted classifier, shifted by the prior, are the likelihoods."""
    likelihood = np.array([0.2, 0.5, 0.9])
    weights = np.array([1.0, 2.0, 5.0])
    best = np.log(SHARES * weights * likelihood)
    shifted = best - np.log(single_prior("class-balanced", SHARES, weights, 1.0))
    np.testing.assert_allclose(shifted - shifted[0], np.log(likelihood / likelihood[0]))


def test_blending_moves_a_sixth_of_the_weight():
    found = mixed_shares(SHARES, 0.2, np.ones(3))
    np.testing.assert_allclose(found, 5 / 6 * SHARES + 1 / 6 / 3)


def test_several_classes_have_shares_of_their_own():
    yes, known = np.array([10.0, 0.0]), np.array([40.0, 40.0])
    plain = several_prior(yes, known, None)
    assert plain[0] == pytest.approx(0.25)
    assert 0 < plain[1] < 1e-5
    assert several_prior(yes, known, np.array([3.0, 1.0]))[0] == pytest.approx(0.5)
