import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.explain.boxes import FoundBox, boxes_of, hottest_point, without_overlap


@pytest.fixture
def field():
    """A small hot piece, a large cooler one, and a bridge below the threshold."""
    values = np.zeros((20, 30), dtype=np.float32)
    values[2:5, 3:7] = 1.0
    values[8:18, 10:25] = 0.6
    values[5:8, 6:11] = 0.3
    return values


def test_the_hottest_or_the_largest_piece(field):
    (hot,) = boxes_of(field)
    assert hot.xywh == (3, 2, 4, 3)
    assert hot.score == pytest.approx(1.0)
    (large,) = boxes_of(field, order="largest")
    assert large.xywh == (10, 8, 15, 10)
    assert large.pixels == 150


def test_the_threshold_is_a_share_of_the_maximum(field):
    (one,) = boxes_of(field / 4, threshold=0.2)
    assert one.xywh == (3, 2, 22, 16)
    assert [box.xywh for box in boxes_of(field, most=5)] == [(3, 2, 4, 3), (10, 8, 15, 10)]


def test_pieces_hang_together_over_corners():
    values = np.eye(4, dtype=np.float32)
    (one,) = boxes_of(values, most=9)
    assert (one.xywh, one.pixels) == ((0, 0, 4, 4), 4)


def test_boxes_that_cover_a_better_one_are_left_out():
    values = np.zeros((20, 20), dtype=np.float32)
    values[:, [0, 19]] = values[[0, 19]] = 0.8
    values[2:18, 2:18] = 1.0
    inner, ring = FoundBox((2, 2), (16, 16), 1.0, 256), FoundBox((0, 0), (20, 20), 0.8, 76)
    assert without_overlap([inner, ring], 0.65) == [inner, ring]  # they share 256 of 400
    assert without_overlap([inner, ring], 0.6) == [inner]
    assert len(boxes_of(values, most=9, overlap=0.65)) == 2
    assert len(boxes_of(values, most=9)) == 1


def test_a_volume_has_boxes_with_depth():
    values = np.zeros((6, 7, 8), dtype=np.float32)
    values[1:4, 2:4, 3:8] = 0.7
    (box,) = boxes_of(values)
    about = box.to_mapping()
    assert about == {"x": 3, "y": 2, "w": 5, "h": 2, "z": 1, "d": 3, "score": pytest.approx(0.7)}


def test_a_map_of_zeros_has_no_box_and_one_of_nothing_is_refused():
    assert boxes_of(np.zeros((4, 4), dtype=np.float32)) == []
    with pytest.raises(LongtailError, match="no numbers"):
        boxes_of(np.full((4, 4), np.nan, dtype=np.float32))
    with pytest.raises(LongtailError, match="threshold"):
        boxes_of(np.ones((4, 4), dtype=np.float32), threshold=0.0)


def test_a_blur_joins_what_is_near():
    values = np.zeros((9, 9), dtype=np.float32)
    values[4, [2, 4, 6]] = 1.0
    assert len(boxes_of(values, most=9)) == 3
    assert len(boxes_of(values, most=9, blur=3)) == 1


def test_the_hottest_point_of_a_plateau_is_its_middle():
    values = np.zeros((9, 11))
    values[2:7, 3:8] = 1
    assert hottest_point(values) == (4, 5)
    values[0, 10] = 2
    assert hottest_point(values) == (0, 10)
