"""A plot that does not move, in the colours of the theme; apart since it loads pyqtgraph."""

import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QWidget

from ..theme import QUIET_PX, look

SIDES = ("left", "bottom")


class StillPlot(pg.PlotWidget):
    """A plot without menu, zoom and frame; a subclass dresses it when it is complete."""

    ground = "card"
    """The colour of the theme that it lies on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setFrameShape(self.Shape.NoFrame)
        self.setAntialiasing(True)

    def let_mouse_through(self) -> None:
        """Leave clicks, wheel and keys to what it lies in."""
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        t = look().tokens
        self.setBackground(getattr(t, self.ground))
        font = QFont(self.font())
        font.setPixelSize(QUIET_PX)
        for side in SIDES:
            axis = self.getAxis(side)
            axis.setPen(pg.mkPen(t.line))
            axis.setTextPen(pg.mkPen(t.quiet))
            axis.setTickFont(font)
