"""The section with a run's curves; apart, since it loads pyqtgraph."""

from collections.abc import Sequence

from qtpy.QtWidgets import QVBoxLayout, QWidget

from ..plots import CurvePlot, Legend
from ..widgets import Card, SectionLabel
from .train_live import Curve


class CurveCard(QWidget):
    """Curves on a card, with their legend below."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plot = CurvePlot(self)
        self.legend = Legend(self)
        card = Card(self)
        card.body.setContentsMargins(4, 8, 8, 4)
        card.body.addWidget(self.plot)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(card)
        column.addWidget(self.legend)

    def show_curves(self, curves: Sequence[Curve], end: int, *, shares: bool) -> None:
        """Draw the curves of a run; `end` is its last step, 0 if unknown."""
        self.plot.show_curves(curves, end, shares=shares)
        self.legend.show_curves(curves)


class Curves(QWidget):
    """The section with the curves by class; nothing as long as there is no curve."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = SectionLabel("", parent=self)
        self._card = CurveCard(self)
        self.plot, self.legend = self._card.plot, self._card.legend
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.section)
        column.addWidget(self._card)
        self.hide()

    def show_curves(self, title: str, curves: Sequence[Curve], end: int) -> None:
        """Draw the curves of a run; `end` is its last step, 0 if unknown."""
        self.setVisible(bool(curves))
        self.section.set_text(title)
        self._card.show_curves(curves, end, shares="loss" not in title.lower())

    def single_out(self, name: str) -> None:
        """Let one class stand out, or none if it does already."""
        self.plot.single_out(None if self.plot.singled_out == name else name)
