import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn import metrics

from longtail.core.evaluate.bootstrap import bound
from longtail.core.evaluate.classification import multi_label_measures, single_label_measures
from longtail.core.evaluate.prior import sigmoid, softmax


def reference_single(truth, logits, weights):
    """The same figures by scikit-learn."""
    probabilities = softmax(logits)
    predicted = probabilities.argmax(axis=1)
    labels = range(logits.shape[1])
    one_hot = np.eye(logits.shape[1])[truth]
    average = {"labels": labels, "average": "macro", "sample_weight": weights, "zero_division": 0}
    return {
        "balanced_accuracy": metrics.balanced_accuracy_score(
            truth, predicted, sample_weight=weights
        ),
        "accuracy": metrics.accuracy_score(truth, predicted, sample_weight=weights),
        "macro_f1": metrics.f1_score(truth, predicted, **average),
        "recall": metrics.recall_score(truth, predicted, **average),
        "precision": metrics.precision_score(truth, predicted, **average),
        "auc": metrics.roc_auc_score(one_hot, probabilities, sample_weight=weights),
        "average_precision": metrics.average_precision_score(
            one_hot, probabilities, sample_weight=weights
        ),
        "mcc": metrics.matthews_corrcoef(truth, predicted, sample_weight=weights),
        "kappa": metrics.cohen_kappa_score(truth, predicted, sample_weight=weights),
    }


@pytest.mark.parametrize("seed", range(5))
def test_single_label_equals_scikit_learn_under_any_weights(seed):
    rng = np.random.default_rng(seed)
    truth = np.concatenate([np.arange(5), rng.integers(0, 5, 120)])
    logits = rng.normal(size=(125, 5)).round(1)  # rounded, so that scores tie
    logits[np.arange(125), truth] += 1
    weights = rng.integers(1, 4, size=(3, 125)).astype(float)
    found = single_label_measures(truth, logits, {})(weights)
    for row in range(3):
        for name, value in reference_single(truth, logits, weights[row]).items():
            assert found[name].overall[row] == pytest.approx(value), name


def test_quadratic_kappa_equals_scikit_learn():
    rng = np.random.default_rng(1)
    truth, logits = rng.integers(0, 5, 80), rng.normal(size=(80, 5))
    found = single_label_measures(truth, logits, {}, graded=True)(np.ones((1, 80)))
    expected = metrics.cohen_kappa_score(truth, logits.argmax(1), weights="quadratic")
    assert found["kappa"].overall[0] == pytest.approx(expected)


def test_calibration_error_by_hand():
    # Two images at confidence 0.75, one of them right: |0.75 - 0.5| = 0.25.
    logits = np.log([[0.75, 0.25], [0.75, 0.25]])
    found = single_label_measures(np.array([0, 1]), logits, {})(np.ones((1, 2)))
    assert found["ece"].overall[0] == pytest.approx(0.25)


def test_recall_by_tier_and_all_classes_stay_in_the_list():
    truth = np.array([0, 0, 0, 1, 1])
    logits = np.eye(4)[[0, 0, 3, 1, 0]]
    tiers = {"head": [0], "medium": [1], "tail": [2, 3]}
    found = single_label_measures(truth, logits, tiers)(np.ones((1, 5)))
    assert found["recall_head"].overall[0] == pytest.approx(2 / 3)
    assert found["recall_medium"].overall[0] == pytest.approx(1 / 2)
    assert np.isnan(found["recall_tail"].overall[0])
    # Class 3 is predicted and not there: its F1 is 0; class 2 is neither and left out.
    f1 = found["macro_f1"].classes[0]
    assert np.isnan(f1[2])
    assert f1[3] == 0
    assert found["macro_f1"].overall[0] == pytest.approx(np.mean([4 / 6, 2 / 3, 0]))
    assert found["precision"].classes[0][3] == 0


@pytest.mark.parametrize("seed", range(3))
def test_multi_label_equals_scikit_learn_over_known_labels(seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice([-1, 0, 1], p=[0.2, 0.5, 0.3], size=(90, 3)).astype(np.int8)
    logits = rng.normal(size=(90, 3)).round(1) + truth
    found = multi_label_measures(truth, logits, {})(np.ones((1, 90)))
    probabilities = sigmoid(logits)
    for k in range(3):
        known = truth[:, k] >= 0
        yes, score = truth[known, k], probabilities[known, k]
        said = score >= 0.5
        expected = {
            "auc": metrics.roc_auc_score(yes, score),
            "average_precision": metrics.average_precision_score(yes, score),
            "macro_f1": metrics.f1_score(yes, said),
            "recall": metrics.recall_score(yes, said),
            "precision": metrics.precision_score(yes, said),
            "accuracy": metrics.accuracy_score(yes, said),
            "balanced_accuracy": metrics.balanced_accuracy_score(yes, said),
            "mcc": metrics.matthews_corrcoef(yes, said),
            "kappa": metrics.cohen_kappa_score(yes, said),
        }
        for name, value in expected.items():
            assert found[name].classes[0, k] == pytest.approx(value), name
    assert found["auc"].overall[0] == pytest.approx(found["auc"].classes.mean())


def test_multi_label_leaves_out_a_class_that_nobody_has():
    truth = np.array([[1, 0], [0, 0], [1, 0]], dtype=np.int8)
    logits = np.array([[2.0, -1], [-2, -1], [1, -1]])
    found = multi_label_measures(truth, logits, {})(np.ones((1, 3)))
    for name in ("auc", "recall", "macro_f1", "balanced_accuracy", "mcc", "kappa"):
        assert np.isnan(found[name].classes[0, 1]), name
        assert found[name].overall[0] == 1, name


def test_thresholds_decide_what_is_found():
    truth = np.array([[1], [0]], dtype=np.int8)
    logits = np.array([[-1.0], [-3.0]])
    assert multi_label_measures(truth, logits, {})(np.ones((1, 2)))["recall"].overall[0] == 0
    lower = multi_label_measures(truth, logits, {}, thresholds=[0.2])(np.ones((1, 2)))
    assert lower["recall"].overall[0] == 1
    assert lower["precision"].overall[0] == 1


def test_resampling_without_a_class_warns_of_nothing():
    truth = np.array([0, 0, 0, 0, 1])
    logits = np.eye(2)[[0, 0, 1, 0, 1]] * 3.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = bound(single_label_measures(truth, logits, {}), list("abcde"))
    assert found["auc"].overall.mean is not None


def test_the_window_measures_without_torch():
    code = (
        "import sys, longtail.core.evaluate.classification, longtail.core.evaluate.report,"
        " longtail.core.evaluate.prior, longtail.core.evaluate.summary,"
        " longtail.core.evaluate.html;"
        "print([m for m in ('torch', 'monai', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
