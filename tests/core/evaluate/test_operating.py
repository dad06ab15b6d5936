import numpy as np
import pytest

from longtail.core.evaluate.operating import Answers, Count, change_sentence
from longtail.core.evaluate.prior import shift_between, sigmoid, softmax, uniform


def test_counts_are_those_of_counting_one_by_one():
    rng = np.random.default_rng(0)
    truth, logits = rng.integers(0, 4, 300), rng.normal(size=(300, 4))
    shift = rng.normal(size=4)
    said = softmax(logits + shift).argmax(axis=1)
    for k, count in enumerate(Answers(truth, logits).counts(shift)):
        there = sum(t == k for t in truth)
        found = sum(t == k == s for t, s in zip(truth, said, strict=True))
        alarms = sum(t != k == s for t, s in zip(truth, said, strict=True))
        assert count == Count(there, found, alarms)


def test_several_findings_are_counted_against_their_thresholds():
    rng = np.random.default_rng(1)
    truth = rng.choice([-1, 0, 1], size=(200, 3)).astype(np.int8)
    logits, cuts = rng.normal(size=(200, 3)), [0.5, 0.3, 0.8]
    called = sigmoid(logits) >= cuts
    for k, count in enumerate(Answers(truth, logits).counts(np.zeros(3), cuts)):
        assert count.there == (truth[:, k] == 1).sum()
        assert count.found == ((truth[:, k] == 1) & called[:, k]).sum()
        assert count.alarms == ((truth[:, k] == 0) & called[:, k]).sum()


def test_a_run_that_takes_classes_for_equal_is_not_changed_by_the_uniform_target():
    rng = np.random.default_rng(2)
    answers = Answers(rng.integers(0, 5, 500), rng.normal(size=(500, 5)))
    shift = shift_between(uniform(5), uniform(5), exclusive=True)
    np.testing.assert_array_equal(shift, np.zeros(5))
    assert answers.counts(shift) == answers.counts(np.zeros(5))


def test_classes_that_were_merged_are_joined_after_the_shift():
    logits = np.array([[1.0, 0.0, 1.2], [0.0, 3.0, 0.0]])

    def join(moved):
        return np.stack([np.logaddexp(moved[:, 0], moved[:, 1]), moved[:, 2]], axis=1)

    answers = Answers(np.array([0, 0]), logits, join)
    assert answers.counts(np.zeros(3)) == [Count(2, 2, 0), Count(0, 0, 0)]
    assert answers.counts(np.array([0.0, 0.0, 9.0])) == [Count(2, 0, 0), Count(0, 0, 2)]


def test_precision_and_sensitivity_of_nothing_are_not_numbers():
    none = Count(0, 0, 0)
    assert (none.sensitivity, none.precision, none.interval) == (None, None, None)
    assert Count(4, 3, 1).sensitivity == pytest.approx(0.75)
    assert Count(4, 3, 1).precision == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("after", "tiers", "told"),
    [
        (
            [Count(90, 79, 2), Count(20, 17, 36)],
            ["head", "tail"],
            "12 more rare images found, 31 more false alarms. "
            "Other classes: 1 fewer image found, 1 fewer false alarm.",
        ),
        (
            [Count(90, 80, 3), Count(20, 4, 5)],
            ["head", "tail"],
            "1 fewer rare image found, as many false alarms.",
        ),
        (
            [Count(90, 82, 3), Count(20, 5, 4)],
            ["head", "medium"],
            "2 more images found, 1 fewer false alarm.",
        ),
        (
            [Count(90, 80, 4), Count(20, 5, 5)],
            ["head", "tail"],
            "Rare classes as before; others: as many images found, 1 more false alarm.",
        ),
        (
            [Count(90, 80, 3), Count(20, 5, 5)],
            ["head", "tail"],
            "Nothing changes: every answer stays as it was trained.",
        ),
    ],
)
def test_the_cost_is_told_in_words(after, tiers, told):
    before = [Count(90, 80, 3), Count(20, 5, 5)]
    assert change_sentence(before, after, tiers) == told
