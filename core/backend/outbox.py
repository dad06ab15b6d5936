"""Sends the reports of the compute process, in batches that do not drown the window."""

import logging
import threading
import time
from multiprocessing.connection import Connection

from .events import Event
from .messages import Hello, Idle, Parting, Ready, event_text, happened_text, report_text

logger = logging.getLogger(__name__)

BETWEEN_BATCHES_S = 0.02
# The window decodes a batch while its own thread waits for the interpreter: about a millisecond.
LARGEST_BATCH = 500
# Beyond this, jobs wait for a window that does not read.
MOST_WAITING = 50_000


class Outbox:
    """Takes events from any thread and sends them from one of its own.

    Without a listener it drops them: the event logs hold the record.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._changed = threading.Condition()
        self._events: list[str] = []
        self._closing = False
        self._deaf = False
        self._sending = threading.Lock()
        self._thread = threading.Thread(target=self._send_batches, name="outbox", daemon=True)
        self._thread.start()

    def tell(self, job_id: str, event: Event) -> None:
        """Send an event soon; waits while too many are unsent."""
        text = event_text(job_id, event)
        with self._changed:
            self._changed.wait_for(lambda: len(self._events) < MOST_WAITING or self._deaf)
            if not self._deaf:
                self._events.append(text)
                self._changed.notify_all()

    def report(self, report: Hello | Ready | Idle | Parting) -> None:
        """Send a report at once, before the events that wait."""
        self._send(report_text(report))

    def close(self) -> None:
        """Send all that waits, then `Parting`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self.report(Parting())
        self.drop()

    def drop(self) -> None:
        """Send nothing more: there is no listener."""
        with self._changed:
            self._deaf = True
            self._events.clear()
            self._changed.notify_all()

    def _send_batches(self) -> None:
        while batch := self._next_batch():
            self._send(happened_text(batch))
            if not self._closing:
                time.sleep(BETWEEN_BATCHES_S)

    def _next_batch(self) -> list[str]:
        with self._changed:
            self._changed.wait_for(lambda: self._events or self._closing)
            batch, self._events = self._events[:LARGEST_BATCH], self._events[LARGEST_BATCH:]
            self._changed.notify_all()
        return batch

    def _send(self, text: bytes) -> None:
        if self._deaf:
            return
        try:
            with self._sending:
                self._connection.send_bytes(text)
        except OSError:
            logger.info("nobody listens any more")
            self.drop()
