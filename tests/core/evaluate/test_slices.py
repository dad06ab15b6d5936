"""Dice of each slice: what is scored, kept and read again."""

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate import slices
from longtail.core.evaluate.slices import SliceDice, read_slices, score_slices, write_slices


def maps():
    """Three slices: found by half, missed, and not labelled."""
    truth = np.zeros((3, 2, 2), np.uint8)
    said = np.zeros_like(truth)
    truth[0, 0], said[0, 0, 0] = 1, 1
    truth[1, 0, 0] = 2
    truth[2], said[2] = 255, 1
    return truth, said


def test_each_slice_is_scored_where_either_map_has_the_class():
    assert score_slices(*maps(), [1, 2, 3]) == [(0, 1, pytest.approx(2 / 3)), (1, 2, 0.0)]


def test_a_picture_has_no_slices():
    assert score_slices(np.ones((4, 4)), np.ones((4, 4)), [1]) == []
    assert score_slices(np.ones((1, 4, 4)), np.ones((1, 4, 4)), [1]) == []


def test_scores_are_kept_and_read_again(tmp_path):
    path = slices.slices_path(tmp_path, "test")
    write_slices(path, {"a": [(0, 1, 0.5)], "süd/b": [(7, 2, 1.0)]})
    assert read_slices(path) == [SliceDice("a", 0, 1, 0.5), SliceDice("süd/b", 7, 2, 1.0)]


def test_no_scores_are_no_scores(tmp_path):
    assert read_slices(tmp_path / "slices-test.npz") == []
    write_slices(tmp_path / "slices-test.npz", {"a": []})
    assert read_slices(tmp_path / "slices-test.npz") == []


@pytest.mark.parametrize("damage", ["text", "keys", "pickle", "beyond", "large"])
def test_a_file_that_is_none_is_a_sentence(tmp_path, monkeypatch, damage):
    path = tmp_path / "slices-test.npz"
    write_slices(path, {"a": [(0, 1, 0.5)]})
    if damage == "text":
        path.write_text("no archive")
    elif damage == "keys":
        np.savez(path, cases=np.array(["a"]))
    elif damage == "pickle":
        np.savez(path, cases=np.array([{}], dtype=object))
    elif damage == "beyond":
        one = np.array([5])
        np.savez(path, cases=np.array(["a"]), case=one, slice=one, class_id=one, dice=one)
    else:
        monkeypatch.setattr(slices, "MOST_BYTES", 10)
    with pytest.raises(LongtailError, match="slices-test"):
        read_slices(path)
