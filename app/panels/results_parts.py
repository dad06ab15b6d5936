"""The parts of the Results panel: figures, what is under way, and the case on the canvas."""

from collections.abc import Sequence

from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QAction, QColor, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...core.evaluate.report import Report
from ..theme import QUIET_PX, look
from ..widgets import BigNumber, ElidedLabel, GhostButton, HairLine, QuietLabel
from ..widgets.basic import mark
from ..widgets.paint import bar, painting, sized
from .results_model import Measure, Results, TierValue
from .results_rows import ClassTable
from .train_parts import SayCard, let_shrink

CHANGE_KINDS = {True: "good", False: "bad", None: "quiet"}
_FINE = 1000


class MenuButton(QPushButton):
    """Small words with a caret; a click offers others. Without others it is words alone."""

    chosen = Signal(str)

    def __init__(self, tip: str, parent: QWidget | None = None, *, section: bool = False) -> None:
        super().__init__(parent)
        self._section = section
        self._choices: tuple[tuple[str, str], ...] = ()
        self._value = ""
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open_menu)
        self.wear_icon()

    def offer(self, words: str, choices: Sequence[tuple[str, str]], value: str) -> None:
        """Show `words`; offer (value, words) pairs, `value` being the one that is chosen."""
        self._choices, self._value = tuple(choices), value
        can_choose = len(choices) > 1
        self.setText(f"{words} ▾" if can_choose else words)
        self.setAccessibleName(words)
        self.setEnabled(can_choose)

    def menu_actions(self) -> list[QAction]:
        """Make the entries of the menu."""
        actions = []
        for value, words in self._choices:
            action = QAction(words, self)
            action.setCheckable(True)
            action.setChecked(value == self._value)
            action.triggered.connect(lambda _checked=False, v=value: self.chosen.emit(v))
            actions.append(action)
        return actions

    def open_menu(self) -> None:
        """Offer the choices under the button."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.menu_actions())
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def wear_icon(self) -> None:
        """Write in the quiet colour of the theme."""
        t = look().tokens
        weight = "font-weight: 600; letter-spacing: 0.6px;" if self._section else ""
        self.setStyleSheet(
            f"QPushButton {{ border: none; background: transparent; padding: 2px 0; "
            f"color: {t.quiet}; font-size: {QUIET_PX}px; {weight} text-align: left; }}"
            f"QPushButton:hover, QPushButton:focus {{ color: {t.text}; background: transparent; }}"
            f"QPushButton:disabled {{ color: {t.quiet}; }}"
        )


class TierLine(QWidget):
    """The value of each tier behind a square in its colour: `tail .41`; wraps where it must."""

    _GAP, _SQUARE, _ROW = 16, 8, 18

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tiers: tuple[TierValue, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_tiers(self, tiers: Sequence[TierValue]) -> None:
        """Show the tiers; nothing where there are none."""
        self._tiers = tuple(tiers)
        self.setVisible(bool(tiers))
        told = "\n".join(tier.sentence for tier in tiers)
        self.setToolTip(told)
        self.setAccessibleName(told)
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Narrow lines wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """As high as its lines."""
        return round(max((y for _, y, _, _ in self._placed(width)), default=0.0)) + self._ROW

    def sizeHint(self) -> QSize:
        """One line, or more where it is narrow."""
        width = max(self.width(), 200)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """As high as its lines at this width."""
        return QSize(60, self.heightForWidth(max(self.width(), 60)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the tiers."""
        with painting(self) as painter:
            self._paint(painter)

    def _paint(self, painter: QPainter) -> None:
        t = look().tokens
        painter.setFont(sized(self.font(), QUIET_PX))
        for x, y, wide, tier in self._placed(self.width()):
            bar(painter, QRectF(x, y + 5, self._SQUARE, self._SQUARE), t.tier(tier.tier), 1.5)
            painter.setPen(QColor(t.quiet))
            area = QRectF(x + self._SQUARE + 5, y, wide, self._ROW)
            painter.drawText(area, int(Qt.AlignmentFlag.AlignVCenter), tier.text)

    def _placed(self, width: int) -> list[tuple[float, float, float, TierValue]]:
        metrics = QFontMetrics(sized(self.font(), QUIET_PX))
        spots: list[tuple[float, float, float, TierValue]] = []
        x = y = 0.0
        for tier in self._tiers:
            wide = metrics.horizontalAdvance(tier.text) + 2.0
            if x and x + self._SQUARE + 5 + wide > width:
                x, y = 0.0, y + self._ROW
            spots.append((x, y, wide, tier))
            x += self._SQUARE + 5 + wide + self._GAP
        return spots


class FiguresPart(QWidget):
    """The one number and the table of classes, beside the run compared with."""

    measure_chosen = Signal(str)
    other_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = let_shrink(BigNumber(self))
        self.stale = SayCard(parent=self)
        self.measure = MenuButton("What is shown by class", self, section=True)
        # In a narrow panel its end is cut, rather than that the page outgrows the panel.
        self.measure.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.measure.setMinimumWidth(90)
        self.other = MenuButton("The run to compare with", self)
        self.table = ClassTable(self)
        self.tiers = TierLine(self)
        self.thresholds, self.notes = QuietLabel("", self), QuietLabel("", self)
        self.measure.chosen.connect(self.measure_chosen)
        self.other.chosen.connect(self.other_chosen)
        row = QHBoxLayout()
        row.addWidget(self.measure)
        row.addStretch(1)
        row.addWidget(self.other)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for widget in (self.number, self.stale, HairLine(self)):
            column.addWidget(widget)
        column.addLayout(row)
        for widget in (self.table, self.tiers, self.thresholds, self.notes):
            column.addWidget(widget)

    def show_results(self, told: Results, versus: str) -> None:
        """Show figures; `versus` names the run compared with, empty if there is none."""
        change = told.measure.changed(told.change)
        self.number.show_number(
            told.head_text,
            told.measure.head,
            told.interval_text,
            (change, f"over {versus}" if change else ""),
        )
        mark(self.number.right_first, CHANGE_KINDS[told.better])
        self.table.show_rows(told.rows, told.track_end)
        self.tiers.show_tiers(told.tiers)
        self.thresholds.setText(told.thresholds if told.tiers else "")
        self.thresholds.setVisible(bool(self.thresholds.text()))
        self.notes.setText(" ".join(told.notes))
        self.notes.setVisible(bool(told.notes))

    def offer(
        self,
        measures: Sequence[Measure],
        measure: Measure,
        split: str,
        runs: Sequence[tuple[str, str]],
        names: tuple[str, str],
    ) -> None:
        """Offer other measures and other runs to compare with; `names` are (this, other)."""
        choices = [(each.key, each.title) for each in measures]
        words = f"{measure.title} by class, {split}".upper()
        self.measure.offer(words, choices, measure.key)
        this, other = names
        legend = f"● {this}  ○ {other}" if other else ("compare with" if len(runs) > 1 else "")
        value = next((key for key, name in runs if name == other), "")
        self.other.offer(legend, runs, value)


class WorkingPart(QWidget):
    """A job at work on this run: what it does, how far it is, and a way to stop it."""

    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel("", self)
        mark(self.title, "strong")
        self.words = ElidedLabel("", self, kind="quiet")
        self.left = QuietLabel("", self)
        self.left.setWordWrap(False)
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.stop = GhostButton("Stop", self, symbol="ph.square", tip="End this work")
        self.stop.clicked.connect(self.stop_asked)
        row = QHBoxLayout()
        row.addWidget(self.words, 1)
        row.addWidget(self.left)
        below = QHBoxLayout()
        below.addWidget(self.stop)
        below.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addLayout(below)

    def show_progress(self, title: str, words: str, left: str, fraction: float | None) -> None:
        """Show how far the job is; `fraction` None is not known yet."""
        self.title.setText(title)
        self.words.setText(words)
        self.left.setText(left)
        self.progress.setRange(0, 0 if fraction is None else _FINE)
        if fraction is not None:
            self.progress.setValue(round(fraction * _FINE))


class ReportPart(QWidget):
    """A widget that shows a part of a report."""

    def show_report(self, report: Report) -> None:
        """Show the part of a report."""
        raise NotImplementedError
