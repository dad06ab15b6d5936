import numpy as np
import pytest

from longtail.core.evaluate.report import EvaluatedClass
from longtail.core.evaluate.segmentation import score_case
from longtail.core.evaluate.summary import (
    multi_label_figures,
    segmentation_figures,
    single_label_figures,
    tier_columns,
)


def classes(*tiers, test=3):
    return [
        EvaluatedClass(i + 1, f"c{i + 1}", "#56b4e9", tier, 10, None, test)
        for i, tier in enumerate(tiers)
    ]


def test_empty_tiers_are_left_out():
    assert tier_columns(classes("head", "tail", "head")) == {"head": [0, 2], "tail": [1]}


def test_segmentation_figures_have_classes_tiers_and_false_alarms():
    truth, other = np.zeros((2, 6, 6), dtype=np.uint8)
    truth[:3] = 1
    other[:3] = 1
    other[5, 5] = 2
    scores = [score_case(truth, other, [1, 2], (1, 1)), score_case(truth, truth, [1, 2], (1, 1))]
    figures = segmentation_figures(scores, classes("head", "tail"), ["a", "b"], resamples=50)
    assert list(figures) == ["dice", "jaccard", "hd95_mm", "asd_mm", "nsd_1mm"]
    dice = figures["dice"]
    assert (dice.mean, dice.n) == (0.5, 2)
    assert (dice.classes["c1"].mean, dice.classes["c1"].n) == (1.0, 2)
    assert (dice.classes["c2"].mean, dice.classes["c2"].n) == (0.0, 1)
    assert (dice.classes["c2"].false_positives, dice.classes["c2"].missed) == (1, 0)
    assert (dice.tiers["head"].mean, dice.tiers["tail"].mean) == (1.0, 0.0)
    # Predicted where there is none: no distance, so the class has no value and n drops.
    assert (figures["hd95_mm"].classes["c2"].mean, figures["hd95_mm"].classes["c2"].n) == (None, 0)
    assert figures["hd95_mm"].mean == 0.0


def test_without_spacing_the_distances_are_left_out():
    truth = np.eye(4, dtype=np.uint8)
    figures = segmentation_figures(
        [score_case(truth, truth, [1], None)], classes("head"), ["a"], resamples=10
    )
    assert list(figures) == ["dice", "jaccard"]


def test_single_label_figures_hold_the_contracts_measures():
    truth = np.array([0, 0, 1, 1, 2, 2])
    figures = single_label_figures(
        truth,
        np.eye(3)[[0, 0, 1, 0, 2, 2]] * 2.0,
        classes("head", "medium", "tail", test=2),
        list("abcdef"),
        resamples=50,
    )
    assert list(figures) == [
        "balanced_accuracy", "accuracy", "macro_f1", "recall", "recall_head", "recall_medium",
        "recall_tail", "precision", "auc", "average_precision", "mcc", "kappa", "ece",
    ]  # fmt: skip
    assert figures["recall_medium"].mean == 0.5
    assert list(figures["recall_medium"].classes) == ["c2"]
    assert figures["recall"].tiers["medium"].mean == 0.5
    assert figures["recall_tail"].n == 2
    assert figures["accuracy"].n == 6
    assert figures["accuracy"].mean == pytest.approx(5 / 6)


def test_multi_label_figures_leave_out_what_is_undefined():
    truth = np.array([[1, -1], [0, -1], [1, -1], [0, -1]], dtype=np.int8)
    logits = np.array([[2.0, 0], [-2, 0], [1, 0], [-1, 0]])
    figures = multi_label_figures(
        truth, logits, classes("head", "tail"), list("abcd"), resamples=50
    )
    assert figures["auc"].mean == 1.0
    assert figures["auc"].classes["c2"].mean is None
    assert "recall_tail" not in figures
