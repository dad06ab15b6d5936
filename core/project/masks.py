"""Masks from outside, in the project's class ids."""

from collections.abc import Sequence

import numpy as np

from ..io.image import read_header
from ..io.labelmap import check_mask, is_zero_and_255, values_in
from .labelrules import LabelArray
from .records import NOT_LABELLED, NewCase


def read_mask(case: NewCase, shape: tuple[int, ...], class_ids: Sequence[int]) -> LabelArray:
    """Read the mask of a new case as a label map.

    Parameters
    ----------
    case
        Its `mask` is the file and its `mask_values` what the values mean; without them the values
        are class ids, and 255 alone beside 0 is the first class.
    shape
        Size of the image.
    class_ids
        The classes in use.

    Returns
    -------
    uint8, (z, y, x) or (y, x)
        The label map.

    Raises
    ------
    LongtailError
        The file cannot be read, lies on another grid or has a value without a meaning.
    """
    geometry = read_header(case.channels[0]).geometry
    meanings = case.mask_values
    if meanings is None:
        meanings = {NOT_LABELLED: NOT_LABELLED, **{value: value for value in class_ids}}
    array = check_mask(str(case.mask), shape, geometry, meanings)
    if case.mask_values is None and class_ids and is_zero_and_255(values_in(array)):
        # Black and white pictures: white is the first class.
        return np.where(array == NOT_LABELLED, np.uint8(class_ids[0]), np.uint8(0))
    return array
