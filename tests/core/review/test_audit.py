"""How much of a map lies where it should, and in which words that is told."""

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.review.audit import (
    Inside,
    boxes_mask,
    by_suspicion,
    class_summaries,
    edge_of,
    looked,
)
from longtail.core.review.audit_file import (
    SIDE,
    Audit,
    AuditPictures,
    read_audit,
    read_pictures,
    write_audit,
)
from longtail.core.review.audit_words import SanityStep, sanity_sentence, sentence
from longtail.core.review.body import body_of, otsu


def seen(values, region, case="a", class_id=1, of=Inside.BOX, kind="graded"):
    return looked(case, class_id, values, region, of, kind=kind, probability=0.5)


def test_the_share_inside_is_counted_pixel_by_pixel():
    random = np.random.default_rng(0)
    values = random.random((9, 12))
    boxes = [(2.0, 1.0, 4.0, 5.0), (7.5, 3.2, 2.0, 3.0)]
    inside = total = 0.0
    count = 0
    for y in range(9):
        for x in range(12):
            there = any(bx <= x + 0.5 < bx + w and by <= y + 0.5 < by + h for bx, by, w, h in boxes)
            total += values[y, x]
            inside += values[y, x] * there
            count += there
    one = seen(values, boxes_mask(boxes, values.shape))
    assert one.inside == pytest.approx(inside / total)
    assert one.area == pytest.approx(count / values.size)
    top = np.unravel_index(values.argmax(), values.shape)
    assert one.point_inside == boxes_mask(boxes, values.shape)[top]


def test_the_edge_is_a_frame_in_each_slice():
    mask = edge_of((2, 50, 100))
    assert mask[:, 0].all()
    assert mask[:, :, :8].all()
    assert not mask[:, 4:46, 8:92].any()
    values = np.zeros((50, 100))
    values[0, 0] = 1
    assert seen(values, np.ones((50, 100), bool)).edge == 1.0


def test_a_map_of_zeros_and_no_region_say_nothing():
    empty = seen(np.zeros((4, 4)), np.ones((4, 4), bool), kind="empty")
    assert (empty.inside, empty.edge, empty.point_inside) == (None, None, None)
    nowhere = seen(np.ones((4, 4)), np.zeros((4, 4), bool))
    assert nowhere.inside is None
    assert seen(np.ones((4, 4)), None, of=Inside.NOTHING).inside is None


def test_the_least_inside_comes_first_and_what_says_nothing_last():
    half = np.zeros((4, 4), bool)
    half[:2] = True
    low, high = np.zeros((4, 4)), np.zeros((4, 4))
    low[3], high[0] = 1, 1
    found = by_suspicion(
        [seen(high, half, "high"), seen(np.zeros((4, 4)), half, "none"), seen(low, half, "low")]
    )
    assert [one.case for one in found] == ["low", "high", "none"]
    (line,) = class_summaries(found)
    assert (line.maps, line.inside, line.area, line.pointing) == (2, 0.5, 0.5, 0.5)
    assert line.low <= line.inside <= line.high
    told = sentence(line, "Mass")
    assert told.startswith("Mass: 50% of the energy of 2 maps lies in the drawn box (no more than")


def test_the_check_by_forgetting_is_told_in_words():
    def steps(*values):
        return [SanityStep(str(i), value, 3) for i, value in enumerate(values)]

    assert sanity_sentence(steps(0.9, 0.05))[1] is True
    assert sanity_sentence(steps(0.9, 0.45))[1] is None
    passed, failed = sanity_sentence(steps(0.9, 0.1))[0], sanity_sentence(steps(0.9, 0.8))
    assert passed.startswith("Passed")
    assert failed[1] is False
    assert "do not rely on them" in failed[0]
    assert sanity_sentence(steps(None))[1] is None


def test_the_body_is_found_without_a_tag_and_with_its_lungs():
    picture = np.full((200, 180), 4.0)
    picture[30:190, 30:150] = 160
    picture[60:150, 45:85] = 20
    picture[60:150, 95:135] = 20
    picture[8:16, 160:175] = 255
    mask = body_of(picture[None])
    assert mask[100, 60]
    assert mask[40, 40]
    assert not mask[12, 165]
    assert not mask[5, 5]
    assert mask.mean() == pytest.approx(160 * 120 / picture.size, rel=0.1)


def test_a_cell_stands_out_from_a_light_ground():
    picture = np.full((3, 120, 120), 230.0)
    picture[:, 40:80, 40:80] = np.array([90, 40, 150])[:, None, None]
    mask = body_of(picture)
    assert mask[60, 60]
    assert not mask[10, 10]


def test_nothing_stands_out_of_an_even_picture():
    assert body_of(np.full((1, 30, 30), 7.0)) is None
    assert otsu(np.full((3, 3), 2.0, np.float32)) is None
    assert body_of(np.full((1, 4, 4), np.nan)) is None


def audit_of(maps):
    return Audit(
        "run-001-x", "test", "grad-cam", "f" * 64, class_summaries(maps), tuple(maps), ("n",)
    )


def pictures_of(count):
    return AuditPictures(
        np.zeros((count, SIDE, SIDE, 3), np.uint8),
        np.zeros((count, SIDE, SIDE), np.uint8),
        np.ones(count, np.float32),
        np.full(count, -1, np.int32),
        {1: np.full((SIDE, SIDE), 9, np.uint8)},
    )


def test_an_audit_is_read_as_it_was_written(tmp_path):
    maps = [seen(np.ones((4, 4)), np.eye(4, dtype=bool), case) for case in "ab"]
    write_audit(tmp_path, audit_of(maps), pictures_of(2))
    found = read_audit(tmp_path)
    assert found.classes[0].inside == pytest.approx(0.25)
    assert [one.case for one in found.maps] == ["a", "b"]
    assert found.maps[0].of is Inside.BOX
    pictures = read_pictures(tmp_path, 2)
    assert pictures.means[1][0, 0] == 9
    assert read_audit(tmp_path / "elsewhere") is None


def test_damaged_files_say_so(tmp_path):
    maps = [seen(np.ones((4, 4)), np.eye(4, dtype=bool))]
    path = write_audit(tmp_path / "run-001-x", audit_of(maps), pictures_of(1))
    with pytest.raises(LongtailError, match="damaged"):
        read_pictures(tmp_path / "run-001-x", 2)
    path.with_name("pictures.npz").write_bytes(b"PK no")
    with pytest.raises(LongtailError, match="damaged"):
        read_pictures(tmp_path / "run-001-x", 1)
    path.write_text('{"format": 1, "maps": [1]}')
    with pytest.raises(LongtailError, match="damaged"):
        read_audit(tmp_path / "run-001-x")
