"""The point under the mouse and the points inside a line, against a search through all."""

import numpy as np
import pytest

from longtail.app.panels.embedding_grid import PointGrid, inside_mask


@pytest.fixture
def cloud():
    rng = np.random.default_rng(3)
    return np.concatenate([rng.normal(0, 1, (4_000, 2)), rng.uniform(-40, 40, (300, 2))]).astype(
        np.float32
    )


def brute(spots, x, y, reach_x, reach_y):
    far = ((spots[:, 0] - x) / reach_x) ** 2 + ((spots[:, 1] - y) / reach_y) ** 2
    best = int(far.argmin())
    return best if far[best] <= 1 else None


def test_the_nearest_point_is_that_of_a_search_through_all(cloud):
    grid = PointGrid(cloud)
    rng = np.random.default_rng(4)
    asked = np.concatenate([rng.uniform(-50, 50, (200, 2)), rng.normal(0, 1, (200, 2))])
    found = 0
    for x, y in asked:
        wanted = brute(cloud, x, y, 0.8, 0.3)
        assert grid.nearest(x, y, 0.8, 0.3) == wanted
        found += wanted is not None
    assert found > 100


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_are_no_trouble(count):
    spots = np.full((count, 2), 5.0, np.float32)
    grid = PointGrid(spots)
    assert grid.nearest(5, 5, 1, 1) == (0 if count else None)
    assert grid.nearest(50, 5, 1, 1) is None


def test_all_points_in_one_place_are_found():
    grid = PointGrid(np.ones((10_000, 2), np.float32))
    assert grid.nearest(1.0, 1.0, 0.1, 0.1) is not None


def test_points_inside_a_mask_are_those_on_its_pixels():
    mask = np.zeros((10, 20), bool)
    mask[2:5, 3:8] = True
    spots = np.array([(3.0, 2.0), (7.9, 4.9), (8.0, 4.0), (-1, 3), (5, 99), (5, 3)], np.float32)
    assert inside_mask(spots, mask).tolist() == [0, 1, 5]
    assert inside_mask(spots + 100, mask, 100, 100).tolist() == [0, 1, 5]
