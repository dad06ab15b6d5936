import numpy as np
import pytest
from sklearn import metrics

from longtail.core.evaluate.curves import MOST_POINTS, class_curves


def data(size, seed=0):
    rng = np.random.default_rng(seed)
    yes = rng.random(size) < 0.2
    return (rng.normal(size=size) + yes).round(1), yes, np.ones(size, dtype=bool)


@pytest.mark.parametrize("seed", range(4))
def test_the_corners_of_the_curve_are_scikit_learns(seed):
    scores, yes, known = data(60, seed)
    curve = class_curves("a", scores, yes, known).roc
    alarms, found, _ = metrics.roc_curve(yes, scores, drop_intermediate=False)
    told = set(zip(alarms.round(4), found.round(4), strict=True))
    assert set(zip(curve.x, curve.y, strict=True)) <= told | {(0.0, 0.0), (1.0, 1.0)}
    area = np.trapezoid(curve.y, curve.x)
    assert area == pytest.approx(metrics.roc_auc_score(yes, scores), abs=1e-3)


def test_precision_and_recall_are_scikit_learns():
    scores, yes, known = data(50)
    curve = class_curves("a", scores, yes, known).precision_recall
    precision, recall, _ = metrics.precision_recall_curve(yes, scores)
    told = set(zip(recall.round(4), precision.round(4), strict=True))
    assert set(zip(curve.x[1:], curve.y[1:], strict=True)) <= told
    assert curve.x[-1] == 1.0


def test_long_curves_are_thinned_and_keep_their_ends_and_their_area():
    rng = np.random.default_rng(3)
    yes = rng.random(20_000) < 0.1
    scores = rng.normal(size=20_000) + 1.5 * yes
    curve = class_curves("a", scores, yes, np.ones(20_000, dtype=bool)).roc
    assert len(curve.x) <= MOST_POINTS
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0.0, 0.0, 1.0, 1.0)
    area = np.trapezoid(curve.y, curve.x)
    assert area == pytest.approx(metrics.roc_auc_score(yes, scores), abs=2e-3)


def test_unknown_cases_are_left_out():
    scores, yes, known = data(80)
    known[::3] = False
    whole = class_curves("a", scores, yes, known)
    part = class_curves("a", scores[known], yes[known], known[known])
    assert whole == part
    assert whole.known == known.sum()


@pytest.mark.parametrize("answer", [True, False])
def test_with_one_answer_alone_there_is_no_curve(answer):
    assert class_curves("a", np.arange(3.0), np.full(3, answer), np.ones(3, bool)) is None


def test_cases_of_one_score_pass_together():
    curve = class_curves("a", np.zeros(4), np.array([1, 0, 1, 0], bool), np.ones(4, bool))
    assert (curve.roc.x, curve.roc.y) == ((0.0, 1.0), (0.0, 1.0))
