"""The filter chips above the list, and what can be done with several cases at once below it."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from qtpy.QtCore import Qt, Signal, SignalInstance
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from ...core.project.records import Split, Status
from ..theme import EDGE
from ..widgets.basic import Chip, GhostButton, HairLine, StrongLabel

_CHIPS: tuple[tuple[Status | None, str, str], ...] = (
    (None, "All", "Every case"),
    (Status.UNLABELLED, "To do", "Cases without labels"),
    (Status.DRAFT, "Draft", "Begun, not reviewed yet"),
    (Status.REVIEWED, "Done", "Reviewed"),
)
GAP_PX = 5
SPLIT_WORDS = {Split.TRAIN: "Train", Split.VAL: "Val", Split.TEST: "Test"}
STATUS_WORDS = {
    Status.UNLABELLED: "Unlabelled",
    Status.DRAFT: "Draft",
    Status.REVIEWED: "Reviewed",
}


class FilterChips(QWidget):
    """One status or all; `chosen` gives the status, None for all."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._chips: dict[Status | None, Chip] = {}
        self._counts: dict[Status, int] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP_PX)
        for status, words, tip in _CHIPS:
            chip = Chip(words, self, tip=tip)
            chip.setMinimumWidth(10)
            self._group.addButton(chip)
            self._chips[status] = chip
            chip.clicked.connect(partial(self._pick, status))
            row.addWidget(chip)
        row.addStretch(1)
        self.set_value(None)

    def _pick(self, status: Status | None, _checked: bool = False) -> None:
        self.chosen.emit(status)

    def set_value(self, status: Status | None) -> None:
        """Show which is chosen, without telling."""
        self._chips[status].setChecked(True)

    def show_counts(self, counts: Mapping[Status, int]) -> None:
        """Show how many cases each has; the tooltip says it where there is no room."""
        self._counts = dict(counts)
        for status, words, tip in _CHIPS:
            if status is not None:
                self._chips[status].setToolTip(f"{tip}: {self._counts.get(status, 0):,}")
                self._chips[status].setAccessibleName(f"{words}, {self._counts.get(status, 0):,}")
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the counts out in a narrow panel."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        for counted in (True, False):
            for status, chip in self._chips.items():
                shown = counted and status is not None and bool(self._counts)
                chip.set_count(self._counts.get(status, 0) if shown and status else None)
            gaps = GAP_PX * (len(self._chips) - 1)
            if sum(chip.sizeHint().width() for chip in self._chips.values()) + gaps <= self.width():
                return


class SelectionBar(QWidget):
    """How many cases are selected and what can be done with them; hidden for fewer than two."""

    split_chosen = Signal(Split)
    status_chosen = Signal(Status)
    delete_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._writable = True
        self.count = StrongLabel("", self)
        self.split = GhostButton("Part", self, tip="Put them into train, val or test")
        self.status = GhostButton("Status", self, tip="Mark them as unlabelled, draft or reviewed")
        self.delete = GhostButton("Delete", self, tip="Move them to the project's trash")
        self.split.setMenu(self._menu_of(SPLIT_WORDS, self.split_chosen))
        self.status.setMenu(self._menu_of(STATUS_WORDS, self.status_chosen))
        self.delete.clicked.connect(lambda _checked=False: self.delete_asked.emit())
        row = QHBoxLayout()
        row.setContentsMargins(EDGE, 0, EDGE, EDGE)
        row.setSpacing(6)
        for button in (self.split, self.status, self.delete):
            button.setMinimumWidth(10)
            row.addWidget(button, 1)
        self.count.setContentsMargins(EDGE, 10, EDGE, 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(HairLine(self))
        column.addWidget(self.count)
        column.addLayout(row)
        self.hide()

    def show_count(self, count: int, *, writable: bool = True) -> None:
        """Show how many are selected."""
        self._writable = writable
        self.setVisible(count > 1)
        self.count.setText(f"{count:,} selected")
        for button in (self.split, self.status, self.delete):
            button.setEnabled(writable)

    def menu(self) -> QMenu:
        """Build the same as a menu, for the right mouse button."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setEnabled(self._writable)
        for words, signal in ((SPLIT_WORDS, self.split_chosen), (STATUS_WORDS, self.status_chosen)):
            for value, word in words.items():
                menu.addAction(word).triggered.connect(
                    lambda _checked=False, value=value, signal=signal: signal.emit(value)
                )
            menu.addSeparator()
        menu.addAction("Delete...").triggered.connect(
            lambda _checked=False: self.delete_asked.emit()
        )
        return menu

    def _menu_of(self, words: Mapping[Any, str], signal: SignalInstance) -> QMenu:
        menu = QMenu(self)
        for value, word in words.items():
            menu.addAction(word).triggered.connect(
                lambda _checked=False, value=value: signal.emit(value)
            )
        return menu
