"""Heads that never saw the patient whom they tell about."""

import numpy as np
import pytest

from longtail.core.review.crossfit import (
    Labelled,
    components,
    cross_fitted,
    folds_by_patient,
    uncertainty_of_shares,
)


@pytest.fixture
def made():
    """90 cases of three classes that lie apart, three cases a patient."""
    random = np.random.default_rng(0)
    answers = np.repeat([0, 1, 2], [60, 21, 9])
    features = random.normal(size=(90, 12)) + 4 * np.eye(3, 12)[answers]
    return Labelled(features, answers, [f"p{row // 3}" for row in range(90)])


def last(steps):
    *_, (done, total, shares) = steps
    assert done == total
    return shares


def test_no_patient_is_in_two_folds_and_each_class_is_spread(made):
    fold = folds_by_patient(made.answers, made.patients)
    for patient in set(made.patients):
        assert len(set(fold[np.array(made.patients) == patient])) == 1
    assert len(set(fold[made.answers == 1])) == 5
    np.testing.assert_array_equal(fold, folds_by_patient(made.answers, made.patients))


def test_classes_that_lie_apart_are_told_apart_out_of_sample(made):
    shares = last(cross_fitted(made, 3))
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (shares.argmax(axis=1) == made.answers).mean() > 0.95


def test_a_label_does_not_reach_its_own_probability(made):
    turned = made.answers.copy()
    turned[0] = 2
    before = last(cross_fitted(made, 3))
    fold = folds_by_patient(made.answers, made.patients)
    same = folds_by_patient(turned, made.patients)
    shares = last(cross_fitted(Labelled(made.features, turned, made.patients), 3))
    if (fold == same).all():
        np.testing.assert_allclose(shares[0], before[0])
    assert shares[0].argmax() == 0


def test_those_beside_teach_but_not_about_their_own_patient(made):
    few = Labelled(made.features[::9], made.answers[::9], made.patients[::9])
    shares = last(cross_fitted(few, 3, beside=made))
    assert (shares.argmax(axis=1) == few.answers).mean() > 0.9
    # Alone, with the whole rest being of the same patients, nobody can teach.
    lone = Labelled(made.features[:3], made.answers[:3], ["a"] * 3)
    assert np.isnan(last(cross_fitted(lone, 3))).all()


def test_a_class_of_one_patient_is_not_told_about():
    random = np.random.default_rng(1)
    answers = np.repeat([0, 1, 2], [20, 20, 2])
    features = random.normal(size=(42, 6)) + 3 * np.eye(3, 6)[answers]
    patients = [f"p{row}" for row in range(40)] + ["only", "only"]
    shares = last(cross_fitted(Labelled(features, answers, patients), 3))
    assert np.isnan(shares[40:, 2]).all()
    assert np.isfinite(shares[40:, :2]).all()


def test_several_classes_are_told_one_by_one_and_unknown_ones_do_not_teach():
    random = np.random.default_rng(2)
    truth = random.random((80, 2)) < 0.4
    features = random.normal(size=(80, 5)) + 4 * np.pad(truth, ((0, 0), (0, 3)))
    answers = truth.astype(np.int64)
    answers[:6, 0] = -1
    shares = last(cross_fitted(Labelled(features, answers, [str(i) for i in range(80)]), 2))
    assert shares.shape == (80, 2)
    assert ((shares > 0.5) == truth).mean() > 0.9


def test_components_keep_distances_up_to_one_scale():
    random = np.random.default_rng(3)
    features = random.normal(size=(30, 4))
    seen = components(features)
    ratio = np.linalg.norm(seen[0] - seen[1]) / np.linalg.norm(features[0] - features[1])
    other = np.linalg.norm(seen[5] - seen[9]) / np.linalg.norm(features[5] - features[9])
    assert ratio == pytest.approx(other)
    np.testing.assert_allclose(seen.var(axis=0).mean(), 1.0)


def test_entropy_of_shares():
    even = uncertainty_of_shares(np.array([[0.25] * 4, [1, 0, 0, 0]]), exclusive=True)
    np.testing.assert_allclose(even, [1.0, 0.0], atol=1e-9)
    several = uncertainty_of_shares(np.array([[0.5, 0.5], [1.0, 0.5]]), exclusive=False)
    np.testing.assert_allclose(several, [1.0, 0.5], atol=1e-9)
