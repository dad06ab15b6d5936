"""The backend of the window and the command line: one compute process, started on first use."""

import itertools
import pickle
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import platformdirs

from ..errors import LongtailError
from .devices import thread_count
from .handle import EventBuffer, JobHandle
from .job import Job
from .launch import Launcher
from .link import Link, RemoteControl
from .messages import LARGEST_JOB_BYTES
from .protocol import Backend
from .settings import ProcessSettings

IDLE_EXIT_S = 15 * 60.0
WAIT_AT_CLOSE_S = 30.0


class ProcessBackend(Backend):
    """Runs jobs in a compute process, and starts another when it has died.

    No method blocks but `close`; none imports torch.

    Parameters
    ----------
    window_open
        Whether a window should stay quick: one processor core is left to it.
    device
        The device wished for: `auto`, `cuda`, `cuda:N`, `mps` or `cpu`.
    idle_exit_s
        End the process after so many seconds without a job, to give back its memory; the next job
        starts another. Never, where None.
    preload
        Modules that the process imports while it has nothing to do, after torch.
    log_path
        Takes what the process logs; by default a file in the user's log folder.
    """

    def __init__(
        self,
        *,
        window_open: bool = False,
        device: str = "auto",
        idle_exit_s: float | None = IDLE_EXIT_S,
        preload: Sequence[str] = (),
        log_path: Path | None = None,
    ) -> None:
        self.log_path = log_path or platformdirs.user_log_path("longtail", False) / "compute.log"
        settings = ProcessSettings(
            address="",
            key=b"",
            device=device,
            threads=thread_count(window_open),
            polite=window_open,
            idle_exit_s=idle_exit_s,
            preload=tuple(preload),
        )
        self._launcher = Launcher(settings, self.log_path)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._closed = False
        self._device_label = "CPU"

    def __enter__(self) -> "ProcessBackend":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def process_id(self) -> int | None:
        """The id of the compute process; None before it has answered."""
        return self._link.process_id if self._link else None

    def submit(self, job: Job) -> JobHandle:
        """Queue a job; returns at once.

        Raises
        ------
        LongtailError
            The backend was closed.
        ValueError
            The job holds an array or the like.
        """
        payload = pickle.dumps(job)
        if len(payload) > LARGEST_JOB_BYTES:
            raise ValueError(f"{type(job).__name__} is too large: arrays cross by files")
        job_id = f"job-{next(self._numbers)}"
        link, buffer = self._sent(job_id, job, payload)
        return JobHandle(job_id, job, buffer, RemoteControl(link.send, job_id))

    def warm_up(self) -> None:
        """Start the process in the background, so that the first job need not wait for it."""
        with self._lock:
            if not self._closed:
                self._living_link()

    def close(self, leave_running: bool = False) -> None:
        """Stop all jobs and keep their work, or let them finish without this process.

        Waits for the step that is being worked on and for its checkpoint. Left alone, the jobs go
        on and their event logs hold the record; their handles end without `Finished`.
        """
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.part(leave_running, WAIT_AT_CLOSE_S)

    def device_label(self) -> str:
        """Name the device: `CPU` until the process has told."""
        if self._link and self._link.device_label:
            self._device_label = self._link.device_label
        return self._device_label

    def _sent(self, job_id: str, job: Job, payload: bytes) -> tuple[Link, EventBuffer]:
        with self._lock:
            if self._closed:
                raise LongtailError("Longtail is closing and takes no new work.", "Open it again.")
            while (buffer := self._living_link().submit(job_id, job, payload)) is None:
                self._link = None
            assert self._link is not None
            return self._link, buffer

    def _living_link(self) -> Link:
        if self._link is None or self._link.is_over:
            self._link = Link(self._launcher)
        return self._link
