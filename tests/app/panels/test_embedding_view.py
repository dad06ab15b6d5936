"""Where on the screen the plane lies."""

import numpy as np
import pytest

from longtail.app.panels.embedding_view import MOST_STRETCH, View, whole


def test_up_in_the_plane_is_up_on_the_screen():
    view = View(0.0, 10.0, 0.0, 5.0)
    placed = view.pixels(np.array([(0, 0), (10, 5), (5, 2.5)], np.float32), 100, 50)
    assert placed.tolist() == [[0, 50], [100, 0], [50, 25]]
    assert view.per_pixel(100, 50) == (0.1, 0.1)


def test_all_points_are_seen_and_groups_are_not_torn_apart():
    spots = np.random.default_rng(0).uniform(-3, 7, (500, 2)).astype(np.float32)
    for width, height in ((760, 180), (400, 400), (200, 600)):
        view = whole(spots, width, height)
        placed = view.pixels(spots, width, height)
        assert (placed >= 0).all()
        assert (placed <= (width, height)).all()
        along, up = view.per_pixel(width, height)
        assert 1 / MOST_STRETCH - 1e-6 <= along / up <= 1 + 1e-6


def test_a_far_point_among_many_does_not_shrink_all_others():
    spots = np.random.default_rng(0).normal(0, 1, (5_000, 2))
    spots[0] = (1e6, 1e6)
    assert whole(spots, 400, 400).right < 20


@pytest.mark.parametrize("spots", [np.zeros((0, 2)), np.zeros((1, 2)), np.full((9, 2), 3.0)])
def test_no_extent_is_no_trouble(spots):
    view = whole(spots, 300, 200)
    assert view.right > view.left
    assert view.high > view.low
    assert np.isfinite(view.pixels(spots, 300, 200)).all()
