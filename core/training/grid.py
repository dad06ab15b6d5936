"""Which grid a network works on: 2D or 3D, voxel size, patch and levels, from the cases alone."""

from collections.abc import Sequence

import numpy as np

from ..errors import LongtailError
from ..methods.settings import SegmentationSettings
from ..methods.spec import SpecGrid
from ..project.records import Case
from .estimate import estimate_patches

ANISOTROPIC = 3.0
FEW_SLICES = 12
PATCH_VOXELS = {2: 256 * 256, 3: 48 * 64 * 48}
PATCH_VOXELS_CARD = {2: 512 * 512, 3: 96 * 96 * 96}
MOST_LEVELS = {2: 5, 3: 4}
SMALLEST_ROOM = {2: 64 * 64, 3: 16 * 16 * 16}
SMALLEST_SIDE = 4
UNEVEN_STEP = 1.6
"""Axes whose voxels are this much longer than the shortest are not halved yet."""

SLICE_PIXELS_A_STEP = 512 * 512
USUAL_MINUTES = 6.0
MEMORY_SHARE = 0.5
"""What a step may need of the device's memory: the estimate is right within a factor of two."""

SHRINKING = 0.8


def choose_grid(
    cases: Sequence[Case],
    settings: SegmentationSettings,
    on_card: bool,
    *,
    memory_bytes: int | None = None,
    minutes: float | None = None,
) -> SpecGrid:
    """Choose the grid of a segmentation network.

    Parameters
    ----------
    on_card
        A graphics card computes, not the processor.
    memory_bytes
        What the device has; an automatic patch shrinks until a step fits. None if not known.
    minutes
        The budget: on a processor less time means smaller patches, so that there are enough steps.

    Raises
    ------
    LongtailError
        Volumes and single images are mixed, or the settings do not fit the cases.
    """
    shapes = _shapes(cases)
    spacing = _median_spacing(cases, shapes.shape[1])
    shape = np.median(shapes, axis=0)
    dims = _dimensions(settings.dimensions, shape, spacing)
    slice_axis = _slice_axis(shape, spacing) if shapes.shape[1] == 3 and dims == 2 else 0
    target = _target_spacing(spacing, dims, shapes.shape[1], slice_axis, settings.spacing)
    kept = [
        axis for axis in range(shapes.shape[1]) if shapes.shape[1] == dims or axis != slice_axis
    ]
    sides = shape[kept]
    steps = spacing[kept] if spacing is not None else np.ones(dims)
    asked = _asked_patch(settings, dims)
    if asked is not None:
        patch, strides = _divided(asked, steps.tolist(), settings)
    else:
        room = PATCH_VOXELS_CARD[dims] if on_card else _room(dims, minutes)
        patch, strides = _fitting(sides.tolist(), steps.tolist(), room, settings, memory_bytes)
    return SpecGrid(
        spatial_dims=dims, spacing_mm=target, slice_axis=slice_axis, patch=patch, strides=strides
    )


def choose_batch(patch: Sequence[int], settings: SegmentationSettings) -> int:
    """Give the patches of a step: those asked for, else two volumes or some slices."""
    if settings.batch:
        return settings.batch
    return 2 if len(patch) == 3 else int(np.clip(SLICE_PIXELS_A_STEP // np.prod(patch), 4, 16))


def choose_strides(
    patch: Sequence[float], spacing: Sequence[float], most: int
) -> tuple[tuple[int, ...], ...]:
    """Halve the axes level by level, short voxels first, as long as a side keeps four voxels."""
    sides, steps = np.array(patch, float), np.array(spacing, float)
    strides: list[tuple[int, ...]] = []
    while len(strides) < most:
        halved = (sides / 2 >= SMALLEST_SIDE) & (steps <= UNEVEN_STEP * steps.min())
        if not halved.any():
            break
        strides.append(tuple(2 if half else 1 for half in halved))
        sides = np.where(halved, np.ceil(sides / 2), sides)
        steps = np.where(halved, steps * 2, steps)
    return tuple(strides) or ((1,) * len(sides),)


def _room(dims: int, minutes: float | None) -> float:
    """Voxels of a patch on a processor: half as many up to twice as many as usual."""
    share = 1.0 if minutes is None else float(np.clip(minutes / USUAL_MINUTES, 0.5, 2.0))
    return PATCH_VOXELS[dims] * share


def _fitting(
    sides: Sequence[float],
    steps: Sequence[float],
    room: float,
    settings: SegmentationSettings,
    memory_bytes: int | None,
) -> "tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]":
    """Give the largest patch within `room` voxels of which a step fits into memory."""
    limit = np.inf if memory_bytes is None else MEMORY_SHARE * memory_bytes
    while True:
        patch, strides = _divided(_fitted(sides, room), steps, settings)
        batch = choose_batch(patch, settings)
        fits = estimate_patches(settings, patch, len(strides), batch) <= limit
        if fits or room <= SMALLEST_ROOM[len(patch)]:
            return patch, strides
        room = SHRINKING * min(room, float(np.prod(patch)))


def _divided(
    wanted: Sequence[int], steps: Sequence[float], settings: SegmentationSettings
) -> "tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]":
    """Choose the strides of a patch and round it up to what they divide."""
    strides = choose_strides(wanted, steps, settings.levels or MOST_LEVELS[len(wanted)])
    divisor = np.prod(np.array(strides), axis=0)
    patch = tuple(int(-(-side // by) * by) for side, by in zip(wanted, divisor, strict=True))
    return patch, strides


def _shapes(cases: Sequence[Case]) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    shapes = [case.shape for case in cases if case.shape]
    if len({len(shape) for shape in shapes}) > 1:
        raise LongtailError(
            "Some training cases are volumes and some are single images.",
            "Train them in projects of their own.",
        )
    if not shapes:
        raise LongtailError(
            "The sizes of the training images are not known.", "Import the images again."
        )
    return np.array(shapes)


def _median_spacing(
    cases: Sequence[Case], dims: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    known = [case.spacing_mm for case in cases if case.spacing_mm is not None]
    known = [spacing for spacing in known if len(spacing) == dims]
    if len(known) < len(cases):
        return None
    return np.asarray(np.median(np.array(known, float), axis=0), float)


def _dimensions(
    wish: str,
    shape: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    spacing: "np.ndarray[tuple[int], np.dtype[np.float64]] | None",
) -> int:
    if len(shape) == 2:
        if wish == "3d":
            raise LongtailError(
                "Dimensions (dimensions) cannot be 3d: the images are flat.", "Choose auto or 2d."
            )
        return 2
    if wish != "auto":
        return int(wish[0])
    uneven = spacing is not None and spacing.max() / spacing.min() > ANISOTROPIC
    return 2 if uneven or shape.min() < FEW_SLICES else 3


def _slice_axis(
    shape: "np.ndarray[tuple[int], np.dtype[np.float64]]",
    spacing: "np.ndarray[tuple[int], np.dtype[np.float64]] | None",
) -> int:
    if spacing is not None and spacing.max() / spacing.min() > 1.2:
        return int(np.argmax(spacing))
    return int(np.argmin(shape)) if shape.min() < 0.7 * np.median(shape) else 0


def _target_spacing(
    spacing: "np.ndarray[tuple[int], np.dtype[np.float64]] | None",
    dims: int,
    source_dims: int,
    slice_axis: int,
    wish: str,
) -> tuple[float, ...] | None:
    if spacing is None or wish == "keep":
        return None
    keeps_slices = dims == 2 and source_dims == 3
    return tuple(
        0.0 if keeps_slices and axis == slice_axis else round(float(value), 6)
        for axis, value in enumerate(spacing)
    )


def _asked_patch(settings: SegmentationSettings, dims: int) -> tuple[int, ...] | None:
    patch = settings.patch_size
    if patch is not None and len(patch) != dims:
        raise LongtailError(
            f"Patch (patch) cannot be {settings.patch!r}: the network works in {dims} dimensions.",
            f"Give {dims} numbers, such as {'48x64x48' if dims == 3 else '256x256'}, or auto.",
        )
    return patch


def _fitted(sides: Sequence[float], room: float) -> list[int]:
    """Shorten the longest sides until the patch holds at most `room` voxels."""
    fitted = np.array(sides, float)
    for count in range(1, len(fitted) + 1):
        if fitted.prod() <= room:
            break
        longest = np.argsort(fitted)[::-1]
        many, rest = longest[:count], longest[count:]
        even = (room / fitted[rest].prod()) ** (1 / count)
        floor = fitted[rest].max() if len(rest) else 0.0
        fitted[many] = np.minimum(fitted[many], max(even, floor))
    return [max(SMALLEST_SIDE, round(float(side))) for side in fitted]
