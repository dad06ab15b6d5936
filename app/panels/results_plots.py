"""Small plots of the Results panel: ROC, precision-recall and reliability, with pyqtgraph."""

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QSizePolicy, QWidget

from ...core.evaluate.curves import Curve
from ...core.evaluate.reliability import Reliability
from ..theme import BLUE, QUIET_PX, look
from ..widgets.still_plot import SIDES, StillPlot

HEIGHT_PX = 148
FEW_ANSWERS = 5
COUNTS_SHARE = 0.22
"""How much of the height the bars of counts may take."""


class UnitPlot(StillPlot):
    """A still plot whose axes both run from 0 to 1."""

    def __init__(self, across: str, up: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._across, self._up = across, up
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(HEIGHT_PX)
        self.setMinimumWidth(100)
        self.let_mouse_through()
        self.getAxis("left").setWidth(34)
        self.getAxis("bottom").setHeight(32)
        for side in ("left", "bottom"):
            self.getAxis(side).setTicks([[(0.0, "0"), (0.5, ".5"), (1.0, "1")]])
        self.setXRange(0, 1, padding=0.03)
        self.setYRange(0, 1, padding=0.03)
        self.wear_icon()

    def sizeHint(self) -> QSize:
        """Two of them fit beside each other."""
        return QSize(140, HEIGHT_PX)

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        super().wear_icon()
        style = {"color": look().tokens.quiet, "font-size": f"{QUIET_PX}px"}
        for side, words in zip(SIDES, (self._up, self._across), strict=True):
            axis = self.getAxis(side)
            axis.setStyle(tickLength=-3, tickTextOffset=3)
            axis.setLabel(words, **style)
        self.draw()

    def draw(self) -> None:
        """Draw anew; a plot of its own says what."""

    def _line(self, curve: Curve, colour: str, width: float, *, dashed: bool = False) -> None:
        style = Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine
        pen = pg.mkPen(QColor(colour), width=width, style=style)
        self.plot(np.asarray(curve.x), np.asarray(curve.y), pen=pen)


class ClassCurvePlot(UnitPlot):
    """The curve of one class in its tier's colour over those of the others, and chance."""

    def __init__(self, across: str, up: str, parent: QWidget | None = None) -> None:
        self._others: tuple[Curve, ...] = ()
        self._curve: Curve | None = None
        self._chance: Curve | None = None
        self._tier, self._few = "", False
        super().__init__(across, up, parent)

    def show_curve(
        self, curve: Curve, others: Sequence[Curve], chance: Curve, tier: str, *, few: bool
    ) -> None:
        """Show one curve; it is dashed where it comes from `few` images."""
        self._curve, self._others, self._chance = curve, tuple(others), chance
        self._tier, self._few = tier, few
        self.draw()

    def draw(self) -> None:
        """Draw the others, chance, and the class on top."""
        self.clear()
        t = look().tokens
        for other in self._others:
            self._line(other, t.track, 1.0)
        if self._chance is not None:
            self._line(self._chance, t.quiet, 1.0, dashed=True)
        if self._curve is not None:
            self._line(self._curve, t.tier(self._tier), 2.0, dashed=self._few)


class ReliabilityPlot(UnitPlot):
    """The share that was right over what was stated, with intervals, and counts as bars below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        self._shown: Reliability | None = None
        super().__init__("stated", "right", parent)

    def show_reliability(self, shown: Reliability) -> None:
        """Show the bins of a class, or of all answers."""
        self._shown = shown
        self.draw()

    def draw(self) -> None:
        """Draw the bars, the diagonal, then the points."""
        self.clear()
        if self._shown is None:
            return
        t = look().tokens
        bins = [one for one in self._shown.bins if one.n]
        most = max((one.n for one in bins), default=1)
        middles = [(one.low + one.high) / 2 for one in bins]
        heights = [COUNTS_SHARE * one.n / most for one in bins]
        wide = 0.8 / max(len(self._shown.bins), 1)
        bars = pg.BarGraphItem(
            x=middles, height=heights, width=wide, brush=QColor(t.track), pen=None
        )
        self.addItem(bars)
        self._line(Curve((0.0, 1.0), (0.0, 1.0)), t.quiet, 1.0, dashed=True)
        for one in bins:
            ends = Curve((one.stated or 0.0,) * 2, (one.right_low or 0.0, one.right_high or 1.0))
            self._line(ends, BLUE, 1.2)
        self._points(t.card)

    def _points(self, ground: str) -> None:
        assert self._shown is not None
        known = [one for one in self._shown.bins if one.stated is not None]
        self.addItem(
            pg.ScatterPlotItem(
                x=[one.stated for one in known],
                y=[one.right for one in known],
                size=7,
                pen=pg.mkPen(QColor(BLUE), width=1.2),
                # Open where fewer than five answers are behind it.
                brush=[QColor(ground if one.n < FEW_ANSWERS else BLUE) for one in known],
            )
        )
