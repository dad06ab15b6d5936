"""The measured regions of a class in training cases, and where they are kept.

Reads and writes files only: the window asks here too, so it imports no torch.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from ..errors import LongtailError
from ..explain.stored import is_current
from ..files import write_text, writing_failed
from ..project.boxfiles import DrawnBox
from ..project.records import Case, Split, Task
from ..project.store import Project
from ..radiomics.names import CLASSES
from ..radiomics.settings import RadiomicSettings
from ..radiomics.table import HEADS, FeatureTable
from ..radiomics.unusual import FEWEST, FloatArray, TrainingRegions

BOX_SETTINGS = RadiomicSettings(classes=tuple(one for one in CLASSES if one != "shape"))
"""PyRadiomics' defaults; the shape of a box is its width and height and nothing more."""

MAP_SETTINGS = RadiomicSettings()

FOUND_MOST = 40
"""Boxes that a run is asked for in training images of a class, where too few are drawn."""

FORMAT = 1
ENGINE: Literal["fast"] = "fast"


@dataclass(frozen=True, slots=True)
class MeasuredBox:
    """A box and its features, in the order of `BOX_SETTINGS.names`; NaN where there is none."""

    case: str
    class_id: int
    box: tuple[float, float, float, float]
    place: int | None
    values: tuple[float, ...]

    @classmethod
    def nowhere(cls, case: str, class_id: int, features: int) -> Self:
        """Note that a run was asked for a box and pointed nowhere."""
        return cls(case, class_id, (0.0, 0.0, 0.0, 0.0), None, (math.nan,) * features)

    @property
    def is_nowhere(self) -> bool:
        """Whether there was no box to measure."""
        return self.box[2] <= 0

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from other boxes."""
        return self.case, self.class_id, self.box, self.place


class BoxTable:
    """Measured boxes, a line each, with a first line that says how they were made.

    Parameters
    ----------
    path
        The file; lines that are torn or of other features are left out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = BOX_SETTINGS.names(flat=True)

    def begin(self, made_with: str = "") -> None:
        """Keep what is there if it was made with the same weights; else begin anew."""
        head = {"format": FORMAT, "made_with": made_with, "names": list(self.names)}
        lines = self._lines()
        if not lines or lines[0] != head:
            write_text(self.path, json.dumps(head) + "\n")

    def add(self, box: MeasuredBox) -> None:
        """Append a box."""
        values = [value if math.isfinite(value) else None for value in box.values]
        line = {"case": box.case, "class": box.class_id, "box": box.box, "slice": box.place}
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line | {"values": values}, ensure_ascii=False) + "\n")
        except OSError as error:
            raise writing_failed(self.path, error) from error

    def boxes(self) -> list[MeasuredBox]:
        """Read the boxes; none of a table of other features."""
        lines = self._lines()
        if not lines or lines[0].get("names") != list(self.names):
            return []
        return [box for box in map(self._box, lines[1:]) if box is not None]

    def _lines(self) -> list[dict[str, Any]]:
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        found = (_object(line) for line in text.splitlines())
        return [line for line in found if line]

    def _box(self, line: Mapping[str, Any]) -> MeasuredBox | None:
        try:
            values = tuple(math.nan if v is None else float(v) for v in line["values"])
            x, y, width, height = (float(side) for side in line["box"])
            place = line["slice"]
            box = MeasuredBox(
                str(line["case"]),
                int(line["class"]),
                (x, y, width, height),
                None if place is None else int(place),
                values,
            )
        except (KeyError, TypeError, ValueError):
            return None
        return box if len(values) == len(self.names) else None


def drawn_table(project_folder: Path) -> Path:
    """Give the file of the features of drawn boxes."""
    return project_folder / "cache" / "radiomics" / "boxes.jsonl"


def found_table(run_folder: Path) -> Path:
    """Give the file of the features of the boxes that a run finds."""
    return run_folder / "explanations" / "boxes.jsonl"


def map_table(project: Project, cases: Sequence[Case]) -> FeatureTable:
    """Give the table of `longtail radiomics`; one in the cache where that was made otherwise."""
    flat = len(cases[0].shape) == 2 if cases else False
    own = project.path / "radiomics.csv"
    usable = not own.exists() or _was_made_so(own)
    path = own if usable else project.path / "cache" / "radiomics" / "regions.csv"
    return FeatureTable(path, MAP_SETTINGS, ENGINE, flat=flat)


def _was_made_so(table: Path) -> bool:
    """Tell whether a table was measured with our settings."""
    how = {"engine": ENGINE, "settings": MAP_SETTINGS.model_dump(mode="json")}
    try:
        known = json.loads(table.with_suffix(".settings.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(known == json.loads(json.dumps(how)))


def drawn_boxes(project: Project, class_id: int) -> list[tuple[Case, DrawnBox]]:
    """List the boxes of a class that are drawn in training cases."""
    cases = {case.id: case for case in project.cases(split=Split.TRAIN)}
    return [
        (cases[case_id], box)
        for case_id, boxes in project.boxes_of().items()
        if case_id in cases
        for box in boxes
        if box.class_id == class_id
    ]


def training_regions(
    project: Project, class_id: int, run_id: str = "", *, besides: tuple[Any, ...] = ()
) -> TrainingRegions:
    """Read what is measured of a class's training regions; takes a moment, so ask in a thread.

    Parameters
    ----------
    run_id
        The run whose own boxes make up for drawn ones where too few are drawn.
    besides
        The region that is looked at itself, as (case, x, y, width, height): not compared with.
    """
    if project.task is Task.SEGMENTATION:
        return _of_maps(project, class_id, besides)
    return _of_boxes(project, class_id, run_id, besides)


def _of_maps(project: Project, class_id: int, besides: tuple[Any, ...]) -> TrainingRegions:
    cases = [c for c in project.cases(split=Split.TRAIN, labelled=True) if has_class(c, class_id)]
    table = map_table(project, cases)
    stamps = {case.id: case.changed.isoformat() if case.changed else "" for case in cases}
    rows = [row for row in table.rows() if stamps.get(row["case"]) == row["changed"]]
    done = {row["case"] for row in rows}
    names = tuple(name for name in table.columns if name not in HEADS)
    chosen = [
        [float(row[name]) if row[name] else math.nan for name in names]
        for row in rows
        if row["label"] == str(class_id) and row["case"] not in besides
    ]
    waiting = len([case for case in cases if case.id not in done])
    return TrainingRegions(names, _array(chosen, names), "drawn", waiting)


def _of_boxes(
    project: Project, class_id: int, run_id: str, besides: tuple[Any, ...]
) -> TrainingRegions:
    drawn = drawn_boxes(project, class_id)
    table = BoxTable(drawn_table(project.path))
    measured = {box.key: box for box in table.boxes()}
    keys = [(case.id, class_id, box.xywh, box.slice) for case, box in drawn]
    known = [measured[key] for key in keys if key in measured]
    if len(drawn) >= FEWEST or not run_id:
        rows = [box.values for box in known if (box.case, *box.box) != besides]
        return TrainingRegions(table.names, _array(rows, table.names), "drawn", _rest(keys, known))
    found = _found(project, class_id, run_id)
    rows = [box.values for box in found if box.case not in besides and not box.is_nowhere]
    wanted = min(len(with_class(project, class_id)), FOUND_MOST)
    return TrainingRegions(
        table.names, _array(rows, table.names), "found", max(wanted - len(found), 0)
    )


def _found(project: Project, class_id: int, run_id: str) -> list[MeasuredBox]:
    folder = project.run_folder(run_id)
    path = found_table(folder)
    best = folder / "checkpoints" / "best.pt"
    weights = best if best.is_file() else folder / "checkpoints" / "last.pt"
    if not is_current(path, (weights,)):
        return []
    return [box for box in BoxTable(path).boxes() if box.class_id == class_id]


def with_class(project: Project, class_id: int) -> list[Case]:
    """List the training images that a person has given a class."""
    return [
        case
        for case in project.cases(split=Split.TRAIN, labelled=True)
        if case.labels is not None and class_id in case.labels.yes
    ]


def has_class(case: Case, class_id: int) -> bool:
    """Tell whether something is marked as a class in a case's label map."""
    return case.volumes_mm3.get(class_id, 0.0) > 0


def _rest(keys: Iterable[Any], known: Sequence[MeasuredBox]) -> int:
    done = {box.key for box in known}
    return sum(key not in done for key in keys)


def _array(rows: Sequence[Sequence[float]], names: Sequence[str]) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def check_class(project: Project, class_id: int) -> None:
    """Refuse a class that the project does not have.

    Raises
    ------
    LongtailError
        There is no such class.
    """
    if class_id not in {record.id for record in project.classes}:
        raise LongtailError(
            f"The project {project.name} has no class with the number {class_id}.",
            "Choose one of its classes.",
        )
