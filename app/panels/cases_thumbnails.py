"""Small pictures of cases, made off the main thread and kept in memory and in the cache folder."""

import hashlib
import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QImage, QPixmap

from ...core.errors import LongtailError
from ...core.project.records import Case

log = logging.getLogger(__name__)

SIZE_PX = 88
"""Twice the size on the screen, so that dense screens show it sharp."""
KEPT = 800
WAITING = 64
THREADS = 2


class Thumbnails(QObject):
    """Gives a picture at once if it has it; else makes it and tells by `ready`.

    What was asked for last is made first, and what scrolled away long ago is dropped.
    """

    ready = Signal(str)
    _made = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="longtail thumbnails")
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, Case] = OrderedDict()
        self._busy: set[str] = set()
        self._failed: set[str] = set()
        self._kept: OrderedDict[str, QPixmap] = OrderedDict()
        self._folder: Path | None = None
        self._generation = 0
        self._made.connect(self._keep)
        self.destroyed.connect(partial(self._pool.shutdown, wait=False, cancel_futures=True))

    def use_folder(self, folder: Path | None) -> None:
        """Begin with another project; None keeps nothing on disk (read-only projects)."""
        with self._lock:
            self._generation += 1
            self._folder = folder
            self._waiting.clear()
            self._busy.clear()
        self._kept.clear()
        self._failed.clear()

    def get(self, case: Case) -> QPixmap | None:
        """Give the picture, or None and make it."""
        found = self._kept.get(case.id)
        if found is not None:
            self._kept.move_to_end(case.id)
            return found
        if case.id not in self._failed:
            self._ask(case)
        return None

    def failed(self, case_id: str) -> bool:
        """Whether the file could not be read."""
        return case_id in self._failed

    def close(self) -> None:
        """Wait for what is under way."""
        with self._lock:
            self._generation += 1
            self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, case: Case) -> None:
        with self._lock:
            if case.id in self._busy:
                return
            known = case.id in self._waiting
            self._waiting[case.id] = case
            self._waiting.move_to_end(case.id)
            while len(self._waiting) > WAITING:
                self._waiting.popitem(last=False)
        if not known:
            self._pool.submit(self._make_next)

    def _make_next(self) -> None:
        with self._lock:
            if not self._waiting:
                return
            case_id, case = self._waiting.popitem(last=True)
            self._busy.add(case_id)
            generation, folder = self._generation, self._folder
        image = picture(case, folder)
        try:
            self._made.emit((generation, case_id, image))
        except RuntimeError:  # the window went away while a file was read
            log.debug("A thumbnail came after its window was closed")

    def _keep(self, made: tuple[int, str, QImage | None]) -> None:
        generation, case_id, image = made
        with self._lock:
            if generation != self._generation:
                return
            self._busy.discard(case_id)
        if image is None:
            self._failed.add(case_id)
        else:
            self._kept[case_id] = QPixmap.fromImage(image)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self.ready.emit(case_id)


def picture(case: Case, folder: Path | None) -> QImage | None:
    """Read the picture from the cache folder or make it; None where the file cannot be read."""
    kept = _place(case, folder)
    if kept is not None and kept.is_file():
        image = QImage(str(kept))
        if not image.isNull():
            return image
    try:
        image = _make(case)
    except LongtailError as error:
        log.info("No thumbnail: %s", error.reason)
        return None
    except Exception:
        log.exception("No thumbnail")
        return None
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        image.save(str(kept), "PNG")
    return image


def _make(case: Case) -> QImage:
    from ...core.io.thumbnails import thumbnail

    pixels = np.ascontiguousarray(thumbnail(case.channels, size=SIZE_PX), dtype=np.uint8)
    height, width, _ = pixels.shape
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.copy()


def _place(case: Case, folder: Path | None) -> Path | None:
    if folder is None:
        return None
    first = case.channels[0].partition("#")[0] if case.channels else ""
    try:
        changed = Path(first).stat().st_mtime_ns
    except OSError:
        changed = 0
    key = hashlib.sha1(f"{case.channels}|{changed}|{SIZE_PX}".encode(), usedforsecurity=False)
    name = key.hexdigest()
    return folder / name[:2] / f"{name}.png"
