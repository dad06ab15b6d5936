"""What the tail guard says of a run's classes, ready to be drawn; knows neither Qt nor torch."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...core.backend.events import Told, Warned
from .train_words import share

TAIL_GUARD = "tail-guard"
PREDICTED_SHARE = "predicted_share"
REMEDY_FACTOR = 3.0

Points = Sequence[tuple[int, float]]


class Look(Protocol):
    """How a class is drawn."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def colour(self) -> str:
        """Its own colour."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A class that the guard has warned of: its colour and the curve that the guard saw."""

    warned: Warned
    colour: str = ""
    points: tuple[tuple[int, float], ...] = ()

    @property
    def name(self) -> str:
        """The class."""
        return self.warned.class_name or ""

    @property
    def title(self) -> str:
        """What has happened, in a few words."""
        head, stop, _ = self.warned.text.partition(". ")
        return head + stop.strip()

    @property
    def sentence(self) -> str:
        """The figures behind it."""
        return self.warned.text.partition(". ")[2]

    def value_text(self, value: float) -> str:
        """Give a value of the curve as it is read: `0.62`, or `0.02 %` for a share of pixels."""
        if self.warned.measure == PREDICTED_SHARE:
            return "< 0.01 %" if value < 1e-4 else f"{100 * value:.2g} %"
        return share(value)


def guarded(
    warnings: Iterable[Warned],
    metrics: Mapping[tuple[str, str | None], Points],
    looks: Iterable[Look],
) -> tuple[Guarded, ...]:
    """Give the classes that were warned of, each with its last warning, the newest first."""
    colours = {look.name: look.colour for look in looks}
    last: dict[str, Guarded] = {}
    for warned in warnings:
        if warned.kind == TAIL_GUARD and warned.class_name:
            points = metrics.get((warned.measure, warned.class_name), ())
            finite = tuple((step, value) for step, value in points if math.isfinite(value))
            last.pop(warned.class_name, None)
            colour = colours.get(warned.class_name, "")
            last[warned.class_name] = Guarded(warned, colour, finite)
    return tuple(reversed(last.values()))


def change_for(label: str, class_id: int) -> Any:
    """Give the change that a remedy asks of the run."""
    from ...core.training.changes import SampleMore, WeighMore

    kind = WeighMore if is_weighing(label) else SampleMore
    return kind(class_id, REMEDY_FACTOR)


def is_weighing(label: str) -> bool:
    """Tell whether a remedy lets mistakes count more; else it shows the class more often."""
    return label.lower().startswith("weigh")


def remedy_tip(label: str) -> str:
    """Say what a remedy does."""
    if is_weighing(label):
        return f"From the next step on, mistakes on it count {REMEDY_FACTOR:g} times as much"
    return f"From the next step on, this class is looked at {REMEDY_FACTOR:g} times as often"


def taken_up(told: Told, step: int) -> str:
    """Say what a run does since it has taken up a remedy; empty for other changes."""
    factor = told.settings.get("factor")
    times = f"{factor:g} times" if isinstance(factor, int | float) else "more"
    match told.change:
        case "SampleMore":
            return f"Looked at {times} as often since step {step:,}."
        case "WeighMore":
            return f"Mistakes on it count {times} as much since step {step:,}."
    return ""
