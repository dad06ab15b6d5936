"""The `events.jsonl` of a run: one line an event, readable after any kind of end."""

import errno
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from types import TracebackType

from .events import Event, Finished, Started, from_json, to_json, to_text


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
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(self._file, to_text({"time": now, **to_json(event)}).encode() + b"\n")

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
            try:
                yield from_json(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError):
                continue


def recorded_end(path: Path) -> Finished | None:
    """Give how the last job in the log ended; None when it has not ended, or there is no log."""
    end: Finished | None = None
    if path.exists():
        for event in read_events(path):
            if isinstance(event, Started):
                end = None
            elif isinstance(event, Finished):
                end = event
    return end


def _ends_in_a_torn_line(path: Path) -> bool:
    if not path.exists() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
