import math

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.bootstrap import bound
from longtail.core.evaluate.segmentation import (
    count_scored,
    count_where,
    score_case,
    segmentation_measures,
)


def maps(shape=(4, 5, 6)):
    return np.zeros((2, *shape), dtype=np.uint8)


def test_dice_and_jaccard_of_known_boxes():
    reference, prediction = maps()
    reference[:2, :, :] = 1
    prediction[1:3, :, :] = 1
    score = score_case(reference, prediction, [1], (1, 1, 1))[1]
    assert score.dice == pytest.approx(0.5)
    assert score.jaccard == pytest.approx(1 / 3)
    assert not score.false_positive
    assert not score.missed


def test_a_perfect_prediction_has_no_distance():
    reference, _ = maps()
    reference[1:3, 1:3, 1:3] = 2
    score = score_case(reference, reference.copy(), [2], (3, 1, 1))[2]
    assert (score.dice, score.hd95_mm, score.asd_mm, score.nsd_1mm) == (1, 0, 0, 1)


def test_absent_in_both_is_left_out():
    reference, prediction = maps()
    assert score_case(reference, prediction, [1, 2], (1, 1, 1)) == {}


def test_absent_in_the_prediction_is_the_diagonal():
    reference, prediction = maps()
    reference[0, 0, 0] = 1
    score = score_case(reference, prediction, [1], (2.0, 1.0, 0.5))[1]
    diagonal = math.sqrt(8**2 + 5**2 + 3**2)
    assert score.dice == score.jaccard == score.nsd_1mm == 0
    assert score.hd95_mm == score.asd_mm == pytest.approx(diagonal)
    assert score.missed


def test_absent_in_the_reference_is_a_false_positive_without_a_distance():
    reference, prediction = maps()
    prediction[0, 0, 0] = 1
    score = score_case(reference, prediction, [1], (1, 1, 1))[1]
    assert score.dice == score.nsd_1mm == 0
    assert score.hd95_mm is None
    assert score.asd_mm is None
    assert score.false_positive


def test_what_is_not_labelled_is_left_out():
    reference, prediction = maps()
    reference[:2] = 1
    prediction[:2] = 1
    prediction[3] = 1
    reference[3] = 255
    score = score_case(reference, prediction, [1], (1, 1, 1))[1]
    assert score.dice == 1
    assert score.hd95_mm == 0


def test_a_class_predicted_only_where_nothing_is_labelled_is_no_false_positive():
    reference, prediction = maps()
    reference[3] = 255
    prediction[3] = 1
    assert score_case(reference, prediction, [1], (1, 1, 1)) == {}


def test_without_spacing_nothing_is_in_millimetres():
    reference, prediction = maps((5, 6))
    reference[1, 1] = prediction[1, 2] = 1
    score = score_case(reference, prediction, [1], None)[1]
    assert score.dice == 0
    assert (score.hd95_mm, score.asd_mm, score.nsd_1mm) == (None, None, None)


def test_other_shapes_are_refused_in_words():
    with pytest.raises(LongtailError, match="shape"):
        score_case(np.zeros((3, 3)), np.zeros((3, 4)), [1], None)


@pytest.fixture
def scores():
    """Three cases: class 1 with Dice 1, 0.5 and absent; class 2 only in the last, missed."""
    first, second = maps((4, 4))
    first[:2] = 1
    second[1:3] = 1
    rare = np.zeros((4, 4), dtype=np.uint8)
    rare[0, 0] = 2
    pairs = [(first, first), (first, second), (rare, np.zeros_like(rare))]
    return [score_case(a, b, [1, 2], (1, 1)) for a, b in pairs]


def test_means_over_classes_of_means_over_cases(scores):
    measures = segmentation_measures(scores, [1, 2], {"head": [0], "tail": [1]})
    tables = measures(np.ones((1, 3)))
    np.testing.assert_allclose(tables["dice"].classes, [[0.75, 0.0]])
    # Not the mean over cases (0.5) but over classes.
    np.testing.assert_allclose(tables["dice"].overall, [0.375])
    np.testing.assert_allclose(tables["dice/head"].overall, [0.75])
    np.testing.assert_allclose(tables["dice/tail"].overall, [0.0])


def test_n_drops_where_a_class_is_absent(scores):
    assert count_scored(scores, [1, 2], "dice") == (3, [2, 1])
    assert count_where(scores, 2, lambda score: score.missed) == 1


def test_intervals_hold_the_mean(scores):
    found = bound(segmentation_measures(scores, [1, 2], {}), ["a", "b", "c"], seed=3)
    dice = found["dice"]
    assert dice.overall.low <= dice.overall.mean <= dice.overall.high
    assert (dice.classes[0].low, dice.classes[0].high) == (0.5, 1.0)
