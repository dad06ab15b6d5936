"""Two runs on the same cases: differences with intervals, and the cases that changed."""

import numpy as np
import pytest

from longtail.core.evaluate.versus import (
    ImageAnswers,
    Versus,
    compare_images,
    compare_maps,
)

NAMES = ["liver", "tumour"]


def lines(liver, tumour):
    """A line a case, as a report holds it."""
    return [
        {"case": f"c{n}", "patient": f"p{n}", "dice": {"liver": a, "tumour": b}}
        for n, (a, b) in enumerate(zip(liver, tumour, strict=True))
    ]


def answers(truth, said, *, count=3, sure=4.0):
    """Answers that exclude each other: `said` has the largest logit."""
    logits = np.zeros((len(truth), count))
    logits[np.arange(len(truth)), said] = sure
    cases = [f"i{n}" for n in range(len(truth))]
    return ImageAnswers(cases, cases, np.array(truth), logits)


def test_label_maps_are_compared_case_by_case():
    now, then = lines([0.9, 0.8, 0.7], [0.5, None, 0.2]), lines([0.8, 0.8, 0.8], [0.3, None, 0.2])
    found = compare_maps(now, then, NAMES)
    assert found.shared == 3
    assert found.classes["dice"]["liver"].mean == pytest.approx(0.0)
    assert found.classes["dice"]["tumour"].mean == pytest.approx(0.1)
    assert found.overall["dice"].mean == pytest.approx(0.05)
    assert found.overall["dice"].low <= 0.05 <= found.overall["dice"].high
    assert [one.case for one in found.changed] == ["c0", "c2"]
    assert (found.changed[0].before, found.changed[0].after) == ("0.55", "0.70")
    assert (found.better, found.worse) == (1, 1)


def test_only_cases_that_both_measured_count():
    found = compare_maps(lines([0.9, 0.8], [1.0, 1.0]), lines([0.9], [1.0])[:1], NAMES)
    assert (found.shared, found.changed) == (1, ())
    assert found.overall["dice"].low is None  # one patient tells nothing of others


def test_without_a_common_case_there_is_nothing():
    assert compare_maps(lines([0.9], [1.0]), [], NAMES) == Versus(0)
    assert compare_images(answers([0], [0]), answers([], []), NAMES, {}, exclusive=True) == Versus(
        0
    )


def test_a_class_that_one_run_never_met_leaves_the_case_out():
    found = compare_maps(lines([None], [None]), lines([0.5], [0.5]), NAMES)
    assert found.changed == ()
    assert found.overall["dice"].mean is None


def test_images_that_are_now_right_or_now_wrong_are_told():
    truth = [0, 1, 2, 2]
    found = compare_images(
        answers(truth, [0, 1, 2, 0]),
        answers(truth, [1, 1, 2, 2]),
        ["a", "b", "c"],
        {"head": [0, 1], "tail": [2]},
        exclusive=True,
    )
    right, wrong = sorted(found.changed, key=lambda one: -one.gain)
    assert (right.case, right.before, right.after, right.truth) == ("i0", "b", "a", "a")
    assert (wrong.case, wrong.before, wrong.after, wrong.truth) == ("i3", "c", "a", "c")
    assert right.gain > 0 > wrong.gain
    assert found.classes["recall"]["a"].mean == pytest.approx(1.0)
    assert found.overall["recall_tail"].mean == pytest.approx(-0.5)
    assert "macro_f1/tail" not in found.classes


def test_images_are_matched_by_their_id_not_their_place():
    truth = [0, 1]
    mine, other = answers(truth, [0, 1]), answers([1, 0], [1, 0])
    other = ImageAnswers(["i1", "i0"], ["i1", "i0"], other.truth, other.logits)
    found = compare_images(mine, other, ["a", "b", "c"], {}, exclusive=True)
    assert found.changed == ()
    assert found.overall["accuracy"].mean == 0


def test_findings_count_right_answers_where_the_truth_is_known():
    truth = np.array([[1, 0, -1], [0, 1, 1]])
    cases = ["x", "y"]
    now = ImageAnswers(cases, cases, truth, np.array([[3.0, -3, 3], [-3, 3, 3]]), [0.5] * 3)
    then = ImageAnswers(cases, cases, truth, np.array([[3.0, -3, -3], [3, -3, 3]]), [0.5] * 3)
    found = compare_images(now, then, ["a", "b", "c"], {}, exclusive=False)
    (changed,) = found.changed
    assert (changed.case, changed.gain) == ("y", 2)
    assert (changed.before, changed.after, changed.truth) == ("a, c", "b, c", "b, c")


def test_thresholds_decide_what_is_found():
    truth, cases = np.array([[1, 0]]), ["x"]
    logits = np.array([[0.0, -5.0]])  # half sure of the first
    eager = ImageAnswers(cases, cases, truth, logits, [0.4, 0.5])
    strict = ImageAnswers(cases, cases, truth, logits, [0.6, 0.5])
    found = compare_images(eager, strict, ["a", "b"], {}, exclusive=False)
    assert (found.changed[0].before, found.changed[0].after) == ("none", "a")
