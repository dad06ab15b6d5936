from dataclasses import replace

import pytest

from longtail.core.io.geometry import Geometry, plain_geometry

GRID = Geometry((3.0, 2.0, 1.0), (5.0, 6.0, 7.0), (1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))


def test_a_grid_matches_itself_but_for_rounding():
    assert GRID.matches(GRID)
    assert GRID.matches(replace(GRID, spacing_mm=(3.0001, 2.0, 1.0), origin=(5.01, 6.0, 7.0)))


@pytest.mark.parametrize(
    "other",
    [
        replace(GRID, spacing_mm=(3.1, 2.0, 1.0)),
        replace(GRID, origin=(5.0, 7.0, 7.0)),
        replace(GRID, direction=(-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0)),
        plain_geometry((3.0, 2.0)),
    ],
)
def test_another_grid_does_not_match(other):
    assert not GRID.matches(other)


def test_voxel_volume():
    assert GRID.voxel_mm3 == pytest.approx(6.0)
    assert plain_geometry((0.5, 0.5)).voxel_mm3 == pytest.approx(0.25)
