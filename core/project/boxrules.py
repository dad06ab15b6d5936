"""What boxes must satisfy, and what they amount to: pure functions on records."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..io.boxes import BoxFault, box_fault, cut_box
from .boxfiles import DrawnBox
from .records import ClassRecord


def box_problem(box: DrawnBox, shape: tuple[int, ...], class_ids: Iterable[int]) -> str | None:
    """Say what is wrong with a box, as a sentence; None if nothing is.

    Parameters
    ----------
    shape
        (z, y, x) or (y, x) of its image.
    class_ids
        The classes that a box may have.
    """
    height, width = shape[-2:]
    if box.class_id not in class_ids:
        return f"There is no class with the number {box.class_id} in use."
    fault = box_fault(box.xywh, (width, height))
    if fault is BoxFault.OUTSIDE:
        return f"{fault.capitalize()}, which has {width} x {height} pixels."
    return f"{fault.capitalize()}." if fault else _slice_problem(box, shape)


def cut_to_image(box: DrawnBox, shape: tuple[int, ...]) -> DrawnBox:
    """Cut what reaches over the image's edge; the same box where nothing does."""
    x, y, width, height = cut_box(box.xywh, (shape[-1], shape[-2]))
    return replace(box, x=x, y=y, width=width, height=height)


def box_counts(boxes: Iterable[DrawnBox]) -> dict[int, int]:
    """Count the boxes of each class."""
    return dict(sorted(Counter(box.class_id for box in boxes).items()))


def as_merged(boxes: Sequence[DrawnBox], classes: Sequence[ClassRecord]) -> tuple[DrawnBox, ...]:
    """Give boxes of classes that were merged since their present class."""
    present = present_ids(classes)
    return tuple(replace(box, class_id=present.get(box.class_id, box.class_id)) for box in boxes)


def present_ids(classes: Sequence[ClassRecord]) -> Mapping[int, int]:
    """Give the present id of each class that was merged into another."""
    merged = {record.id: record.merged_into for record in classes if record.merged_into}
    present = {}
    for source, into in merged.items():
        while into in merged:
            into = merged[into]
        present[source] = into
    return present


def _slice_problem(box: DrawnBox, shape: tuple[int, ...]) -> str | None:
    if len(shape) < 3:
        return None if box.slice is None else "It names a slice, and its image is no volume."
    if box.slice is None or not 0 <= box.slice < shape[0]:
        return f"It names no slice from 0 to {shape[0] - 1}."
    return None
