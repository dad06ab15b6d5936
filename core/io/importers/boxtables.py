"""A table of boxes: `file, finding, x, y, w, h`, one row a box, in pixels of the file as stored.

Two corners (`xmin, ymin, xmax, ymax`) are taken as well; they are places between pixels, so that
the width is their difference. A row without a box says that somebody looked and found nothing.
"""

import math
from collections.abc import Sequence

from ...errors import LongtailError
from ..table import CORNERS, NO_CLASS_WORDS, SIDES, Table
from .described import ClassNames, DescribedImage, plan_described
from .plan import FoundBox, ImportPlan
from .request import Request

SLICE = "slice"
ALIASES = {"infiltrate": "Infiltration"}
"""ChestX-ray14's boxes have another word than its findings."""


def plan_box_table(request: Request, table: Table) -> ImportPlan:
    """Plan the import of the boxes of a table.

    Raises
    ------
    LongtailError
        It does not say what the boxes are of, none of its files is there, or the boxes were drawn
        on pictures of another size.
    """
    if table.columns["label"] < 0:
        raise LongtailError(
            f"The table {table.path.name} does not say what its boxes are of.",
            "Give it a column finding.",
        )
    found: dict[str, list[FoundBox]] = {}
    reader = _BoxRows(table)
    for row in table.rows:
        boxes = found.setdefault(row[table.columns["file"]].strip(), [])
        box = reader.box(row)
        if box is not None:
            boxes.append(box)
    images = [DescribedImage(name, table.path, boxes=tuple(b)) for name, b in found.items()]
    classes = tuple(dict.fromkeys(box.class_name for boxes in found.values() for box in boxes))
    return plan_described(
        "csv", images, request, ClassNames(request, ALIASES), class_names=classes, boxes_only=True
    )


class _BoxRows:
    """Turns the rows of a table into boxes."""

    def __init__(self, table: Table) -> None:
        heads = [name.lower() for name in table.names]
        sides = next((s for s in SIDES if set(s) <= set(heads)), None)
        names = sides or next(s for s in CORNERS if set(s) <= set(heads))
        self._corners = sides is None
        self._columns = [heads.index(name) for name in names]
        self._label = table.columns["label"]
        self._slice = heads.index(SLICE) if SLICE in heads else -1

    def box(self, row: Sequence[str]) -> FoundBox | None:
        """Give the box of a row; None where it has none."""
        cells = [row[column] for column in self._columns]
        name = row[self._label].strip()
        if not any(cell.strip() for cell in cells) and (not name or name.lower() in NO_CLASS_WORDS):
            return None
        return box_of_cells(name, cells, corners=self._corners, slice_=self._place(row))

    def _place(self, row: Sequence[str]) -> int | None:
        cell = row[self._slice].strip() if self._slice >= 0 else ""
        return int(cell) if cell.isdecimal() else None


def box_of_cells(
    name: str, cells: Sequence[str], *, corners: bool, slice_: int | None = None, author: str = ""
) -> FoundBox:
    """Make a box of four cells; one that is no number becomes NaN, which is dropped later on."""
    a, b, c, d = map(number, cells)
    w, h = (c - a, d - b) if corners else (c, d)
    return FoundBox(name, a, b, w, h, slice_, author)


def number(cell: str) -> float:
    """Read a number; NaN where it is none."""
    try:
        return float(cell)
    except ValueError:
        return math.nan
