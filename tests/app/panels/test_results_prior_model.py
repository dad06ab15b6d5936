"""The prior slider without its widgets."""

import numpy as np
import pytest

from longtail.app.panels.results_prior_model import PriorClass, PriorModel
from longtail.core.evaluate.operating import Answers
from longtail.core.evaluate.prior import uniform
from longtail.core.evaluate.setting import AS_TRAINED, Setting, read_setting

CLASSES = (
    PriorClass(1, "common", "head", 900),
    PriorClass(2, "middle", "medium", 90),
    PriorClass(3, "rare", "tail", 10),
)
PRIOR = (0.9, 0.09, 0.01)


def answers(exclusive=True, size=400):
    rng = np.random.default_rng(0)
    if exclusive:
        truth = rng.choice(3, size=size, p=[0.5, 0.3, 0.2])
        logits = rng.normal(size=(size, 3)) + 1.5 * np.eye(3)[truth] + np.log(PRIOR)
        return Answers(truth, logits)
    truth = (rng.random((size, 3)) < PRIOR).astype(np.int8)
    return Answers(truth, rng.normal(size=(size, 3)) + 2 * truth + np.log(PRIOR))


def model(prior=PRIOR, kept=AS_TRAINED, stood=None, exclusive=True):
    return PriorModel(CLASSES, CLASSES, prior, answers(exclusive), kept, stood)


def found(made, name):
    return next(row.now.found for row in made.rows() if row.name == name)


def test_it_begins_as_trained_and_changes_nothing():
    made = model()
    assert made.is_as_trained
    assert made.setting == AS_TRAINED
    assert all(row.now == row.before for row in made.rows())
    assert made.cost(made.rows()) == ""
    assert made.ends == ("as trained", "all classes equal")
    assert [row.name for row in made.rows()] == ["common", "middle", "rare"]


def test_to_the_right_more_of_the_rare_are_found_and_it_is_told():
    made = model()
    before = found(made, "rare")
    made.move(0.5)
    between = found(made, "rare")
    made.move(1.0)
    rows = made.rows()
    assert before < between < found(made, "rare")
    np.testing.assert_allclose(made.target, uniform(3))
    assert "more rare images found" in made.cost(rows)
    assert "400 images" in made.cost(rows)


def test_a_run_that_is_even_already_ends_where_it_was_trained():
    made = model(tuple(uniform(3)))
    assert made.position.amount == made.trained_at == 1.0
    assert made.ends == ("as in training", "all classes equal, as trained")
    made.move(1.0)
    assert made.is_as_trained
    assert all(row.now == row.before for row in made.rows())
    made.move(0.0)
    np.testing.assert_allclose(made.target, PRIOR)
    assert found(made, "rare") < sum(row.before.found for row in made.rows() if row.name == "rare")


def test_one_class_can_be_taken_for_more_frequent():
    made = model()
    made.weigh(3, 4.0)
    assert not made.is_as_trained
    odds = [made.target[2] / made.target[0], PRIOR[2] / PRIOR[0]]
    assert odds[0] == pytest.approx(4 * odds[1])
    assert made.share_text(3) == "3.9%"
    made.weigh(3, 1.0)
    assert made.is_as_trained


def test_what_is_kept_comes_back_where_it_stood():
    made = model()
    made.move(0.7)
    made.weigh(2, 0.5)
    stored = made.keep()
    assert made.is_kept
    setting = read_setting(stored, [1, 2, 3])
    again = model(kept=setting, stood=stored["prior_position"])
    assert again.position == made.position
    assert again.is_kept
    made.move(0.2)
    assert not made.is_kept
    made.reset()
    assert made.keep() == {"prior_target": None, "thresholds": None, "prior_position": None}


def test_a_target_of_elsewhere_is_found_on_the_slider():
    target = np.array(PRIOR) ** 0.4
    again = model(kept=Setting(tuple(target / target.sum())))
    assert again.position.amount == pytest.approx(0.6, abs=1e-3)
    np.testing.assert_allclose(again.target, target / target.sum(), rtol=0.02)
    odd = model(kept=Setting((0.2, 0.3, 0.5)), stood={"amount": "x"})
    assert 0.0 <= odd.position.amount <= 1.0


def test_findings_have_thresholds_and_their_odds():
    made = model(exclusive=False)
    assert made.ends == ("as trained", "as likely as not")
    before = found(made, "rare")
    made.cut(3, 0.01)
    assert found(made, "rare") > before
    assert made.setting == Setting(None, {3: 0.01})
    made.cut_all({1: 0.3})
    assert made.setting == Setting(None, {1: 0.3})
    made.cut(1, 0.5)
    assert made.is_as_trained


def test_few_cases_are_told_by_counts_and_their_interval():
    truth = np.array([0, 0, 0, 0, 0, 0, 1, 1])
    logits = 3.0 * np.eye(3)[[0, 0, 0, 0, 0, 1, 1, 1]]
    made = PriorModel(CLASSES, CLASSES, PRIOR, Answers(truth, logits))
    rows = {row.name: row for row in made.rows()}
    assert [rows[name].few for name in ("common", "middle", "rare")] == [False, True, True]
    sentence = rows["middle"].sentence
    assert "2 of 2 found (95 % interval 34% to 100%)" in sentence
    assert "precision" not in sentence
