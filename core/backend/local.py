"""The synchronous backend for scripts and tests: the same jobs and events in this process."""

import functools
import itertools
import threading
import time
from collections.abc import Iterator, Sequence

from .context import Alone, RunningContext
from .control import Control
from .devices import choose_device, describe_device, thread_count
from .drive import drive
from .events import Event, Finished
from .handle import JobHandle
from .job import Job
from .memory import give_back_memory
from .protocol import Backend


class LocalBackend(Backend):
    """Runs each job while its handle is iterated or waited for.

    A job submitted while another is being iterated runs between two of its events, so that an
    answer comes in the midst of training here as well.

    Parameters
    ----------
    device
        The device wished for, such as `auto`.
    """

    def __init__(self, device: str = "auto") -> None:
        self._choose = functools.cache(lambda: choose_device(device))
        self._numbers = itertools.count(1)
        self._open: list[tuple[Control, PulledEvents]] = []

    def submit(self, job: Job) -> JobHandle:
        """Make a handle for a job; nothing runs before it is iterated or waited for."""
        control = Control()
        threads = thread_count(window_open=False)
        context = RunningContext(self._choose, threads, control, Alone(control))
        source = PulledEvents(drive(job, context))
        self._open = [pair for pair in self._open if pair[1].finished is None]
        self._open.append((control, source))
        return JobHandle(f"job-{next(self._numbers)}", job, source, control)

    def warm_up(self) -> None:
        """Find the device, which imports torch."""
        self._choose()

    def close(self, leave_running: bool = False) -> None:
        """End what has begun and keep its work; `leave_running` runs it to its end."""
        for control, source in self._open:
            if source.has_begun:
                control.resume() if leave_running else control.stop()
                source.exhaust()
        self._open.clear()

    def device_label(self) -> str:
        """Name the device."""
        return describe_device(self._choose())


class PulledEvents:
    """Events that are worked out when somebody asks for them."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._coming = events
        self._known: list[Event] = []
        self._pulling = threading.Lock()

    @property
    def finished(self) -> Finished | None:
        """The end of the job, once it is known."""
        last = self._known[-1] if self._known else None
        return last if isinstance(last, Finished) else None

    @property
    def has_begun(self) -> bool:
        """Whether any event was asked for."""
        return bool(self._known)

    def after(self, count: int, deadline: float | None) -> Sequence[Event]:
        """Give the events after the first `count`, working for one; none after the last."""
        with self._pulling:
            if len(self._known) == count and self.finished is None:
                if deadline is not None and time.monotonic() > deadline:
                    raise TimeoutError("the job has not ended in time")
                self._known.append(next(self._coming))
                if self.finished:
                    give_back_memory()
            return self._known[count:]

    def exhaust(self) -> None:
        """Work to the end."""
        while self.after(len(self._known), None):
            pass
