"""The `events.jsonl` of a run: one line an event, readable after any kind of end."""

import contextlib
import errno
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from .events import Event, Finished, JsonDict, Started, from_json, to_json, to_text

# Clocks of processes and of the day differ by some ticks.
SAME_S = 1.0


class EventLog:
    """Appends events to a file, each with its time and whole before the next.

    Parameters
    ----------
    path
        The file; nothing is kept where it is None.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._torn = False

    def __enter__(self) -> "EventLog":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, event: Event) -> None:
        """Write one line.

        Raises
        ------
        OSError
            The line could not be written whole; the next one begins a new line.
        """
        if self._path is None:
            return
        if self._file is None:
            self._file = self._opened(self._path)
        line = {"time": _now(), **to_json(event)}
        if isinstance(event, Started):
            line |= {"process": os.getpid(), "host": socket.gethostname()}
        self._write(self._file, to_text(line).encode() + b"\n")

    def _opened(self, path: Path) -> FileIO:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._torn = _ends_in_a_torn_line(path)
        return FileIO(path, "a")

    def _write(self, file: FileIO, line: bytes) -> None:
        whole = b"\n" + line if self._torn else line
        self._torn = True
        # Unbuffered, so that a line is with the system when its event is told; on a full disk
        # such a write can be short without an error.
        if file.write(whole) != len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._torn = False


def read_events(path: Path) -> Iterator[Event]:
    """Give the events of a log, oldest first; lines cut by a crash are left out."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                if event := _read(json.loads(line)):
                    yield event


def recorded_end(path: Path) -> Finished | None:
    """Give how the last job in the log ended; None when it has not ended, or there is no log."""
    last = _last_turn(path)
    event = _read(last) if last else None
    return event if isinstance(event, Finished) else None


def is_still_written(path: Path, *, elsewhere: bool = False) -> bool:
    """Tell whether the last job in the log goes on in a process of this computer.

    A window that opens a project asks this before it takes an unfinished run for broken off.

    Parameters
    ----------
    elsewhere
        Ask about other processes alone: this one knows what it has under way.
    """
    last = _last_turn(path)
    if last is None or last.get("event") != Started.__name__:
        return False
    if last.get("host") != socket.gethostname():
        return False
    try:
        writer = psutil.Process(int(last["process"]))
        if elsewhere and writer.pid == os.getpid():
            return False
        began = datetime.fromisoformat(last["time"]).timestamp()
        # A process that began after the line has only been given the same number.
        return writer.status() != psutil.STATUS_ZOMBIE and writer.create_time() < began + SAME_S
    except (psutil.Error, KeyError, ValueError, TypeError):
        return False


def _last_turn(path: Path) -> JsonDict | None:
    """Give the last line that tells of a beginning or an end."""
    found: JsonDict | None = None
    if path.exists():
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                # Most lines are metrics: they need no decoding.
                if "Started" in line or "Finished" in line:
                    found = _turn(line) or found
    return found


def _turn(line: str) -> JsonDict | None:
    try:
        document = json.loads(line)
    except ValueError:
        return None
    is_turn = isinstance(_read(document), Started | Finished)
    return document if is_turn else None


def _read(document: Any) -> Event | None:
    try:
        return from_json(document)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _ends_in_a_torn_line(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
