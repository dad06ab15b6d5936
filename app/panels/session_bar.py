"""The bar along the top: project, what is labelled, the running job, the device."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QColor, QMouseEvent, QPaintEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...core.backend.events import Metric, Progress
from ...core.project.records import Status, Task
from ..theme import BLUE, GREEN, RED, TAIL, look
from ..widgets.basic import ElidedLabel, IconButton, TextLabel, mark
from ..widgets.dress import dress, icon
from ..widgets.paint import painting
from .train_words import clock, plural

if TYPE_CHECKING:
    from ..session import Session
    from ..tracked import TrackedJob

HEIGHT_PX = 40
TICK_MS = 500
_STATUSES = tuple(Status)
_DOING = {"queued": "queued", "paused": "paused", "stopping": "stopping"}


def summary(session: "Session") -> str:
    """Say how many cases there are and what a person has done with them."""
    if session.project is None or session.catalogue is None:
        return ""
    counts = {s: int((session.catalogue.status == i).sum()) for i, s in enumerate(_STATUSES)}
    total = sum(counts.values())
    noun = "scan" if session.project.task is Task.SEGMENTATION else "image"
    boxed = int(session.catalogue.boxed.sum())
    boxes = [f"{boxed:,} with boxes"] if boxed else []
    if total and counts[Status.REVIEWED] == total:
        return " · ".join([plural(total, noun), "all labelled", *boxes])
    parts = [plural(total, noun)]
    for status, word in ((Status.REVIEWED, "reviewed"), (Status.DRAFT, "draft")):
        if counts[status]:
            parts.append(f"{counts[status]:,} {word}")
    if len(parts) == 1 and total:
        parts.append("none labelled yet")
    parts += boxes
    if not session.project.writable:
        parts.append("read only")
    return " · ".join(parts)


class Dot(QWidget):
    """A disc that says at a glance how the device is; the word beside it says it too."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = GREEN
        self.setFixedSize(QSize(12, 16))

    def set_colour(self, colour: str) -> None:
        """Change the colour."""
        self._colour = colour
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the disc."""
        with painting(self) as painter:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(self._colour))
            painter.drawEllipse(QPointF(6, 8), 5, 5)


class JobStrip(QWidget):
    """The running job: its name, how far it is, the time left; a click leads to it."""

    clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = ElidedLabel("", self, kind="quiet")
        self.title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.title.setMaximumWidth(260)
        self.bar = QProgressBar(self)
        self.bar.setFixedWidth(140)
        self.bar.setTextVisible(False)
        self.left = TextLabel("", self)
        mark(self.left, "quiet")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        for part in (self.title, self.bar, self.left):
            row.addWidget(part)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell that it was clicked."""
        self.clicked.emit()

    def show_job(self, job: "TrackedJob") -> None:
        """Show how far a job is."""
        self.title.setText(job.title)
        share = job.share
        self.bar.setRange(0, 0 if share is None else 1000)
        if share is not None:
            self.bar.setValue(round(share * 1000))
        left = clock(job.eta_s)
        doing = job.progress.what if job.progress else ""
        self.left.setText(_DOING.get(job.state) or (f"{left} left" if left else doing))
        self.setToolTip(f"{job.title}: {self.left.text()}. Click to see it.")
        self.setAccessibleName(self.toolTip())


class SessionBar(QWidget):
    """Project, what is labelled, the running job with its time left, one dot for the device.

    Parameters
    ----------
    session
        What to show.
    menu
        Fills the menu that opens from the project's name.
    narrow
        Stand in two rows, as at the head of Cases in a plain napari.
    """

    job_clicked = Signal()
    help_asked = Signal()

    def __init__(
        self,
        session: "Session",
        menu: Callable[[QMenu], None] | None = None,
        parent: QWidget | None = None,
        *,
        narrow: bool = False,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._menu = menu
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._make_parts()
        if narrow:
            self._lay_out_narrow()
        else:
            self._lay_out()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.show_job)
        self._listen()
        dress(self)
        self.show_project()
        self.show_job()

    def _make_parts(self) -> None:
        self.logo = QLabel(self)
        self.name = TextLabel("Longtail", self)
        mark(self.name, "title")
        self.menu_button = IconButton("ph.caret-down", "Open, new, import, close", self)
        self.menu_button.clicked.connect(self.open_menu)
        self.counts = ElidedLabel("", self, mode=Qt.TextElideMode.ElideRight, kind="quiet")
        self.job = JobStrip(self)
        self.job.clicked.connect(self.job_clicked)
        self.dot, self.device = Dot(self), TextLabel("", self)
        self.help = IconButton("ph.question", "All keys on one sheet", self, key="?")
        self.help.clicked.connect(lambda _checked=False: self.help_asked.emit())
        self.wear_icon()

    def _lay_out(self) -> None:
        self.setFixedHeight(HEIGHT_PX)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.logo)
        row.addSpacing(12)
        row.addWidget(self.name)
        row.addWidget(self.menu_button)
        row.addSpacing(4)
        row.addWidget(self.counts, 1)
        row.addWidget(self.job)
        row.addSpacing(16)
        row.addWidget(self.dot)
        row.addWidget(self.device)
        row.addSpacing(8)
        row.addWidget(self.help)

    def _lay_out_narrow(self) -> None:
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for part in (self.logo, self.name, self.menu_button):
            upper.addWidget(part)
        upper.addStretch(1)
        for part in (self.dot, self.device, self.help):
            upper.addWidget(part)
        lower.addWidget(self.counts, 1)
        lower.addWidget(self.job)
        self.job.bar.setFixedWidth(60)
        self.job.title.setMaximumWidth(70)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 4)
        column.setSpacing(2)
        column.addLayout(upper)
        column.addLayout(lower)

    def _listen(self) -> None:
        session = self._session
        for signal in (session.project_changed, session.catalogue_changed):
            signal.connect(self.show_project)
        for signal in (session.job_started, session.job_event, session.job_finished):
            signal.connect(self._job_moved)

    def wear_icon(self) -> None:
        """Draw the mark of the application."""
        self.logo.setPixmap(icon("ph.chart-bar", TAIL).pixmap(18, 18))

    def show_project(self) -> None:
        """Show which project is open and what is labelled in it."""
        project = self._session.project
        self.name.setText(project.name if project else "Longtail")
        self.name.setToolTip(str(project.path) if project else "")
        self.counts.setText(summary(self._session))
        if project is not None and not project.writable:
            holder = project.lock_holder
            self.counts.setToolTip(
                f"Open read only: {holder} works on it." if holder else "Open read only."
            )
        self.menu_button.setVisible(self._menu is not None)

    def show_busy(self, words: str) -> None:
        """Say what is being done, in place of the counts; empty shows them again."""
        self.counts.setText(words or summary(self._session))

    def open_menu(self) -> None:
        """Open the menu under the project's name."""
        if self._menu is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._menu(menu)
        menu.popup(self.mapToGlobal(self.name.geometry().bottomLeft()))

    def current_job(self) -> "TrackedJob | None":
        """Give the job to show: the training, else what was submitted last."""
        if self._session.training is not None:
            return self._session.training
        going = [job for job in self._session.jobs if job.finished is None]
        return going[-1] if going else None

    def show_job(self) -> None:
        """Show the running job and what the device does."""
        job = self.current_job()
        self.job.setVisible(job is not None)
        device = (job.device if job else "") or self._session.backend.device_label()
        if job is None:
            self._tick.stop()
            self._show_device(device, *self._idle())
            return
        self._tick.start()
        self.job.show_job(job)
        doing = _DOING.get(job.state) or ("training" if job.is_training else "working")
        self._show_device(device, doing, look().tokens.quiet if job.state == "paused" else BLUE)

    def _idle(self) -> tuple[str, str]:
        ended = [job.finished for job in self._session.jobs if job.finished is not None]
        if ended and ended[-1].outcome.value == "failed":
            return "failed", RED
        return "idle", GREEN

    def _show_device(self, device: str, word: str, colour: str) -> None:
        self.device.setText(f"{device} · {word}" if device else word)
        self.device.setAccessibleName(f"Device: {self.device.text()}")
        self.dot.set_colour(colour)

    def _job_moved(self, _job: "TrackedJob", event: object = None) -> None:
        # Progress comes many times a second; the clock shows it often enough.
        if not (isinstance(event, Progress | Metric) and self._tick.isActive()):
            self.show_job()
