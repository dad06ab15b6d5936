"""Size and shape of regions: mesh, axes and diameters; NumPy alone, whatever the device."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import diameter
from .mesh import KINDS, area_and_perimeter, volume_and_area
from .packing import Packed
from .regions import Region

Array = np.ndarray[Any, np.dtype[Any]]


def shapes(regions: Sequence[Region], packed: Packed) -> dict[str, Tensor]:
    """Measure the shapes of regions; PyRadiomics' `shape2D` for flat pictures, else `shape`.

    Parameters
    ----------
    regions, packed
        The regions, all of them flat or none, and the same in a line.

    Returns
    -------
    (region,) float64 by short name: lengths in mm, areas in mm2, volumes in mm3. Elongation and
    Flatness are NaN where the longest axis has no length.
    """
    spacing = np.array([region.spacing_mm for region in regions])
    place = packed.within.cpu().numpy()
    counts = packed.counts.cpu().numpy()
    if regions[0].flat:
        axes = _axes(place[1:], counts, spacing[:, 1:])
        found = _flat(packed, counts, axes, spacing[:, 1:])
    else:
        found = _solid(regions, counts, _axes(place, counts, spacing), spacing)
    return {name: torch.from_numpy(values) for name, values in found.items()}


def _axes(place: Array, counts: Array, spacing_mm: Array) -> Array:
    """Give the standard deviations along the principal axes, smallest first, (region, axis) mm.

    Parameters
    ----------
    place
        (axis, voxel) region after region.
    spacing_mm
        (region, axis).
    """
    first = counts.cumsum() - counts
    real = place.astype(np.float64)
    centre = np.add.reduceat(real, first, axis=1) / counts
    real -= centre.repeat(counts, axis=1)
    axes = len(place)
    spread = np.empty((len(counts), axes, axes))
    for one in range(axes):
        for other in range(one + 1):
            both = np.add.reduceat(real[one] * real[other], first) / counts
            spread[:, one, other] = spread[:, other, one] = both
    spread *= spacing_mm[:, :, None] * spacing_mm[:, None, :]
    deviations: Array = np.sqrt(np.maximum(np.linalg.eigvalsh(spread), 0))
    return deviations


def _share(part: Array, whole: Array) -> Array:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)


def _flat(packed: Packed, counts: Array, axes: Array, spacing_mm: Array) -> dict[str, Array]:
    inside = packed.line(torch.ones_like(packed.voxels, dtype=torch.uint8)).cpu().numpy()
    area, perimeter = area_and_perimeter(_kinds(packed, inside), spacing_mm)
    minor, major = axes.T
    return {
        "MeshSurface": area,
        "PixelSurface": counts * spacing_mm.prod(axis=1),
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / area,
        "Sphericity": 2 * np.sqrt(np.pi * area) / perimeter,
        "MaximumDiameter": _diameters(packed, inside, spacing_mm),
        "MajorAxisLength": major * 4,
        "MinorAxisLength": minor * 4,
        "Elongation": _share(minor, major),
    }


def _kinds(packed: Packed, inside: Array) -> Array:
    """(region, 16) how many squares of each kind; a box begins with the rim before it."""
    row, core = packed.pitch[1], packed.core
    left, below, slant = (inside[core.start + far : core.stop + far] for far in (-1, row, row - 1))
    kinds = left + 2 * inside[core] + 4 * below + 8 * slant
    blocks = packed.blocks.cpu().numpy()
    key = np.arange(0, len(blocks) * KINDS, KINDS, dtype=np.int32).repeat(blocks)
    found = torch.bincount(torch.from_numpy(key + kinds), minlength=len(blocks) * KINDS)
    return found.view(-1, KINDS).numpy()


def _diameters(packed: Packed, inside: Array, spacing_mm: Array) -> Array:
    """Largest distance of two corners of each outline, (region,) mm."""
    row, core = packed.pitch[1], packed.core
    across = np.flatnonzero(inside[core] != inside[core.start - 1 : core.stop - 1])
    down = np.flatnonzero(inside[core] != inside[core.start + row : core.stop + row])
    edges = [_outermost(across, row), _outermost(down, row)]
    place = np.concatenate(edges)
    # A corner is the middle between a pixel and the one before it, or the one below it.
    points = np.stack((place // row, place % row)).astype(np.float64)
    points[1, : len(edges[0])] -= 0.5
    points[0, len(edges[0]) :] += 0.5
    ends = packed.blocks.cpu().numpy().cumsum()
    owner = np.searchsorted(ends, place, side="right")
    order = np.argsort(owner, kind="stable")
    owner = owner[order]
    points = points[:, order]
    points[0] -= np.concatenate([[0], ends[:-1]])[owner] // row
    return diameter.within_groups(points.T * spacing_mm[owner], owner)


def _outermost(place: Array, row: int) -> Array:
    """Keep the first and the last place of each row."""
    rows = place // row
    changes = rows[1:] != rows[:-1]
    kept = np.ones(len(place), dtype=np.bool_)
    kept[1:-1] = changes[:-1] | changes[1:]
    return place[kept]


def _solid(
    regions: Sequence[Region], counts: Array, axes: Array, spacing_mm: Array
) -> dict[str, Array]:
    meshes = [volume_and_area(_padded(region.mask), region.spacing_mm) for region in regions]
    volume, area = np.array(meshes).T
    least, minor, major = axes.T
    lengths = np.array([_lengths(region) for region in regions]).T
    return {
        "MeshVolume": volume,
        "VoxelVolume": counts * spacing_mm.prod(axis=1),
        "SurfaceArea": area,
        "SurfaceVolumeRatio": area / volume,
        "Sphericity": (36 * np.pi * volume**2) ** (1 / 3) / area,
        "Maximum3DDiameter": lengths[0],
        "Maximum2DDiameterSlice": lengths[1],
        "Maximum2DDiameterColumn": lengths[2],
        "Maximum2DDiameterRow": lengths[3],
        "MajorAxisLength": major * 4,
        "MinorAxisLength": minor * 4,
        "LeastAxisLength": least * 4,
        "Elongation": _share(minor, major),
        "Flatness": _share(least, major),
    }


def _padded(mask: Array) -> Array:
    """Cut to the box around the region, with a rim: PyRadiomics' origin is its first voxel."""
    held = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    return np.pad(mask[tuple(slice(int(one[0]), int(one[-1]) + 1) for one in held)], 1)


def _lengths(region: Region) -> tuple[float, float, float, float]:
    """Largest distance of two corners of the mesh, and of two in one plane across z, y and x."""
    corners = _corners(_padded(region.mask))
    spacing = np.asarray(region.spacing_mm)
    planes = [_outline(corners, axis) for axis in range(3)]
    longest = [_in_planes(ends, axis, spacing) for axis, ends in enumerate(planes)]
    outer = _bulging(planes[0]) * (spacing / 2)
    return (diameter.across(outer), *longest)  # type: ignore[return-value]


def _corners(mask: Array) -> Array:
    """(point, 3) corners of the mesh in half voxels: the middles of edges that leave it."""
    found = []
    for axis in range(3):
        along = np.diff(mask, axis=axis)
        place = np.flatnonzero(along)
        corner = np.stack(np.unravel_index(place, along.shape), axis=1) * 2
        corner[:, axis] += 1
        found.append(corner)
    return np.concatenate(found)


def _outline(corners: Array, plane: int) -> Array:
    """Keep the first and the last corner of each line within the planes across an axis.

    Of the corners that lie in one line none between two others is farthest from any point.
    """
    line, along = (axis for axis in range(3) if axis != plane)
    size = corners.max(axis=0) + 1
    key = corners[:, plane] * size[line] + corners[:, line]
    low = np.full(size[plane] * size[line], size[along])
    high = np.full_like(low, -1)
    np.minimum.at(low, key, corners[:, along])  # in one dimension, which NumPy does far faster
    np.maximum.at(high, key, corners[:, along])
    held = np.flatnonzero(high >= 0)
    place = np.empty((2 * len(held), 3), dtype=np.int64)
    place[:, plane] = np.repeat(held // size[line], 2)
    place[:, line] = np.repeat(held % size[line], 2)
    place[:, along] = np.stack((low[held], high[held]), axis=1).ravel()
    return place


def _bulging(ends: Array) -> Array:
    """Keep the ends (point, 3) of lines along x that may be corners of the convex hull.

    An end that does not reach beyond the middle of the ends on both sides of it, in any direction
    across the lines, lies between these.
    """
    size = ends[:, :2].max(axis=0) + 3
    key = (ends[:, 0] + 1) * size[1] + ends[:, 1] + 1
    kept = np.ones(len(ends), dtype=np.bool_)
    for start, sign in ((0, -1), (1, 1)):  # the first and the last end of each line
        reach = np.full(int(size.prod()), -np.inf)
        reach[key[start::2]] = sign * ends[start::2, 2]
        here = reach[key[start::2]]
        for step in (1, 2, size[1], 2 * size[1], size[1] - 1, size[1] + 1):
            before, after = key[start::2] - step, key[start::2] + step
            both = reach.take(before, mode="clip") + reach.take(after, mode="clip")
            kept[start::2] &= 2 * here > both
    return ends[kept]


def _in_planes(ends: Array, plane: int, spacing_mm: Array) -> float:
    """Largest distance of two ends (point, 3) of one plane across an axis, in mm."""
    beside = [axis for axis in range(3) if axis != plane]
    number = np.cumsum(np.diff(ends[:, plane], prepend=ends[0, plane]) != 0)
    points = ends[:, beside] * (spacing_mm[beside] / 2)
    owner = np.zeros(int(number[-1]) + 1, dtype=np.int64)
    return float(diameter.over_planes(points, number, owner)[0])
