"""What boxes must satisfy, and what they amount to: pure functions on records."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from .boxfiles import DrawnBox
from .records import ClassRecord

REACH = 1.0
"""Pixels by which a box may reach over the image's edge: sides are rounded, and corners too."""


def box_problem(box: DrawnBox, shape: tuple[int, ...], class_ids: Iterable[int]) -> str | None:
    """Say what is wrong with a box, as a sentence; None if nothing is.

    Parameters
    ----------
    shape
        (z, y, x) or (y, x) of its image; empty where nobody looked into the file.
    class_ids
        The classes that a box may have.
    """
    if box.class_id not in class_ids:
        return f"There is no class with the number {box.class_id} in use."
    if not all(map(math.isfinite, box.xywh)):
        return "A side of the box is no number."
    if box.width <= 0 or box.height <= 0:
        return "The box has no area."
    return _place_problem(box, shape) if shape else None


def cut_to_image(box: DrawnBox, shape: tuple[int, ...]) -> DrawnBox:
    """Cut what reaches over the image's edge; the same box where nothing does."""
    if not shape:
        return box
    height, width = shape[-2:]
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    right, bottom = min(box.x + box.width, width), min(box.y + box.height, height)
    if (left, top) == (box.x, box.y) and right - left >= box.width and bottom - top >= box.height:
        return box
    return replace(box, x=left, y=top, width=right - left, height=bottom - top)


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


def _place_problem(box: DrawnBox, shape: tuple[int, ...]) -> str | None:
    height, width = shape[-2:]
    over = max(-box.x, -box.y, box.x + box.width - width, box.y + box.height - height)
    gone = box.x >= width or box.y >= height or box.x + box.width <= 0 or box.y + box.height <= 0
    if over > REACH or gone:
        return f"The box lies outside of the image, which has {width} x {height} pixels."
    deep = shape[0] if len(shape) == 3 else None
    if deep is None and box.slice is not None:
        return "The box names a slice, and its image is no volume."
    if deep is not None and (box.slice is None or not 0 <= box.slice < deep):
        return f"The box names no slice from 0 to {deep - 1}."
    return None
