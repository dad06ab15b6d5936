"""What stands in place of the plane: an invitation, work under way, or why it failed."""

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from ...core.backend.events import Progress
from ..widgets.basic import GhostButton, PrimaryButton, QuietLabel, TextLabel, TitleLabel
from .train_words import duration

COLUMN_PX = 430


class Invitation(QWidget):
    """A title, a sentence, and the button that goes on; low enough for a low dock."""

    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.text = TitleLabel("", self), QuietLabel("", self)
        self.button = PrimaryButton("", self)
        self.button.clicked.connect(lambda _checked=False: self.asked.emit())
        column = _column(self)
        for label in (self.title, self.text):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setWordWrap(True)
            column.addWidget(label)
        column.addSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_words(self, title: str, text: str, button: str = "") -> None:
        """Say something; without words for it there is no button."""
        self.title.setText(title)
        self.text.setText(text)
        self.text.setVisible(bool(text))
        self.button.setText(button)
        self.button.setVisible(bool(button))


class Work(QWidget):
    """What is being done, how far it is, how long it takes, and the way to stop it."""

    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.words = TitleLabel("", self), TextLabel("", self)
        self.words.setProperty("longtail", "quiet")
        self.bar = QProgressBar(self)
        self.stop = GhostButton("Stop", self, tip="Stop; what was looked at is kept")
        self.stop.clicked.connect(lambda _checked=False: self.stop_asked.emit())
        column = _column(self)
        for label in (self.title, self.words):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.title)
        column.addSpacing(2)
        column.addWidget(self.bar)
        column.addWidget(self.words)
        column.addSpacing(4)
        column.addWidget(self.stop, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_progress(self, title: str, progress: Progress | None) -> None:
        """Show how far it is; None before anything is known."""
        self.title.setText(title)
        share, words = told(progress)
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(0 if share is None else round(1000 * share))
        self.words.setText(words)


class WorkStrip(QWidget):
    """The same in one line over a plane that is still shown."""

    stop_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = TextLabel("", self)
        self.words.setProperty("longtail", "quiet")
        self.bar = QProgressBar(self)
        self.bar.setMaximumWidth(220)
        self.stop = GhostButton("Stop", self, tip="Stop and keep the picture that is shown")
        self.stop.setProperty("longtail", "chip")
        self.stop.clicked.connect(lambda _checked=False: self.stop_asked.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.words)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop)
        row.addStretch(1)

    def show_progress(self, title: str, progress: Progress | None) -> None:
        """Show how far it is."""
        share, words = told(progress)
        self.words.setText(f"{title}: {words}" if progress is not None else f"{title} ...")
        self.bar.setRange(0, 0 if share is None else 1000)
        self.bar.setValue(0 if share is None else round(1000 * share))


def told(progress: Progress | None) -> tuple[float | None, str]:
    """Give the share that is done, None where it is not known, and the same in words."""
    if progress is None or progress.total <= 0:
        return None, "Getting ready: the first time this takes some ten seconds."
    share = min(max(progress.done / progress.total, 0.0), 1.0)
    left = "" if progress.eta_s is None else f" · {duration(progress.eta_s)} left"
    if progress.total == 100:
        return share, f"{share:.0%}{left}"
    return share, f"{progress.done:,.0f} of {progress.total:,.0f}{left}"


def _column(page: QWidget) -> QVBoxLayout:
    """Give a column in the middle of a page, no wider than a line is read."""
    inner = QWidget(page)
    inner.setMaximumWidth(COLUMN_PX)
    inner.setMinimumWidth(min(COLUMN_PX, 260))
    column = QVBoxLayout(inner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(6)
    row = QHBoxLayout(page)
    row.setContentsMargins(12, 4, 12, 4)
    row.addStretch(1)
    row.addWidget(inner, 4, Qt.AlignmentFlag.AlignVCenter)
    row.addStretch(1)
    return column
