"""Label maps: whole numbers on the grid of an image."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..files import replacing
from .geometry import Geometry
from .hostile import reading
from .image import read_image
from .image_paths import RASTER_SUFFIXES, Source, image_suffix, split_source
from .image_types import AnyArray
from .nifti_writer import write_nifti
from .pixels import finite

UInt8Array = np.ndarray[Any, np.dtype[np.uint8]]

VALUES_TOLD = 5
LOSSY_SUFFIXES = (".jpg", ".jpeg")


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A label map as it is stored in a file.

    Parameters
    ----------
    array
        Whole numbers, (z, y, x) or (y, x).
    geometry
        None where the file gives no spacing.
    """

    array: AnyArray
    geometry: Geometry | None


def read_label_map(path: str | Path) -> LabelMap:
    """Read a mask without rescaling its numbers to anything else.

    Palette pictures give their indices; grey pictures stored as colour give their grey.

    Raises
    ------
    LongtailError
        It cannot be read, has several channels, or holds numbers that are not whole.
    """
    source = split_source(str(path))
    if image_suffix(source.path.name) in RASTER_SUFFIXES and source.path.is_file():
        with reading(source.path):
            return LabelMap(_picture_mask(source), None)
    image = read_image(str(path))
    if len(image.array) != 1:
        raise LongtailError(
            f"The mask {source.path.name} has {len(image.array)} channels, but each voxel can have "
            "one class only.",
            "Save one mask with a number for each class.",
        )
    return LabelMap(whole_numbers(image.array[0], source.path.name), image.geometry)


def write_label_map(path: Path, array: UInt8Array, geometry: Geometry | None) -> None:
    """Write a label map as NIfTI on the grid of its image; the old file stays until it is whole.

    Parameters
    ----------
    path
        Ends in `.nii.gz` or `.nii`.
    array
        (z, y, x) or (y, x).
    geometry
        None writes a spacing of 1.
    """
    with replacing(path) as aside:
        write_nifti(aside, array, geometry)


def check_mask(
    path: str | Path,
    shape: Sequence[int],
    geometry: Geometry | None,
    mask_values: Mapping[int, int],
) -> UInt8Array:
    """Read a mask for an image, check that both lie on one grid, and turn values to class ids.

    Parameters
    ----------
    path
        The mask file.
    shape
        Of the image, (z, y, x) or (y, x); empty skips the check.
    geometry
        Of the image; compared where both files give one.
    mask_values
        Class id (255: *not labelled*) of each value in the file; 0 is background without being
        named. A value that is not named is an error.

    Returns
    -------
    uint8 label map in class ids, of `shape`.
    """
    mask = read_label_map(path)
    name = split_source(str(path)).path.name
    check_mask_grid(name, mask.array.shape, mask.geometry, shape, geometry)
    fitted = mask.array.reshape(tuple(shape)) if shape else mask.array
    return _to_class_ids(fitted, {0: 0, **mask_values}, name)


def check_mask_grid(
    name: str,
    shape: Sequence[int],
    geometry: Geometry | None,
    image_shape: Sequence[int],
    image_geometry: Geometry | None,
) -> None:
    """Refuse a mask on another grid than its image's; a single slice counts as a picture."""
    if image_shape and _without_ones(shape) != _without_ones(image_shape):
        raise LongtailError(
            f"The mask {name} is {_times(shape)} but its image is {_times(image_shape)}.",
            "Draw or resample the mask on the grid of the image.",
        )
    if geometry is None or image_geometry is None or geometry.matches(image_geometry):
        return
    if geometry.dimension == image_geometry.dimension:
        raise LongtailError(
            f"The mask {name} lies elsewhere than its image: spacing, origin or direction differ.",
            "Resample the mask to the grid of the image.",
        )


def values_in(array: AnyArray) -> tuple[int, ...]:
    """List the different values of a label map in rising order."""
    if array.dtype.itemsize == 1 and array.dtype.kind == "u":
        seen = np.zeros(256, dtype=bool)
        seen[array] = True
        return tuple(int(value) for value in np.flatnonzero(seen))
    return tuple(int(v) for v in np.unique(array))


def is_zero_and_255(values: Collection[int]) -> bool:
    """Tell whether a mask holds a single class drawn as white on black."""
    return 255 in values and set(values) <= {0, 255}


def whole_numbers(array: AnyArray, name: str) -> AnyArray:
    """Give `array` as integers, refusing fractions."""
    if array.dtype.kind in "ui":
        return array
    rounded = np.rint(array)
    if not np.array_equal(rounded, array):
        raise LongtailError(
            f"The mask {name} holds fractions, so it is a map of probabilities or a resampled "
            "mask, not a mask of classes.",
            "Save whole numbers: 0 for background and one number for each class.",
        )
    return rounded.astype(np.int64)


def _picture_mask(source: Source) -> AnyArray:
    from .raster import read_indices

    array, _ = finite(read_indices(source.path))
    name = source.path.name
    if (array.ndim == 3 and image_suffix(name) not in (".tif", ".tiff")) or _is_colour(array):
        array = _grey(array, name)
    if image_suffix(name) in LOSSY_SUFFIXES and len(values_in(array)) > VALUES_TOLD:
        raise LongtailError(
            f"The mask {name} is a JPEG, which smears the numbers of the classes at their borders.",
            "Save the mask as PNG.",
        )
    return whole_numbers(array, name)


def _is_colour(array: AnyArray) -> bool:
    return array.ndim == 3 and array.shape[-1] == 3 and array.dtype == np.uint8


def _grey(array: AnyArray, name: str) -> AnyArray:
    """Take one of three equal channels."""
    if (array == array[..., :1]).all():
        grey: AnyArray = np.ascontiguousarray(array[..., 0])
        return grey
    colours = len(np.unique(array.reshape(-1, array.shape[-1]), axis=0))
    raise LongtailError(
        f"The mask {name} is drawn in {colours} colours, and Longtail cannot know which colour is "
        "which class.",
        "Save it with a number for each class: a grey or palette PNG with 0 for background.",
    )


def _to_class_ids(array: AnyArray, class_ids: Mapping[int, int], name: str) -> UInt8Array:
    values = values_in(array)
    unknown = [value for value in values if value not in class_ids]
    if unknown:
        raise LongtailError(_unknown_words(name, unknown), "Add the class first, or leave it out.")
    if values[0] >= 0 and values[-1] < 1 << 16:
        table = np.zeros(values[-1] + 1, dtype=np.uint8)
        table[list(values)] = [class_ids[value] for value in values]
        looked_up: UInt8Array = table[array]
        return looked_up
    ids: UInt8Array = np.zeros(array.shape, dtype=np.uint8)
    for value in values:
        ids[array == value] = class_ids[value]
    return ids


def _unknown_words(name: str, unknown: Sequence[int]) -> str:
    told = ", ".join(str(value) for value in unknown[:VALUES_TOLD])
    more = f" and {len(unknown) - VALUES_TOLD} more" if len(unknown) > VALUES_TOLD else ""
    noun = "the value" if len(unknown) == 1 else "the values"
    return f"The mask {name} holds {noun} {told}{more}, which no class of the project has."


def _without_ones(shape: Sequence[int]) -> list[int]:
    return [length for length in shape if length != 1]


def _times(shape: Sequence[int]) -> str:
    return " x ".join(str(length) for length in shape)
