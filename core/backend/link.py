"""One life of the compute process, as the client sees it: from its start to its end."""

import contextlib
import logging
import pickle
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from ..errors import LongtailError
from .crash import crash_report, start_report
from .event_log import EventLog, recorded_end
from .events import Event, Finished, Outcome
from .handle import EventBuffer
from .job import Job
from .launch import Launcher
from .messages import (
    Happened,
    Hello,
    Idle,
    Leave,
    Order,
    Parting,
    Ready,
    Report,
    Steer,
    Submit,
    Tell,
    read_report,
)

logger = logging.getLogger(__name__)

LOOK_AFTER_S = 0.25
WAIT_FOR_EXIT_S = 10.0
STILL_BUSY = (
    "Longtail was closed while the last step was running; the job keeps its work when that step "
    "has ended."
)


@dataclass(frozen=True)
class Sent:
    """A job at the other side."""

    job: Job
    buffer: EventBuffer = field(default_factory=EventBuffer)


class Link:
    """The way to one compute process; ends with it.

    Parameters
    ----------
    launcher
        Starts the process, in the thread of the link.
    """

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher
        self._lock = threading.Lock()
        self._jobs: dict[str, Sent] = {}
        self._unsent: list[Order] = []
        self._connection: Connection | None = None
        self._process: subprocess.Popen[str] | None = None
        self._leaving: Leave | None = None
        self._abandoned = False
        self._ended = False
        self.process_id: int | None = None
        self.device_label: str | None = None
        self._thread = threading.Thread(target=self._live, name="longtail-compute", daemon=True)
        self._thread.start()

    def submit(self, job_id: str, job: Job, payload: bytes) -> EventBuffer | None:
        """Send a job; None when the process has ended or is about to."""
        sent = Sent(job)
        with self._lock:
            if self.is_over:
                return None
            self._jobs[job_id] = sent
            if not self._post(Submit(job_id, payload)):
                del self._jobs[job_id]
                return None
        return sent.buffer

    def send(self, order: Order) -> None:
        """Send an order; one to a process that has ended does nothing."""
        with self._lock:
            self._post(order)

    def part(self, leave_running: bool, wait_s: float) -> None:
        """Let the process end, or go on alone; waits until it has stopped its jobs."""
        with self._lock:
            self._leaving = Leave(leave_running)
            self._post(self._leaving)
        self._thread.join(wait_s)
        self._abandoned = True
        self._thread.join(2 * LOOK_AFTER_S)

    @property
    def is_over(self) -> bool:
        """Whether the process has ended or is about to."""
        dead = self._process is not None and self._process.poll() is not None
        return self._ended or dead or self._leaving is not None

    def _post(self, order: Order) -> bool:
        if self._ended:
            return False
        if self._connection is None:
            self._unsent.append(order)
            return True
        try:
            self._connection.send(order)
        except OSError:  # the thread of the link notices the end and reports it
            return False
        return True

    def _live(self) -> None:
        report = crash_report(None, self._launcher.log)
        try:
            report = self._work_until_it_ends()
        except OSError as error:
            report = start_report(error.strerror or str(error), self._launcher.log)
        finally:  # whatever happens, who waits for a job must hear of an end
            self._end(report)

    def _work_until_it_ends(self) -> LongtailError:
        process, connection = self._launcher.start()
        with connection:
            self._be_connected(process, connection)
            self._listen(process, connection)
        return self._why_it_ended(process)

    def _be_connected(self, process: "subprocess.Popen[str]", connection: Connection) -> None:
        with self._lock:
            self._process, self._connection = process, connection
            waiting, self._unsent = self._unsent, []
            for order in waiting:
                self._post(order)

    def _listen(self, process: "subprocess.Popen[str]", connection: Connection) -> None:
        """Take reports until the last one, or until the process is dead.

        The process is looked after as well, since workers that it forked can hold the connection.
        """
        # A dead process may have left something unread.
        with contextlib.suppress(EOFError, OSError):
            while not self._abandoned:
                if connection.poll(LOOK_AFTER_S):
                    if self._is_last(read_report(connection.recv_bytes())):
                        return
                elif process.poll() is not None:
                    return

    def _is_last(self, report: Report) -> bool:
        match report:
            case Happened(events):
                self._deliver(events)
            case Hello(process_id):
                self.process_id = process_id
            case Ready(device_label):
                self.device_label = device_label
            case Idle():
                return self._agree_to_end()
            case Parting():
                return True
        return False

    def _deliver(self, events: tuple[tuple[str, Event], ...]) -> None:
        by_job: dict[str, list[Event]] = {}
        for job_id, event in events:
            by_job.setdefault(job_id, []).append(event)
        for job_id, of_job in by_job.items():
            self._deliver_to(job_id, of_job)

    def _deliver_to(self, job_id: str, events: list[Event]) -> None:
        with self._lock:
            sent = self._jobs.get(job_id)
            if isinstance(events[-1], Finished):
                self._jobs.pop(job_id, None)
        if sent:
            sent.buffer.extend(events)

    def _agree_to_end(self) -> bool:
        with self._lock:
            self._ended = not self._jobs
            return self._ended

    def _why_it_ended(self, process: "subprocess.Popen[str]") -> LongtailError:
        exit_code = None
        if not (self._abandoned or (self._leaving and self._leaving.leave_running)):
            exit_code = _exit_code(process)
        if self.process_id is None:
            return start_report(f"it ended with exit code {exit_code}", self._launcher.log)
        return crash_report(exit_code, self._launcher.log)

    def _end(self, report: LongtailError) -> None:
        with self._lock:
            self._ended = True
            self._connection = None
            left_over = list(self._jobs.values())
            self._jobs.clear()
        for sent in left_over:
            if self._leaving and self._leaving.leave_running:
                sent.buffer.leave_open()
            elif self._abandoned:
                sent.buffer.extend([Finished(Outcome.STOPPED, None, STILL_BUSY)])
            else:
                sent.buffer.extend([_recorded_crash(sent, report)])


class RemoteControl:
    """Sends wishes to one job in the compute process."""

    def __init__(self, send: Callable[[Order], None], job_id: str) -> None:
        self._send = send
        self._job_id = job_id

    def pause(self) -> None:
        """Wait at the next safe point and free the device."""
        self._send(Steer(self._job_id, "pause"))

    def resume(self) -> None:
        """Go on."""
        self._send(Steer(self._job_id, "resume"))

    def stop(self) -> None:
        """End early and keep what was learned."""
        self._send(Steer(self._job_id, "stop"))

    def cancel(self) -> None:
        """End and throw the work away."""
        self._send(Steer(self._job_id, "cancel"))

    def tell(self, change: Any) -> None:
        """Hand over a typed change."""
        self._send(Tell(self._job_id, pickle.dumps(change)))


def _exit_code(process: "subprocess.Popen[str]") -> int | None:
    try:
        return process.wait(WAIT_FOR_EXIT_S)
    except subprocess.TimeoutExpired:  # it has parted, and hangs in the shutdown of a library
        process.kill()
        process.wait()
        return None


def _recorded_crash(sent: Sent, report: LongtailError) -> Finished:
    """Write the end that a dead process could not write, unless it had and could not tell it."""
    finished = Finished(Outcome.FAILED, None, report.reason, report.remedy)
    path = sent.job.event_log
    if path is None:
        return finished
    try:
        if sent.buffer.has_begun and (recorded := recorded_end(path)):
            return recorded
        with EventLog(path) as log:
            log.append(finished)
    except OSError:
        logger.warning("the end of a job was not recorded", exc_info=True)
    return finished
