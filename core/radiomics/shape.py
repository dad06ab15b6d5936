"""Size and shape of a region: mesh, axes and diameters; NumPy alone, whatever the device."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from torch import Tensor

from .mesh import area_and_perimeter, volume_and_area
from .regions import Region

Array = np.ndarray[Any, np.dtype[Any]]

PAIRS_AT_ONCE = 1 << 18
"""How many pairs of lines are looked at together; more do not fit the processor's cache."""


def shapes(regions: Sequence[Region]) -> dict[str, Tensor]:
    """Measure the shapes of regions, all of them flat or none; (region,) by short name."""
    found = [shape(region) for region in regions]
    return {
        name: torch.tensor([one[name] for one in found], dtype=torch.float64) for name in found[0]
    }


def shape(region: Region) -> dict[str, float]:
    """Measure the shape of a region; PyRadiomics' `shape2D` for flat pictures, else `shape`.

    Lengths in mm, areas in mm2, volumes in mm3, by short name; Elongation and Flatness are NaN
    where the longest axis has no length.
    """
    box = _tight(region.mask)
    return _flat(box[0], region.spacing_mm[1:]) if region.flat else _solid(box, region.spacing_mm)


def _tight(mask: Array) -> Array:
    """Cut to the box around the region: PyRadiomics' origin is its first voxel."""
    inside = np.nonzero(mask)
    return mask[tuple(slice(int(part.min()), int(part.max()) + 1) for part in inside)]


def _flat(mask: Array, spacing_mm: tuple[float, float]) -> dict[str, float]:
    padded = np.pad(mask, 1)
    area, perimeter = area_and_perimeter(padded, spacing_mm)
    minor, major = _axes(mask, spacing_mm)
    ends = _border(padded)
    return {
        "MeshSurface": area,
        "PixelSurface": float(mask.sum()) * float(np.prod(spacing_mm)),
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / area,
        "Sphericity": 2 * float(np.sqrt(np.pi * area)) / perimeter,
        "MaximumDiameter": _in_plane(np.pad(ends, ((0, 0), (1, 0))), (1.0, *spacing_mm), 0),
        "MajorAxisLength": major * 4,
        "MinorAxisLength": minor * 4,
        "Elongation": minor / major if major > 0 else float("nan"),
    }


def _solid(mask: Array, spacing_mm: tuple[float, float, float]) -> dict[str, float]:
    padded = np.pad(mask, 1)
    volume, area = volume_and_area(padded, spacing_mm)
    least, minor, major = _axes(mask, spacing_mm)
    ends = _border(padded)
    return {
        "MeshVolume": volume,
        "VoxelVolume": float(mask.sum()) * float(np.prod(spacing_mm)),
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Sphericity": float((36 * np.pi * volume**2) ** (1 / 3)) / area,
        "Maximum3DDiameter": _across(ends, spacing_mm),
        "Maximum2DDiameterSlice": _in_plane(ends, spacing_mm, 0),
        "Maximum2DDiameterColumn": _in_plane(ends, spacing_mm, 1),
        "Maximum2DDiameterRow": _in_plane(ends, spacing_mm, 2),
        "MajorAxisLength": major * 4,
        "MinorAxisLength": minor * 4,
        "LeastAxisLength": least * 4,
        "Elongation": minor / major if major > 0 else float("nan"),
        "Flatness": least / major if major > 0 else float("nan"),
    }


def _axes(mask: Array, spacing_mm: tuple[float, ...]) -> Array:
    """Give the standard deviations along the principal axes, smallest first, in mm."""
    places = np.stack(np.nonzero(mask), axis=1) * np.asarray(spacing_mm)
    apart = places - places.mean(axis=0)
    spread = apart.T @ apart / len(places)
    return np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))


def _border(mask: Array) -> Array:
    """(point, axis) corners of the mesh in half voxels: the middles of edges that leave it."""
    found = []
    for axis in range(mask.ndim):
        along = np.moveaxis(mask, axis, 0)
        place = np.stack(np.nonzero(along[1:] != along[:-1]), axis=1) * 2
        place[:, 0] += 1
        found.append(np.insert(place[:, 1:], axis, place[:, 0], axis=1))
    return np.concatenate(found)


def _extremes(points: Array, plane: int) -> tuple[Array, Array, int]:
    """First and last point of each line within each plane, (plane, line), and the lines' axis.

    The two points of a plane that lie farthest apart are ends of their lines; a line without
    points holds the reverse of all order.
    """
    line, along = (axis for axis in range(3) if axis != plane)
    size = points.max(axis=0) + 1
    grid = (size[plane], size[line])
    key = points[:, plane] * size[line] + points[:, line]
    ends = points[:, along].astype(np.float64)
    low = np.full(grid[0] * grid[1], np.inf)
    high = np.full_like(low, -np.inf)
    np.minimum.at(low, key, ends)  # in one dimension, which NumPy does far faster
    np.maximum.at(high, key, ends)
    return low.reshape(grid), high.reshape(grid), line


def _in_plane(points: Array, spacing_mm: tuple[float, ...], plane: int) -> float:
    """Largest distance of two points of one plane across an axis, in mm."""
    low, high, line = _extremes(points, plane)
    along = 3 - plane - line
    lines = np.arange(low.shape[1]) * spacing_mm[line]
    between = (lines[:, None] - lines[None, :]) ** 2
    held = np.isfinite(low)
    together = max(1, PAIRS_AT_ONCE // between.size)
    longest = 0.0
    for start in range(0, len(low), together):
        part = slice(start, start + together)
        # Of the two ways round a pair of lines the longer is never below 0.
        reach = np.maximum(high[part, :, None] - low[part, None, :], 0) * spacing_mm[along]
        square = (reach**2 + between) * (held[part, :, None] & held[part, None, :])
        longest = max(longest, float(square.max()))
    return float(np.sqrt(longest)) / 2


def _across(points: Array, spacing_mm: tuple[float, ...]) -> float:
    """Largest distance of two points, in mm: both are corners of the convex hull."""
    low, high, _ = _extremes(points, 0)
    place = np.stack(np.nonzero(np.isfinite(low)), axis=1)
    ends = [np.column_stack([place, values[tuple(place.T)]]) for values in (low, high)]
    real = np.concatenate(ends) * np.asarray(spacing_mm) / 2
    return float(pdist(real[ConvexHull(real).vertices]).max())
