"""What is told of a run while it trains: not more often than a person can look."""

import math
import time
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from ..backend.events import Event, Metric, Progress
from ..methods.spec import RunSpec

LOSS_EVERY_S = 0.2
CLASSES_EVERY_S = 1.0
KEPT = 0.97


class Telling:
    """Turns steps into events.

    Parameters
    ----------
    measure
        What the tally's ratio is called, such as `train_dice`.
    clock
        Seconds, rising.
    """

    def __init__(
        self, spec: RunSpec, measure: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._spec = spec
        self._measure = measure
        self._clock = clock
        self._tally = torch.zeros(2, len(spec.classes), dtype=torch.float64)
        self._losses: list[float] = []
        self._loss_at = self._classes_at = -math.inf

    def step(
        self, done: int, total: int | None, loss: float, tally: Tensor, step_s: float
    ) -> "Iterator[Event]":
        """Tell of a step, if it is time again."""
        self._tally = KEPT * self._tally + tally
        if math.isfinite(loss):
            self._losses.append(loss)
        now = self._clock()
        if now - self._loss_at >= LOSS_EVERY_S or done == total:
            self._loss_at = now
            yield from self.progress(done, total, step_s)
            if self._losses:
                yield Metric(done, "loss", sum(self._losses) / len(self._losses))
                self._losses.clear()
        if now - self._classes_at >= CLASSES_EVERY_S or done == total:
            self._classes_at = now
            yield from self._classes(done)

    def progress(self, done: int, total: int | None, step_s: float) -> Iterator[Event]:
        """Tell how far the run is."""
        if total is not None:
            yield Progress(done, total, eta_s=(total - done) * step_s, what="Training")
        else:
            yield Progress(done, 0, what="Timing the first steps")

    def shares(self) -> list[float]:
        """Ratio of the tally of each class over the last steps, not-a-number where unknown."""
        gained, possible = self._tally.tolist()
        return [g / p if p > 1e-3 else math.nan for g, p in zip(gained, possible, strict=True)]

    def possible(self) -> list[float]:
        """How much of each class could be gained over the last steps: cases, or voxels."""
        found: list[float] = self._tally[1].tolist()
        return found

    def state(self) -> Tensor:
        """Give the running tally."""
        return self._tally

    def load_state(self, tally: Tensor) -> None:
        """Take the running tally."""
        self._tally = tally.clone()

    def _classes(self, done: int) -> Iterator[Event]:
        yield from class_metrics(done, self._measure, self.shares(), self._spec)


def class_metrics(step: int, name: str, values: Sequence[float], spec: RunSpec) -> Iterator[Metric]:
    """Tell a measure of each class where it is known, and the mean of those."""
    known = [(each.name, value) for each, value in zip(spec.classes, values, strict=True)]
    known = [(class_name, value) for class_name, value in known if not math.isnan(value)]
    for class_name, value in known:
        yield Metric(step, name, value, class_name)
    if known:
        yield Metric(step, name, mean_known(values))


def mean_known(values: Sequence[float]) -> float:
    """Mean of the values that are numbers; not-a-number without any."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
