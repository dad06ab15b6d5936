"""The widgets of the page of runs, and where they stand."""

from collections.abc import Callable

from qtpy.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from ..theme import EDGE
from ..widgets import ElidedLabel, GhostButton, QuietLabel, Segments
from ..widgets.basic import mark
from ..widgets.page import EmptyState
from .results_parts import MenuButton
from .runs_rows import ChangedList, ClassLines
from .runs_table import RunsTable

CLASSES, LEARNING, CASES, CHANGED = "classes", "learning", "cases", "changed"
VIEWS = (
    (CLASSES, "By class"),
    (LEARNING, "Learning"),
    (CASES, "Cases"),
    (CHANGED, "Changed"),
)


class RunsLayout(QWidget):
    """A table at the left, one of four views at the right; the controls are in `head`.

    Parameters
    ----------
    train_asked
        Leads to Train, from where there is nothing yet.
    """

    def __init__(self, train_asked: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark(self, "page")
        self.nothing = EmptyState(
            "ph.rows",
            "No run was evaluated yet",
            "Train a run and evaluate it in Results; here all runs then stand side by side.",
            ("Go to Train", train_asked),
        )
        self.head = QWidget(self)
        self.versus = MenuButton("The run that all are compared with", self.head)
        self.views = Segments(VIEWS, self.head)
        self.views.set_value(CLASSES)
        row = QHBoxLayout(self.head)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(self.versus)
        row.addSpacing(8)
        row.addWidget(self.views)
        self.table, self.measured = RunsTable(self), QuietLabel("", self)
        self.title = ElidedLabel("", self, kind="quiet")
        self.listing = GhostButton(
            "List in Cases", self, symbol="ph.list", tip="Show these cases alone in Cases"
        )
        self.by_slice = GhostButton(
            "By slice", self, symbol="ph.stack", tip="A point a slice in place of a point a scan"
        )
        self.by_slice.setCheckable(True)
        self.classes, self.changed = ClassLines(self), ChangedList(self)
        self.classes_area, self.changed_area = _scrolling(self.classes), _scrolling(self.changed)
        self.stack = QStackedWidget(self)
        for widget in (self.classes_area, self.changed_area):
            self.stack.addWidget(widget)
        self._lay_out()

    def _lay_out(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        left.setSpacing(4)
        right.setSpacing(4)
        left.addWidget(_scrolling(self.table), 1)
        left.addWidget(self.measured)
        over = QHBoxLayout()
        over.addWidget(self.title, 1)
        over.addWidget(self.listing)
        over.addWidget(self.by_slice)
        right.addLayout(over)
        right.addWidget(self.stack, 1)
        self.whole = QWidget(self)
        row = QHBoxLayout(self.whole)
        row.setContentsMargins(EDGE, 4, EDGE, 8)
        row.setSpacing(16)
        row.addLayout(left, 12)
        row.addLayout(right, 8)
        self.pages = QStackedWidget(self)
        self.pages.addWidget(self.nothing)
        self.pages.addWidget(self.whole)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages)


def _scrolling(widget: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    inner = QWidget()
    mark(inner, "body")
    column = QVBoxLayout(inner)
    column.setContentsMargins(0, 0, 4, 0)
    column.addWidget(widget)
    column.addStretch(1)
    area.setWidget(inner)
    return area
