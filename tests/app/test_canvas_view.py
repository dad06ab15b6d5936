import numpy as np
import pytest

from longtail.app.canvas_view import (
    contrast_limits,
    contrast_range,
    first_brush,
    plane_axis,
    towards,
    turn,
)

LPS = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
RAS_STORED = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("spacing", "shape", "axis"),
    [
        ((1.0, 1.0, 1.0), (9, 9, 9), 0),
        ((1.0, 1.0, 1.005), (9, 9, 9), 0),
        ((5.0, 0.7, 0.7), (9, 9, 9), 0),
        ((0.9, 0.9, 6.0), (9, 9, 9), 2),
        (None, (9, 9, 9), 0),
        ((1.0, 1.0), (9, 9), None),
        ((1.0, 1.0, 1.0), (9, 1, 9), 1),
    ],
)
def test_slices_are_stacked_along_the_largest_spacing(spacing, shape, axis):
    assert plane_axis(spacing, shape) == axis


def test_axes_know_their_side_of_the_body():
    assert [towards(LPS, axis) for axis in range(3)] == ["S", "P", "L"]
    assert [towards(RAS_STORED, axis) for axis in range(3)] == ["S", "A", "R"]


def test_axial_shows_the_front_up_and_the_right_side_left():
    for direction in (LPS, RAS_STORED):
        seen = turn(0, direction, 3)
        assert (seen.top, seen.bottom, seen.left, seen.right) == ("A", "P", "R", "L")
    assert turn(0, LPS, 3)[:3] == ((0, 1, 2), "down", "right")
    assert turn(0, RAS_STORED, 3)[:3] == ((0, 1, 2), "up", "left")


def test_coronal_and_sagittal_show_the_head_up():
    coronal, sagittal = turn(1, LPS, 3), turn(2, LPS, 3)
    assert (coronal.top, coronal.left, coronal.vertical) == ("S", "R", "up")
    assert (sagittal.top, sagittal.left, sagittal.order) == ("S", "A", (2, 0, 1))


def test_a_plane_that_lies_on_its_side_is_turned():
    # The array's axes grow towards left, posterior, superior: sagittal slices stored y over z.
    stored = (0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0)
    seen = turn(0, stored, 3)
    assert seen.order == (0, 2, 1)
    assert (seen.top, seen.bottom) == ("S", "I")


@pytest.mark.parametrize(("axis", "ndim"), [(None, 2), (0, 3)])
def test_no_letters_without_a_direction(axis, ndim):
    seen = turn(axis, None, ndim)
    assert seen[1:] == ("down", "right", "", "", "", "")
    assert seen.order == tuple(range(ndim))


def test_contrast_ignores_a_few_hot_voxels():
    image = np.random.default_rng(0).normal(100, 10, (40, 40, 40)).astype(np.float32)
    image[0, 0, :5] = 1e6
    low, high = contrast_limits(image)
    assert 60 < low < 90
    assert 110 < high < 140
    assert contrast_range(image, (low, high))[1] == pytest.approx(1e6)


@pytest.mark.parametrize(
    ("image", "limits"),
    [
        (np.zeros((3, 3)), (0.0, 1.0)),
        (np.full((3, 3), np.nan), (0.0, 1.0)),
        (np.array([[0.0, 0.0], [0.0, np.inf]]), (0.0, 1.0)),
        (np.eye(300), (0.0, 1.0)),
    ],
)
def test_contrast_of_odd_images_is_a_range(image, limits):
    assert contrast_limits(image) == limits


@pytest.mark.parametrize(
    ("shape", "axis", "width"), [((35, 50, 36), 0, 3), ((5, 5), None, 1), ((30, 512, 512), 0, 20)]
)
def test_the_brush_suits_the_plane(shape, axis, width):
    assert first_brush(shape, axis) == width
