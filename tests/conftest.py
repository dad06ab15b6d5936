"""What holds for all tests: no home, no settings of the user, nothing left behind."""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE_S = 5.0

KNOWN_THREADS = (
    "ThreadPoolExecutor",  # napari's slicer and dask keep theirs
    "tqdm",
    "pydevd",
    "Dummy",
    "asyncio",
)


def _own_home() -> Path:
    """Turn every place that belongs to the user into a folder that is thrown away."""
    home = Path(tempfile.mkdtemp(prefix="longtail-tests-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    os.environ["LONGTAIL_CONFIG"] = str(home / "longtail")
    os.environ["NAPARI_CONFIG"] = str(home / "napari" / "settings.yaml")
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        os.environ[name] = str(home / name.lower())
    if sys.platform == "win32":
        os.environ["APPDATA"] = os.environ["LOCALAPPDATA"] = str(home / "appdata")
    return home


def _display() -> None:
    """Without a display use a virtual one where there is one, else draw into memory."""
    if sys.platform in ("win32", "darwin") or os.environ.get("DISPLAY"):
        return
    server = shutil.which("Xvfb")
    if server is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        return
    read, write = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(write), "-screen", "0", "1366x768x24", "-nolisten", "tcp"],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    atexit.register(process.kill)
    if number:
        os.environ["DISPLAY"] = f":{number}"
    else:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("QT_API", "pyside6")
os.environ.setdefault("PYTEST_QT_API", "pyside6")
os.environ["NAPARI_ENSURE_PLUGIN_MAIN_THREAD"] = "1"
_own_home()
_display()


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins with a window that was never opened before."""
    monkeypatch.setenv("LONGTAIL_CONFIG", str(tmp_path / "longtail-config"))


@pytest.fixture(autouse=True)
def _nothing_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the window leaves no thread and no window open."""
    if (
        "tests/app" not in request.path.as_posix()
        and "tests/plugins" not in request.path.as_posix()
    ):
        yield
        return
    if "qapp" in request.fixturenames:
        request.getfixturevalue("qapp")
    threads, windows = set(_threads()), set(map(id, _windows()))
    yield
    _dress_again()
    assert not _left(threads, windows), _left(threads, windows)


def _left(threads: set[threading.Thread], windows: set[int]) -> list[str]:
    """Name what is new and stays; wait for threads that are about to end."""
    end = time.monotonic() + PATIENCE_S
    while True:
        _delete_what_was_closed()
        left = [f"thread {t.name}" for t in _threads() if t not in threads]
        left += [f"window {w!r}" for w in _windows() if id(w) not in windows]
        if not left or time.monotonic() > end:
            return left
        gc.collect()
        time.sleep(0.02)


def _threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if not t.name.startswith(KNOWN_THREADS)]


def _windows() -> list[object]:
    if "qtpy.QtWidgets" not in sys.modules:
        return []
    from qtpy.QtWidgets import QApplication

    application = QApplication.instance()
    if application is None:
        return []
    return [w for w in QApplication.topLevelWidgets() if w.isVisible()]


def _delete_what_was_closed() -> None:
    if "qtpy.QtCore" not in sys.modules:
        return
    from qtpy.QtCore import QCoreApplication, QEvent

    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _dress_again() -> None:
    """Give the next test the theme that all begin with."""
    theme = sys.modules.get("longtail.app.theme")
    if theme is not None:
        theme.look().wear("dark")
