"""Read what the canvas shows of a case; runs in a worker thread and touches neither Qt nor napari.

Everything that takes time is done here: the pixels, the label map with its waiting strokes, the
contrast, the counts. The main thread only hands finished arrays to napari.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..core.errors import LongtailError
from ..core.io.image import Image, open_lazily, read_channels, read_image
from ..core.io.labelmap import read_label_map
from ..core.predict.write import ENTROPY_TOP
from ..core.project.records import NOT_LABELLED, Case, Task
from .canvas_edits import LabelArray, LabelCounts
from .canvas_view import Turned, contrast_limits, contrast_range, plane_axis, turn

Array = np.ndarray[Any, np.dtype[Any]]
ShareArray = np.ndarray[Any, np.dtype[np.float16]]
Behind = Callable[[Callable[[], tuple[int, LabelArray]]], tuple[int, LabelArray]]


class Journal(Protocol):
    """What is needed of a case's journal."""

    @property
    def pending(self) -> int:
        """How many strokes wait."""


class LabelSource(Protocol):
    """What reading needs of a project."""

    @property
    def task(self) -> Task:
        """Whether there are label maps."""

    def read_label_map(self, case_id: str) -> LabelArray:
        """Give the label map with its waiting strokes."""

    def journal(self, case_id: str) -> Journal:
        """Give the journal."""


@dataclass(frozen=True)
class Plate:
    """One image layer: its array, (z, y, x), (y, x) or (y, x, rgb), and its contrast."""

    array: Array
    colour: bool
    limits: tuple[float, float]
    bounds: tuple[float, float]


@dataclass(frozen=True)
class MaskState:
    """A label map as it is on the disk, a second copy to compare with, and its counts."""

    array: LabelArray
    known: LabelArray
    counts: LabelCounts
    waiting: int


@dataclass(frozen=True)
class Picture:
    """A case ready to be shown.

    `spacing` is in mm where `in_mm`, else 1 pixel; `start` is the slice to begin at.
    """

    case: Case
    plates: tuple[Plate, ...]
    spacing: tuple[float, ...]
    in_mm: bool
    axis: int | None
    turned: Turned
    direction: tuple[float, ...] | None
    start: int | None
    mask: MaskState | None
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """(z, y, x) or (y, x)."""
        return self.plates[0].array.shape[: len(self.spacing)]


def read_picture(project: LabelSource, case: Case, behind: Behind = lambda call: call()) -> Picture:
    """Read a case; see `core.io.image.read_image` for what it raises.

    `behind` makes a call once no label map is being written any more: one that is replaced while
    it is read would lose its waiting strokes from view.
    """
    image = _read_pixels(case.channels)
    shape = image.shape
    spacing = image.geometry.spacing_mm if image.geometry else case.spacing_mm
    axis = plane_axis(spacing, shape)
    direction = image.geometry.direction if image.geometry else None
    mask = None
    if project.task is Task.SEGMENTATION:
        waiting, stored = behind(lambda: _read_stored(project, case.id))
        mask = _mask_state(case.id, stored, waiting, shape, axis)
    return Picture(
        case=case,
        plates=_plates(image),
        spacing=spacing or (1.0,) * len(shape),
        in_mm=spacing is not None,
        axis=axis,
        turned=turn(axis, direction, len(shape)),
        direction=direction,
        start=_start(shape, axis, mask),
        mask=mask,
        notes=image.notes,
    )


def read_prediction(folder: Path, file: str, shape: Sequence[int]) -> LabelArray:
    """Read a predicted label map of the project in `folder`.

    Raises
    ------
    LongtailError
        The file is gone, or it was made for an image of another size.
    """
    array = read_label_map(str(folder / file)).array
    if array.shape != tuple(shape):
        raise LongtailError(
            f"The prediction {Path(file).name} does not fit the image: it has another size.",
            "Predict this case again.",
        )
    return np.ascontiguousarray(array, dtype=np.uint8)


def read_uncertainty(path: Path, shape: Sequence[int]) -> ShareArray:
    """Read a map of uncertainty as shares, 0 sure to 1 undecided.

    Raises
    ------
    LongtailError
        It is damaged, or it was made for an image of another size.
    """
    array = np.asarray(read_image(str(path)).array)[0]
    if array.shape != tuple(shape):
        raise LongtailError(
            f"The map of uncertainty {path.name} does not fit the image: it has another size.",
            "Predict this case again.",
        )
    # Earlier versions stored shares; half precision holds every 255th.
    share = array if array.dtype.kind == "f" else array / np.float32(ENTROPY_TOP)
    return np.ascontiguousarray(np.clip(share, 0.0, 1.0), dtype=np.float16)


def read_mask_file(path: Path, shape: Sequence[int], class_ids: Collection[int]) -> LabelArray:
    """Read a mask that was made elsewhere, to be drawn over a label map.

    A mask of 0 and 255 alone is class 1, as in an import.

    Raises
    ------
    LongtailError
        It cannot be read, has another size, or holds values that are no classes.
    """
    array = np.asarray(read_label_map(str(path)).array)
    if array.shape != tuple(shape):
        raise LongtailError(
            f"The mask {path.name} does not fit the image: it has another size.",
            "Choose the mask of this case.",
        )
    values = {int(value) for value in np.unique(array)}
    if values <= {0, NOT_LABELLED} and NOT_LABELLED in values:
        array, values = np.where(array == NOT_LABELLED, 1, 0), {0, 1}
    stray = sorted(values - {0, NOT_LABELLED, *class_ids})
    if stray:
        raise LongtailError(
            f"The mask {path.name} holds the values {stray[:5]}, which are no classes.",
            "Add the classes first.",
        )
    return np.ascontiguousarray(array, dtype=np.uint8)


def _read_pixels(channels: Sequence[str]) -> Image:
    if len(channels) == 1:
        return open_lazily(channels[0])
    return read_channels(channels)


def _read_stored(project: LabelSource, case_id: str) -> tuple[int, LabelArray]:
    return project.journal(case_id).pending, project.read_label_map(case_id)


def _mask_state(
    case_id: str, stored: LabelArray, waiting: int, shape: tuple[int, ...], axis: int | None
) -> MaskState:
    if stored.shape != shape:
        raise LongtailError(
            f"The label map of {case_id} does not fit its image: it has another size.",
            "Put the former image back, or import the labels again.",
        )
    array = np.array(stored, dtype=np.uint8, order="C")
    return MaskState(array, array.copy(), LabelCounts(array, axis), waiting)


def _plates(image: Image) -> tuple[Plate, ...]:
    if image.colour:
        return (Plate(_as_rgb(image.array), True, (0.0, 255.0), (0.0, 255.0)),)
    return tuple(_grey(_native(channel)) for channel in image.array)


def _grey(array: Array) -> Plate:
    limits = contrast_limits(array)
    return Plate(array, False, limits, contrast_range(array, limits))


def _native(array: Array) -> Array:
    # A file of the other byte order is mapped as it is; the graphics card wants this machine's.
    if array.dtype == bool:
        return array.view(np.uint8)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _as_rgb(array: Array) -> Array:
    last = np.moveaxis(array, 0, -1)
    if last.dtype != np.uint8:
        top = np.iinfo(last.dtype).max if last.dtype.kind in "iu" else float(last.max() or 1)
        last = np.clip(last.astype(np.float32) * (255 / top), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(last)


def _start(shape: Sequence[int], axis: int | None, mask: MaskState | None) -> int | None:
    if axis is None:
        return None
    richest = mask.counts.richest_slice(mask.array) if mask else None
    return shape[axis] // 2 if richest is None else richest
