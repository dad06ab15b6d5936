"""Masks from outside, in the project's class ids."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .labelrules import LabelArray
from .records import NOT_LABELLED, NewCase


def read_mask(case: NewCase, shape: tuple[int, ...], class_ids: Sequence[int]) -> LabelArray:
    """Read the mask of a new case as a label map.

    Parameters
    ----------
    case
        Its `mask` is the file and its `mask_values` what the values mean.
    shape
        Size of the image.
    class_ids
        The classes in use; without `mask_values` the values are these ids.

    Returns
    -------
    uint8, (z, y, x) or (y, x)
        The label map.

    Raises
    ------
    LongtailError
        The file cannot be read, has another size or a value without a meaning.
    """
    from ..io.labelmap import read_label_map

    image = read_label_map(str(case.mask))
    if image.array.shape != shape:
        raise LongtailError(f"{case.mask} has the size {image.array.shape}, and its image {shape}.")
    return to_class_ids(image.array, case.mask_values, class_ids, str(case.mask))


def to_class_ids(
    mask: np.ndarray[Any, Any],
    meanings: Mapping[int, int] | None,
    class_ids: Sequence[int],
    name: str,
) -> LabelArray:
    """Turn a mask's values into class ids; 0 is background and 255 not labelled unless told.

    Raises
    ------
    LongtailError
        A value has no meaning.
    """
    values = np.unique(mask)
    table = _meanings(values, meanings, class_ids)
    stray = [int(value) for value in values if int(value) not in table]
    if stray:
        told = ", ".join(str(value) for value in stray[:8])
        raise LongtailError(f"{name} holds the values {told}, which are none of the classes.")
    places = np.searchsorted(values, mask)
    return np.array([table[int(value)] for value in values], np.uint8)[places]


def _meanings(
    values: np.ndarray[Any, Any], meanings: Mapping[int, int] | None, class_ids: Sequence[int]
) -> Mapping[int, int]:
    if meanings is not None:
        return {0: 0} | dict(meanings)
    present = {int(value) for value in values}
    if present == {0, NOT_LABELLED} and class_ids:
        # Black and white pictures: white is the first class.
        return {0: 0, NOT_LABELLED: class_ids[0]}
    return {0: 0, NOT_LABELLED: NOT_LABELLED} | {value: value for value in class_ids}
