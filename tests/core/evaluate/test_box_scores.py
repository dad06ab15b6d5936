import numpy as np
import pytest

from longtail.core.evaluate.box_scores import (
    FIGURES,
    BoxScore,
    box_parts,
    scores_of,
    told_box_measures,
)
from longtail.core.evaluate.box_words import ROWS, box_heads, box_table
from longtail.core.evaluate.localisation import LocatedFinding, localisation_measures, localise


def _finding(case, name, drawn, found, point=None):
    boxes = [np.array(each, float).reshape(-1, 4) for each in (drawn, found)]
    return LocatedFinding(f"c{case}", f"p{case // 2}", name, (50, 60), *boxes, point=point)


def _findings():
    """Two findings on the spot, one half covered, one missed, one of nothing to find."""
    return [
        _finding(0, "mass", [[0, 0, 10, 10]], [[0, 0, 10, 10]], (5.0, 5.0)),
        _finding(1, "mass", [[0, 0, 10, 10], [30, 30, 10, 10]], [[0, 0, 10, 5]], (20.0, 20.0)),
        _finding(2, "node", [[40, 40, 5, 5]], [[0, 0, 5, 5]], (42.0, 41.0)),
        _finding(3, "node", np.zeros((0, 4)), [[0, 0, 5, 5]]),
    ]


def _locate(_):
    return np.array([[10.0, 10.0, 20.0, 20.0]])


def test_scores_by_hand():
    scores = scores_of(_findings())
    assert scores["c0"]["mass"] == BoxScore(iou=(1.0,), pointed=True, found=((0, 0, 10, 10),))
    assert scores["c1"]["mass"].iou == (0.5, 0.0)
    assert not scores["c1"]["mass"].pointed
    assert scores["c2"]["node"].iou == (0.0,)
    assert scores["c2"]["node"].pointed
    assert "c3" not in scores


def test_what_a_comparison_keeps_gives_the_figures_again():
    findings, names = _findings()[:3], ("mass", "node")
    scores = scores_of(findings)
    measures, _ = localisation_measures(findings, names)
    told = told_box_measures([scores[f"c{n}"] for n in range(3)], names)
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0], [0.0, 0.0, 3.0]])
    for name in FIGURES:
        np.testing.assert_allclose(told(weights)[name].classes, measures(weights)[name].classes)
        np.testing.assert_allclose(told(weights)[name].overall, measures(weights)[name].overall)
    # By hand: (1 + .5 + 0) / 3 of the masses, 0 of the nodes.
    assert told(weights)["box_iou"].overall[0] == pytest.approx(0.25)
    assert told_box_measures([{}, {}], names)(np.ones((1, 2))) == {}


def test_parts_have_the_controls_beside_the_run():
    findings = _findings()
    parts = box_parts(localise(findings, _locate, resamples=20), findings, 1)
    assert set(parts.rows) == set(ROWS)
    assert parts.boxes == {"mass": 3, "node": 1}
    own = parts.rows["map"]
    assert (own["box_iou"].n, own["pointing"].n) == (4, 3)
    assert own["box_iou"].classes["mass"].mean == pytest.approx(0.5)
    assert own["pointing"].classes["node"].mean == 1.0
    # One box that was missed does not say that all others would be.
    missed = own["box_acc_10"].classes["node"]
    assert (missed.mean, missed.low) == (0.0, pytest.approx(0.0))
    assert missed.high > 0.5
    table = box_table(parts)
    assert [row.name for row in table] == [n for n in ("All classes", "mass", "node") for _ in ROWS]
    assert {len(row.cells) for row in table} == {len(box_heads())}
    assert table[3].cells[0] == "0.500"
