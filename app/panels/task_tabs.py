"""The right side of the window: Label, Train, Results, Review, in the order of the work."""

from collections.abc import Mapping

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QTabWidget, QWidget

from ..widgets.dress import dress

TIPS = {
    "Label": "Draw or give classes",
    "Train": "Learn from what is labelled",
    "Results": "See what was learned and where it fails",
    "Review": "Look at what deserves your eyes",
}
WHEN_ASKED = ("Review",)
"""Pages whose tab is there only once they were asked for."""


class TaskTabs(QTabWidget):
    """The pages of the work; `turned` tells the name of the page that was opened."""

    turned = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted = ""
        self.setDocumentMode(True)
        self.setMinimumWidth(250)
        self.setUsesScrollButtons(False)
        self.tabBar().setExpanding(False)
        self.tabBar().setElideMode(Qt.TextElideMode.ElideNone)
        self.currentChanged.connect(lambda _index: self.turned.emit(self.current()))
        dress(self)

    def fill(self, pages: Mapping[str, QWidget]) -> None:
        """Add pages; the one that was asked for before is opened."""
        for name, page in pages.items():
            index = self.addTab(page, name)
            self.setTabToolTip(index, TIPS.get(name, ""))
            self.setTabVisible(index, name not in WHEN_ASKED)
        self.open(self._wanted)

    def current(self) -> str:
        """Give the name of the open page, or of the one that will be open."""
        return self.tabText(self.currentIndex()) if self.count() else self._wanted

    def open(self, name: str) -> None:
        """Open a page by its name; an unknown name changes nothing."""
        self._wanted = name
        for index in range(self.count()):
            if self.tabText(index) == name:
                self.setTabVisible(index, True)
                self.setCurrentIndex(index)

    def sizeHint(self) -> QSize:
        """As wide as the window's design has it."""
        return QSize(310, 600)
