"""The window of our own: our panels around the image, napari's own docks one key away."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from napari.qt import get_qapp
from napari.utils.notifications import NotificationSeverity, notification_manager
from qtpy.QtCore import QObject, QTimer
from qtpy.QtGui import QAction, QKeySequence, QShortcut
from qtpy.QtWidgets import QDockWidget, QMenu, QWidget

from ..core.backend.events import Finished, Outcome
from . import napari_window
from .actions import ProjectActions
from .bottom import KEY as BOTTOM_KEY
from .bottom import Bottom
from .leaving import CloseGuard
from .napari_window import Centre, LowDock
from .panels.cases import CasesPanel
from .panels.session_bar import HEIGHT_PX, SessionBar
from .panels.task_tabs import TaskTabs
from .panels.welcome import WelcomePanel
from .room import Room
from .session import Notice, Session
from .settings import recents, store
from .tracked import TrackedJob
from .widgets.dress import install_font
from .widgets.key_sheet import KeySheet
from .widgets.toast import ToastStack

if TYPE_CHECKING:
    from napari import Viewer

LEFT_PX, RIGHT_PX = 280, 310
WIDE_FROM_PX = 1600
WIDE_LEFT_PX, WIDE_RIGHT_PX = 330, 360
BOTH_FROM_PX = 1000
"""The least height of a window in which Cases and napari's layer docks stand together."""
WARM_UP_MS = 1500
FIRST_SIZE = (1366, 768)


def wear_font() -> None:
    """Give the whole application the window's one family; call before the viewer is made."""
    application = get_qapp()
    family = install_font()
    if family:
        font = application.font()
        font.setFamily(family)
        application.setFont(font)


class Frame(QObject):
    """Builds the window around a viewer that is not shown yet."""

    def __init__(self, viewer: "Viewer", room: Room) -> None:
        super().__init__()
        self.viewer, self.room = viewer, room
        session = room.session
        self.cases = CasesPanel(session)
        self.tabs = TaskTabs()
        self.bottom = Bottom()
        self._cases_px = LEFT_PX
        self.bar = SessionBar(session, self._fill_menu)
        self.docks = self._dock(viewer)
        self.window = napari_window.main_window(self.bar)
        self.actions = ProjectActions(session, self.window)
        room.threads += [self.cases, self.actions, self.bottom]
        self.welcome = WelcomePanel()
        self.centre = Centre(self.window, self.welcome)
        self.toasts = ToastStack(self.window)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._arrange()
        self._connect(session)
        CloseGuard(self.window, session, self._close)
        self._show_project()

    # --- building ---

    def _fill_menu(self, menu: QMenu) -> None:
        self.actions.fill_menu(menu)
        if self.room.session.project is not None:
            review = QAction("Review what deserves a look", menu)
            review.triggered.connect(lambda _checked=False: self.open_panel("Review"))
            menu.insertAction(menu.actions()[-1], review)

    def _dock(self, viewer: "Viewer") -> dict[str, QDockWidget]:
        """Dock our panels; a dock is asked of its panel, since plugins are handed proxies of it."""
        docks = {}
        for widget, name, area in (
            (self.bar, "Session", "top"),
            (self.cases, "Cases", "left"),
            (self.tabs, "Work", "right"),
            (self.bottom, "Bottom", "bottom"),
        ):
            viewer.window.add_dock_widget(widget, name=name, area=area, add_vertical_stretch=False)
            docks[name] = napari_window.dock_of(widget)
        return docks

    def _arrange(self) -> None:
        napari_window.without_title(self.docks["Session"], fixed_height=HEIGHT_PX)
        for name in ("Cases", "Work"):
            napari_window.without_title(self.docks[name])
        napari_window.give_sides_the_corners(self.window)
        self.low = LowDock(self.window, self.docks["Bottom"])
        self.bottom.shown_asked.connect(self._show_bottom)
        napari_window.add_to_window_menu(self.window, self._fill_window_menu)
        napari_window.PlainSeparators(self.window)
        napari_window.show_layer_docks(self.window, False)
        menu = napari_window.add_menu(self.window, "&Project")
        menu.aboutToShow.connect(partial(self._refill, menu))
        for keys, act in (
            ("Ctrl+L", self.toggle_layers),
            (BOTTOM_KEY, self.toggle_bottom),
            ("?", self.show_keys),
        ):
            shortcut = QShortcut(QKeySequence(keys), self.window)
            shortcut.activated.connect(act)

    def _furnish(self) -> None:
        """Make the panels of the work for the first project.

        They and what they stand on are loaded now, so that the welcome opens as fast as napari.
        """
        if self.tabs.count():
            return
        from .panels.label import LabelPanel
        from .panels.results import ResultsPanel
        from .panels.review import ReviewPanel
        from .panels.train import TrainPanel

        session, canvas = self.room.session, self.room.canvas
        train, results = TrainPanel(session, canvas.fold), ResultsPanel(session, canvas)
        review = ReviewPanel(session, canvas)
        self.room.threads.append(review)
        for panel in (train, results, review):
            panel.panel_asked.connect(self.open_panel)
        label = LabelPanel(session, canvas)
        self.tabs.fill({"Label": label, "Train": train, "Results": results, "Review": review})
        self.bottom.add_page("embedding", "Embedding", self._make_embedding, "ph.circles-three")
        self.bottom.add_page("maps", "Heat maps", self._make_maps, "ph.squares-four")
        self.bottom.add_page("runs", "Runs", self._make_runs, "ph.rows")
        self.bottom.add_page("radiomics", "Radiomics", self._make_radiomics, "ph.ruler")
        self.bottom.add_page("doctor", "Doctor", self._make_doctor, "ph.first-aid-kit")

    def _make_radiomics(self) -> QWidget:
        from .panels.radiomics import RadiomicsPanel

        return RadiomicsPanel(self.room.session, self.room.canvas)

    def _make_embedding(self) -> QWidget:
        from .canvas_place import Places
        from .panels.embedding import EmbeddingPanel

        return EmbeddingPanel(self.room.session, Places(self.room.canvas).go)

    def _make_doctor(self) -> QWidget:
        from .panels.doctor import DoctorPanel

        return DoctorPanel(self.room.session)

    def _examine(self) -> None:
        """Look through what has just been imported."""
        self.bottom.show_page("doctor").examine_soon()

    def _make_maps(self) -> QWidget:
        from .panels.review_maps import MapsPage

        page = MapsPage(self.room.session)
        page.panel_asked.connect(self.open_panel)
        return page

    def _make_runs(self) -> QWidget:
        from .canvas_place import Places
        from .panels.runs_page import RunsPage

        page = RunsPage(self.room.session, Places(self.room.canvas).go)
        page.train_asked.connect(partial(self.open_panel, "Train"))
        return page

    def _show_alike(self, case_ids: tuple[str, ...]) -> None:
        self.bottom.show_page("embedding").show_alike(case_ids)

    def _refill(self, menu: QMenu) -> None:
        menu.clear()
        self._fill_menu(menu)

    def _connect(self, session: Session) -> None:
        session.project_about_to_change.connect(self._furnish)
        session.project_changed.connect(self._show_project)
        session.notice.connect(self._show_notice)
        session.job_finished.connect(self._job_ended)
        session.alike_asked.connect(self._show_alike)
        session.cases_imported.connect(self._examine)
        self._rest.timeout.connect(session.backend.warm_up)
        self.actions.busy.connect(self.bar.show_busy)
        self.bar.job_clicked.connect(partial(self.tabs.open, "Train"))
        self.bar.help_asked.connect(self.show_keys)
        for asker in (self.cases, self.welcome):
            asker.open_asked.connect(self.actions.open)
            asker.new_asked.connect(self.actions.new)
        self.cases.import_asked.connect(self.actions.import_more)
        self.welcome.sample_asked.connect(self.actions.sample)
        self.welcome.recent_asked.connect(lambda path: self.actions.open_path(Path(path)))
        self.welcome.locate_asked.connect(self.actions.locate)
        self.welcome.dropped.connect(lambda path: self.actions.open_path(Path(path)))
        notification_manager.notification_ready.connect(self._napari_said)
        self.viewer.events.help.connect(self._keep_status_short)

    # --- showing ---

    def show(self) -> None:
        """Show the window at the size that it had, and get the compute process ready."""
        self.viewer.window.show()
        settings = store()
        geometry = settings.value("window/geometry")
        if geometry is None or not self.window.restoreGeometry(geometry):
            room = napari_window.screen_size(self.window)
            width, height = FIRST_SIZE
            self.window.resize(min(width, room.width()), min(height, room.height()))
        self._set_widths()
        self.tabs.open(str(settings.value("window/tab", "Label")))
        self._rest.start(WARM_UP_MS)

    def open_first(self, project: Path | None) -> None:
        """Open the project that was asked for, else the one that was open last."""
        if project is not None:
            self.actions.open_path(project)
            return
        last = str(store().value("window/project", ""))
        if last and (Path(last) / "project.db").is_file():
            self.actions.open_path(Path(last))

    def _set_widths(self) -> None:
        wide = self.window.width() >= WIDE_FROM_PX
        settings = store()
        kind = "wide" if wide else "narrow"
        left = WIDE_LEFT_PX if wide else LEFT_PX
        right = WIDE_RIGHT_PX if wide else RIGHT_PX
        widths = [
            int(settings.value(f"window/{kind}/left", left)),
            int(settings.value(f"window/{kind}/right", right)),
        ]
        napari_window.set_widths(self.window, [self.docks["Cases"], self.docks["Work"]], widths)

    def _show_project(self) -> None:
        project = self.room.session.project
        self.docks["Work"].setVisible(project is not None)
        self.low.show_at(project is not None and self.bottom.asked, self.bottom.sizeHint().height())
        self.centre.show_page(project is None)
        self.viewer.title = f"{project.name} · Longtail" if project else "Longtail"
        if project is None:
            self.welcome.show_recent(recents())
        else:
            self.room.session.show_first_case()

    def _job_ended(self, job: TrackedJob, finished: Finished) -> None:
        """Tell of a training's end where the user is looking at something else."""
        if not job.is_training or self.tabs.current() == "Train" or finished.result is None:
            return
        if finished.outcome in (Outcome.COMPLETED, Outcome.STOPPED):
            see = ("See what came of it", partial(self.tabs.open, "Train"))
            self.toasts.show_notice(f"{job.title} is ready.", "good", see)

    def _show_notice(self, notice: Notice) -> None:
        self.toasts.show_notice(notice.text, notice.severity, notice.action)

    def _napari_said(self, notification: object) -> None:
        """Show what napari reports while its canvas, where it would appear, is hidden."""
        severity = getattr(notification, "severity", NotificationSeverity.INFO)
        if self.centre.image.isVisible() or severity < NotificationSeverity.WARNING:
            return
        self.toasts.show_notice(str(getattr(notification, "message", "")), "error")

    def _keep_status_short(self, event: object = None) -> None:
        """Leave napari's list of tool keys out of the status bar: ours are on the sheet."""
        if self.viewer.help:
            self.viewer.help = ""

    def toggle_layers(self) -> None:
        """Show napari's layer list and controls, in place of Cases where there is no room."""
        docks = napari_window.layer_docks(self.window)
        shown = not any(dock.isVisible() for dock in docks)
        # What goes, goes first: docks that stand together for a moment make the window grow.
        cases = self.docks["Cases"]
        if shown and self.window.height() < BOTH_FROM_PX:
            self._cases_px = cases.width()
            cases.hide()
        napari_window.show_layer_docks(self.window, shown)
        if not shown and cases.isHidden():
            cases.show()
            napari_window.set_widths(self.window, [cases], [self._cases_px])

    def toggle_bottom(self) -> None:
        """Show or hide the panel under the image; there is none without a project."""
        if self.room.session.project is not None:
            self.bottom.toggle()

    def _show_bottom(self, shown: bool, height: int) -> None:
        self.low.show_at(shown and self.room.session.project is not None, height)

    def _fill_window_menu(self, menu: QMenu) -> None:
        if self.room.session.project is not None:
            self.bottom.fill_menu(menu)

    def open_panel(self, name: str) -> None:
        """Go to Label, Train, Results, Cases, or to a page at the bottom by its title."""
        low = {title: page for page, title in self.bottom.titles().items()}
        if name == "Cases":
            self.cases.list.setFocus()
        elif name in low:
            self.bottom.show_page(low[name])
        else:
            self.tabs.open(name)

    def show_keys(self) -> None:
        """Show all keys on one sheet."""
        from .keys import KEY_TABLE

        KeySheet(KEY_TABLE, self.window).open()

    # --- leaving ---

    def _close(self, leave_running: bool) -> None:
        self._rest.stop()
        self._remember()
        notification_manager.notification_ready.disconnect(self._napari_said)
        self.viewer.events.help.disconnect(self._keep_status_short)
        self.room.close(leave_running)

    def _remember(self) -> None:
        project = self.room.session.project
        settings = store()
        kind = "wide" if self.window.width() >= WIDE_FROM_PX else "narrow"
        settings.setValue("window/geometry", self.window.saveGeometry())
        settings.setValue(f"window/{kind}/left", self.docks["Cases"].width())
        if project is not None:
            settings.setValue(f"window/{kind}/right", self.docks["Work"].width())
        settings.setValue("window/tab", self.tabs.current())
        self.bottom.remember()
        settings.setValue("window/project", str(project.path) if project else "")
        settings.sync()
