"""The one crossing from worker threads to Qt: a job's events reach the main thread in order.

A plain thread per job waits for its events and puts them into a mailbox. Per-step values wait
there for a timer of 20 Hz; anything else wakes the main thread by one signal. napari's
`thread_worker` is not used: it swallows `RuntimeError`, which out-of-memory is.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer, Signal

from ..core.backend.events import Event, Finished, Metric, Outcome, Progress
from .tracked import TrackedJob

log = logging.getLogger(__name__)

DRAIN_MS = 50
_PER_STEP = (Metric, Progress)

Take = Callable[[TrackedJob, Event], None]


class QtDriver(QObject):
    """Follows jobs in threads of their own; hands events over on the thread that made it."""

    _knock = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox: deque[tuple[TrackedJob, Event, Take]] = deque()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._knock.connect(self.drain)
        self._timer = QTimer(self)
        self._timer.setInterval(DRAIN_MS)
        self._timer.timeout.connect(self.drain)

    def watch(self, tracked: TrackedJob, take: Take) -> None:
        """Begin to follow a job; `take` is called on this object's thread."""
        name = f"longtail job: {tracked.title}"
        thread = threading.Thread(target=self._follow, args=(tracked, take), name=name, daemon=True)
        self._threads = [t for t in self._threads if t.is_alive()] + [thread]
        self._timer.start()
        thread.start()

    @property
    def ticking(self) -> bool:
        """Whether the clock that hands per-step values over is running."""
        return self._timer.isActive()

    @property
    def following(self) -> int:
        """How many jobs are followed now."""
        return sum(thread.is_alive() for thread in self._threads)

    def drain(self) -> None:
        """Hand over what has come in."""
        while self._mailbox:
            tracked, event, take = self._mailbox.popleft()
            take(tracked, event)
        if not self.following and not self._mailbox:
            self._timer.stop()

    def close(self, wait_s: float = 2.0) -> None:
        """Hand over no more; wait a moment for the threads to end."""
        if not self._closed:
            self._closed = True
            self._knock.disconnect(self.drain)
        self._timer.stop()
        self._mailbox.clear()
        for thread in self._threads:
            thread.join(wait_s)

    def _follow(self, tracked: TrackedJob, take: Take) -> None:
        try:
            for event in tracked.handle:
                self._put(tracked, event, take)
        except Exception as error:  # the thread's edge: the end of a job is always an event
            log.exception("The job %s was lost", tracked.title)
            reason = f"The job was lost: {type(error).__name__}: {error}"
            lost = Finished(Outcome.FAILED, None, reason, "Start it again; the log has more.")
            self._put(tracked, lost, take)

    def _put(self, tracked: TrackedJob, event: Event, take: Take) -> None:
        if self._closed:
            return
        self._mailbox.append((tracked, event, take))
        if not isinstance(event, _PER_STEP):
            self._tell()

    def _tell(self) -> None:
        try:
            self._knock.emit()
        except RuntimeError:  # the window is gone; the project's next holder records the run
            log.info("A job ended after its window was closed")
