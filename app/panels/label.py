"""The Label panel: volumes are drawn on, images are given classes."""

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ...core.project.records import Task
from ..canvas import Canvas
from ..session import Session
from ..widgets import EmptyState, GhostButton, dress
from .label_image import ImagePage
from .label_volume import VolumePage

TICK_MS = 1000
# A scan that opens at once shall not flicker; one that takes longer says so.
WORDS_AFTER_MS = 700


class LabelPanel(QWidget):
    """Switches between the pages, and says what there is to do where there is nothing to label."""

    def __init__(self, session: Session, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._canvas = session, canvas
        self.volumes, self.images = VolumePage(session, canvas), ImagePage(session, canvas)
        self.nothing = EmptyState(
            "ph.stack", "No case chosen", "Choose one in the list of cases, or press Page Down."
        )
        self.waiting = EmptyState("ph.hourglass", "Opening", "")
        self.failed = EmptyState("ph.warning-circle", "This case cannot be shown", "")
        self.skip = GhostButton("Next case", self.failed, tip="Page Down")
        self.again = GhostButton("Try again", self.failed)
        self.stack = QStackedWidget(self)
        self._build()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._show_saved)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self._show_waiting)
        self._connect(True)
        canvas.keep(self._Ending(self))
        dress(self)
        self._use_project()

    class _Ending:
        """Closes the panel's threads with the canvas; the panel itself is Qt's to delete."""

        def __init__(self, panel: "LabelPanel") -> None:
            self._panel = panel

        def close(self) -> None:
            self._panel.stop()

    def _build(self) -> None:
        for page in (self.volumes, self.images, self.nothing, self.waiting, self.failed):
            self.stack.addWidget(page)
        for button in (self.again, self.skip):
            self.failed.layout().addWidget(button)
        self.failed.layout().addStretch(1)
        self.skip.clicked.connect(lambda _checked=False: self._session.next_case())
        self.again.clicked.connect(lambda _checked=False: self._canvas.show_case())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)

    def stop(self) -> None:
        """Follow nothing more."""
        self._tick.stop()
        self._late.stop()
        self._connect(False)
        self.images.close_threads()

    def _connect(self, on: bool) -> None:
        session, canvas = self._session, self._canvas
        pairs = (
            (session.project_changed, self._use_project),
            (session.classes_changed, self._show),
            (session.labels_changed, self._show),
            (canvas.changed, self._show),
            (canvas.strokes.changed, self._show_strokes),
            (canvas.answers.changed, self._show_answers),
        )
        for signal, slot in pairs:
            if on:
                signal.connect(slot)
            else:
                signal.disconnect(slot)

    # --- showing ---

    @property
    def _page(self) -> VolumePage | ImagePage:
        project = self._session.project
        if project is not None and project.task is not Task.SEGMENTATION:
            return self.images
        return self.volumes

    def _use_project(self) -> None:
        self.images.use_project()
        self._show()

    def _show(self) -> None:
        state = self._canvas.state
        if self._session.project is None or state == "empty":
            self._turn_to(self.nothing)
            return
        if state == "failed":
            self.failed.text.setText(self._canvas.trouble)
            self._turn_to(self.failed)
            return
        self._page.show_state()
        if state == "shown":
            self._late.stop()
            self._turn_to(self._page)
        elif not self._late.isActive():
            self._late.start(WORDS_AFTER_MS)

    def _show_waiting(self) -> None:
        case = self._session.case
        if self._canvas.state == "reading" and case is not None:
            self.waiting.title.setText(f"Opening {case.id.rpartition('/')[2]}")
            self.waiting.text.setText("Reading the file. Other cases can be chosen meanwhile.")
            self._turn_to(self.waiting)

    def _turn_to(self, page: QWidget) -> None:
        if self.stack.currentWidget() is not page:
            self.stack.setCurrentWidget(page)
        labelling = page in (self.volumes, self.images)
        if labelling and not self._tick.isActive():
            self._tick.start()
        elif not labelling:
            self._tick.stop()

    def _show_strokes(self) -> None:
        if self._page is self.volumes:
            self.volumes.show_rows()
            self.volumes.show_saved()

    def _show_answers(self) -> None:
        if self._page is self.images:
            self.images.show_rows()
            self.images.show_last()

    def _show_saved(self) -> None:
        if self.isVisible():
            self._page.show_saved()
