"""What can be done with projects from the window: open, new, sample, import, locate, close."""

import logging
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from ..core.errors import LongtailError
from ..core.project.records import Status, Task
from .background import Errands
from .diagnostics import diagnostics
from .loading import Loaded, load_project
from .panels.new_project import NewProjectDialog
from .session import Session
from .settings import Recent, recents, relocate, remember

log = logging.getLogger(__name__)

_UNLABELLED = tuple(Status).index(Status.UNLABELLED)


def recent_of(session: Session, now: datetime | None = None) -> Recent | None:
    """Describe the open project as the list of recent ones shows it."""
    project, catalogue = session.project, session.catalogue
    if project is None or catalogue is None:
        return None
    return Recent(
        path=str(project.path),
        cases=len(catalogue.ids),
        labelled=int((catalogue.status != _UNLABELLED).sum()),
        images=project.task is not Task.SEGMENTATION,
        opened=(now or datetime.now(UTC)).isoformat(),
    )


class ProjectActions(QObject):
    """Opens, makes and closes projects; what takes long runs in a thread of its own.

    `busy` says what is being done meanwhile, and is empty at its end.
    """

    busy = Signal(str)

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session = session
        self._window = window
        self._errands = Errands(1, "longtail projects", self)
        session.project_changed.connect(self._remember)

    # --- opening ---

    def open(self) -> None:
        """Ask for a project folder and open it."""
        folder = QFileDialog.getExistingDirectory(self._window, "Open a project")
        if folder:
            self.open_path(Path(folder))

    def open_path(self, path: Path) -> None:
        """Open a project; a folder of images leads to a new project made from it."""
        if not (path / "project.db").is_file() and path.suffix != ".longtail":
            self.new(path)
            return
        self._errands.forget()
        self.busy.emit(f"Opening {path.name} ...")
        self._errands.ask(partial(load_project, path), self._opened, self._not_opened)

    def _opened(self, loaded: Loaded) -> None:
        self.busy.emit("")
        self._session.adopt(loaded)

    def _not_opened(self, error: Exception) -> None:
        self.busy.emit("")
        if isinstance(error, LongtailError):
            self._session.notify(str(error), "error")
            return
        log.error("A project could not be opened", exc_info=error)
        self._session.notify(
            "The project could not be opened for a reason that Longtail did not foresee: "
            f"{type(error).__name__}: {error}. The log has more.",
            "error",
        )

    def locate(self, lost: str) -> None:
        """Ask where a project of the recent list is now."""
        name = Path(lost).name
        folder = QFileDialog.getExistingDirectory(self._window, f"Where is {name} now?")
        if not folder:
            return
        if not (Path(folder) / "project.db").is_file():
            self._session.notify(f"{folder} is no Longtail project. Choose {name} itself.", "error")
            return
        relocate(lost, folder)
        self.open_path(Path(folder))

    # --- making ---

    def new(self, source: Path | None = None) -> None:
        """Open the dialog that makes a project from a folder."""
        self._dialog(source, into_open_project=False)

    def import_more(self) -> None:
        """Open the dialog that adds cases to the open project."""
        if self._session.project is not None:
            self._dialog(None, into_open_project=True)

    def _dialog(self, source: Path | None, *, into_open_project: bool) -> None:
        dialog = NewProjectDialog(
            self._session, source, into_open_project=into_open_project, parent=self._window
        )
        dialog.open()

    def sample(self) -> None:
        """Make the sample project in a folder that the user chooses, and open it."""
        folder = QFileDialog.getExistingDirectory(
            self._window, "Where shall the sample go?", str(Path.home())
        )
        if not folder:
            return
        place = free_folder(Path(folder) / "longtail-sample")
        self._session.notify("Making the sample: about ten seconds, no download.")
        self._errands.ask(partial(build_sample, place), self.open_path, self._sample_failed)

    def _sample_failed(self, error: Exception) -> None:
        if not isinstance(error, LongtailError):
            log.error("The sample could not be made", exc_info=error)
        self._session.notify(f"The sample could not be made. {error}", "error")

    # --- the rest ---

    def close(self) -> None:
        """Close the project and show the welcome."""
        if self._session.training is not None:
            self._session.notify(
                "A training runs in this project. Stop it first, or let it finish.", "warning"
            )
            return
        self._session.close_project()

    def copy_diagnostics(self) -> None:
        """Put versions, device and the log's place on the clipboard."""
        QGuiApplication.clipboard().setText(diagnostics(self._session.backend.device_label()))
        self._session.notify("Versions, device and the place of the log are on the clipboard.")

    def fill_menu(self, menu: QMenu) -> None:
        """Put what can be done into a menu."""
        project = self._session.project
        menu.addAction("Open a project...").triggered.connect(lambda _checked=False: self.open())
        menu.addAction("New project from a folder...").triggered.connect(
            lambda _checked=False: self.new()
        )
        known = menu.addMenu("Recent")
        others = [r for r in recents() if r.there and (not project or r.path != str(project.path))]
        for recent in others:
            known.addAction(recent.name).triggered.connect(
                lambda _checked=False, path=recent.path: self.open_path(Path(path))
            )
        known.setEnabled(bool(others))
        menu.addSeparator()
        more = menu.addAction("Import more cases...")
        more.setEnabled(bool(project and project.writable))
        more.triggered.connect(lambda _checked=False: self.import_more())
        shut = menu.addAction("Close the project")
        shut.setEnabled(project is not None)
        shut.triggered.connect(lambda _checked=False: self.close())
        menu.addSeparator()
        menu.addAction("Copy diagnostics").triggered.connect(
            lambda _checked=False: self.copy_diagnostics()
        )

    def close_threads(self) -> None:
        """Wait for what is under way; call before the window goes."""
        self._errands.close()

    def _remember(self) -> None:
        recent = recent_of(self._session)
        if recent is not None:
            remember(recent)


def build_sample(folder: Path) -> Path:
    """Make the sample project in a folder; takes ten seconds, so ask in a thread."""
    from ..core.project.sample import build_heart_sample

    return build_heart_sample(folder)


def free_folder(wanted: Path) -> Path:
    """Give `wanted`, or the same name with a number behind it that is not taken."""
    number = 2
    folder = wanted
    while folder.exists():
        folder = wanted.with_name(f"{wanted.name}-{number}")
        number += 1
    return folder
