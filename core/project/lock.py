"""One process writes a project: a lock file that says who, and that outlives no dead process."""

import getpass
import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

GUARD_S = 30.0
"""A takeover lasts milliseconds; a guard file older than this is left from a crash."""

SECOND_LOOK_S = 0.2

SAME_START_S = 2.0
"""Two readings of one process's start differ by less; another process with its number by more."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a project open for writing; `started` is the start of the process, epoch seconds."""

    host: str
    pid: int
    user: str
    started: float
    since: float

    @classmethod
    def here(cls) -> "Holder":
        """Describe this process."""
        started = psutil.Process().create_time()
        return cls(socket.gethostname(), os.getpid(), _user(), started, time.time())

    @property
    def alive(self) -> bool:
        """False only if the process is known to be gone; another computer's is taken as alive."""
        if self.host != socket.gethostname():
            return True
        try:
            started = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return abs(started - self.started) < SAME_START_S

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"{self.user} on {self.host} (process {self.pid}, since {since})"


class ProjectLock:
    """The file `project.lock` beside the database.

    Parameters
    ----------
    folder
        The project's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "project.lock"
        self._mine: Holder | None = None

    def acquire(self) -> Holder | None:
        """Take the lock; give None when it is ours, else who holds it.

        Raises
        ------
        OSError
            The folder cannot be written.
        """
        me = Holder.here()
        for _ in range(2):
            if self._create(me):
                self._mine = me
                return None
            holder = self.holder() or self._second_look()
            if holder is not None and holder.alive:
                return holder
            self._remove_dead(holder)
        return self.holder() or me

    def release(self) -> None:
        """Give the lock back, if it is still ours."""
        if self._mine is not None and self.holder() == self._mine:
            self.path.unlink(missing_ok=True)
        self._mine = None

    def holder(self) -> Holder | None:
        """Read who holds the lock; None when nobody does or the file is no lock."""
        try:
            return Holder(**json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _second_look(self) -> Holder | None:
        # Without hard links a lock is empty for the moment in which it is written.
        time.sleep(SECOND_LOOK_S)
        return self.holder()

    def _create(self, me: Holder) -> bool:
        # Written aside and linked into place: nobody ever reads half a lock.
        aside = self.path.with_name(f".lock-{me.pid}-{time.monotonic_ns()}")
        aside.write_text(json.dumps(asdict(me)), encoding="utf-8")
        try:
            return _place(aside, self.path)
        finally:
            aside.unlink(missing_ok=True)

    def _remove_dead(self, seen: Holder | None) -> None:
        """Remove a dead process's lock; the guard keeps two processes from removing twice."""
        guard = self.path.with_name(self.path.name + ".takeover")
        if not _claim(guard):
            return
        try:
            if self.holder() == seen:
                self.path.unlink(missing_ok=True)
        finally:
            guard.unlink(missing_ok=True)


def _place(aside: Path, path: Path) -> bool:
    try:
        os.link(aside, path)
    except FileExistsError:
        return False
    except OSError:
        # No hard links here (FAT, some shares): the short moment of an empty file is accepted.
        return _claim(path, aside.read_bytes())
    return True


def _claim(path: Path, content: bytes = b"") -> bool:
    if not content and path.exists() and time.time() - path.stat().st_mtime > GUARD_S:
        path.unlink(missing_ok=True)
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # Windows and containers without an account name.
        return "an unknown user"
