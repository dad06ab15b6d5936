"""The page in the middle when no project is open: open, new, sample, recent."""

from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import QRectF, QSize, Qt, Signal, SignalInstance
from qtpy.QtGui import (
    QColor,
    QDragEnterEvent,
    QDropEvent,
    QFontMetrics,
    QPaintEvent,
)
from qtpy.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from ..settings import Recent
from ..theme import QUIET_PX, TEXT_PX, look
from ..widgets.basic import QuietLabel, SectionLabel, TextLabel, mark
from ..widgets.choice import BigChoice
from ..widgets.dress import dress
from ..widgets.paint import bar, painting, sized

WIDTH_PX = 460
ROW_PX = 28
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class RecentRow:
    """What a row of the recent list shows."""

    name: str
    words: str
    there: bool


class RecentButton(QAbstractButton):
    """A project that was open before: its name at the left, what it held at the right."""

    def __init__(self, row: RecentRow, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = row
        self.setText(row.name)
        self.setToolTip(tip)
        self.setAccessibleDescription(row.words)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """One height for all."""
        return QSize(WIDTH_PX, ROW_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the row."""
        with painting(self) as painter:
            t = look().tokens
            if self.underMouse() or self.hasFocus():
                bar(painter, QRectF(self.rect()), t.card, 4)
            font, quiet = sized(self.font(), TEXT_PX + 1), sized(self.font(), QUIET_PX)
            metrics = QFontMetrics(quiet)
            words = metrics.elidedText(
                self._row.words, Qt.TextElideMode.ElideRight, self.width() // 2
            )
            right = metrics.horizontalAdvance(words)
            painter.setFont(quiet)
            painter.setPen(QColor(t.quiet if self._row.there else t.link))
            area = QRectF(4, 0, self.width() - 8, self.height())
            painter.drawText(area, int(_MIDDLE | Qt.AlignmentFlag.AlignRight), words)
            painter.setFont(font)
            painter.setPen(QColor(t.text if self._row.there else t.quiet))
            room = max(self.width() - right - 28, 20)
            name = QFontMetrics(font).elidedText(self._row.name, Qt.TextElideMode.ElideMiddle, room)
            painter.drawText(area, int(_MIDDLE), name)


class WelcomePanel(QWidget):
    """Three ways to begin and the projects that were open before."""

    open_asked = Signal()
    new_asked = Signal()
    sample_asked = Signal()
    recent_asked = Signal(str)
    locate_asked = Signal(str)
    dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self.column = QVBoxLayout()
        self.column.setSpacing(10)
        self._head()
        self.open = self._choice(
            "ph.folder-open", "Open a project", "A folder that ends in .longtail", self.open_asked
        )
        self.new = self._choice(
            "ph.folder-plus",
            "New project from a folder",
            "NIfTI, DICOM, PNG, a table of labels, MSD, nnU-Net",
            self.new_asked,
        )
        self.sample = self._choice(
            "ph.play-circle",
            "Try the sample",
            "Four minutes, no download: label, train, inspect",
            self.sample_asked,
        )
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        self.column.addLayout(self._recent)
        self.note = QuietLabel("Research use only, not a medical device.", self)
        self.note.setContentsMargins(4, 12, 0, 0)
        self.column.addWidget(self.note)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 24, 24, 24)
        whole.addStretch(1)
        holder = QWidget(self)
        holder.setLayout(self.column)
        self.column.setContentsMargins(0, 0, 0, 0)
        holder.setMaximumWidth(WIDTH_PX)
        holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        whole.addWidget(holder, 0)
        whole.setAlignment(holder, Qt.AlignmentFlag.AlignHCenter)
        whole.addStretch(1)
        dress(self)

    def _head(self) -> None:
        title = TextLabel("Longtail", self)
        mark(title, "big")
        title.setContentsMargins(4, 0, 0, 0)
        line = QuietLabel("Train on what is rare. Label a few, learn from all.", self)
        line.setContentsMargins(4, 0, 0, 8)
        self.column.addWidget(title)
        self.column.addWidget(line)

    def _choice(self, symbol: str, title: str, line: str, told: SignalInstance) -> BigChoice:
        button = BigChoice(symbol, title, line, self)
        button.clicked.connect(lambda _checked=False: told.emit())
        self.column.addWidget(button)
        return button

    def show_recent(self, recents: list[Recent]) -> None:
        """List the projects that were open before."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if recents:
            head = SectionLabel("Recent", parent=self, line=False)
            head.setContentsMargins(4, 8, 0, 4)
            self._recent.addWidget(head)
        for recent in recents:
            self._recent.addWidget(self._row(recent))

    def _row(self, recent: Recent) -> RecentButton:
        there = recent.there
        words = recent.words() if there else "folder has moved · locate..."
        button = RecentButton(RecentRow(recent.name, words, there), recent.path, self)
        told = self.recent_asked if there else self.locate_asked
        button.clicked.connect(lambda _checked=False: told.emit(recent.path))
        return button

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take a folder."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Tell which folder or file was dropped."""
        paths = [url.toLocalFile() for url in event.mimeData().urls()]
        if paths and Path(paths[0]).exists():
            self.dropped.emit(paths[0])
