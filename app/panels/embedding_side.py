"""Beside the plane: what colours mean, or what is selected and what can be done with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
)
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ...core.project.records import Split, Status, Task
from ..theme import QUIET_PX, look, to_rgb
from ..widgets.basic import GhostButton, IconButton, LinkButton, QuietLabel, SectionLabel, mark
from ..widgets.paint import painting, sized
from ..widgets.painted import moved, picks
from .cases_selection import SPLIT_WORDS, STATUS_WORDS
from .embedding_picture import as_image
from .embedding_points import Kind, ink_of
from .embedding_raster import Layer, paint

WIDTH_PX, NARROW_WIDTH_PX = 196, 156
NARROW_PX, NARROWEST_PX = 560, 430
ROW_PX = 19
_SIGN = 16


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a legend: a kind, how many points it has, or how many of how many."""

    kind: Kind
    count: int
    place: int


class KindList(QWidget):
    """Kinds with their shape, colour, name and count; `picked` tells the one that was clicked."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None, tip: str = "") -> None:
        super().__init__(parent)
        self._lines: tuple[Line, ...] = ()
        self._tip = tip
        self._current = -1
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = tuple(lines)
        self._current = min(self._current, len(self._lines) - 1)
        told = ", ".join(f"{line.kind.name} {line.count:,}" for line in lines)
        self.setAccessibleName(told)
        self.setToolTip(f"{told}\n{self._tip}" if told and self._tip else told)
        self.setFixedHeight(max(len(lines), 1) * ROW_PX)
        self.update()

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown."""
        return self._lines

    def sizeHint(self) -> QSize:
        """One row a line."""
        return QSize(WIDTH_PX, max(len(self._lines), 1) * ROW_PX)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell which line was clicked."""
        row = int(event.position().y()) // ROW_PX
        if 0 <= row < len(self._lines):
            self.picked.emit(self._lines[row].place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down go through the lines, Return or Space picks one."""
        place = moved(self._current, event, len(self._lines))
        if place is not None:
            self._current = place
            self.update()
        elif picks(event) and 0 <= self._current < len(self._lines):
            self.picked.emit(self._lines[self._current].place)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Begin at the first line."""
        super().focusInEvent(event)
        self._current = max(self._current, 0)
        self.update()

    def wear_icon(self) -> None:
        """Draw in the colours of the theme."""
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw signs, names and counts."""
        with painting(self) as painter:
            painter.setFont(sized(self.font(), QUIET_PX))
            for row, line in enumerate(self._lines):
                if self.hasFocus() and row == self._current:
                    place = QRectF(0, row * ROW_PX, self.width(), ROW_PX)
                    painter.fillRect(place, QColor(look().tokens.selected))
                self._paint_line(painter, row * ROW_PX, line)

    def _paint_line(self, painter: QPainter, top: int, line: Line) -> None:
        t = look().tokens
        metrics = QFontMetrics(painter.font())
        count = f"{line.count:,}"
        wide = metrics.horizontalAdvance(count)
        painter.drawPixmap(
            0, top + (ROW_PX - _SIGN) // 2, sign(line.kind, self.devicePixelRatioF())
        )
        painter.setPen(QColor(t.text))
        room = max(self.width() - _SIGN - 8 - wide - 6, 10)
        name = metrics.elidedText(line.kind.name, Qt.TextElideMode.ElideMiddle, room)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(_SIGN + 6, top, room, ROW_PX), middle, name)
        painter.setPen(QColor(t.quiet))
        area = QRectF(self.width() - wide - 2, top, wide + 2, ROW_PX)
        painter.drawText(area, middle | int(Qt.AlignmentFlag.AlignRight), count)


def sign(kind: Kind, ratio: float = 1.0) -> QPixmap:
    """Draw the shape of a kind in its colour, as it lies on the plane."""
    import numpy as np

    pixels = round(_SIGN * ratio)
    layer = Layer(
        np.zeros(1, np.intp), to_rgb(ink_of(kind, look().tokens)), kind.shape, 9.5 * ratio, 1.0
    )
    spot = np.full((1, 2), pixels / 2, np.float32)
    picture = QPixmap.fromImage(as_image(paint(spot, [layer], pixels, pixels)))
    picture.setDevicePixelRatio(ratio)
    return picture


class LegendPage(QWidget):
    """What colours and shapes mean."""

    picked = Signal(int)
    update_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = SectionLabel("", parent=self, line=False)
        self.kinds = KindList(self, "Click one to select its points")
        self.note = QuietLabel("", self)
        self.refresh = LinkButton("Add them", self, tip="Look at the images that are not in it yet")
        self.kinds.picked.connect(self.picked)
        self.refresh.clicked.connect(lambda _checked=False: self.update_asked.emit())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.title)
        column.addWidget(_scrolled(self.kinds), 1)
        column.addWidget(self.note)
        column.addWidget(self.refresh, 0, Qt.AlignmentFlag.AlignLeft)
        self.show_missing(0, "image")

    def show_kinds(self, title: str, lines: Sequence[Line]) -> None:
        """Show what colours mean now."""
        self.title.set_text(title)
        self.kinds.show_lines(lines)

    def show_missing(self, count: int, noun: str) -> None:
        """Say how many cases came after the embedding was made."""
        many = "s are" if count != 1 else " is"
        self.note.setText(f"{count:,} {noun}{many} not in it yet.")
        self.note.setVisible(count > 0)
        self.refresh.setVisible(count > 0)


class SelectionPage(QWidget):
    """What is selected, by class, and what can be done with it."""

    class_asked = Signal(int, bool)
    status_asked = Signal(Status)
    split_asked = Signal(Split)
    cases_asked = Signal()
    alike_asked = Signal()
    clear_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = SectionLabel("", parent=self, line=False)
        self.clear = IconButton("ph.x", "Select nothing", self, key="Esc")
        self.kinds = KindList(self)
        self.give = GhostButton("Class", self, tip="Give all of them a class")
        self.status = GhostButton("Status", self, tip="Mark all of them as draft or reviewed")
        self.split = GhostButton("Part", self, tip="Put all of them into train, val or test")
        self.cases = GhostButton("Show in Cases", self, tip="List only these at the left")
        self.alike = GhostButton(
            "More like these", self, tip="Select the images that the network finds most alike"
        )
        self._fill_menus()
        self._lay_out()
        self.cases.clicked.connect(lambda _checked=False: self.cases_asked.emit())
        self.alike.clicked.connect(lambda _checked=False: self.alike_asked.emit())
        self.clear.clicked.connect(lambda _checked=False: self.clear_asked.emit())

    def show_selected(self, words: str, lines: Sequence[Line]) -> None:
        """Show what is selected."""
        self.title.set_text(words)
        self.kinds.show_lines(lines)

    def let_change(self, classes: Sequence[tuple[int, Kind]], task: Task, writable: bool) -> None:
        """Offer classes and the rest, or say why not."""
        menu = self.give.menu()
        menu.clear()
        for yes, before in ((True, ""), (False, "not "))[: 2 if task is Task.MULTILABEL else 1]:
            for class_id, kind in classes:
                action = menu.addAction(f"{before}{kind.name}")
                action.setIcon(sign(kind))
                action.triggered.connect(partial(self._give, class_id, yes))
            menu.addSeparator()
        drawn = task is Task.SEGMENTATION
        self.give.setEnabled(writable and not drawn)
        self.give.setToolTip(
            "Classes of scans are drawn on the Label page" if drawn else "Give all of them a class"
        )
        for button in (self.status, self.split):
            button.setEnabled(writable)

    def _give(self, class_id: int, yes: bool, _checked: bool = False) -> None:
        self.class_asked.emit(class_id, yes)

    def _fill_menus(self) -> None:
        self.give.setMenu(QMenu(self))
        told = {
            Status.DRAFT: STATUS_WORDS[Status.DRAFT],
            Status.REVIEWED: STATUS_WORDS[Status.REVIEWED],
        }
        self.status.setMenu(
            _menu(self, [(w, partial(self.status_asked.emit, s)) for s, w in told.items()])
        )
        self.split.setMenu(
            _menu(self, [(w, partial(self.split_asked.emit, s)) for s, w in SPLIT_WORDS.items()])
        )

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.title, 1)
        head.addWidget(self.clear)
        change = QHBoxLayout()
        change.setSpacing(4)
        for button in (self.give, self.status, self.split):
            mark(button, "")
            button.setProperty("segment", "")
            button.setMinimumWidth(10)
            change.addWidget(button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(5)
        column.addLayout(head)
        column.addWidget(_scrolled(self.kinds), 1)
        column.addLayout(change)
        column.addWidget(self.cases)
        column.addWidget(self.alike)


class Side(QWidget):
    """Legend or selection, and at the foot the way back from the last change."""

    undo_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.legend, self.selection = LegendPage(self), SelectionPage(self)
        self.undo = LinkButton("", self, symbol="ph.arrow-counter-clockwise")
        self.undo.setToolTip("Take the last change back (Ctrl+Z)")
        self.undo.clicked.connect(lambda _checked=False: self.undo_asked.emit())
        self.undo.setMinimumWidth(10)
        self.pages = QStackedWidget(self)
        for page in (self.legend, self.selection):
            self.pages.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.pages, 1)
        column.addWidget(self.undo)
        self.setFixedWidth(WIDTH_PX)
        self.show_undo("")

    def give_room(self, whole_px: int) -> None:
        """Take less room beside a narrow plane, and none where only a legend would stand."""
        least = whole_px < NARROWEST_PX and self.pages.currentWidget() is self.legend
        self.setVisible(not least)
        self.setFixedWidth(WIDTH_PX if whole_px >= NARROW_PX else NARROW_WIDTH_PX)

    def show_selection(self, shown: bool) -> None:
        """Show the selection, or the legend."""
        self.pages.setCurrentWidget(self.selection if shown else self.legend)

    def show_undo(self, words: str) -> None:
        """Offer to take a change back, told in words; empty offers nothing."""
        room = self.width() - 30
        metrics = QFontMetrics(self.undo.font())
        text = metrics.elidedText(f"Undo {words}", Qt.TextElideMode.ElideRight, room)
        self.undo.setText(text)
        self.undo.setToolTip(f"Undo {words} (Ctrl+Z)")
        self.undo.setVisible(bool(words))


def _menu(parent: QWidget, entries: Sequence[tuple[str, Callable[[], object]]]) -> QMenu:
    menu = QMenu(parent)
    for words, act in entries:
        menu.addAction(words).triggered.connect(lambda _checked=False, act=act: act())
    return menu


def _scrolled(inner: QWidget) -> QScrollArea:
    body = QWidget()
    mark(body, "body")
    column = QVBoxLayout(body)
    column.setContentsMargins(0, 0, 6, 0)
    column.addWidget(inner)
    column.addStretch(1)
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(ROW_PX)
    area.setWidget(body)
    return area
