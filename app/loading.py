"""Opening a project for the window; may run in a thread."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.project.catalogue import Catalogue
    from ..core.project.store import Project


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project that was opened, with all that a window needs first."""

    project: "Project"
    catalogue: "Catalogue"


def load_project(path: Path) -> Loaded:
    """Open a project and learn how its runs ended meanwhile; may take a second for large ones.

    Raises
    ------
    LongtailError
        It cannot be opened.
    """
    from ..core.project.store import Project

    project = Project.open(path)
    try:
        if project.writable:
            project.recover_runs()
        return Loaded(project, project.catalogue())
    except BaseException:
        project.close()
        raise
