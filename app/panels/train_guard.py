"""The tail guard's cards in the Train panel: a class in trouble, its curve, what can be done."""

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ...core.backend.events import Warned
from ..plots import line_colour, thinned
from ..theme import QUIET_PX, look
from ..widgets import Card, GhostButton, LinkButton, QuietLabel, painting
from ..widgets.basic import StrongLabel
from ..widgets.paint import sized
from .train_guarded import Guarded, remedy_tip
from .train_parts import flow
from .train_words import plural

Numbers: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.float64]]"

MOST_OPEN = 2
LEAVE, CLOSE = "Leave it", "Close"
ASKED = "Asked for; the run takes it up at its next step."
KEPT = "The weights that were best for it are kept: Results can measure with them."


class GuardCards(QWidget):
    """One card a class, the newest on top; two are open and the others folded to a count.

    Parameters
    ----------
    over
        The run has ended, so that nothing can be done about it any more but to know it.
    """

    remedy_chosen = Signal(object, str)

    def __init__(self, parent: QWidget | None = None, *, over: bool = False) -> None:
        super().__init__(parent)
        self._over = over
        self._cards: dict[str, GuardCard] = {}
        self._left: set[Warned] = set()
        self._all_open = False
        self.more = LinkButton("", self, tip="Show or fold the older warnings")
        self.more.clicked.connect(self._toggle)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._fold()

    @property
    def cards(self) -> tuple["GuardCard", ...]:
        """The cards, the newest first."""
        return tuple(self._cards.values())

    def clear(self) -> None:
        """Begin anew with another run."""
        for name in list(self._cards):
            self._drop(name)
        self._left.clear()
        self._all_open = False
        self._fold()

    def show_guarded(self, guarded: Sequence[Guarded]) -> None:
        """Show what the guard says, the newest first."""
        for each in reversed(guarded):
            card = self._cards.get(each.name)
            if each.warned in self._left:
                continue
            if card is None or card.guarded.warned != each.warned:
                card = self._add(each)
            card.show_guarded(each)
        self._fold()

    def show_taken_up(self, class_name: str, words: str, step: int) -> None:
        """Say on the card of a class what the run does since `step`."""
        if class_name in self._cards:
            self._cards[class_name].show_taken_up(words, step)

    def show_kept(self, class_names: Collection[str]) -> None:
        """Say on the cards of these classes that their best weights are kept."""
        for name in class_names:
            if name in self._cards:
                self._cards[name].show_kept()

    def _add(self, guarded: Guarded) -> "GuardCard":
        self._drop(guarded.name)
        card = GuardCard(guarded, self, over=self._over)
        card.remedy_chosen.connect(self.remedy_chosen)
        card.left.connect(self._leave)
        self._cards = {guarded.name: card, **self._cards}
        self._column.insertWidget(0, card)
        return card

    def _drop(self, name: str) -> None:
        card = self._cards.pop(name, None)
        if card is not None:
            card.hide()
            card.deleteLater()

    def _leave(self, name: str) -> None:
        if name in self._cards:
            self._left.add(self._cards[name].guarded.warned)
        self._drop(name)
        self._fold()

    def _toggle(self) -> None:
        self._all_open = not self._all_open
        self._fold()

    def _fold(self) -> None:
        for number, card in enumerate(self.cards):
            card.setVisible(self._all_open or number < MOST_OPEN)
        folded = len(self._cards) - MOST_OPEN
        self.more.setVisible(folded > 0)
        names = ", ".join(card.guarded.name for card in self.cards[MOST_OPEN:])
        words = f"{plural(folded, 'more class')} in trouble"
        self.more.setText(f"Fold {names}" if self._all_open else words)
        self.more.setAccessibleDescription(names)
        self.setVisible(bool(self._cards))


class GuardCard(Card):
    """A class in trouble: what happened, its curve, and both remedies."""

    remedy_chosen = Signal(object, str)
    left = Signal(str)

    def __init__(
        self, guarded: Guarded, parent: QWidget | None = None, *, over: bool = False
    ) -> None:
        super().__init__(parent, tone="tail")
        self.guarded = guarded
        self.title = StrongLabel(guarded.title, self)
        self.title.setWordWrap(True)
        self.sentence = QLabel(guarded.sentence, self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.curve = SmallCurve(self)
        self.answer = QuietLabel("", self)
        self.answer.hide()
        self.buttons: dict[str, GhostButton] = {}
        self._words: list[str] = []
        self._add_head(can_leave=not over)
        for widget in (self.sentence, self.curve):
            self.body.addWidget(widget)
        if not over:
            self._add_buttons()
        self.body.addWidget(self.answer)
        self.setAccessibleName(guarded.warned.text)

    def show_guarded(self, guarded: Guarded) -> None:
        """Show the curve as it is now."""
        self.guarded = guarded
        self.curve.show_curve(guarded)

    def show_taken_up(self, words: str, step: int) -> None:
        """Say what the run does since `step`."""
        if words not in self._words:
            self._words.append(words)
        self.answer.setText("\n".join(self._words))
        self.answer.show()
        self.buttons[LEAVE].setText(CLOSE)
        for label in self.guarded.warned.remedies:
            self.buttons[label].setVisible(self.buttons[label].isEnabled())
        self.curve.mark(step)

    def show_kept(self) -> None:
        """Say that the weights that were best for the class are kept."""
        self.answer.setText(KEPT)
        self.answer.show()

    def _add_head(self, *, can_leave: bool) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.title, 1)
        if can_leave:
            tip = "Take this card away; the run goes on as it is"
            leave = self.buttons[LEAVE] = LinkButton(LEAVE, self, tip=tip)
            leave.clicked.connect(lambda: self.left.emit(self.guarded.name))
            row.addWidget(leave, 0, Qt.AlignmentFlag.AlignTop)
        self.body.addLayout(row)

    def _add_buttons(self) -> None:
        row = flow()
        for label in self.guarded.warned.remedies:
            row.addWidget(self._remedy(label))
        self.body.addLayout(row)

    def _remedy(self, label: str) -> GhostButton:
        button = self.buttons[label] = GhostButton(label, self, tip=remedy_tip(label))

        def choose() -> None:
            button.setEnabled(False)
            self.answer.setText("\n".join([*self._words, ASKED]))
            self.answer.show()
            self.remedy_chosen.emit(self.guarded.warned, label)

        button.clicked.connect(choose)
        return button


class SmallCurve(QWidget):
    """The series that the guard saw: its best and its last value, and since when help is there."""

    HEIGHT = 60

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._guarded: Guarded | None = None
        self._marks: list[int] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(self.HEIGHT)
        self.hide()

    def sizeHint(self) -> QSize:
        """Give the size that it is drawn for."""
        return QSize(240, self.HEIGHT)

    def show_curve(self, guarded: Guarded) -> None:
        """Draw another moment of the series; nothing as long as it is a single value."""
        if self._guarded is not None and guarded.points == self._guarded.points:
            return
        self._guarded = guarded
        self.setVisible(len(guarded.points) > 1)
        if guarded.points:
            step, value = guarded.points[-1]
            best_step, best = max(guarded.points, key=lambda point: point[1])
            self.setAccessibleName(
                f"{guarded.name}: best {guarded.value_text(best)} at step {best_step:,}, "
                f"now {guarded.value_text(value)} at step {step:,}"
            )
            self.setToolTip(self.accessibleName())
        self.update()

    def mark(self, step: int) -> None:
        """Draw a line where a remedy was taken up."""
        self._marks.append(step)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line, a ring at its best, a dot at its end."""
        if self._guarded is None or len(self._guarded.points) < 2:
            return
        with painting(self) as painter:
            self._paint(painter, self._guarded)

    def _paint(self, painter: QPainter, guarded: Guarded) -> None:
        t = look().tokens
        painter.setFont(sized(painter.font(), QUIET_PX))
        words = guarded.value_text(guarded.points[-1][1])
        room = QFontMetricsF(painter.font()).horizontalAdvance(words) + 10
        area = QRectF(4, 14, max(20.0, self.width() - room - 6), self.HEIGHT - 20)
        steps, values = thinned(guarded.points)
        spots = _spots(area, steps, values)
        painter.setPen(QPen(QColor(t.line), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_marks(painter, area, steps)
        colour = QColor(line_colour(guarded.colour, t))
        painter.setPen(QPen(colour, 2))
        painter.drawPolyline(QPolygonF(spots))
        painter.setBrush(colour)
        painter.drawEllipse(spots[-1], 2.5, 2.5)
        painter.setPen(QColor(t.text))
        top = min(spots[-1].y() - 8, self.HEIGHT - 17.0)
        box = QRectF(spots[-1].x() + 7, top, room, 16)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), words)
        best = int(values.argmax())
        if len(values) - best > max(2, len(values) // 10):
            self._paint_best(painter, spots[best], guarded.value_text(float(values[best])))

    def _paint_marks(self, painter: QPainter, area: QRectF, steps: Numbers) -> None:
        painter.setPen(QPen(QColor(look().tokens.text), 1, Qt.PenStyle.DashLine))
        for mark in self._marks:
            if steps[0] <= mark <= steps[-1]:
                x = _spots(area, np.array([steps[0], mark, steps[-1]]), np.zeros(3))[1].x()
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_best(self, painter: QPainter, at: QPointF, words: str) -> None:
        """Name the best value, above its place and inside the widget."""
        wide = QFontMetricsF(painter.font()).horizontalAdvance(words)
        left = min(max(at.x() - wide / 2, 0.0), self.width() - wide)
        painter.drawText(QPointF(left, at.y() - 5), words)


def _spots(area: QRectF, steps: Numbers, values: Numbers) -> list[QPointF]:
    """Place a series in an area: its steps from left to right, from 0 to its best upwards."""
    length = max(float(steps[-1] - steps[0]), 1.0)
    top = max(float(values.max()), 1e-9)
    return [
        QPointF(
            area.left() + area.width() * float(step - steps[0]) / length,
            area.bottom() - area.height() * max(0.0, float(value)) / top,
        )
        for step, value in zip(steps, values, strict=True)
    ]
