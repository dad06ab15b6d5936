"""NIH ChestX-ray14: the table of findings, the list of boxes, and the published lists of parts.

`Data_Entry_2017.csv` (later `..._v2020.csv`) names findings, joined by bars; `BBox_List_2017.csv`
has the odd heads `Image Index,Finding Label,Bbox [x,y,w,h],,,` and says Infiltrate where the
findings say Infiltration. Boxes are in pixels of the published pictures of 1,024 x 1,024; beside
smaller copies they are scaled. Wang et al., CVPR 2017.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import LongtailError
from ..table import means_no_class, split_labels
from .boxtables import ALIASES, box_of_cells
from .described import ClassNames, DescribedImage, plan_described
from .idtables import IdTable, heads_of, read_id_table, tables_below
from .plan import FoundBox, ImportPlan, Skipped
from .request import Request

FINDINGS = (
    "Infiltration",
    "Effusion",
    "Atelectasis",
    "Nodule",
    "Mass",
    "Pneumothorax",
    "Consolidation",
    "Pleural_Thickening",
    "Cardiomegaly",
    "Emphysema",
    "Edema",
    "Fibrosis",
    "Pneumonia",
    "Hernia",
)
"""The fourteen, the most frequent first."""

IMAGE, LABELS, PATIENT, BOX_LABEL, BOX_SIDES = (
    "image index",
    "finding labels",
    "patient id",
    "finding label",
    "bbox [x",
)
KEPT = ("follow-up #", "patient age", "patient gender", "patient sex", "view position")
LISTS = {"train_val_list.txt": "train", "test_list.txt": "test"}
PUBLISHED_SIZE = (1024.0, 1024.0)


def is_nih(source: Path) -> bool:
    """Tell whether a folder holds the table of findings."""
    return any(is_nih_table(path) for path in tables_below(source))


def is_nih_table(path: Path) -> bool:
    """Tell whether a table is one of findings or of boxes, by its heads."""
    heads = set(heads_of(path))
    return {IMAGE, LABELS} <= heads or _lists_boxes(heads)


def plan_nih(request: Request) -> ImportPlan:
    """Plan the import of the X-rays that the tables name.

    With the list of boxes alone, the labels of whole images stay as they are.

    Raises
    ------
    LongtailError
        There is no such table, none of its images is there, or it lacks columns.
    """
    tables = [read_id_table(path) for path in _paths(request)]
    findings = [table for table in tables if {IMAGE, LABELS} <= set(table.heads)]
    listed = [table for table in tables if _lists_boxes(set(table.heads))]
    if not findings and not listed:
        raise LongtailError(
            f"{request.source} holds no table of ChestX-ray14.",
            "Data_Entry_2017.csv has the columns Image Index and Finding Labels.",
        )
    names = ClassNames(request, ALIASES)
    boxes, odd = _boxes(listed)
    parts = _parts([*dict.fromkeys([request.root, *(table.path.parent for table in tables)])])
    images = _Reading(names, boxes, parts).images(findings) if findings else _boxed(boxes, listed)
    return plan_described(
        "nih",
        images,
        request,
        names,
        class_names=FINDINGS,
        skipped=odd,
        boxes_only=not findings,
    )


class _Reading:
    """Reads what the tables say of each image."""

    def __init__(
        self,
        names: ClassNames,
        boxes: Mapping[str, tuple[FoundBox, ...]],
        parts: Mapping[str, str],
    ) -> None:
        self._names, self._boxes, self._parts = names, boxes, parts

    def images(self, tables: Sequence[IdTable]) -> list[DescribedImage]:
        """Give each image once; of two rows about one the first counts."""
        found: dict[str, DescribedImage] = {}
        for table in tables:
            for record in table.records():
                name = record.get(IMAGE, "")
                if name and name not in found:
                    found[name] = self._image(name, record, table)
        return list(found.values())

    def _image(self, name: str, record: Mapping[str, str], table: IdTable) -> DescribedImage:
        labels = split_labels(record.get(LABELS, ""))
        none = means_no_class(labels, ())
        return DescribedImage(
            name=name,
            table=table.path,
            class_names=(() if none else self._names.keep(labels)) if labels else None,
            no_class=none,
            split=self._parts.get(name),
            patient=record.get(PATIENT),
            metadata={head: record[head] for head in KEPT if head in record},
            boxes=self._boxes.get(name),
            drawn_on=PUBLISHED_SIZE,
        )


def _paths(request: Request) -> list[Path]:
    """Give the tables: the one asked for with the list of boxes beside it, or all below."""
    given = [path for path in (request.labels, request.source) if path and path.is_file()]
    if given and _lists_boxes(set(heads_of(given[0]))):
        return given[:1]
    below = [*tables_below(request.root)] if not given else [*given[0].parent.iterdir()]
    boxes = [path for path in sorted(below) if path.is_file() and _lists_boxes(set(heads_of(path)))]
    return [*given[:1], *boxes] if given else [path for path in below if is_nih_table(path)]


def _boxes(
    tables: Sequence[IdTable],
) -> tuple[dict[str, tuple[FoundBox, ...]], list[Skipped]]:
    found: dict[str, list[FoundBox]] = {}
    odd = []
    for table in tables:
        image, label = table.heads.index(IMAGE), table.heads.index(BOX_LABEL)
        first = table.heads.index(BOX_SIDES)
        for row in table.rows:
            cells = row[first : first + 4]
            if len(cells) < 4:
                if any(row):
                    odd.append(Skipped(row[image], "its row in the list of boxes is too short."))
                continue
            box = box_of_cells(row[label].strip(), cells, corners=False)
            found.setdefault(row[image].strip(), []).append(box)
    return {name: tuple(boxes) for name, boxes in found.items()}, odd


def _boxed(
    boxes: Mapping[str, tuple[FoundBox, ...]], tables: Sequence[IdTable]
) -> list[DescribedImage]:
    table = tables[0].path
    return [
        DescribedImage(name, table, boxes=found, drawn_on=PUBLISHED_SIZE)
        for name, found in boxes.items()
    ]


def _parts(folders: Sequence[Path]) -> dict[str, str]:
    """Read the published lists; the part of each image that they name."""
    parts: dict[str, str] = {}
    for folder in folders:
        for name, part in LISTS.items():
            path = folder / name
            if path.is_file():
                words = path.read_text(encoding="utf-8", errors="replace").split()
                parts.update((word, part) for word in words)
    return parts


def _lists_boxes(heads: set[str]) -> bool:
    return {IMAGE, BOX_LABEL, BOX_SIDES} <= heads
