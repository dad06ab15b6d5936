"""Confident learning against loops that follow the paper and cleanlab line by line."""

import numpy as np
import pytest

from longtail.core.review.confident import (
    confident_classes,
    confident_joint,
    evened,
    expected_joint,
    label_doubts,
    least_confident,
    normalised_margin,
    self_confidence,
    several_label_doubts,
    suspects,
    thresholds,
    told_apart,
)


@pytest.fixture
def made():
    """60 cases of 4 uneven classes, a few with a wrong label; the last class has two cases."""
    random = np.random.default_rng(4)
    true = np.repeat([0, 1, 2, 3], [30, 20, 8, 2])
    logits = random.normal(size=(60, 4)) + 2.5 * np.eye(4)[true]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = true.copy()
    given[[2, 11, 33, 52]] = [1, 2, 0, 0]
    return given, shares


def by_loops(given, shares):
    """Thresholds, joint, scaled joint and suspects, case by case."""
    count, classes = shares.shape
    cut = []
    for k in range(classes):
        own = [shares[i, k] for i in range(count) if given[i] == k]
        cut.append(max(sum(own) / len(own), 2e-6) if own else float("inf"))
    joint = [[0] * classes for _ in range(classes)]
    for i in range(count):
        over = [k for k in range(classes) if shares[i, k] >= cut[k] - 1e-6]
        if not over:
            continue
        best = max(range(classes), key=lambda k, i=i: shares[i, k])
        joint[given[i]][over[0] if len(over) == 1 else best] += 1
    for k in range(classes):
        joint[k][k] = max(joint[k][k], 1 if (given == k).any() else 0)
    scaled = []
    for k in range(classes):
        total, cases = sum(joint[k]), int((given == k).sum())
        exact = [value / total * cases if total else 0.0 for value in joint[k]]
        whole = [int(np.floor(value)) for value in exact]
        rest = sorted(range(classes), key=lambda j, e=exact, w=whole: w[j] - e[j])
        for j in rest[: cases - sum(whole)]:
            whole[j] += 1
        scaled.append(whole)
    doubted = set()
    for k in range(classes):
        members = [i for i in range(count) if given[i] == k]
        for j in range(classes):
            if j != k and scaled[k][j]:
                lead = {i: shares[i, j] - shares[i, k] for i in members}
                least = sorted(lead.values())[-scaled[k][j]]
                doubted |= {i for i in members if lead[i] >= least}
    doubted = {i for i in doubted if shares[i].argmax() != given[i]}
    for k in range(classes):
        members = [i for i in range(count) if given[i] == k]
        if members and set(members) <= doubted:
            doubted.discard(max(members, key=lambda i, k=k: shares[i, k]))
    return np.array(cut), np.array(joint), np.array(scaled), doubted


def test_every_step_is_what_loops_give(made):
    given, shares = made
    cut, joint, scaled, doubted = by_loops(given, shares)
    np.testing.assert_allclose(thresholds(given, shares), cut)
    np.testing.assert_array_equal(confident_joint(given, shares), joint)
    np.testing.assert_array_equal(expected_joint(given, shares), scaled)
    assert set(np.flatnonzero(suspects(given, shares)).tolist()) == doubted
    wrong = int(scaled.sum() - np.trace(scaled))
    least = set(sorted(range(60), key=lambda i: shares[i, given[i]])[:wrong])
    least = {i for i in least if shares[i].argmax() != given[i]}
    assert set(np.flatnonzero(least_confident(given, shares)).tolist()) == least
    assert expected_joint(given, shares).sum(axis=1).tolist() == np.bincount(given).tolist()


def test_wrong_labels_are_found_with_the_right_class(made):
    given, shares = made
    found = label_doubts(given, shares)
    assert found.suspect[[2, 11, 33, 52]].sum() >= 3
    assert found.suggested[52] == 2
    assert (found.suggested[found.suspect] != given[found.suspect]).all()


def test_margins_are_those_of_the_paper():
    shares = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0.3, 0.4]])
    given = np.array([0, 2, 1])
    np.testing.assert_allclose(self_confidence(given, shares), [0.7, 0.4, 0.3])
    np.testing.assert_allclose(normalised_margin(given, shares), [0.75, 0.45, 0.45])


def test_a_shy_class_counts_from_a_lower_probability_on():
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.7, 0.3], [0.6, 0.4], [0.65, 0.35]])
    given = np.array([0, 0, 0, 1, 1])
    # The third is below the mean of its own class and below that of the other.
    assert confident_classes(given, shares).tolist() == [0, 0, -1, 1, -1]
    moved = evened(given, shares)
    np.testing.assert_allclose(moved.sum(axis=1), 1.0)
    assert moved[3].argmax() == 1


def test_a_class_without_cases_and_one_case_break_nothing():
    shares = np.array([[0.2, 0.1, 0.7], [0.6, 0.3, 0.1]])
    given = np.array([0, 0])
    assert np.isinf(thresholds(given, shares)[1:]).all()
    assert not label_doubts(given, shares).suspect.all()
    empty = label_doubts(np.zeros(0, np.int64), np.zeros((0, 3)))
    assert empty.suspect.shape == (0,)
    single = label_doubts(np.zeros(4, np.int64), np.ones((4, 1)))
    assert not single.suspect.any()
    assert np.isfinite(evened(given, shares)).all()


def test_each_class_keeps_its_best_case():
    shares = np.array([[0.9, 0.1], [0.95, 0.05], [0.9, 0.1], [0.8, 0.2], [0.85, 0.15]])
    given = np.array([0, 0, 0, 1, 1])
    assert not suspects(given, shares)[given == 1].all()


def test_several_labels_are_doubted_class_by_class_and_unknown_ones_never():
    random = np.random.default_rng(0)
    truth = random.random((80, 3)) < [0.5, 0.3, 0.1]
    shares = np.where(truth, 0.85, 0.12) + random.normal(scale=0.04, size=truth.shape)
    answers = truth.astype(np.int64)
    answers[:10] = -1
    wrong = [(20, 0), (30, 1)]
    for place in wrong:
        answers[place] = 1 - answers[place]
        shares[place] = 0.97 if truth[place] else 0.03
    found = several_label_doubts(answers, shares)
    for row, column in wrong:
        assert found.suspect[row, column]
        assert found.suggested[row, column] == truth[row, column]
    assert not found.suspect[:10].any()
    one = label_doubts(answers[10:, 1], np.stack([1 - shares[10:, 1], shares[10:, 1]], axis=1))
    np.testing.assert_array_equal(found.suspect[10:, 1], one.suspect)
    np.testing.assert_allclose(found.margin[10:, 1], one.margin)


def test_a_class_that_all_have_cannot_be_doubted():
    found = several_label_doubts(np.ones((6, 1), np.int64), np.linspace(0, 1, 6)[:, None])
    assert not found.suspect.any()


def test_a_finding_that_is_hardly_told_apart_is_not_doubted():
    random = np.random.default_rng(3)
    answers = (np.arange(60) % 3 == 0).astype(np.int64)[:, None]
    guesses = random.uniform(0, 1, (60, 1))
    assert not several_label_doubts(answers, guesses).suspect.any()
    good = np.where(answers == 1, 0.9, 0.1) + random.uniform(-0.05, 0.05, (60, 1))
    good[0] = 0.02  # labelled yes, and nothing of it is seen
    assert np.flatnonzero(several_label_doubts(answers, good).suspect).tolist() == [0]


def test_how_well_a_finding_is_told_apart_is_the_area_under_the_curve():
    from sklearn.metrics import roc_auc_score

    random = np.random.default_rng(5)
    said = random.integers(0, 2, 80)
    shares = np.round(random.uniform(0, 1, 80) + 0.3 * said, 1)  # with ties
    assert told_apart(said, shares) == pytest.approx(roc_auc_score(said, shares))
