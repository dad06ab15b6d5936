"""Diameters from few points beside the distances of all pairs."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from longtail.core.radiomics import diameter


def circle(draw):
    angle = draw.uniform(0, 2 * np.pi, 300)
    return np.stack((np.cos(angle), np.sin(angle)), axis=1) * draw.uniform(20, 21, (300, 1))


CLOUDS = {
    "circle": circle,
    "cloud": lambda draw: draw.normal(size=(200, 2)) * (30, 1),
    "line": lambda draw: np.outer(draw.normal(size=50), (1.0, 2.0)),
    "one point": lambda draw: draw.normal(size=(1, 2)),
    "far away": lambda draw: draw.normal(size=(100, 2)) + 5_000,
}


@pytest.mark.parametrize("name", CLOUDS)
def test_groups_in_the_plane(name):
    draw = np.random.default_rng(0)
    clouds = [CLOUDS[name](draw) for _ in range(4)]
    group = np.repeat(np.arange(4), [len(cloud) for cloud in clouds])
    longest = [pdist(cloud).max() if len(cloud) > 1 else 0 for cloud in clouds]
    points = np.concatenate(clouds)
    assert diameter.within_groups(points, group) == pytest.approx(longest)
    owner = np.array([0, 0, 1, 1])
    pairs = [max(longest[:2]), max(longest[2:])]
    assert diameter.over_planes(points, group, owner) == pytest.approx(pairs)


@pytest.mark.parametrize("number", [3, 400, 3_000])
def test_in_space(number):
    points = np.random.default_rng(1).normal(size=(number, 3)) * (5, 2, 1)
    assert diameter.across(points) == pytest.approx(pdist(points).max())


def test_many_points_of_one_plane_in_space():
    points = np.random.default_rng(2).normal(size=(1_500, 3)) * (3, 1, 0)
    assert diameter.across(points) == pytest.approx(pdist(points).max())
