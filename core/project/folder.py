"""The project's folder: making it, opening it, its lock, and the right to write."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from ..errors import LongtailError
from ..files import writing_failed
from .database import Database
from .journal import StrokeJournal
from .location import can_write
from .lock import ProjectLock
from .paths import StoredPaths
from .records import Task
from .schema import facts, roots

SUFFIX = ".longtail"
DATABASE = "project.db"
FOLDERS = ("annotations", "journal", "runs", "cache")


class ProjectFolder:
    """What every part of a project stands on: its place, its database and its lock.

    Attributes
    ----------
    path
        The project's folder, absolute.
    lock_holder
        Who has the project open for writing, in words, when that kept us from writing.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path = path
        self.lock_holder: str | None = None
        self._saving = threading.RLock()
        self._journals: dict[str, StrokeJournal] = {}
        self._lock = ProjectLock(path)
        wanted = write and can_write(path)
        self._writable = wanted and self._acquire()
        try:
            self._database = Database(path / DATABASE, write=self._writable)
            self._task = self._read_task()
            self._paths = self._read_paths()
        except BaseException:
            self._lock.release()
            raise
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, write: bool = True) -> Self:
        """Open a project.

        When another process holds its lock, or the folder cannot be written, it opens for reading
        only: see `writable` and `lock_holder`.

        Raises
        ------
        LongtailError
            There is no project, it is damaged, or a newer version made it.
        """
        return cls(_existing(path), write=write)

    @property
    def task(self) -> Task:
        """What the classes are given to."""
        return self._task

    @property
    def writable(self) -> bool:
        """Whether this process holds the lock and may change the project."""
        return self._writable

    @property
    def name(self) -> str:
        """The folder's name without its suffix."""
        return self.path.name.removesuffix(SUFFIX)

    def close(self) -> None:
        """Fold the write-ahead log into the database and give the lock back; may be repeated."""
        if self._closed:
            return
        self._closed = True
        try:
            self._database.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def require_writable(self) -> None:
        """Refuse to go on where nothing can be written.

        Raises
        ------
        LongtailError
            The project is open for reading only.
        """
        if self._writable:
            return
        if self.lock_holder is not None:
            raise LongtailError(
                f"The project {self.name} is open for reading only: {self.lock_holder} has it "
                "open for writing.",
                "Close it there and open it again.",
            )
        raise LongtailError(
            f"The project {self.name} is open for reading only.",
            "Open it where the folder can be written, or copy it to a folder of your own.",
        )

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        self.require_writable()
        with self._database.writing() as connection:
            yield connection

    def _acquire(self) -> bool:
        try:
            holder = self._lock.acquire()
        except OSError as error:
            raise writing_failed(self._lock.path, error) from error
        self.lock_holder = None if holder is None else str(holder)
        return holder is None

    def _read_task(self) -> Task:
        with self._database.reading() as connection:
            task = read_fact(connection, "task")
        if task not in set(Task):
            raise LongtailError(
                f"The project {self.name} says nothing of its task; its creation was interrupted.",
                "Delete the folder and create the project again.",
            )
        return Task(task)

    def _read_paths(self) -> StoredPaths:
        with self._database.reading() as connection:
            named = connection.execute(select(roots.c.name, roots.c.folder)).all()
        return StoredPaths(self.path, {row.name: row.folder for row in named})


def make_folder(path: Path, task: Task) -> Path:
    """Make an empty project; give its folder, which ends in `.longtail`.

    Raises
    ------
    LongtailError
        Something is there already, or the place cannot be written.
    """
    folder = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LongtailError(
            f"{folder} exists already and is not empty.", "Choose another name or open the project."
        )
    try:
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(folder / DATABASE, error) from error
    _make_database(folder, task)
    return folder


def read_fact(connection: Connection, key: str) -> Any:
    """Read one of the single values; None where it was never set."""
    stored = connection.execute(select(facts.c.value).where(facts.c.key == key)).scalar()
    return None if stored is None else json.loads(stored)


def write_fact(connection: Connection, key: str, value: Any) -> None:
    """Set one of the single values."""
    stored = json.dumps(value)
    change = insert(facts).values(key=key, value=stored)
    connection.execute(change.on_conflict_do_update(index_elements=["key"], set_={"value": stored}))


def next_number(connection: Connection, key: str) -> int:
    """Count up; a number is never given twice."""
    number = int(read_fact(connection, key) or 0) + 1
    write_fact(connection, key, number)
    return number


def _make_database(folder: Path, task: Task) -> None:
    database = Database(folder / DATABASE, write=True)
    try:
        with database.writing() as connection:
            write_fact(connection, "task", str(task))
            write_fact(connection, "label_version", 0)
    finally:
        database.close()


def _existing(path: Path) -> Path:
    for folder in (path, path.with_name(path.name + SUFFIX)):
        if (folder / DATABASE).is_file():
            return folder.absolute()
    if not path.exists():
        raise LongtailError(f"There is no project {path}.", "Check the name, or create it first.")
    raise LongtailError(
        f"{path} is not a Longtail project: it holds no {DATABASE}.",
        "Choose a folder that ends in .longtail, or create a project.",
    )
