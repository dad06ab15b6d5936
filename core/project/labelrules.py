"""What labels must satisfy, and what they amount to: pure functions on arrays and records."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .records import NOT_LABELLED, Case, ClassRecord, ImageLabels, Status, Task

LabelArray = np.ndarray[Any, np.dtype[np.uint8]]


def count_values(array: LabelArray) -> dict[int, int]:
    """Count the voxels of each value that occurs; slice by slice, as counting widens to 64 bits."""
    counts = np.zeros(256, np.int64)
    for part in array.reshape(len(array), -1) if array.ndim > 1 else [array]:
        counts += np.bincount(part, minlength=256)
    return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}


def volumes_of(counts: Mapping[int, int], spacing_mm: tuple[float, ...] | None) -> dict[int, float]:
    """Give the volume of each class in mm3 (pixels without spacing), with 255 and without 0."""
    voxel = float(np.prod(spacing_mm)) if spacing_mm else 1.0
    return {value: count * voxel for value, count in counts.items() if value != 0}


def map_status(case: Case, counts: Mapping[int, int], wished: Status | None) -> Status:
    """Find the status of a label map: one in which nothing is labelled is unlabelled.

    Raises
    ------
    LongtailError
        Nothing is labelled, and the case was to be marked as draft or reviewed.
    """
    labelled = any(value != NOT_LABELLED for value in counts)
    if not labelled:
        if wished in (Status.DRAFT, Status.REVIEWED):
            raise LongtailError(
                f"Nothing is labelled in {case.id}, so it cannot be marked as {wished}.",
                "Label it first.",
            )
        return Status.UNLABELLED
    if wished is Status.UNLABELLED:
        raise LongtailError(
            f"The case {case.id} has labels, so it cannot be marked as unlabelled.",
            "Clear its labels first.",
        )
    return wished or (Status.DRAFT if case.status is Status.UNLABELLED else case.status)


def labels_problem(labels: ImageLabels | None, class_ids: set[int], task: Task) -> str | None:
    """Say what is wrong with image-level labels, as a sentence; None if nothing is."""
    if labels is None:
        return None
    stray = sorted((labels.yes | labels.no) - class_ids)
    if stray:
        return f"There is no class with the number {stray[0]} in use."
    if labels.yes & labels.no:
        return "A class cannot be answered with yes and no at once."
    if task is Task.CLASSIFICATION and len(labels.yes) > 1:
        return "An image has one class in this project, and several were given."
    return None


def merged_labels(labels: ImageLabels, source: int, into: int) -> ImageLabels:
    """Answer for the joint class: yes if either was yes, no if both were no, else unknown."""
    both = {source, into}
    yes = labels.yes - both
    no = labels.no - both
    if labels.yes & both:
        yes |= {into}
    elif both <= labels.no:
        no |= {into}
    return ImageLabels(frozenset(yes), frozenset(no))


def merged_map(array: LabelArray, source: int, into: int) -> LabelArray:
    """Give a copy in which one class's voxels belong to another."""
    return np.where(array == source, np.uint8(into), array)


def merge_table(classes: Sequence[ClassRecord]) -> LabelArray | None:
    """Give the present id of each value, (256,) uint8; None where no class was ever merged."""
    merged = {record.id: record.merged_into for record in classes if record.merged_into}
    if not merged:
        return None
    table = np.arange(256, dtype=np.uint8)
    for source in merged:
        target = source
        while target in merged:
            target = merged[target]
        table[source] = target
    return table
