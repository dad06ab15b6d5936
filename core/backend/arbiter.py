"""The owner of the device: takes jobs, gives them turns, tells their events."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .context import RunningContext
from .control import Control
from .drive import drive, failure
from .event_log import EventLog
from .events import Event, Finished, Outcome
from .job import Job
from .memory import give_back_memory
from .turns import Claim, Priority, Turns

logger = logging.getLogger(__name__)


class Arbiter:
    """Runs jobs on one device, one at a time, each in a thread that waits for its turn.

    Parameters
    ----------
    tell
        Called with a job's id and an event, from the job's thread.
    choose
        Gives the device, or raises the reason why there is none.
    threads
        How many processor threads a job may use.
    """

    def __init__(
        self, tell: Callable[[str, Event], None], choose: Callable[[], str], threads: int
    ) -> None:
        self.turns = Turns()
        self._tell = tell
        self._choose = choose
        self._threads = threads
        self._controls: dict[str, Control] = {}
        self._idle_since = time.monotonic()

    def submit(self, job_id: str, job: Job) -> None:
        """Queue a job."""
        control = Control(self.turns.changed)
        priority = Priority.ANSWER if job.interactive else Priority.WORK
        claim = self.turns.claim(control, priority)
        with self.turns.changed:
            self._controls[job_id] = control
        thread = threading.Thread(
            target=self._live, args=(job_id, job, control, claim), name=job_id, daemon=True
        )
        thread.start()

    def control(self, job_id: str) -> Control | None:
        """Give the wishes of a job; None when it has ended."""
        with self.turns.changed:
            return self._controls.get(job_id)

    @contextmanager
    def turn(self, priority: Priority) -> Iterator[None]:
        """Hold the device for something that is no job."""
        claim = self.turns.claim(Control(self.turns.changed), priority)
        claim.take()
        try:
            yield
        finally:
            claim.give_back()

    def stop_all(self) -> None:
        """Ask every job to end early and keep what was learned; queued ones do not begin."""
        with self.turns.changed:
            for control in self._controls.values():
                control.stop()

    def resume_all(self) -> None:
        """End every pause."""
        with self.turns.changed:
            for control in self._controls.values():
                control.resume()

    def wait_until_empty(self, timeout_s: float | None = None) -> bool:
        """Wait for the end of all jobs; False when the time was not enough."""
        with self.turns.changed:
            return self.turns.changed.wait_for(lambda: not self._controls, timeout_s)

    @property
    def idle_s(self) -> float:
        """For how long there has been no job, in seconds."""
        with self.turns.changed:
            return 0.0 if self._controls else time.monotonic() - self._idle_since

    def _live(self, job_id: str, job: Job, control: Control, claim: Claim) -> None:
        try:
            self._take_turn(job_id, job, control, claim)
        # The edge of the thread: whatever happens, the other side must hear of an end.
        except BaseException as error:  # noqa: BLE001
            self._tell(job_id, failure(error))
        finally:
            if self._is_last(job_id) or not job.interactive:
                give_back_memory()
            claim.give_back()
            self._forget(job_id)

    def _take_turn(self, job_id: str, job: Job, control: Control, claim: Claim) -> None:
        if not claim.take():
            self._tell(job_id, _called_off(job, control))
            return
        context = RunningContext(self._choose, self._threads, control, claim)
        for event in drive(job, context):
            self._tell(job_id, event)

    def _is_last(self, job_id: str) -> bool:
        with self.turns.changed:
            return set(self._controls) == {job_id}

    def _forget(self, job_id: str) -> None:
        with self.turns.changed:
            del self._controls[job_id]
            self._idle_since = time.monotonic()
            self.turns.changed.notify_all()


def _called_off(job: Job, control: Control) -> Finished:
    """Record the end of a job that never began."""
    finished = Finished(Outcome.CANCELLED if control.cancelled else Outcome.STOPPED)
    try:
        with EventLog(job.event_log) as log:
            log.append(finished)
    except OSError:
        logger.warning("the end of a queued job was not recorded", exc_info=True)
    return finished
