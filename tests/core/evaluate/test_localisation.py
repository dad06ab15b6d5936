"""Boxes against boxes, counted by hand and by brute force over pixels."""

import itertools

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.bootstrap import Pair, bound_differences
from longtail.core.evaluate.localisation import (
    THRESHOLDS,
    LocatedFinding,
    box_overlaps,
    centre_finding,
    energy_inside,
    localisation_measures,
    localise,
    matched,
    random_finding,
    random_map,
)

SHAPE = (40, 60)


def boxes(*rows):
    return np.array(rows, dtype=float).reshape(-1, 4)


def pixels(box):
    x, y, w, h = (int(value) for value in box)
    return set(itertools.product(range(x, x + w), range(y, y + h)))


def finding(drawn, found, case="a", patient="p", name="mass", **more):
    return LocatedFinding(case, patient, name, SHAPE, drawn, found, **more)


def whole(values):
    """Box all of a map."""
    return boxes((0, 0, values.shape[1], values.shape[0]))


def test_overlaps_are_counted_pixels():
    rng = np.random.default_rng(0)
    drawn, found = (
        np.concatenate([rng.integers(0, 20, (7, 2)), rng.integers(1, 20, (7, 2))], axis=1)
        for _ in range(2)
    )
    union, own = box_overlaps(drawn.astype(float), found.astype(float))
    for i, j in itertools.product(range(7), range(7)):
        a, b = pixels(drawn[i]), pixels(found[j])
        assert union[i, j] == pytest.approx(len(a & b) / len(a | b))
        assert own[i, j] == pytest.approx(len(a & b) / len(b))


def test_boxes_without_area_overlap_nothing():
    union, own = box_overlaps(boxes((3, 3, 0, 0)), boxes((3, 3, 0, 0), (0, 0, 9, 9)))
    np.testing.assert_array_equal(union, [[0, 0]])
    np.testing.assert_array_equal(own, [[0, 0]])


def test_found_boxes_choose_in_their_order_and_a_drawn_box_is_taken_once():
    overlaps = np.array([[0.9, 0.95, 0.2], [0.3, 0.8, 0.1], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(matched(overlaps), [0, 1, -1])
    assert matched(np.zeros((0, 2))).shape == (0,)
    np.testing.assert_array_equal(matched(np.zeros((2, 0))), [-1, -1])


def test_the_measures_of_two_findings_by_hand():
    # 10 x 10 drawn; found shifted by 5: they share 50 of 150, which is half of what was found.
    one = finding(boxes((10, 10, 10, 10)), boxes((15, 10, 10, 10)), point=(16.5, 12.5), energy=0.4)
    # Two drawn, one found exactly, and one found beside both.
    two = finding(
        boxes((0, 0, 4, 4), (30, 30, 5, 5)),
        boxes((30, 30, 5, 5), (50, 0, 5, 5)),
        case="b",
        patient="q",
        point=(52.0, 2.0),
        energy=0.1,
    )
    rows = localise([one, two], whole, resamples=20).rows["map"]
    mean = {name: value.overall.mean for name, value in rows.items()}
    assert mean["box_iou"] == pytest.approx((1 / 3 + 0 + 1) / 3)
    assert mean["box_iobb"] == pytest.approx((1 / 2 + 0 + 1) / 3)
    assert [mean[f"box_acc_{t}"] for t in (10, 30, 40, 70)] == pytest.approx(
        [2 / 3, 2 / 3, 1 / 3, 1 / 3]
    )
    assert [mean[f"box_iobb_acc_{t}"] for t in (40, 50)] == pytest.approx([2 / 3, 1 / 3])
    assert [mean[f"false_positives_{t}"] for t in (10, 40)] == pytest.approx([1 / 2, 1])
    assert mean["pointing"] == pytest.approx(1 / 2)
    assert mean["energy"] == pytest.approx(0.25)
    assert len(rows) == 4 + 3 * len(THRESHOLDS)


def test_a_threshold_must_be_exceeded():
    half = finding(boxes((0, 0, 10, 10)), boxes((0, 0, 10, 5)))
    rows = localise([half], whole, resamples=5).rows["map"]
    assert rows["box_acc_40"].overall.mean == 1
    assert rows["box_acc_50"].overall.mean == 0


def test_classes_count_alike_however_many_boxes_they_have():
    many = [finding(boxes((0, 0, 5, 5)), boxes((0, 0, 5, 5)), case=f"c{i}") for i in range(9)]
    rare = finding(boxes((0, 0, 5, 5)), boxes((20, 20, 5, 5)), case="r", name="effusion")
    found = localise([*many, rare], whole, resamples=5)
    assert found.classes == ("effusion", "mass")
    assert found.boxes == (1, 9)
    assert found.rows["map"]["box_iou"].overall.mean == pytest.approx(0.5)
    assert [c.mean for c in found.rows["map"]["box_iou"].classes] == [0.0, 1.0]


def test_what_nobody_looked_at_is_left_out_and_what_is_nowhere_can_only_be_wrong():
    seen = finding(boxes((0, 0, 5, 5)), boxes((0, 0, 5, 5)))
    nowhere = finding(boxes(), boxes((0, 0, 5, 5)), case="b")
    unseen = finding(None, boxes((0, 0, 5, 5)), case="c")
    found = localise([seen, nowhere, unseen], whole, resamples=5)
    assert (found.cases, found.left_out) == (2, 1)
    rows = found.rows["map"]
    assert rows["box_iou"].overall.mean == 1
    assert rows["pointing"].overall.mean == 0  # no point was told for the one that counts
    assert rows["false_positives_50"].overall.mean == pytest.approx(0.5)
    with pytest.raises(LongtailError, match="None of these"):
        localise([unseen, nowhere], whole)


def test_nothing_found_is_nothing_found():
    rows = localise([finding(boxes((0, 0, 5, 5)), boxes())], whole, resamples=5).rows["map"]
    assert rows["box_iou"].overall.mean == 0
    assert rows["false_positives_10"].overall.mean == 0
    assert rows["energy"].overall.mean == 0


def test_the_central_box_is_the_middle_half_of_each_side():
    centre = centre_finding(finding(boxes((15, 10, 30, 20)), boxes()))
    np.testing.assert_allclose(centre.found, [[15, 10, 30, 20]])
    assert centre.point == (30, 20)
    assert centre.energy == pytest.approx(1.0)


def test_both_controls_stand_beside_every_row_and_are_repeatable():
    rng = np.random.default_rng(1)
    findings = [
        finding(
            boxes((*rng.integers(0, 30, 2), 9, 9)),
            boxes((*rng.integers(0, 30, 2), 9, 9)),
            case=f"c{i}",
            patient=f"p{i // 2}",
        )
        for i in range(12)
    ]

    def locate(values):
        y, x = np.unravel_index(values.argmax(), values.shape)
        return boxes((x - 4, y - 4, 9, 9), (0, 0, 3, 3))

    first, again = (localise(findings, locate, seed=3, resamples=50) for _ in range(2))
    assert list(first.rows) == ["map", "random map", "centre box"]
    assert first.rows == again.rows
    assert (first.cases, first.patients) == (12, 6)
    assert first.rows["map"] != first.rows["random map"]
    other = localise(findings, locate, seed=4, resamples=50)
    assert other.rows["random map"]["box_iou"] != first.rows["random map"]["box_iou"]
    shuffled = localise(findings[::-1], locate, seed=3, resamples=50)
    assert shuffled.rows["random map"]["box_iou"] == first.rows["random map"]["box_iou"]
    # As many boxes as the run was shown with: one, though `locate` gives two.
    assert len(random_finding(findings[0], locate, 3).found) == 1


def test_a_random_map_runs_from_0_to_1_and_is_smooth():
    values = random_map((33, 47), np.random.default_rng(2))
    assert values.shape == (33, 47)
    assert (values.min(), values.max()) == (0, 1)
    assert max(np.abs(np.diff(values, axis=axis)).max() for axis in (0, 1)) < 0.35


def test_energy_inside_counts_pixels_whose_centre_is_inside():
    values = np.ones((4, 6))
    assert energy_inside(values, boxes((1, 1, 2, 2), (2, 1, 2, 2))) == pytest.approx(6 / 24)
    assert energy_inside(values, boxes((0.6, 0, 1, 4))) == pytest.approx(4 / 24)
    assert energy_inside(np.zeros((4, 6)), boxes((0, 0, 4, 4))) is None


def test_two_runs_are_compared_on_the_same_cases():
    drawn = boxes((0, 0, 10, 10))
    good = [finding(drawn, drawn, case=f"c{i}", patient=f"p{i}") for i in range(8)]
    poor = [
        finding(drawn, boxes((0, 0, 10, 2 + i % 2)), case=f"c{i}", patient=f"p{i}")
        for i in range(8)
    ]
    (first, patients), (second, same) = (
        localisation_measures(way, ["mass"]) for way in (good, poor)
    )
    assert patients == same
    found = bound_differences([Pair(first, second, patients)], resamples=200)["box_iou"].overall
    assert found.mean == pytest.approx(0.75)
    assert 0.7 <= found.low < found.mean < found.high <= 0.8
