"""The list of cases itself, with what stands in its place when it is empty."""

from collections.abc import Iterable, Iterator, Sequence

from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    Qt,
    Signal,
)
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QStackedWidget,
    QWidget,
)

from ..widgets.basic import ElidedLabel, IconButton, LinkButton
from ..widgets.dress import icon
from ..widgets.page import EmptyState
from .cases_delegate import ROW_PX, CaseDelegate
from .cases_model import CaseList, Role
from .cases_thumbnails import Thumbnails

MOST_RUNS = 200
"""Runs of rows in one selection of Qt, which takes the square of their number; more are marked."""

OWN_KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End)


class CaseListView(QListView):
    """Shows the model's rows; tells which case was chosen and how many are selected."""

    chosen = Signal(str)
    selected_changed = Signal(int)
    menu_wanted = Signal(QPoint)

    def __init__(self, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cases = CaseList(thumbnails, self)
        self.setModel(self.cases)
        self.delegate = CaseDelegate(self)
        self.setItemDelegate(self.delegate)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalScrollBar().setSingleStep(ROW_PX // 2)
        self.setMouseTracking(True)
        self.setAccessibleName("Cases")
        self.setMinimumHeight(2 * ROW_PX)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._context_menu)
        self.cases.changed.connect(self.viewport().update)
        thumbnails.ready.connect(self._picture_came)
        self.selectionModel().currentChanged.connect(self._current_changed)
        self.selectionModel().selectionChanged.connect(self._selection_changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep the keys that move in the list; all others belong to the image."""
        if event.key() in OWN_KEYS or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def selected(self) -> list[str]:
        """Give the ids of the selected cases, in the order of the list."""
        if self.delegate.marked:
            places = sorted(map(self.cases.row_of_case, self.delegate.marked))
            return [self.cases.case_id(row) for row in places if row >= 0]
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.cases.case_id(row) for row in rows]

    def select(self, case_ids: Iterable[str]) -> None:
        """Select cases besides those that are selected."""
        for case_id in case_ids:
            row = self.cases.row_of_case(case_id)
            if row >= 0:
                flag = QItemSelectionModel.SelectionFlag.Select
                self.selectionModel().select(self.cases.index(row), flag)

    def select_only(self, case_ids: Iterable[str]) -> None:
        """Select cases in place of those that are selected."""
        place = self.cases.row_of_case
        there = {case_id: row for case_id in case_ids if (row := place(case_id)) >= 0}
        rows = sorted(there.values())
        runs = list(_runs(rows))
        chosen = QItemSelection()
        for first, last in runs if len(runs) <= MOST_RUNS else ():
            chosen.append(QItemSelectionRange(self.cases.index(first), self.cases.index(last)))
        self.selectionModel().select(chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(runs) > MOST_RUNS:
            self._mark(frozenset(there))
        if rows:
            top = QAbstractItemView.ScrollHint.PositionAtTop
            self.scrollTo(self.cases.index(rows[0]), top)

    def _mark(self, case_ids: frozenset[str]) -> None:
        self.delegate.marked = case_ids
        self.viewport().update()
        self.selected_changed.emit(len(case_ids))

    def follow(self, case_id: str, *, scroll: bool = True) -> None:
        """Mark the case that the window shows; empty marks none."""
        self.delegate.current_id = case_id
        row = self.cases.row_of_case(case_id) if case_id else -1
        if row >= 0:
            index = self.cases.index(row)
            if self.currentIndex() != index:
                flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
                self.selectionModel().setCurrentIndex(index, flag)
            if scroll:
                self.scrollTo(index)
        self.viewport().update()

    def _picture_came(self, case_id: str) -> None:
        row = self.cases.row_of_case(case_id)
        if row >= 0:
            self.update(self.cases.index(row))

    def _current_changed(self, current: QModelIndex, _former: QModelIndex) -> None:
        case_id = current.data(Role.CASE_ID)
        if case_id:
            self.chosen.emit(case_id)

    def _selection_changed(self) -> None:
        self.delegate.marked = frozenset()
        self.selected_changed.emit(len(self.selectionModel().selectedIndexes()))

    def _context_menu(self, point: QPoint) -> None:
        if self.delegate.marked or self.selectionModel().hasSelection():
            self.menu_wanted.emit(self.viewport().mapToGlobal(point))


def _runs(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give the first and the last of each run of rows that follow on each other."""
    first = 0
    for place, row in enumerate(rows):
        if place + 1 == len(rows) or rows[place + 1] != row + 1:
            yield rows[first], row
            first = place + 1


class ListOrReason(QStackedWidget):
    """The list, or why it is empty with the button that changes it."""

    import_asked = Signal()
    clear_asked = Signal()

    def __init__(self, view: CaseListView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        empty = EmptyState(
            "ph.image",
            "No cases yet",
            "Import a folder of images or a table.",
            ("Import...", self.import_asked.emit),
            self,
        )
        nothing = EmptyState(
            "ph.magnifying-glass",
            "Nothing matches",
            "No case fits the search and the filters.",
            ("Show all", self.clear_asked.emit),
            self,
        )
        for part in (view, empty, nothing):
            self.addWidget(part)

    def show_for(self, shown: int, total: int) -> None:
        """Choose by how many cases are shown of how many."""
        self.setCurrentIndex(0 if shown else (1 if not total else 2))


class SearchRow(QWidget):
    """The search line and the funnel beside it."""

    typed = Signal()
    funnel_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLineEdit(self)
        self.line.setPlaceholderText("Search name, patient, note")
        self.line.setClearButtonEnabled(True)
        self.line.setAccessibleName("Search cases")
        self.line.setMinimumWidth(60)
        self._picture = self.line.addAction(
            icon("ph.magnifying-glass"), QLineEdit.ActionPosition.LeadingPosition
        )
        self.line.textChanged.connect(lambda _text: self.typed.emit())
        self.funnel = IconButton("ph.funnel", "Filter by part, and order", self, checkable=True)
        self.funnel.clicked.connect(lambda _checked=False: self.funnel_asked.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.line, 1)
        row.addWidget(self.funnel)

    def wear_icon(self) -> None:
        """Draw the picture in the colours of the theme."""
        self._picture.setIcon(icon("ph.magnifying-glass"))


class NarrowedRow(QWidget):
    """How many of all are shown, and the way back to all."""

    clear_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = ElidedLabel("", self, kind="quiet")
        clear = LinkButton("Show all", self)
        clear.clicked.connect(lambda _checked=False: self.clear_asked.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.words, 1)
        row.addWidget(clear)
