import numpy as np
import pytest

from longtail.core.evaluate.mistakes import most_confused
from longtail.core.evaluate.operating import Count
from longtail.core.evaluate.parts import confusion_of, multi_label_parts, single_label_parts

NAMES = ("a", "b", "c")
TRUTH = np.array([0, 0, 0, 1, 1, 2])
LOGITS = 4.0 * np.eye(3)[[0, 1, 1, 1, 2, 2]]


def test_counts_and_pairs_come_from_the_same_table():
    parts = single_label_parts(TRUTH, LOGITS, NAMES)
    assert confusion_of(TRUTH, LOGITS, NAMES).counts == ((1, 2, 0), (0, 1, 1), (0, 0, 1))
    assert parts.counts == {"a": Count(3, 1, 0), "b": Count(2, 1, 2), "c": Count(1, 1, 1)}
    assert [(p.true, p.predicted, p.n, p.of) for p in parts.pairs] == [
        ("a", "b", 2, 3),
        ("b", "c", 1, 2),
    ]
    assert [curve.name for curve in parts.curves] == ["a", "b", "c"]
    assert [one.n for one in parts.reliability] == [6]
    assert parts.thresholds == {}


def test_of_equally_frequent_mistakes_the_larger_share_comes_first():
    counts = ((8, 2, 0), (2, 0, 0), (0, 0, 5))
    assert [pair.true for pair in most_confused(counts, NAMES)] == ["b", "a"]
    assert len(most_confused(counts, NAMES, most=1)) == 1


def test_several_findings_are_counted_where_they_are_known():
    truth = np.array([[1, 0], [1, -1], [0, 1], [-1, 0]], dtype=np.int8)
    logits = np.array([[2.0, 2.0], [-1.0, 5.0], [3.0, -3.0], [9.0, -2.0]])
    parts = multi_label_parts(truth, logits, ("x", "y"), [0.5, 0.5])
    assert parts.counts == {"x": Count(2, 1, 1), "y": Count(1, 0, 1)}
    lower = multi_label_parts(truth, logits, ("x", "y"), [0.2, 0.01])
    assert lower.counts == {"x": Count(2, 2, 1), "y": Count(1, 1, 2)}
    assert lower.thresholds == {"x": pytest.approx(0.2), "y": pytest.approx(0.01)}
    assert [one.n for one in parts.reliability] == [3, 3]
    assert parts.pairs == ()
