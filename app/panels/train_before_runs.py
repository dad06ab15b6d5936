"""The runs of a project as a few words with a caret; a click offers to look at one again."""

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from ..widgets import LinkButton

MOST_OFFERED = 30


class PastRuns(LinkButton):
    """Says how many runs there are; its menu leads back to those that have ended."""

    run_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("", parent, tip="Look at an earlier run again and replay its training")
        self._runs: tuple[tuple[str, str], ...] = ()
        self.clicked.connect(lambda _checked=False: self.open_menu())

    def show_runs(self, words: str, runs: Sequence[tuple[str, str]]) -> None:
        """Show `words`; offer the (id, words) of the runs that have ended."""
        self._runs = tuple(runs[:MOST_OFFERED])
        self.setText(f"{words} ▾" if self._runs else words)
        self.setEnabled(bool(self._runs))

    def menu_actions(self) -> list[QAction]:
        """Make the entries of the menu."""
        actions = []
        for run_id, words in self._runs:
            action = QAction(words, self)
            action.triggered.connect(lambda _checked=False, run=run_id: self.run_asked.emit(run))
            actions.append(action)
        return actions

    def open_menu(self) -> None:
        """Offer the runs under the words."""
        menu = QMenu(self)
        actions = self.menu_actions()
        for action in actions:
            action.setParent(menu)
        menu.addActions(actions)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))
