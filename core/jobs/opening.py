"""What jobs share: the project opened for reading, beside whoever holds its lock."""

from pathlib import Path, PurePath

from ..errors import LongtailError
from ..project.store import Project


def opened(project: str) -> Project:
    """Open a project for reading only; use as a context manager.

    The window or the command holds the lock; a job writes inside `runs/<id>/` alone.
    """
    return Project.open(Path(project), write=False)


def run_folder(project: str, run_id: str) -> Path:
    """Give a run's folder without opening the project.

    Raises
    ------
    LongtailError
        The id is none: it would lead out of the project.
    """
    if PurePath(run_id).name != run_id or run_id in ("", ".", "..") or "\\" in run_id:
        raise LongtailError(f"{run_id!r} is no run.", "The command `longtail runs` lists them.")
    return Path(project) / "runs" / run_id
