"""The switch for the map of uncertainty, and how unsure the run is of this case."""

from typing import Protocol

from psygnal import SignalInstance
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QWidget
from superqt import QToggleSwitch

from ..theme import BLUE, look
from ..widgets import ElidedLabel
from .train_words import unsure

TIP = (
    "Where the run is undecided between classes, lighter is less sure (Shift+U).\n"
    "The number is the mean over the case: 0 is sure, 1 is undecided between all classes."
)


class UncertaintyView(Protocol):
    """What shows uncertainty over the image; the canvas's prediction does."""

    visible: bool
    score: float | None

    @property
    def layer(self) -> object | None:
        """None where there is nothing to show."""

    @property
    def changed(self) -> SignalInstance:
        """Emitted when any of these changed."""


class UnsureRow(QWidget):
    """Shows or hides the map; not there where a case has none."""

    def __init__(self, view: UncertaintyView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = view
        self.switch = QToggleSwitch("Show uncertainty", self)
        self.score = ElidedLabel("", self, kind="quiet")
        self.score.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.switch)
        row.addWidget(self.score, 1)
        self.switch.toggled.connect(self._switched)
        view.changed.connect(self.refresh)
        self.wear_icon()
        self.refresh()

    def refresh(self) -> None:
        """Show how the map lies over the image now."""
        self.setVisible(self._view.layer is not None)
        self.switch.blockSignals(True)
        self.switch.setChecked(self._view.visible)
        self.switch.blockSignals(False)
        self.score.setText(unsure(self._view.score))
        for widget in (self.switch, self.score):
            widget.setToolTip(TIP)

    def wear_icon(self) -> None:
        """Draw the switch in the colours of the theme."""
        self.switch.onColor = QColor(BLUE)
        self.switch.offColor = QColor(look().tokens.track)
        self.switch.handleColor = QColor("#f0f1f2")

    def _switched(self, shown: bool) -> None:
        self._view.visible = shown
