"""The caller's end of a job: its events, its end, and the wishes that can be sent to it."""

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from ..errors import LongtailError
from .control import Steering
from .events import Event, Finished
from .job import Job

# A wait without an end cannot be interrupted by Ctrl-C on Windows.
LONGEST_WAIT_S = 0.5


class EventSource(Protocol):
    """Where a handle takes its events from."""

    @property
    def finished(self) -> Finished | None:
        """The end of the job, once it is known."""

    def after(self, count: int, deadline: float | None) -> Sequence[Event]:
        """Give the events after the first `count`, waiting for one; none when no more will come.

        Raises
        ------
        TimeoutError
            `deadline`, in the time of `time.monotonic`, has passed.
        """


class JobHandle:
    """A job that was submitted. Several threads may iterate over one handle.

    Parameters
    ----------
    id
        Unique within the backend.
    job
        What was submitted.
    source
        Gives the events.
    steering
        Takes the wishes; after the job's end they do nothing.
    """

    def __init__(self, id: str, job: Job, source: EventSource, steering: Steering) -> None:
        self.id = id
        self.job = job
        self._source = source
        self._steering = steering

    def __iter__(self) -> Iterator[Event]:
        """Give all events from the first on, waiting for each; `Finished` is the last.

        When the job goes on without this process (`close(leave_running=True)`) it ends without it.
        """
        count = 0
        while events := self._source.after(count, None):
            yield from events
            count += len(events)

    @property
    def finished(self) -> Finished | None:
        """The end of the job; None while it runs."""
        return self._source.finished

    def wait(self, timeout_s: float | None = None) -> Finished:
        """Wait for the end of the job.

        Raises
        ------
        TimeoutError
            It has not ended in time.
        LongtailError
            It goes on without this process.
        """
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        count = 0
        while events := self._source.after(count, deadline):
            count += len(events)
        if self._source.finished is None:
            raise LongtailError(
                f"{self.job.title} goes on without the window.",
                "Open the project again when it has ended.",
            )
        return self._source.finished

    def pause(self) -> None:
        """Wait at the next safe point and free the device."""
        self._steering.pause()

    def resume(self) -> None:
        """Go on."""
        self._steering.resume()

    def stop(self) -> None:
        """End early and keep what was learned."""
        self._steering.stop()

    def cancel(self) -> None:
        """End and throw the work away."""
        self._steering.cancel()

    def tell(self, change: Any) -> None:
        """Hand the job a typed change, a small frozen dataclass, to take up while it runs."""
        self._steering.tell(change)


class EventBuffer:
    """The events of one job as they arrive from elsewhere."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._finished: Finished | None = None
        self._complete = False

    @property
    def finished(self) -> Finished | None:
        """The end of the job, once it is known."""
        return self._finished

    @property
    def has_begun(self) -> bool:
        """Whether any event has arrived."""
        return bool(self._events)

    def extend(self, events: Sequence[Event]) -> None:
        """Add events; nothing comes after `Finished`."""
        with self._changed:
            if self._complete:
                return
            self._events += events
            if isinstance(events[-1], Finished):
                self._finished = events[-1]
                self._complete = True
            self._changed.notify_all()

    def leave_open(self) -> None:
        """End the events without an end of the job, which goes on elsewhere."""
        with self._changed:
            self._complete = True
            self._changed.notify_all()

    def after(self, count: int, deadline: float | None) -> Sequence[Event]:
        """Give the events after the first `count`, waiting for one; none when no more will come."""
        with self._changed:
            while len(self._events) == count and not self._complete:
                left_s = LONGEST_WAIT_S if deadline is None else deadline - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError("the job has not ended in time")
                self._changed.wait(min(left_s, LONGEST_WAIT_S))
            return self._events[count:]
