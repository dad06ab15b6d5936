import numpy as np
import pytest

from longtail.app.canvas_edits import (
    LabelCounts,
    box_of_stroke,
    changed_anywhere,
    changed_voxels,
    is_written,
    joined,
    merged_into,
    rest_of_slices,
    restore_locked,
    same_but_for,
    untouched,
)
from longtail.core.project.records import ClassRecord


class MaskedAtom:
    def __init__(self, slice_key, mask, new_value):
        self.slice_key, self.mask, self.new_value = slice_key, mask, new_value


def fresh(shape=(4, 5, 6)):
    return np.full(shape, 255, np.uint8)


def test_box_bounds_both_kinds_of_atoms():
    masked = MaskedAtom((slice(1, 2), slice(0, 3), slice(2, 4)), None, 1)
    indexed = ((np.array([3]), np.array([4]), np.array([1])), np.array([0]), 2)
    assert box_of_stroke([masked, indexed], (4, 5, 6)) == (slice(1, 4), slice(0, 5), slice(1, 4))


def test_box_of_an_unknown_atom_is_everything():
    assert box_of_stroke([object()], (4, 5)) == (slice(0, 4), slice(0, 5))


@pytest.mark.parametrize("mask", [None, np.ones((1, 2, 2), bool)])
def test_an_atom_announced_before_it_is_written_is_noticed(mask):
    array = fresh()
    atom = MaskedAtom((slice(1, 2), slice(0, 2), slice(0, 2)), mask, 7)
    assert not is_written([atom], array)
    array[1, :2, :2] = 7
    assert is_written([atom], array)


def test_an_indexed_atom_announced_before_it_is_written_is_noticed():
    array = fresh()
    atom = ((np.array([0]), np.array([0]), np.array([0])), np.array([255]), 3)
    assert not is_written([atom], array)
    array[0, 0, 0] = 3
    assert is_written([atom], array)


def test_changes_are_found_in_a_box_and_anywhere():
    known = fresh((3, 5, 7))
    array = known.copy()
    array[1, 2, 3], array[2, 4, 6] = 1, 2
    assert [i.tolist() for i in changed_anywhere(known, array)] == [[1, 2], [2, 4], [3, 6]]
    inside = changed_voxels(known, array, (slice(1, 2), slice(0, 5), slice(0, 7)))
    assert [i.tolist() for i in inside] == [[1], [2], [3]]


@pytest.mark.parametrize("shape", [(3, 5, 7), (8, 8), (1, 3)])
def test_changes_anywhere_agree_with_a_plain_comparison(shape):
    rng = np.random.default_rng(0)
    known = rng.integers(0, 4, shape, dtype=np.uint8)
    array = np.where(rng.random(shape) < 0.2, rng.integers(0, 4, shape), known).astype(np.uint8)
    expected = np.nonzero(known != array)
    found = changed_anywhere(known, array)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_first_stroke_turns_the_rest_of_its_slice_into_background():
    known = fresh()
    array = known.copy()
    array[2, 1:3, 1:3] = 1
    rest = rest_of_slices(known, array, np.nonzero(array == 1), axis=0)
    assert rest is not None
    assert set(rest.voxels[0].tolist()) == {2}
    assert rest.values.size == 5 * 6 - 4
    assert not rest.values.any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_rest_lies_in_the_plane_being_drawn(axis):
    known = fresh()
    array = known.copy()
    array[2, 3, 4] = 1
    rest = rest_of_slices(known, array, np.nonzero(array == 1), axis=axis)
    array[rest.voxels] = rest.values
    plane = np.take(array, (2, 3, 4)[axis], axis=axis)
    assert not (plane == 255).any()
    assert (array == 255).sum() == array.size - plane.size


def test_second_stroke_in_a_slice_leaves_the_rest_alone():
    known = fresh()
    known[2, 0, 0] = 1
    array = known.copy()
    array[2, 1, 1] = 2
    assert rest_of_slices(known, array, (np.array([2]), np.array([1]), np.array([1])), 0) is None


def test_erasing_to_not_labelled_fills_nothing():
    known = fresh()
    voxels = (np.array([2]), np.array([1]), np.array([1]))
    assert rest_of_slices(known, known.copy(), voxels, 0) is None


def test_an_image_is_one_slice():
    known = fresh((4, 5))
    array = known.copy()
    array[0, 0] = 1
    rest = rest_of_slices(known, array, (np.array([0]), np.array([0])), None)
    assert rest.values.size == 19


def test_a_slice_crossed_by_labelled_slices_counts_as_untouched():
    array = fresh()
    array[[0, 2]] = 0
    array[2, 2, 2] = 1
    assert untouched(array[:, 2, :])
    assert untouched(array[:, :, 2])


def test_a_hole_kept_open_by_an_import_counts_as_drawn():
    array = np.zeros((6, 6), np.uint8)
    array[2:4, 2:4] = 255
    assert not untouched(array)


def test_locked_classes_come_back():
    known = np.zeros((3, 3), np.uint8)
    known[0] = 1
    voxels = tuple(i.ravel() for i in np.indices((3, 3)))
    kept = restore_locked(known, voxels, {1})
    assert [i.tolist() for i in kept.voxels] == [[0, 0, 0], [0, 1, 2]]
    assert kept.values.tolist() == [1, 1, 1]
    assert restore_locked(known, voxels, {2}) is None
    left = same_but_for(voxels, kept.voxels, known.shape)
    assert len(left[0]) == 6
    assert len(joined(left, kept.voxels)[0]) == 9


def test_counts_follow_strokes():
    array = fresh()
    counts = LabelCounts(array, 0)
    assert counts.labelled_slices == 0
    assert counts.richest_slice(array) is None
    former = array[1].ravel().copy()
    array[1] = 0
    array[1, 0, :2] = 3
    counts.move(former, array[1].ravel())
    counts.look(array, [1])
    assert counts.voxels[3] == 2
    assert counts.voxels[0] == 28
    assert counts.voxels.sum() == array.size
    assert counts.labelled_slices == 1
    assert counts.richest_slice(array) == 1


def test_counts_turn_with_the_plane():
    array = fresh()
    array[1] = 0
    counts = LabelCounts(array, 0)
    counts.turn(array, 1)
    assert counts.labelled.size == 5
    assert counts.labelled_slices == 0


def test_counts_of_an_image():
    counts = LabelCounts(np.zeros((4, 5), np.uint8), None)
    assert counts.labelled.tolist() == [True]
    assert counts.richest_slice(np.ones((4, 5), np.uint8)) is None


def test_merges_are_followed_to_their_end():
    classes = [
        ClassRecord(1, "a", "#000000"),
        ClassRecord(2, "b", "#000000", retired=True, merged_into=3),
        ClassRecord(3, "c", "#000000", retired=True, merged_into=1),
    ]
    assert merged_into(classes) == {2: 1, 3: 1}
