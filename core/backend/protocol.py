"""What every backend offers; nothing above knows which one it has."""

from typing import Protocol

from .handle import JobHandle
from .job import Job


class Backend(Protocol):
    """A place where jobs run."""

    def submit(self, job: Job) -> JobHandle:
        """Queue a job; returns at once."""

    def warm_up(self) -> None:
        """Prepare for the first job in the background."""

    def close(self, leave_running: bool = False) -> None:
        """Stop all jobs and keep their work, or let them finish by themselves."""

    def device_label(self) -> str:
        """Name the device, as far as is known: `CPU`."""
