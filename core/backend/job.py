"""What a job is, and what it may ask of the place where it runs."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias

from .events import Event, JsonDict

Steps: TypeAlias = Generator[Event, None, JsonDict | None]


class Cancelled(Exception):
    """Raised inside a job at a safe point when the user threw its work away."""


class JobContext(Protocol):
    """What a running job sees of the backend."""

    @property
    def device(self) -> str:
        """The torch device: `cpu`, `cuda:0` or `mps`."""

    @property
    def threads(self) -> int:
        """How many processor threads the job may use."""

    @property
    def stop_asked(self) -> bool:
        """Whether to finish early and keep what was learned."""

    def safe_point(self) -> Iterator[Event]:
        """Pause, cancel and let interactive jobs in, between two steps.

        Use as `yield from context.safe_point()`.

        Raises
        ------
        Cancelled
            The user threw the work away.
        """

    def changes(self) -> list[Any]:
        """Take the changes told to the job since the last call, oldest first."""


@dataclass(frozen=True)
class Job(ABC):
    """Says what to do with paths, ids and plain settings; never holds an array.

    It is pickled by class name, so that the backend needs no table of jobs. Subclasses are frozen
    dataclasses in `longtail.core.jobs` that import what they need inside `run`.
    """

    interactive: ClassVar[bool] = False
    only_looks: ClassVar[bool] = False
    """It leaves nothing in the project that lists and counts would have to be read again for."""

    @property
    @abstractmethod
    def title(self) -> str:
        """A few words for the progress bar."""

    @property
    def event_log(self) -> Path | None:
        """The `events.jsonl` to append this job's events to, if they are kept."""
        return None

    @abstractmethod
    def run(self, context: JobContext) -> Steps:
        """Work, yielding events; return the result as plain data."""
