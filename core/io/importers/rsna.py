"""RSNA Pneumonia Detection Challenge: boxes of lung opacity on DICOM X-rays.

`stage_2_train_labels.csv` has a row a box (`patientId,x,y,width,height,Target`), an empty one with
Target 0 where there is none; `stage_2_detailed_class_info.csv` tells the normal X-rays from those
with something else. Images are called after the patient.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import LongtailError
from .boxtables import box_of_cells
from .described import ClassNames, DescribedImage, plan_described
from .idtables import IdTable, heads_of, read_id_table, table_paths, tables_below
from .plan import FoundBox, ImportPlan, Skipped
from .request import CLASSIFICATION, Request

OPACITY, NORMAL, OTHER = "Lung Opacity", "Normal", "No Lung Opacity / Not Normal"
ALIASES = {"pneumonia": OPACITY, "opacity": OPACITY, "not normal": OTHER, "abnormal": OTHER}
SIDES = ("x", "y", "width", "height")
PATIENT, TARGET, CLASS = "patientid", "target", "class"
YES, NO = ("1", "1.0"), ("0", "0.0")


def is_rsna(source: Path) -> bool:
    """Tell whether a folder holds a table of the challenge."""
    return any(is_rsna_table(path) for path in tables_below(source))


def is_rsna_table(path: Path) -> bool:
    """Tell whether a table has the columns of the challenge's boxes."""
    return {PATIENT, TARGET, *SIDES} <= set(heads_of(path))


def plan_rsna(request: Request) -> ImportPlan:
    """Plan the import of the X-rays that the table names.

    Raises
    ------
    LongtailError
        There is no such table, or none of its images is there.
    """
    paths = [path for path in table_paths(request) if is_rsna_table(path)]
    if not paths:
        raise LongtailError(
            f"{request.source} holds no table of the RSNA challenge.",
            "stage_2_train_labels.csv has the columns patientId, x, y, width, height and Target.",
        )
    names = _Names(request)
    table = read_id_table(paths[0])
    detailed = _detailed(paths[0].parent)
    rows, odd = _rows(table)
    images = [
        DescribedImage(
            name=patient,
            table=table.path,
            class_names=names.of(boxes, detailed.get(patient, "")),
            no_class=not boxes and request.task != CLASSIFICATION,
            patient=patient,
            metadata={"class": detailed[patient]} if patient in detailed else {},
            boxes=boxes,
        )
        for patient, boxes in rows.items()
    ]
    return plan_described(
        "rsna", images, request, names, class_names=names.found, skipped=odd, whole=True
    )


class _Names(ClassNames):
    """The classes of the challenge; all three only where an image has one class."""

    def __init__(self, request: Request) -> None:
        super().__init__(request, ALIASES)
        self._three = request.task == CLASSIFICATION
        self.found = (NORMAL, OTHER, OPACITY) if self._three else (OPACITY,)

    def of(self, boxes: Sequence[FoundBox], told: str) -> tuple[str, ...] | None:
        """Give the classes of an image with these boxes and this detailed class."""
        name = told or (OPACITY if boxes else "")
        if name == OPACITY or (self._three and name):
            return self.keep([name])
        # Where nothing is told of an X-ray without opacity, it is not known what it is instead.
        return None if self._three else ()


def _rows(table: IdTable) -> tuple[dict[str, tuple[FoundBox, ...]], list[Skipped]]:
    found: dict[str, list[FoundBox]] = {}
    odd = []
    for record in table.records():
        patient, target = record.get(PATIENT, ""), record.get(TARGET, "")
        if not patient or target not in (*YES, *NO):
            odd.append(Skipped(patient or "a row without a patient", "its Target is not 0 or 1."))
            continue
        boxes = found.setdefault(patient, [])
        if target in YES:
            cells = [record.get(side, "") for side in SIDES]
            boxes.append(box_of_cells(OPACITY, cells, corners=False))
    return {patient: tuple(boxes) for patient, boxes in found.items()}, odd


def _detailed(folder: Path) -> Mapping[str, str]:
    """Read the table of detailed classes beside the other, where it is there."""
    for path in tables_below(folder):
        if {PATIENT, CLASS} <= set(heads_of(path)):
            records = read_id_table(path).records()
            return {row[PATIENT]: row[CLASS] for row in records if PATIENT in row and CLASS in row}
    return {}
