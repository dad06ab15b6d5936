"""The mesh of a region beside figures worked out by hand, and every kind of cube."""

import math

import numpy as np
import pytest
import torch

from longtail.core.radiomics.mesh import CORNERS, volume_and_area
from longtail.core.radiomics.packing import pack
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.shape import shapes


def shape(mask, spacing, *, flat):
    region = Region(1, np.zeros(mask.shape), mask, spacing, flat)
    found = shapes([region], pack([region], 1, torch.device("cpu")))
    return {name: float(values[0]) for name, values in found.items()}


def test_one_voxel_is_an_octahedron():
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[1, 1, 1] = True
    volume, area = volume_and_area(mask, (1.0, 1.0, 1.0))
    assert volume == pytest.approx(1 / 6)
    assert area == pytest.approx(math.sqrt(3))


def test_the_mesh_grows_with_the_voxel():
    mask = np.zeros((4, 5, 6), dtype=bool)
    mask[1:3, 1:4, 1:5] = True
    assert volume_and_area(mask, (2.0, 2.0, 2.0)) == pytest.approx(
        np.array(volume_and_area(mask, (1.0, 1.0, 1.0))) * (8, 4)
    )


def test_one_pixel_is_a_diamond():
    mask = np.zeros((1, 3, 3), dtype=bool)
    mask[0, 1, 1] = True
    found = shape(mask, (1.0, 3.0, 4.0), flat=True)
    assert found["MeshSurface"] == pytest.approx(6)
    assert found["Perimeter"] == pytest.approx(10)
    assert found["MaximumDiameter"] == pytest.approx(4)


@pytest.mark.parametrize("kind", range(1, 256))
def test_every_kind_of_cube_equals_pyradiomics(kind):
    c_shape = pytest.importorskip("radiomics", reason="needs the extra radiomics").cShape
    mask = np.zeros((4, 4, 4), dtype=bool)
    for number, corner in enumerate(CORNERS):
        mask[tuple(1 + part for part in corner)] = bool(kind >> number & 1)
    spacing = (3.0, 0.7, 1.1)
    area, volume, across = c_shape.calculate_coefficients(mask, np.array(spacing))
    assert volume_and_area(mask, spacing) == pytest.approx((volume, area), rel=1e-12)
    inside = np.nonzero(mask)
    if all(np.ptp(part) for part in inside):
        found = shape(mask, spacing, flat=False)
        names = ("2DDiameterSlice", "2DDiameterColumn", "2DDiameterRow", "3DDiameter")
        assert [found[f"Maximum{name}"] for name in names] == pytest.approx(list(across))


def test_a_box_has_its_axes_and_diameters():
    mask = np.zeros((1, 9, 12), dtype=bool)
    mask[0, 2:6, 3:10] = True
    found = shape(mask, (1.0, 2.0, 1.0), flat=True)
    assert found["PixelSurface"] == 56
    assert found["MaximumDiameter"] == pytest.approx(
        math.hypot(4 * 2, 6)
    )  # middles of the upper and lower edges
    assert found["MajorAxisLength"] == pytest.approx(4 * math.sqrt(4 * (16 - 1) / 12))
    assert found["MinorAxisLength"] == pytest.approx(4 * math.sqrt((49 - 1) / 12))
