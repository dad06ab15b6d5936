"""The list of cases as Qt sees it: row numbers of the catalogue, cases read as they are shown."""

from collections import OrderedDict
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QModelIndex, QObject, QStringListModel, Qt, Signal
from qtpy.QtGui import QPixmap

from ...core.project.records import Case
from .cases_predicted import Guesses
from .cases_text import CaseRow, aspect_of, row_of, with_doubt
from .cases_thumbnails import Thumbnails

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue
    from ...core.project.store import Project

CHUNK = 48
KEPT = 4096
Rows = np.ndarray[Any, np.dtype[np.intp]]


class Role(IntEnum):
    """What the delegate asks for."""

    ROW = int(Qt.ItemDataRole.UserRole) + 1
    PICTURE = int(Qt.ItemDataRole.UserRole) + 2
    CASE_ID = int(Qt.ItemDataRole.UserRole) + 3
    BROKEN = int(Qt.ItemDataRole.UserRole) + 4
    ASPECT = int(Qt.ItemDataRole.UserRole) + 5


class CaseList(QStringListModel):
    """Shows rows of the catalogue; a page of cases is read from the project when it is needed.

    It stands on Qt's list of strings, all of them empty, only because that counts its rows in
    C++: a view asks each of 112,120 rows for their number when it lays itself out, which takes
    a fifth of a second through Python and a few milliseconds so.
    """

    changed = Signal()

    def __init__(self, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project: Project | None = None
        self._catalogue: Catalogue | None = None
        self._rows: Rows = np.zeros(0, dtype=np.intp)
        self._cases: OrderedDict[str, Case] = OrderedDict()
        self._classes: dict[int, Any] = {}
        self._tiers: dict[int, str] = {}
        self._guesses = Guesses()
        self._places: dict[str, int] | None = None
        self._thumbnails = thumbnails
        self.tells_doubt = False

    def show_rows(
        self, project: "Project | None", catalogue: "Catalogue | None", rows: Rows
    ) -> None:
        """Show other rows, or the same with other labels."""
        self._project, self._catalogue, self._rows = project, catalogue, rows
        self._cases.clear()
        self._places = None
        self._classes = {c.id: c for c in project.classes} if project else {}
        self._tiers = dict(catalogue.tiers()) if catalogue else {}
        self.setStringList([""] * len(rows))

    def show_guesses(self, guesses: Guesses) -> None:
        """Show what a run predicts."""
        # Not `dataChanged`: a list view lays all its rows out anew for it.
        self._guesses = guesses
        self.changed.emit()

    def data(self, index: QModelIndex, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Give what the delegate or a screen reader asks for."""
        if not index.isValid() or not 0 <= index.row() < len(self._rows):
            return None
        if role == Role.CASE_ID:
            return self.case_id(index.row())
        if role not in _ANSWERED:
            return None
        case = self._case(index.row())
        if case is None:
            return None
        if role == Role.PICTURE:
            return self._thumbnails.get(case)
        if role == Role.BROKEN:
            return self._thumbnails.failed(case.id)
        if role == Role.ASPECT:
            return aspect_of(case)
        row = self.words(case)
        if role == Role.ROW:
            return row
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(case, row)
        return f"{row.name}, {row.status}{', ' + row.chip if row.chip else ''}"

    def case_id(self, row: int) -> str:
        """Give the id of the case in a row."""
        assert self._catalogue is not None
        return self._catalogue.ids[self._rows[row]]

    def row_of_case(self, case_id: str) -> int:
        """Give the row of a case, or -1."""
        if self._places is None:
            ids = self._catalogue.ids if self._catalogue else []
            self._places = {ids[row]: place for place, row in enumerate(self._rows)}
        return self._places.get(case_id, -1)

    def words(self, case: Case) -> CaseRow:
        """Put a case into words."""
        guess = self._guesses.by_case.get(case.id)
        row = row_of(case, self._classes, self._tiers, guess)
        return with_doubt(row, guess) if self.tells_doubt else row

    def _case(self, row: int) -> Case | None:
        case_id = self.case_id(row)
        if case_id not in self._cases:
            self._read_page(row)
        return self._cases.get(case_id)

    def _read_page(self, row: int) -> None:
        if self._project is None:
            return
        first = row // CHUNK * CHUNK
        wanted = [self.case_id(i) for i in range(first, min(first + CHUNK, len(self._rows)))]
        for case in self._project.cases(ids=wanted):
            self._cases[case.id] = case
        while len(self._cases) > KEPT:
            self._cases.popitem(last=False)


_ANSWERED = (
    Role.ROW,
    Role.PICTURE,
    Role.BROKEN,
    Role.ASPECT,
    Qt.ItemDataRole.ToolTipRole,
    Qt.ItemDataRole.DisplayRole,
    Qt.ItemDataRole.AccessibleTextRole,
)


def tooltip(case: Case, row: CaseRow) -> str:
    """Say all that is known of a case, with its whole path."""
    lines = [case.id, row.detail, row.status]
    if row.chip:
        lines.append(f"{'predicted: ' if row.guessed else ''}{row.chip}")
    if case.author:
        lines.append(f"labelled by {case.author}")
    return "\n".join(line for line in lines if line)


def picture_of(index: QModelIndex) -> QPixmap | None:
    """Give the picture of an index, if it is there."""
    picture = index.data(Role.PICTURE)
    return picture if isinstance(picture, QPixmap) else None
