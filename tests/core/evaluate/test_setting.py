import json

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.prior import blend, shift_sigmoid, softmax, uniform
from longtail.core.evaluate.setting import AS_TRAINED, Setting, read_setting, setting_sentence

IDS = (3, 5, 9)
CLASSES = [(3, "common"), (5, "middle"), (9, "rare")]
PRIOR = (0.9, 0.09, 0.01)


def test_what_is_kept_is_read_again():
    setting = Setting((0.5, 0.3, 0.2), {5: 0.25})
    assert read_setting(json.loads(json.dumps(setting.to_settings())), IDS) == setting
    assert read_setting(AS_TRAINED.to_settings(), IDS) == AS_TRAINED
    assert read_setting({}, IDS).is_as_trained


@pytest.mark.parametrize(
    "stored",
    [
        {"prior_target": [0.5, 0.5]},
        {"prior_target": [0.5, 0.5, "x"]},
        {"prior_target": [0.5, 0.5, 7]},
        {"prior_target": [0.5, 0.5, float("nan")]},
        {"prior_target": 3},
        {"thresholds": {"4": 0.5}},
        {"thresholds": {"5": 1.5}},
        {"thresholds": [1, 2]},
        {"thresholds": {"x": 0.5}},
    ],
)
def test_a_damaged_setting_is_a_sentence(stored):
    with pytest.raises(LongtailError, match="damaged"):
        read_setting(stored, IDS)


def test_as_trained_changes_nothing_and_says_nothing():
    logits = np.array([[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(AS_TRAINED.moved(logits, PRIOR, exclusive=True), logits)
    assert setting_sentence(AS_TRAINED, PRIOR, CLASSES, exclusive=True) == ""


def test_probabilities_follow_the_target_by_bayes_rule():
    logits, target = np.array([[0.3, -0.2, 0.9]]), (0.2, 0.3, 0.5)
    found = Setting(target).probabilities(logits, PRIOR, exclusive=True)[0]
    expected = softmax(logits)[0] * np.array(target) / np.array(PRIOR)
    np.testing.assert_allclose(found, expected / expected.sum(), rtol=1e-12)


def test_it_is_told_in_words_the_greatest_change_first():
    told = setting_sentence(Setting(tuple(uniform(3))), PRIOR, CLASSES, exclusive=True)
    assert told == (
        "All classes are taken to be equally frequent: rare 33% (learned 1.0%), "
        "middle 33% (learned 9.0%), common 33% (learned 90%)."
    )
    several = setting_sentence(Setting(None, {5: 0.3}), PRIOR, CLASSES, exclusive=False)
    assert several == "Found when the probability is at least: middle from 0.30."


def test_many_changes_are_shortened():
    prior = np.arange(1.0, 10.0)
    classes = [(i, f"c{i}") for i in range(9)]
    told = setting_sentence(
        Setting(tuple(uniform(9))), tuple(prior / prior.sum()), classes, exclusive=True
    )
    assert "and 4 more" in told


def test_factors_multiply_what_is_blended():
    target = blend(PRIOR, 0.0, [1.0, 1.0, 10.0])
    expected = np.array(PRIOR) * [1, 1, 10]
    np.testing.assert_allclose(target, expected / expected.sum())


def test_findings_are_blended_in_their_odds():
    assert blend((0.2, 0.01), 1.0, exclusive=False) == pytest.approx(uniform(2, exclusive=False))
    assert blend((0.2, 0.01), 0.0, exclusive=False) == pytest.approx([0.2, 0.01])
    half = blend((0.2, 0.01), 0.5, exclusive=False)
    assert half[0] / (1 - half[0]) == pytest.approx(np.sqrt(0.25))
    moved = shift_sigmoid(np.zeros((1, 2)), (0.2, 0.01), half)
    assert moved[0, 0] == pytest.approx(np.log(2))
