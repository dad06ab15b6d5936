"""What the session needs of the backend, and of whoever hands it the events of jobs."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ..core.backend.events import Event
from .tracked import Handle, TrackedJob

if TYPE_CHECKING:
    from ..core.backend.job import Job


class BackendFace(Protocol):
    """What the session needs of a backend; see `core.backend.protocol`."""

    def submit(self, job: "Job") -> Handle:
        """Queue a job."""

    def warm_up(self) -> None:
        """Start what takes long before it is needed."""

    def close(self, leave_running: bool = False) -> None:
        """End, or let the running job go on alone."""

    def device_label(self) -> str:
        """Say where jobs run, in a word or two."""


class Driver(Protocol):
    """Hands a job's events to `take`, in order, on the thread that owns the session."""

    def watch(self, tracked: TrackedJob, take: Callable[[TrackedJob, Event], None]) -> None:
        """Begin; return without waiting for the job if there is an event loop."""

    def close(self) -> None:
        """Forget all jobs."""


class HereAndNow:
    """The driver of tests and scripts: runs the job to its end before it returns."""

    def watch(self, tracked: TrackedJob, take: Callable[[TrackedJob, Event], None]) -> None:
        """Take every event of the job."""
        for event in tracked.handle:
            take(tracked, event)

    def close(self) -> None:
        """Nothing is kept."""
