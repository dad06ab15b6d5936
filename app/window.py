"""The panels of Longtail in a napari viewer: one session a viewer, shared by all its panels.

In a plain napari the four functions give ordinary dock widgets and hide nothing; `frame.py`
builds the window of our own out of the same panels.
"""

import weakref
from typing import TYPE_CHECKING

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtCore import QCoreApplication, QEvent, QObject
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from .actions import ProjectActions
from .keys import KEY_TABLE
from .leaving import CloseGuard
from .panels.cases import CasesPanel
from .panels.label import LabelPanel
from .panels.results import ResultsPanel
from .panels.session_bar import SessionBar
from .panels.train import TrainPanel
from .room import Room, new_backend
from .session import Notice
from .widgets.key_sheet import KeySheet

if TYPE_CHECKING:
    from napari import Viewer

    from .panels.review import ReviewPanel
    from .panels.review_maps import MapsPage

__all__ = [
    "Room",
    "cases_widget",
    "doctor_widget",
    "embedding_widget",
    "label_widget",
    "maps_widget",
    "new_backend",
    "radiomics_widget",
    "results_widget",
    "review_widget",
    "room_of",
    "train_widget",
]

LEAST_WIDTH_PX = 280
"""What a page needs so as not to scroll sideways; napari's docks would be narrower."""

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
        room.session.project_changed.connect(room.session.show_first_case)
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


class _Guide(QObject):
    """Leads from a panel to another one that is docked in the same window."""

    def __init__(
        self, panel: "TrainPanel | ResultsPanel | ReviewPanel | MapsPage", room: Room
    ) -> None:
        super().__init__(panel)
        self._panel, self._session = panel, room.session
        panel.panel_asked.connect(self.open)

    def open(self, name: str) -> None:
        """Bring the panel `name` to the front, or say where it can be opened."""
        for dock in self._panel.window().findChildren(QDockWidget):
            if dock.windowTitle().partition(" (")[0] == name:
                dock.show()
                dock.raise_()
                return
        self._session.notify(f"Open the panel {name} under Plugins, Longtail.")


def _docked(panel: QWidget, room: Room) -> QWidget:
    panel.setMinimumWidth(LEAST_WIDTH_PX)
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
    panel = TrainPanel(room.session, room.canvas.fold)
    _Guide(panel, room)
    room.threads.append(panel)
    return _docked(panel, room)


def results_widget(viewer: "Viewer") -> QWidget:
    """Make the Results panel for a plain napari."""
    room = room_of(viewer)
    panel = ResultsPanel(room.session, room.canvas)
    _Guide(panel, room)
    room.threads.append(panel)
    return _docked(panel, room)


def review_widget(viewer: "Viewer") -> QWidget:
    """Make the Review panel for a plain napari."""
    from .panels.review import ReviewPanel

    room = room_of(viewer)
    panel = ReviewPanel(room.session, room.canvas)
    _Guide(panel, room)
    room.threads.append(panel)
    return _docked(panel, room)


def maps_widget(viewer: "Viewer") -> QWidget:
    """Make the page of heat maps for a plain napari."""
    from .bottom import lone_page
    from .panels.review_maps import MapsPage

    room = room_of(viewer)
    panel = MapsPage(room.session)
    _Guide(panel, room)
    room.threads.append(panel)
    return _docked(lone_page(panel, "Heat maps"), room)


def radiomics_widget(viewer: "Viewer") -> QWidget:
    """Make the Radiomics panel for a plain napari."""
    from .bottom import lone_page
    from .panels.radiomics import RadiomicsPanel

    room = room_of(viewer)
    panel = RadiomicsPanel(room.session, room.canvas)
    room.threads.append(panel)
    return _docked(lone_page(panel, "Radiomics"), room)


def embedding_widget(viewer: "Viewer") -> QWidget:
    """Make the Embedding panel for a plain napari."""
    from .bottom import lone_page
    from .canvas_place import Places
    from .panels.embedding import EmbeddingPanel

    room = room_of(viewer)
    panel = EmbeddingPanel(room.session, Places(room.canvas).go)
    room.session.alike_asked.connect(panel.show_alike)
    room.threads.append(panel)
    return _docked(lone_page(panel, "Embedding"), room)


def doctor_widget(viewer: "Viewer") -> QWidget:
    """Make the Doctor panel for a plain napari."""
    from .bottom import lone_page
    from .panels.doctor import DoctorPanel

    room = room_of(viewer)
    panel = DoctorPanel(room.session)
    room.session.cases_imported.connect(panel.examine_soon)
    room.threads.append(panel)
    return _docked(lone_page(panel, "Doctor"), room)
