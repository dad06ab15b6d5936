"""What the Train panel shows of a run while it works; knows neither Qt nor torch."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from ...core.backend.events import (
    Artifact,
    Event,
    Finished,
    Log,
    Paused,
    Progress,
    Resumed,
    Told,
    Warned,
)
from .train_guarded import Guarded, guarded
from .train_record import Metrics, Points, Record, in_order, joined
from .train_strip import strip_step
from .train_words import case_noun, clock, duration, plural, run_number, share, short_share

Tier = Literal["head", "medium", "tail"]

# The first of these that a run has told is the number its page is about.
HEADLINES: tuple[tuple[str, str, str], ...] = (
    ("dice", "mean Dice, validation", "Dice by class, validation"),
    (
        "average_precision",
        "average precision (val)",
        "Average precision by class, validation",
    ),
    ("recall", "balanced accuracy (val)", "Recall by class, validation"),
    ("auc", "mean AUC, validation", "AUC by class, validation"),
    ("train_dice", "mean Dice, training", "Dice by class, training scans"),
    ("train_recall", "balanced accuracy (train)", "Recall by class, training images"),
    ("loss", "training loss", "Training loss"),
)
PSEUDO_SHARE, TEMPERATURE = "pseudo_share", "temperature"
_DRAWN_LAST: Mapping[str, int] = {"head": 0, "medium": 1, "tail": 2}


@dataclass(frozen=True, slots=True)
class ClassLook:
    """How a class is drawn: its name, its own colour and its tier in the training cases."""

    name: str
    colour: str
    tier: Tier = "head"


@dataclass(frozen=True, slots=True)
class Headline:
    """The one number: its value, what it is, and the best so far with its step."""

    value: float
    what: str
    best: float
    best_step: int
    name: str

    @property
    def text(self) -> str:
        """The number as it stands on the page."""
        return share(self.value) if self.name != "loss" else f"{self.value:.3g}"

    @property
    def best_text(self) -> str:
        """What was best so far: `best 0.80, step 396`."""
        word, value = ("lowest", f"{self.best:.3g}") if self.name == "loss" else ("best", "")
        return f"{word} {value or share(self.best)}, step {self.best_step:,}"


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of the plot, in the colour of its class."""

    name: str
    colour: str
    points: tuple[tuple[int, float], ...]
    tier: Tier = "head"

    @property
    def legend(self) -> str:
        """The class and its last value: `anterior .82`."""
        return f"{self.name} {short_share(self.points[-1][1])}" if self.points else self.name


@dataclass(frozen=True, slots=True)
class Learned:
    """What a run shows of what it learned, beside how good it is; supervised runs have nothing.

    `maps` and `strips` are paths in the run's folder, in the order of their steps.
    """

    maps: tuple[str, ...] = ()
    pseudo: tuple[Curve, ...] = ()
    temperature: tuple[Curve, ...] = ()
    strips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Live:
    """One moment of a run, ready to be drawn."""

    phase: str
    left: str
    steps: str
    fraction: float | None
    headline: Headline | None
    curves_title: str
    curves: tuple[Curve, ...]
    total_steps: int
    warnings: tuple[Warned, ...]
    learned: Learned = Learned()
    guarded: tuple[Guarded, ...] = ()


class Tracked(Protocol):
    """What is read of a tracked job."""

    @property
    def state(self) -> str:
        """Queued, running, paused, stopping, or how it ended."""

    @property
    def progress(self) -> Progress | None:
        """How far it is."""

    @property
    def metrics(self) -> Mapping[tuple[str, str | None], Points]:
        """Every value told, by name and class."""

    @property
    def maps(self) -> Sequence[str]:
        """Paths of the maps of what was learned, in the run's folder."""

    @property
    def strips(self) -> Sequence[str]:
        """Paths of the strips of followed images, in the run's folder."""

    @property
    def warnings(self) -> Sequence[Warned]:
        """What a person should look at."""

    @property
    def finished(self) -> Finished | None:
        """How it ended, once it has."""


def live(
    job: Tracked, looks: Sequence[ClassLook], ahead: str = "", earlier: Record | None = None
) -> Live:
    """Read the present moment of a job.

    Parameters
    ----------
    ahead
        The work that it waits for, if any.
    earlier
        What the run told before it was resumed.
    """
    before = earlier or Record()
    metrics = joined(before.metrics, job.metrics)
    name, title = _measure(metrics)
    progress = job.progress
    stepping = progress is not None and progress.total > 0
    return Live(
        phase=phase(job, ahead),
        left=f"{clock(progress.eta_s)} left" if progress and clock(progress.eta_s) else "",
        steps=f"{progress.done:,} of {progress.total:,}" if progress and stepping else "",
        fraction=progress.done / progress.total if progress and stepping else None,
        headline=headline(metrics),
        curves_title=title,
        curves=curves(metrics, name, looks),
        total_steps=progress.total if progress and _is_training(progress) else 0,
        warnings=tuple(job.warnings),
        learned=learned(metrics, (*before.maps, *job.maps), looks, (*before.strips, *job.strips)),
        guarded=guarded((*before.warnings, *job.warnings), metrics, looks),
    )


def learned(
    metrics: Metrics,
    maps: Iterable[str],
    looks: Sequence[ClassLook],
    strips: Iterable[str] = (),
) -> Learned:
    """Find what a run shows of what it learned."""
    temperature = tuple(_finite(metrics.get((TEMPERATURE, None), ())))
    return Learned(
        in_order(maps),
        by_class(metrics, PSEUDO_SHARE, looks),
        (Curve("temperature", "", temperature),) if temperature else (),
        in_order(strips, strip_step),
    )


def phase(job: Tracked, ahead: str = "") -> str:
    """Say in words what the run is doing right now."""
    if job.state == "queued":
        return f"Waiting for the device: {ahead}" if ahead else "Starting the compute process"
    if job.state == "stopping":
        return "Finishing the step in hand and saving what was learned"
    if job.state == "paused":
        return "Paused, the device is free for other work"
    what = job.progress.what.strip() if job.progress else "Getting ready"
    return what[:1].upper() + what[1:] if what else "Training"


def headline(metrics: Metrics) -> Headline | None:
    """Find the one number of a run; None as long as it has told nothing."""
    for name, what, _ in HEADLINES:
        points = _finite(metrics.get((name, None), ()))
        if points:
            return _headline(name, what, points)
    return None


def curves(metrics: Metrics, name: str, looks: Iterable[ClassLook]) -> tuple[Curve, ...]:
    """Give the classes' lines in the order in which they are drawn: the tail last, on top."""
    drawn = by_class(metrics, name, looks)
    if not drawn and (points := _finite(metrics.get((name, None), ()))):
        return (Curve("all classes" if name != "loss" else "loss", "", tuple(points)),)
    return drawn


def by_class(metrics: Metrics, name: str, looks: Iterable[ClassLook]) -> tuple[Curve, ...]:
    """Give the curve of each class that has told values called `name`, the tail last."""
    drawn = [
        Curve(look.name, look.colour, tuple(_finite(metrics[(name, look.name)])), look.tier)
        for look in looks
        if metrics.get((name, look.name))
    ]
    return tuple(sorted(drawn, key=lambda curve: _DRAWN_LAST.get(curve.tier, 0)))


def news(event: Event) -> str:
    """Tell an event that is worth a line in the run's diary; empty for all others."""
    match event:
        case Log(text=text):
            return text
        case Told(change="SampleMore"):
            return "A class is shown more often from here on."
        case Told(change="WeighMore"):
            return "Mistakes on a class count more from here on."
        case Told(change="LabelsChanged", settings=settings):
            return f"Labels of {plural(len(settings.get('case_ids', ())), 'case')} were read again."
        case Artifact(kind="checkpoint", path=path) if path.endswith("best.pt"):
            return "The best so far was saved."
        case Paused():
            return "Paused."
        case Resumed():
            return "Went on."
    return ""


def run_line(run_id: str, spec: Mapping[str, object]) -> str:
    """Name a run and its seed: `run 3 · seed 0`."""
    return f"{run_number(run_id)} · seed {spec.get('seed', 0)}"


def facts(spec: Mapping[str, object], device: str, *, with_unlabelled: bool) -> str:
    """Say what a run works with: `4 labelled and 146 unlabelled scans, CPU, 6 minutes`.

    `with_unlabelled` says whether its method learns from unlabelled cases at all.
    """
    noun = case_noun(str(spec.get("task", "")))
    labelled, unlabelled = (_count(spec, f"train_{kind}") for kind in ("labelled", "unlabelled"))
    cases = plural(labelled, f"labelled {noun}")
    if unlabelled and with_unlabelled:
        cases = f"{labelled:,} labelled and {unlabelled:,} unlabelled {noun}s"
    return ", ".join(part for part in (cases, device, budget(spec)) if part)


def budget(spec: Mapping[str, object]) -> str:
    """Say how long a run was asked to train: `6 minutes` or `600 steps`."""
    minutes, iterations = spec.get("minutes"), spec.get("iterations")
    if isinstance(minutes, int | float):
        whole = float(minutes) >= 1 and float(minutes).is_integer()
        return plural(int(minutes), "minute") if whole else duration(float(minutes) * 60)
    return plural(int(iterations), "step") if isinstance(iterations, int) else ""


def _measure(metrics: Metrics) -> tuple[str, str]:
    told = {name for name, _ in metrics}
    for name, _, title in HEADLINES:
        if name in told:
            return name, title
    return "", ""


def _headline(name: str, what: str, points: Points) -> Headline:
    choose = min if name == "loss" else max
    best_step, best = choose(points, key=lambda point: point[1])
    return Headline(points[-1][1], what, best, best_step, name)


def _finite(points: Points) -> list[tuple[int, float]]:
    return [(step, value) for step, value in points if value == value and abs(value) < 1e30]


def _is_training(progress: Progress) -> bool:
    return progress.what.strip().lower() in ("", "training", "train")


def _count(spec: Mapping[str, object], key: str) -> int:
    cases = spec.get(key)
    return len(cases) if isinstance(cases, list | tuple) else 0
