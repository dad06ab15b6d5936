"""Where an image lies in the patient: spacing in array order, origin and direction in LPS."""

from dataclasses import dataclass

import numpy as np

SPACING_TOLERANCE = 1e-3
"""Relative difference of two spacings that writers make by rounding to single precision."""

PLACE_TOLERANCE_VOXELS = 0.05
"""How far two grids may lie apart, in voxels, and still count as one grid."""

DIRECTION_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Geometry:
    """The grid of an image in the patient.

    Parameters
    ----------
    spacing_mm
        Voxel size in mm in the order of the array: (z, y, x) or (y, x).
    origin
        Centre of the first voxel in mm, SimpleITK's LPS order (x, y, z) or (x, y).
    direction
        SimpleITK's direction matrix, row by row: 9 or 4 numbers.
    """

    spacing_mm: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """2 or 3."""
        return len(self.spacing_mm)

    @property
    def voxel_mm3(self) -> float:
        """Volume of a voxel in mm3 (area in mm2 of a pixel in 2D)."""
        return float(np.prod(self.spacing_mm))

    def matches(self, other: "Geometry") -> bool:
        """Tell whether both describe one grid, but for the rounding of file formats."""
        if self.dimension != other.dimension:
            return False
        spacing = np.array(self.spacing_mm)
        return (
            bool(np.allclose(spacing, other.spacing_mm, rtol=SPACING_TOLERANCE, atol=0))
            and bool(np.allclose(self.direction, other.direction, rtol=0, atol=DIRECTION_TOLERANCE))
            and bool(np.all(self._apart_voxels(other) <= PLACE_TOLERANCE_VOXELS))
        )

    def _apart_voxels(self, other: "Geometry") -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
        apart_mm = np.abs(np.array(self.origin) - np.array(other.origin))
        return np.asarray(apart_mm / max(self.spacing_mm), dtype=np.float64)


def plain_geometry(spacing_mm: tuple[float, ...]) -> Geometry:
    """Give the geometry of a grid with a known spacing and no known place in the patient."""
    count = len(spacing_mm)
    return Geometry(spacing_mm, (0.0,) * count, tuple(float(v) for v in np.eye(count).ravel()))
