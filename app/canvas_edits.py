"""What a stroke changed in a label map, and what follows from it. Pure functions of arrays.

A stroke is judged by comparing the layer's array with a copy of it from before (`known`): that
holds for brush, fill, polygon, undo and redo alike.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..core.project.records import NOT_LABELLED, ClassRecord

LabelArray = np.ndarray[Any, np.dtype[Any]]
Voxels = tuple[np.ndarray[Any, np.dtype[np.intp]], ...]
Box = tuple[slice, ...]

BACKGROUND = 0
_WORD = 8


class Correction(NamedTuple):
    """Voxels that a stroke must not have changed, or must change as well, and their values."""

    voxels: Voxels
    values: LabelArray


def box_of_stroke(atoms: Sequence[Any], shape: Sequence[int]) -> Box:
    """Bound what the atoms of a step in napari's history touch.

    An atom is a masked region with a `slice_key`, or what `data_setitem` records: a tuple of
    indices, old and new values. An atom of another kind bounds nothing, so the box is all.
    """
    boxes = [_box_of_atom(atom) for atom in atoms]
    if not boxes or None in boxes:
        return tuple(slice(0, length) for length in shape)
    known = [box for box in boxes if box is not None]
    return tuple(
        slice(min(box[axis].start for box in known), max(box[axis].stop for box in known))
        for axis in range(len(shape))
    )


def is_written(atoms: Sequence[Any], array: LabelArray) -> bool:
    """Tell whether the last atom already stands in the array: napari may announce it before."""
    atom = atoms[-1]
    key = getattr(atom, "slice_key", None)
    if key is not None:
        region = array[key] if atom.mask is None else array[key][atom.mask]
        return bool(np.all(region == atom.new_value))
    if isinstance(atom, tuple) and len(atom) == 3:
        return bool(np.all(array[atom[0]] == atom[2]))
    return True


def changed_voxels(known: LabelArray, array: LabelArray, box: Box) -> Voxels:
    """Find where `array` differs from `known` inside `box`."""
    found = np.nonzero(known[box] != array[box])
    return tuple(index + part.start for index, part in zip(found, box, strict=True))


def changed_anywhere(known: LabelArray, array: LabelArray) -> Voxels:
    """Find where two arrays differ, looking at eight bytes at a time first."""
    first, second = _flat(known), _flat(array)
    whole = first.size - first.size % _WORD
    words = np.flatnonzero(first[:whole].view(np.uint64) != second[:whole].view(np.uint64))
    near = (words[:, None] * _WORD + np.arange(_WORD)).ravel()
    near = np.concatenate([near, np.arange(whole, first.size)])
    places = near[first[near] != second[near]] // known.itemsize
    return np.unravel_index(np.unique(places), known.shape)


def restore_locked(known: LabelArray, voxels: Voxels, locked: Collection[int]) -> Correction | None:
    """Give back the voxels of `voxels` that belonged to a locked class."""
    former = known[voxels]
    kept = np.isin(former, list(locked))
    if not kept.any():
        return None
    return Correction(tuple(index[kept] for index in voxels), former[kept])


def rest_of_slices(
    known: LabelArray, array: LabelArray, voxels: Voxels, axis: int | None
) -> Correction | None:
    """Give the rest of each slice that this stroke is the first in: background from now on.

    Parameters
    ----------
    known, array
        The label map before and after the stroke.
    voxels
        What the stroke changed.
    axis
        The axis that the slices are stacked along; None for an image, which is one slice.
    """
    drawn = array[voxels] != NOT_LABELLED
    parts = [
        _rest_of(array, key)
        for key in _slices_through(tuple(index[drawn] for index in voxels), axis, array.ndim)
        if untouched(known[key])
    ]
    if not parts:
        return None
    rest = tuple(np.concatenate(indices) for indices in zip(*parts, strict=True))
    if not rest[0].size:
        return None
    return Correction(rest, np.full(rest[0].size, BACKGROUND, array.dtype))


def untouched(plane: LabelArray) -> bool:
    """Tell whether nobody has drawn in this slice.

    Slices of another plane that cross it leave whole lines in it; they do not count. A hole of
    *not labelled* that an imported mask keeps open on purpose is no whole line: that slice counts
    as drawn.
    """
    empty = plane == NOT_LABELLED
    if empty.all():
        return True
    if not empty.any():
        return False
    return any(_only_whole_lines(empty, axis) for axis in range(plane.ndim))


def same_but_for(voxels: Voxels, dropped: Voxels, shape: Sequence[int]) -> Voxels:
    """Give `voxels` without `dropped`."""
    flat, gone = (np.ravel_multi_index(part, tuple(shape)) for part in (voxels, dropped))
    return np.unravel_index(np.setdiff1d(flat, gone, assume_unique=True), tuple(shape))


def joined(first: Voxels, second: Voxels) -> Voxels:
    """Give the voxels of both, which have none in common."""
    return tuple(np.concatenate(pair) for pair in zip(first, second, strict=True))


def merged_into(classes: Iterable[ClassRecord]) -> dict[int, int]:
    """Give, for each class that was merged, the class that has its examples in the end."""
    direct = {record.id: record.merged_into for record in classes if record.merged_into}
    ends = {}
    for first, end in direct.items():
        seen = {first}
        while end in direct and end not in seen:
            seen.add(end)
            end = direct[end]
        ends[first] = end
    return ends


class LabelCounts:
    """How many voxels each value has, and which slices somebody has labelled.

    Parameters
    ----------
    array
        The label map, (z, y, x) or (y, x), uint8.
    axis
        The axis that slices are stacked along; None counts an image as one slice.
    """

    def __init__(self, array: LabelArray, axis: int | None) -> None:
        # Slice by slice: bincount turns what it counts into 64 bits.
        self.voxels = sum(
            (np.bincount(plane.ravel(), minlength=256) for plane in array),
            np.zeros(256, dtype=np.int64),
        )
        self.axis = axis
        self.labelled = np.zeros(_slice_count(array, axis), dtype=bool)
        self.look(array, range(self.labelled.size))

    def move(self, former: LabelArray, values: LabelArray) -> None:
        """Count voxels over from their former values to their new ones."""
        self.voxels += np.bincount(values, minlength=256) - np.bincount(former, minlength=256)

    def look(self, array: LabelArray, slices: Collection[int]) -> None:
        """See again whether these slices are labelled."""
        for index in slices:
            self.labelled[index] = not untouched(array[_slice_key(self.axis, index, array.ndim)])

    def turn(self, array: LabelArray, axis: int | None) -> None:
        """Count the slices along another axis."""
        self.axis = axis
        self.labelled = np.zeros(_slice_count(array, axis), dtype=bool)
        self.look(array, range(self.labelled.size))

    @property
    def labelled_slices(self) -> int:
        """How many slices somebody has labelled."""
        return int(self.labelled.sum())

    def richest_slice(self, array: LabelArray) -> int | None:
        """Give the slice with most voxels of a class, or None if no voxel has a class."""
        if self.axis is None or self.voxels[1:NOT_LABELLED].sum() == 0:
            return None
        return max(range(self.labelled.size), key=lambda index: self._classed(array, index))

    def _classed(self, array: LabelArray, index: int) -> int:
        plane = array[_slice_key(self.axis, index, array.ndim)]
        return int(np.count_nonzero((plane != BACKGROUND) & (plane != NOT_LABELLED)))


def _box_of_atom(atom: Any) -> Box | None:
    key = getattr(atom, "slice_key", None)
    if key is not None:
        return tuple(key)
    if isinstance(atom, tuple) and len(atom) == 3 and len(atom[0][0]):
        return tuple(slice(int(np.min(i)), int(np.max(i)) + 1) for i in atom[0])
    return None


def _flat(array: LabelArray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.ascontiguousarray(array).view(np.uint8).reshape(-1)


def _only_whole_lines(empty: LabelArray, axis: int) -> bool:
    return bool(np.all(empty.all(axis=axis) == empty.any(axis=axis)))


def _slices_through(voxels: Voxels, axis: int | None, ndim: int) -> list[Box]:
    if not voxels[0].size:
        return []
    if axis is None:
        return [(slice(None),) * ndim]
    return [_slice_key(axis, int(index), ndim) for index in np.unique(voxels[axis])]


def _slice_key(axis: int | None, index: int, ndim: int) -> Any:
    if axis is None:
        return (slice(None),) * ndim
    return (slice(None),) * axis + (index,)


def _slice_count(array: LabelArray, axis: int | None) -> int:
    return 1 if axis is None else array.shape[axis]


def _rest_of(array: LabelArray, key: Any) -> Voxels:
    found = np.nonzero(array[key] == NOT_LABELLED)
    if len(found) == array.ndim:
        return found
    axis = len(key) - 1
    across = np.full(found[0].size, key[axis], dtype=np.intp)
    return (*found[:axis], across, *found[axis:])
