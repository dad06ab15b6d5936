"""The controls of a heat map: how it is computed, how it is seen, and how it lies on boxes."""

from typing import Protocol

from psygnal import SignalInstance
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from ...core.explain.stored import StoredMap
from ..canvas_map_reading import VARIANT_TIPS, VARIANTS
from ..theme import QUIET_PX, Tokens, look
from ..widgets import HairLine, QuietLabel, SectionLabel
from ..widgets.basic import StrongLabel, TextLabel, mark
from ..widgets.calm import keep_wheel_calm
from ..widgets.paint import painting, sized
from .label_parts import SliderRow
from .train_parts import SayCard
from .xray_model import Overlap, energy_words

NOT_PROOF = "A heat map shows where the network looked, not that it is right."
LEAST_SHARE, MOST_SHARE = 10, 90
BOX_TIP = (
    "From which share of the map's highest value a place lies in the box.\n"
    "Lower makes the box larger."
)
ENERGY_TIP = (
    "The share of the heat map that lies inside the drawn boxes of this finding.\n"
    "High: the network looks where the finding is."
)
IOU_TIP = (
    "Intersection over union of the predicted and the drawn box: 0 they do not touch, 1 the same."
)


class HeatView(Protocol):
    """What shows heat maps over the image; the canvas's is `HeatMap`."""

    variant: str
    opacity: float
    threshold: float
    class_id: int | None
    words: str
    box_rejected: bool

    @property
    def state(self) -> str:
        """`off`, `computing`, `shown`, `silent` or `failed`."""

    @property
    def changed(self) -> SignalInstance:
        """Emitted when any of these changed."""

    @property
    def stored(self) -> StoredMap | None:
        """The map that is there."""

    def choose(self, class_id: int | None) -> None:
        """Show the map of a class, or none."""


class BoxLegend(QWidget):
    """A dashed and a solid frame, and what they are; the solid one where something is drawn."""

    _GLYPH, _GAP = 15, 5

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawn = True
        self.setToolTip("Dashed: the box around the hottest part. Solid: a box that a person drew.")
        self.setAccessibleName("Dashed is the predicted box, solid the annotated one")

    def show_drawn(self, drawn: bool) -> None:
        """Say whether there is a box that a person drew."""
        self._drawn = drawn
        self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(170, 18)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the legend."""
        with painting(self) as painter:
            self._paint(painter, look().tokens)

    def _paint(self, painter: QPainter, t: Tokens) -> None:
        painter.setFont(sized(self.font(), QUIET_PX))
        left = self._paint_one(painter, t, 0.0, "predicted", Qt.PenStyle.DashLine)
        if self._drawn:
            self._paint_one(painter, t, left + 12, "annotated box", Qt.PenStyle.SolidLine)

    def _paint_one(
        self, painter: QPainter, t: Tokens, left: float, words: str, style: Qt.PenStyle
    ) -> float:
        pen = QPen(QColor(t.text), 1.4, style)
        if style is Qt.PenStyle.DashLine:
            pen.setDashPattern([2.0, 1.6])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        middle = self.height() / 2
        painter.drawRect(QRectF(left + 1, middle - 5, self._GLYPH - 2, 10))
        painter.setPen(QColor(t.quiet))
        start = left + self._GLYPH + self._GAP
        width = painter.fontMetrics().horizontalAdvance(words) + 2
        area = QRectF(start, 0, width, self.height())
        painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), words)
        return start + width


class FigureRow(QWidget):
    """Quiet words at the left, a figure at the right."""

    def __init__(self, words: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words, self.figure = QuietLabel(words, self), StrongLabel("", self)
        self.setToolTip(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.words, 1)
        row.addWidget(self.figure)

    def say(self, words: str, figure: str) -> None:
        """Show other words and another figure."""
        self.words.setText(words)
        self.figure.setText(figure)


class MapPart(QWidget):
    """The section on the heat map that lies over the image; a page may put `note` elsewhere.

    Parameters
    ----------
    view
        Shows it.
    boxes
        Whether people draw boxes here, to compare with.
    """

    changed = Signal()

    def __init__(
        self, view: HeatView, parent: QWidget | None = None, *, boxes: bool = True
    ) -> None:
        super().__init__(parent)
        self._view, self._compares = view, boxes
        self._what = "finding" if boxes else "class"
        self.section = SectionLabel("Heat map", parent=self, line=False)
        self.variant = QComboBox(self)
        self.opacity = SliderRow("Opacity", 0, 100, "Opacity of the heat map", self)
        self.box_at = SliderRow("Box at", LEAST_SHARE, MOST_SHARE, BOX_TIP, self)
        self.trouble = SayCard(parent=self)
        self.say = QuietLabel("", self)
        self.legend = BoxLegend(self)
        self.iou = TextLabel("", self)
        self.energy = FigureRow("", ENERGY_TIP, self)
        self.note = QuietLabel(NOT_PROOF, self)
        self._fill()
        self._lay_out()
        self.legend.show_drawn(False)
        self.iou.hide()
        self.energy.hide()
        view.changed.connect(self.refresh)
        self.refresh()

    def show_overlap(self, told: Overlap, name: str) -> None:
        """Say how the map lies on the drawn boxes of the class `name`."""
        shown = self._view.state == "shown" and self._compares
        self.legend.show_drawn(told.drawn > 0)
        self.iou.setVisible(shown and told.iou is not None)
        if told.iou is not None:
            best = " (best)" if told.drawn > 1 else ""
            self.iou.setText(f"IoU{best} {told.iou:.2f}")
        self.energy.setVisible(shown)
        figure = energy_words(told)
        boxes = "boxes" if told.drawn > 1 else "box"
        words = f"Energy inside the {boxes}" if figure else f"No box of {name} is drawn here."
        self.energy.say(words, figure)

    def show_covered(self, words: str, figure: str) -> None:
        """Say how much of the map lies in what is labelled; nothing hides the line."""
        self.energy.setVisible(bool(words))
        self.energy.say(words, figure)

    def add_below_head(self, row: QHBoxLayout) -> None:
        """Put a row below the head of the section."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        column.insertLayout(2, row)

    def refresh(self) -> None:
        """Show how the map lies over the image now."""
        view = self._view
        self.variant.blockSignals(True)
        self.variant.setCurrentIndex(self.variant.findData(view.variant))
        self.variant.blockSignals(False)
        self.variant.setToolTip(VARIANT_TIPS.get(view.variant, ""))
        percent, share = round(view.opacity * 100), round(view.threshold * 100)
        self.opacity.show_value(percent, f"{percent} %")
        self.box_at.show_value(share, f"{share} %")
        shown = view.state == "shown"
        for part in (self.opacity, self.box_at):
            part.setEnabled(shown)
        self.legend.setVisible(shown)
        self.note.setVisible(shown)
        if not shown:
            self.iou.hide()
            self.energy.hide()
        self._say_state()

    def _say_state(self) -> None:
        state = self._view.state
        self.trouble.setVisible(state == "failed")
        if state == "failed":
            self.trouble.say("There is no heat map", self._view.words, "bad")
        words = {
            "computing": "Computing the heat map ...",
            "silent": self._view.words,
            "off": f"Choose a {self._what}, or press H, to see where the run looks.",
        }.get(state, "")
        if state == "shown" and self._view.box_rejected:
            words = "You have rejected this box."
        self.say.setText(words)
        self.say.setVisible(bool(words))

    def _fill(self) -> None:
        for name, title in VARIANTS.items():
            self.variant.addItem(title, name)
            tip = VARIANT_TIPS[name]
            self.variant.setItemData(self.variant.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.variant.setAccessibleName("How the heat map is computed")
        keep_wheel_calm(self.variant)
        for row in (self.opacity, self.box_at):
            keep_wheel_calm(row.slider)
        self.variant.activated.connect(self._choose_variant)
        self.opacity.moved.connect(self._fade)
        self.box_at.moved.connect(self._cut)
        self.iou.setToolTip(IOU_TIP)
        mark(self.iou, "strong")

    def _lay_out(self) -> None:
        head, legend = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.section, 1)
        head.addWidget(self.variant)
        legend.addWidget(self.legend, 1)
        legend.addWidget(self.iou)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(6)
        column.addWidget(HairLine(self))
        column.addLayout(head)
        for widget in (self.opacity, self.box_at, self.trouble, self.say):
            column.addWidget(widget)
        column.addLayout(legend)
        column.addWidget(self.energy)
        column.addWidget(self.note)

    def _choose_variant(self, row: int) -> None:
        self._view.variant = self.variant.itemData(row)

    def _fade(self, percent: int) -> None:
        self._view.opacity = percent / 100
        self.opacity.show_value(percent, f"{percent} %")

    def _cut(self, percent: int) -> None:
        self._view.threshold = percent / 100
        self.box_at.show_value(percent, f"{percent} %")
