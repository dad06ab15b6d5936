"""Starts the compute process and meets it."""

import contextlib
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import IO, Any

from .settings import ProcessSettings
from .system import detached

MODULE = "longtail.core.backend.process"
LARGEST_LOG_BYTES = 4 * 2**20
LOOK_AFTER_S = 0.1


@dataclass(frozen=True)
class Launcher:
    """Knows how to start a compute process.

    Parameters
    ----------
    settings
        What to hand over; address and key are filled in for each process.
    log
        Takes the standard output and error of the process; nothing does, where None.
    """

    settings: ProcessSettings
    log: Path | None

    def start(self) -> tuple["subprocess.Popen[str]", Connection]:
        """Start a process and wait until it has connected.

        Raises
        ------
        OSError
            The process could not be started.
        """
        key = secrets.token_bytes(32)
        with _listener(key) as listener:
            process = self._popen()
            settings = replace(self.settings, address=listener.address, key=key)
            assert process.stdin is not None
            with contextlib.suppress(OSError), process.stdin as stdin:
                stdin.write(settings.to_line())
            return process, _meet(listener, process, key)

    def _popen(self) -> "subprocess.Popen[str]":
        with _opened_log(self.log) as log:
            return subprocess.Popen(
                # -P: no module in the folder where the user happens to be may shadow another.
                [sys.executable, "-P", "-m", MODULE],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                text=True,
                encoding="utf-8",
                env=self._environment(),
                **detached(),
            )

    def _environment(self) -> dict[str, str]:
        threads = str(self.settings.threads)
        # Read when the libraries are loaded, so they stand before any import.
        return {
            **os.environ,
            "OMP_NUM_THREADS": threads,
            "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": threads,
        }


def _listener(key: bytes) -> Listener:
    try:
        return Listener(authkey=key)
    except OSError:  # a temporary folder whose path is too long for a socket
        return Listener(("127.0.0.1", 0), authkey=key)


def _meet(listener: Listener, process: "subprocess.Popen[str]", key: bytes) -> Connection:
    met = threading.Event()
    watcher = threading.Thread(
        target=_knock_if_it_dies, args=(listener.address, process, key, met), daemon=True
    )
    watcher.start()
    try:
        return _accepted(listener)
    finally:
        met.set()
        watcher.join()


def _accepted(listener: Listener) -> Connection:
    while True:
        # Somebody else may knock without the key, or go away in the middle.
        with contextlib.suppress(AuthenticationError, EOFError, ConnectionError):
            return listener.accept()


def _knock_if_it_dies(
    address: Any, process: "subprocess.Popen[str]", key: bytes, met: threading.Event
) -> None:
    """Connect in the place of a process that died before it could: `accept` has no time limit."""
    while not met.wait(LOOK_AFTER_S):
        if process.poll() is not None:
            with contextlib.suppress(AuthenticationError, EOFError, OSError):
                Client(address, authkey=key).close()
            return


@contextlib.contextmanager
def _opened_log(path: Path | None) -> Iterator[IO[bytes] | int]:
    file = _log_file(path) if path else None
    if file is None:
        yield subprocess.DEVNULL
    else:
        with file:
            yield file


def _log_file(path: Path) -> IO[bytes] | None:
    """Open the log to append to, the former one set aside when long; None if it cannot be."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LARGEST_LOG_BYTES:
            with contextlib.suppress(OSError):  # on Windows another process may hold it
                os.replace(path, path.with_suffix(".old.log"))
        return path.open("ab")
    return None
