"""The panels of Longtail in a napari viewer: one session a viewer, shared by all its panels.

In a plain napari the four functions give ordinary dock widgets and hide nothing; `frame.py`
builds the window of our own out of the same panels.
"""

import weakref
from typing import TYPE_CHECKING

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtCore import QCoreApplication, QEvent, QObject
from qtpy.QtWidgets import QMainWindow, QWidget

from .actions import ProjectActions
from .background import Errands
from .canvas import Canvas
from .drive import QtDriver
from .keys import KEY_TABLE, bind_keys
from .leaving import CloseGuard
from .panels.cases import CasesPanel
from .panels.label import LabelPanel
from .panels.results import ResultsPanel
from .panels.session_bar import SessionBar
from .panels.train import TrainPanel
from .session import BackendFace, Notice, Session
from .theme import look
from .widgets.key_sheet import KeySheet

if TYPE_CHECKING:
    from napari import Viewer

PRELOAD = ("longtail.core.training.engine", "longtail.core.predict.segment")
"""What the compute process imports while it is idle, so that the first job does not wait."""


def new_backend() -> BackendFace:
    """Give the backend of a window: one process beside it, which alone imports torch."""
    from ..core.backend.client import ProcessBackend

    return ProcessBackend(window_open=True, preload=PRELOAD)


class Room:
    """What the panels of one viewer share: the session and the canvas."""

    def __init__(self, viewer: "Viewer", backend: BackendFace | None = None) -> None:
        self._viewer = weakref.ref(viewer)
        self.driver = QtDriver()
        self.errands = Errands(1, "longtail catalogue")
        self.session = Session(backend or new_backend(), self.driver, aside=self.errands.ask)
        self.canvas = Canvas(viewer, self.session)
        self.closed = self.guarded = False
        bind_keys(viewer, self.session, self.canvas)
        look().wear(viewer.theme)
        viewer.events.theme.connect(self._wear)
        self.threads: list[CasesPanel | ProjectActions] = []

    def _wear(self, event: object = None) -> None:
        viewer = self._viewer()
        if viewer is not None:
            look().wear(viewer.theme)

    def close(self, leave_running: bool = False) -> None:
        """Save what is not saved and end; with `leave_running` the job goes on alone."""
        if self.closed:
            return
        self.closed = True
        viewer = self._viewer()
        if viewer is not None:
            viewer.events.theme.disconnect(self._wear)
            _ROOMS.pop(viewer, None)
        self.canvas.close()
        for owner in self.threads:
            owner.close_threads()
        self.session.close(leave_running)
        self.errands.close()


_ROOMS: "weakref.WeakKeyDictionary[Viewer, Room]" = weakref.WeakKeyDictionary()


def room_of(viewer: "Viewer") -> Room:
    """Give the room of a viewer; it is made for the first panel that asks.

    napari may hand a proxy of the viewer to a plugin; the room belongs to the viewer itself.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    room = _ROOMS.get(viewer)
    if room is None or room.closed:
        room = Room(viewer)
        _ROOMS[viewer] = room
        room.session.notice.connect(_tell_napari)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(room.close)
    return room


class _WhenDocked(QObject):
    """Sees that the room is closed with the window that one of its panels was docked in."""

    def __init__(self, panel: QWidget, room: Room) -> None:
        super().__init__(panel)
        self._panel, self._room = panel, room
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Guard the window when the panel is first shown in it."""
        window = self._panel.window()
        if event.type() == QEvent.Type.Show and isinstance(window, QMainWindow):
            if not self._room.guarded:
                self._room.guarded = True
                CloseGuard(window, self._room.session, self._room.close)
            self._panel.removeEventFilter(self)
        return False


def _docked(panel: QWidget, room: Room) -> QWidget:
    _WhenDocked(panel, room)
    return panel


def _tell_napari(notice: Notice) -> None:
    actions = (notice.action,) if notice.action else ()
    notification_manager.dispatch(Notification(notice.text, notice.severity, actions))


def cases_widget(viewer: "Viewer") -> QWidget:
    """Make the Cases panel, headed by the session bar, for a plain napari."""
    room = room_of(viewer)
    panel = CasesPanel(room.session)
    actions = ProjectActions(room.session, panel)
    bar = SessionBar(room.session, actions.fill_menu, narrow=True)
    bar.help_asked.connect(lambda: KeySheet(KEY_TABLE, panel).open())
    actions.busy.connect(bar.show_busy)
    panel.set_head(bar)
    room.threads += [panel, actions]
    _docked(panel, room)
    panel.open_asked.connect(actions.open)
    panel.new_asked.connect(actions.new)
    panel.import_asked.connect(actions.import_more)
    return panel


def label_widget(viewer: "Viewer") -> QWidget:
    """Make the Label panel for a plain napari."""
    room = room_of(viewer)
    return _docked(LabelPanel(room.session, room.canvas), room)


def train_widget(viewer: "Viewer") -> QWidget:
    """Make the Train panel for a plain napari."""
    room = room_of(viewer)
    return _docked(TrainPanel(room.session, room.canvas.fold), room)


def results_widget(viewer: "Viewer") -> QWidget:
    """Make the Results panel for a plain napari."""
    room = room_of(viewer)
    return _docked(ResultsPanel(room.session, room.canvas), room)
