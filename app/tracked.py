"""A job as the window follows it: its progress, its curves, its warnings, its end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..core.backend.events import (
    Artifact,
    Event,
    Finished,
    Metric,
    Paused,
    Progress,
    Resumed,
    Started,
    Warned,
)

if TYPE_CHECKING:
    from ..core.backend.job import Job

Curve = list[tuple[int, float]]


class Handle(Protocol):
    """What a tracked job needs of the backend's handle."""

    def __iter__(self) -> Iterator[Event]:
        """Give the events from the first one on, waiting for those to come."""

    def pause(self) -> None:
        """Give the device to others at the next step."""

    def resume(self) -> None:
        """Go on."""

    def stop(self) -> None:
        """Finish early and keep what was learned."""

    def cancel(self) -> None:
        """Throw the work away."""

    def tell(self, change: Any) -> None:
        """Hand over a typed change."""


def is_training(job: "Job") -> bool:
    """Whether a job trains a network.

    Asked by name: its module brings the project's database along, which a window that has no
    project open does without.
    """
    return type(job).__name__ == "TrainJob"


@dataclass(eq=False)
class TrackedJob:
    """One job from its submission to its end.

    `metrics` holds the curve, (step, value), of each (name, class name or None). `maps` and
    `strips` are paths of what a training has learned, in its run's folder. `state` is queued,
    running, paused, stopping or an outcome.
    """

    job: "Job"
    handle: Handle
    title: str
    device: str = ""
    progress: Progress | None = None
    metrics: dict[tuple[str, str | None], Curve] = field(default_factory=dict)
    maps: list[str] = field(default_factory=list)
    strips: list[str] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    finished: Finished | None = None
    state: str = "queued"

    @property
    def is_training(self) -> bool:
        """Whether this trains a network."""
        return is_training(self.job)

    @property
    def eta_s(self) -> float | None:
        """Seconds left where known."""
        return self.progress.eta_s if self.progress else None

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1, or None before it is known."""
        if self.progress is None or self.progress.total <= 0:
            return None
        return min(max(self.progress.done / self.progress.total, 0.0), 1.0)

    def latest(self, name: str, class_name: str | None = None) -> float | None:
        """Give the newest value of a curve."""
        curve = self.metrics.get((name, class_name))
        return curve[-1][1] if curve else None

    def pause(self) -> None:
        """Ask for a pause; `state` follows when the job has paused."""
        self.handle.pause()

    def resume(self) -> None:
        """Ask to go on."""
        self.handle.resume()

    def stop(self) -> None:
        """Ask to finish early and keep what was learned."""
        self.state = "stopping"
        self.handle.stop()

    def cancel(self) -> None:
        """Ask to throw the work away."""
        self.state = "stopping"
        self.handle.cancel()

    def tell(self, change: Any) -> None:
        """Hand a typed change to the running job."""
        self.handle.tell(change)

    def take(self, event: Event) -> None:
        """Follow one event."""
        match event:
            case Started(device=device):
                self.device, self.state = device, "running"
            case Progress():
                self.progress = event
            case Metric():
                curve = self.metrics.setdefault((event.name, event.class_name), [])
                curve.append((event.step, event.value))
            case Artifact(kind="map", path=path):
                self.maps.append(path)
            case Artifact(kind="strip", path=path):
                self.strips.append(path)
            case Warned():
                self.warnings.append(event)
            case Paused():
                self.state = "paused"
            case Resumed():
                self.state = "running"
            case Finished():
                self.finished, self.state = event, event.outcome.value
