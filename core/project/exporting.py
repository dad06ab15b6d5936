"""Write labels and predictions out of a project, for other programs and other people."""

import csv
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..errors import LongtailError
from ..files import replacing
from .boxes import DrawnBox
from .records import Case, ClassRecord, Split, Status, Task
from .store import Project

BOX_HEADS = ("file", "finding", "x", "y", "w", "h")

Logits: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]


def export_labels(project: Project, out: Path) -> int:
    """Write every labelled case's label map, or one table of image-level classes; and the boxes.

    Label maps keep the project's class ids, whose names stand in `classes.csv` beside them. Boxes
    are in `boxes.csv`; an image in which somebody found none has a row without a box.

    Returns
    -------
    int
        How many cases were written.

    Raises
    ------
    LongtailError
        The folder holds files already, or nothing is labelled.
    """
    cases, boxes = project.cases(labelled=True), project.boxes_of()
    if not cases and not boxes:
        raise LongtailError(f"{project.name} has no labelled case to export.", "Label some first.")
    _prepare(out)
    _write_classes(project.classes, out)
    if boxes:
        _write_boxes(project, boxes, out)
    if project.task is Task.SEGMENTATION:
        _copy_maps(project, [case for case in cases if case.has_mask], out)
    elif cases:
        rows = [(case.id, _names(project.classes, case), case.split, case.status) for case in cases]
        _write_table(out / "labels.csv", ("file", "labels", "split", "status"), rows)
    return len({case.id for case in cases} | boxes.keys())


def export_predictions(
    project: Project,
    run: str,
    out: Path,
    answers: Callable[[Logits], Sequence[float]] | None = None,
) -> int:
    """Write a run's predictions: label maps, or one table of probabilities with a column a class.

    Parameters
    ----------
    answers
        Turns the logits of an image into probabilities; None as the run was trained.

    Raises
    ------
    LongtailError
        The folder holds files already, or the run has predicted nothing yet.
    """
    predictions = project.predictions(run)
    if not predictions:
        raise LongtailError(f"{run} has predicted nothing yet.", "Run `longtail predict` first.")
    _prepare(out)
    _write_classes(project.classes, out)
    maps = [one for one in predictions if one.file is not None]
    for one in maps:
        source = project.path / str(one.file)
        _copy(source, out / f"{one.case}.nii.gz")
    if maps:
        return len(maps)
    names = [str(one["name"]) for one in project.run(run).spec["classes"]]
    exclusive = project.task is Task.CLASSIFICATION
    told = answers or partial(_probabilities, exclusive=exclusive)
    rows = [
        (one.case, *(f"{value:.6f}" for value in told(one.logits)))
        for one in predictions
        if one.logits is not None
    ]
    _write_table(out / "predictions.csv", ("file", *names), rows)
    return len(rows)


def _probabilities(logits: Logits, exclusive: bool) -> Sequence[float]:
    values = logits.astype(np.float64)
    if not exclusive:
        return [float(value) for value in 1 / (1 + np.exp(-values))]
    powers = np.exp(values - values.max())
    return [float(value) for value in powers / powers.sum()]


def _copy_maps(project: Project, cases: Sequence[Case], out: Path) -> None:
    for case in cases:
        _copy(project.label_map_path(case.id), out / f"{case.id}.nii.gz")


def _write_boxes(project: Project, boxes: Mapping[str, Sequence[DrawnBox]], out: Path) -> None:
    names = {record.id: record.name for record in project.all_classes}
    deep = any(box.slice is not None for drawn in boxes.values() for box in drawn)
    rows: list[tuple[str, ...]] = []
    for case_id, drawn in boxes.items():
        for box in drawn:
            place = (str(box.slice),) if deep else ()
            rows.append((case_id, names[box.class_id], *map(_short, box.xywh), *place))
        if not drawn:
            rows.append((case_id, "none", *[""] * (5 if deep else 4)))
    _write_table(out / "boxes.csv", BOX_HEADS + (("slice",) if deep else ()), rows)


def _short(pixels: float) -> str:
    return f"{pixels:.12g}"


def _copy(source: Path, target: Path) -> None:
    with replacing(target) as aside:
        shutil.copyfile(source, aside)


def _names(classes: Iterable[ClassRecord], case: Case) -> str:
    if case.labels is None:
        return ""
    return "|".join(one.name for one in classes if one.id in case.labels.yes) or "none"


def _write_classes(classes: Iterable[ClassRecord], out: Path) -> None:
    _write_table(out / "classes.csv", ("id", "name"), [(one.id, one.name) for one in classes])


def _write_table(
    path: Path, head: Sequence[str], rows: Iterable[Sequence[str | int | Split | Status]]
) -> None:
    with replacing(path) as aside, aside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _prepare(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LongtailError(f"{out} is not an empty folder.", "Name an empty or a new folder.")
    out.mkdir(parents=True, exist_ok=True)
