"""The filter chips above the list, and what can be done with several cases at once below it."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal, TypeAlias

from qtpy.QtCore import Qt, Signal, SignalInstance
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from ...core.project.records import Split, Status
from ..theme import EDGE
from ..widgets.basic import Chip, GhostButton, HairLine, StrongLabel

BOXED: Literal["boxed"] = "boxed"
Choice: TypeAlias = Status | Literal["boxed"] | None

_CHIPS: tuple[tuple[Choice, str, str], ...] = (
    (None, "All", "Every case"),
    (Status.UNLABELLED, "To do", "Cases without labels"),
    (Status.DRAFT, "Draft", "Begun, not reviewed yet"),
    (Status.REVIEWED, "Done", "Reviewed"),
    (BOXED, "Boxed", "Cases in which a box is drawn"),
)
GAP_PX = 5
SPLIT_WORDS = {Split.TRAIN: "Train", Split.VAL: "Val", Split.TEST: "Test"}
STATUS_WORDS = {
    Status.UNLABELLED: "Unlabelled",
    Status.DRAFT: "Draft",
    Status.REVIEWED: "Reviewed",
}


class FilterChips(QWidget):
    """One status, those with boxes (`BOXED`), or all (None); `chosen` gives which."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._chips: dict[Choice, Chip] = {}
        self._counts: dict[Choice, int] = {}
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

    def _pick(self, status: Choice, _checked: bool = False) -> None:
        self.chosen.emit(status)

    def set_value(self, status: Choice) -> None:
        """Show which is chosen, without telling."""
        self._chips[status].setChecked(True)
        self._fit()

    def show_counts(self, counts: Mapping[Status, int], boxed: int = 0) -> None:
        """Show how many cases each has; the tooltip says it where there is no room.

        The chip of boxes is there where `boxed` cases have some.
        """
        self._counts = {**{status: counts[status] for status in counts}, BOXED: boxed}
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
        """Show counts; where there is little room, leave out what there is none of, then counts."""
        for empty, counted in ((True, True), (False, True), (True, False)):
            for choice, chip in self._chips.items():
                count = self._counts.get(choice, 0)
                told = counted and choice is not None and bool(self._counts)
                chip.set_count(count if told else None)
                kept = choice is None or count > 0 or chip.isChecked()
                chip.setVisible(kept or (empty and choice != BOXED))
            there = [chip for chip in self._chips.values() if not chip.isHidden()]
            gaps = GAP_PX * (len(there) - 1)
            if sum(chip.sizeHint().width() for chip in there) + gaps <= self.width():
                return


class SelectionBar(QWidget):
    """How many cases are selected and what can be done with them; hidden for fewer than two."""

    split_chosen = Signal(Split)
    status_chosen = Signal(Status)
    delete_asked = Signal()
    alike_asked = Signal()

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
        menu.addAction("More like this").triggered.connect(
            lambda _checked=False: self.alike_asked.emit()
        )
        menu.addSeparator()
        for words, signal in ((SPLIT_WORDS, self.split_chosen), (STATUS_WORDS, self.status_chosen)):
            for value, word in words.items():
                menu.addAction(word).triggered.connect(
                    lambda _checked=False, value=value, signal=signal: signal.emit(value)
                )
            menu.addSeparator()
        menu.addAction("Delete...").triggered.connect(
            lambda _checked=False: self.delete_asked.emit()
        )
        # To look for what is alike changes nothing, so it is offered in a project for reading too.
        for action in menu.actions()[1:]:
            action.setEnabled(self._writable)
        return menu

    def _menu_of(self, words: Mapping[Any, str], signal: SignalInstance) -> QMenu:
        menu = QMenu(self)
        for value, word in words.items():
            menu.addAction(word).triggered.connect(
                lambda _checked=False, value=value: signal.emit(value)
            )
        return menu
