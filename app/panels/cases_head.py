"""The head of the case list: its title, the class bars and what their colours mean."""

from collections.abc import Sequence

from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetrics, QPaintEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from ..theme import HEAD, MEDIUM, QUIET_PX, TAIL, look
from ..widgets.bars import ROW_PX, Bar, ClassBars
from ..widgets.basic import IconButton, TextLabel, TitleLabel, mark
from ..widgets.paint import bar, painting, sized

MOST_ROWS, LEAST_ROWS = 10, 4
SCROLLBAR_PX, GAP_PX = 8, 4
SHARE = 0.3
"""How much of the panel's height the bars may take."""
LEGEND_PX = 18


class TierLegend(QWidget):
    """What the colours and the paleness of the bars mean."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._predicted = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Head, medium and tail: how much the labelled cases hold of a class. "
            "Bars count the training part on a log scale: solid is labelled, pale is predicted by "
            "the chosen run."
        )

    def show_predicted(self, predicted: bool) -> None:
        """Explain the pale bars only where there are any."""
        self._predicted = predicted
        self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(120, LEGEND_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw squares and words, and leave out what has no room."""
        with painting(self) as painter:
            t = look().tokens
            font = sized(self.font(), QUIET_PX)
            metrics = QFontMetrics(font)
            painter.setFont(font)
            painter.setPen(QColor(t.quiet))
            left = 0.0
            for word, colour in (("head", HEAD), ("medium", MEDIUM), ("tail", TAIL)):
                bar(painter, QRectF(left, 5, 8, 8), colour, 1)
                painter.setPen(QColor(t.quiet))
                width = metrics.horizontalAdvance(word)
                painter.drawText(QRectF(left + 12, 0, width + 2, LEGEND_PX), _MIDDLE, word)
                left += width + 22
            words = "labelled, ~ predicted" if self._predicted else "labelled, log scale"
            if left + metrics.horizontalAdvance(words) < self.width():
                area = QRectF(0, 0, self.width(), LEGEND_PX)
                painter.drawText(area, _MIDDLE | int(Qt.AlignmentFlag.AlignRight), words)


_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)


class ClassesHead(QWidget):
    """Title, count, menu, bars and legend."""

    menu_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._most = MOST_ROWS
        self.count = TextLabel("", self)
        mark(self.count, "quiet")
        self.menu = IconButton("ph.dots-three", "Classes and cases: add, rename, import", self)
        self.menu.clicked.connect(lambda _checked=False: self.menu_asked.emit())
        title = QHBoxLayout()
        title.setContentsMargins(0, 0, 0, 0)
        title.setSpacing(4)
        title.addWidget(TitleLabel("Cases", self), 1)
        title.addWidget(self.count)
        title.addWidget(self.menu)
        self.bars = ClassBars(self)
        self.area = QScrollArea(self)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.area.setWidget(self.bars)
        mark(self.bars, "body")
        self.waiting = ClassBars(self)
        self.waiting.setAccessibleName("Cases without labels")
        self.legend = TierLegend(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(title)
        column.addSpacing(8)
        column.addWidget(self.area)
        column.addWidget(self.waiting)
        column.addSpacing(8)
        column.addWidget(self.legend)

    def show_bars(self, bars: Sequence[Bar], waiting: Bar, cases: int, *, predicted: bool) -> None:
        """Show the counts of a project."""
        self.bars.set_bars(bars, beside=[waiting])
        self.waiting.set_bars([waiting], beside=bars)
        self.count.setText(f"{cases:,}")
        self.count.setAccessibleName(f"{cases:,} cases")
        self.legend.show_predicted(predicted)
        self._fit()

    def give_room(self, height: int) -> None:
        """Show as many bars at once as a panel of this height bears; the others scroll."""
        most = min(max(int(height * SHARE) // ROW_PX, LEAST_ROWS), MOST_ROWS)
        if most != self._most:
            self._most = most
            self._fit()

    def _fit(self) -> None:
        bars = self.bars.bars
        self.area.setFixedHeight(min(len(bars), self._most) * ROW_PX)
        scrolls = len(bars) > self._most
        self.bars.setContentsMargins(0, 0, GAP_PX if scrolls else 0, 0)
        self.waiting.setContentsMargins(0, 0, GAP_PX + SCROLLBAR_PX if scrolls else 0, 0)
        self.layout().activate()
