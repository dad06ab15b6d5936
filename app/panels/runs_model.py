"""What the page of runs side by side shows; knows neither Qt nor torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from statistics import fmean
from typing import Any

from ...core.evaluate.bootstrap import Bounds
from ...core.evaluate.report import Report
from ...core.evaluate.versus import ChangedCase, Versus
from ...core.project.records import RunRecord, Task
from .results_model import Measure, Value, measures_of, results
from .results_state import run_title
from .train_live import HEADLINES
from .train_record import Metrics
from .train_words import duration, nouns, run_number

MOST_DRAWN = 4
MARKERS = ("disc", "ring", "diamond", "square")
"""Shapes of the runs that are drawn, in the order in which they were ticked; never colour alone."""

POINTS_A_CLASS = 2_000
MOST_CHANGED = 300
DECISIVE = {
    Task.SEGMENTATION: "dice",
    Task.CLASSIFICATION: "balanced_accuracy",
    Task.MULTILABEL: "auc",
}


@dataclass(frozen=True, slots=True)
class RunLine:
    """One evaluated run as a row of the table.

    `kind` says in a word or two how it was trained: the method, or the loss of `cross-entropy`.
    `difference` is this run minus the one that all are compared with, None until it is known and
    for that run itself; `marker` is the shape that it is drawn with, empty where it is not.
    """

    id: str
    name: str
    kind: str
    title: str
    labelled: int
    took: str
    measure: Measure
    value: Value
    tiers: Mapping[str, Value] = field(default_factory=dict)
    difference: Bounds | None = None
    is_reference: bool = False
    marker: str = ""

    @property
    def clear(self) -> bool | None:
        """Whether the difference's interval leaves 0 out; None where there is none."""
        told = self.difference
        if told is None or told.low is None or told.high is None:
            return None
        return told.low > 0 or told.high < 0

    @property
    def sentence(self) -> str:
        """The row in words."""
        write, told = self.measure.written, self.difference
        text = f"{self.title}: {self.measure.head} {write(self.value.mean)}"
        if self.value.low is not None:
            text += f", 95 % interval {write(self.value.low)} to {write(self.value.high)}"
        text += f"; {self.labelled:,} labelled in training{f', {self.took}' if self.took else ''}."
        if told is not None and told.mean is not None and told.low is not None:
            end = "the interval leaves 0 out" if self.clear else "the interval holds 0"
            text += f" Difference {told.mean:+.3f} ({told.low:+.3f} to {told.high:+.3f}): {end}."
        return text


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class with the value of each drawn run, by marker."""

    name: str
    tier: str
    training: int
    values: tuple[tuple[str, str, Value], ...]
    """(marker, name of the run, value)."""

    measure: Measure
    few: bool = False

    @property
    def sentence(self) -> str:
        """The row in words; of few cases no value but the interval."""
        told = ", ".join(f"{run} {self._told(value)}" for _, run, value in self.values)
        few = " Few test cases: trust the intervals." if self.few else ""
        return f"{self.name} ({self.training:,} in training): {told}.{few}"

    def _told(self, value: Value) -> str:
        write = self.measure.written
        if value.mean is None:
            return "not measured"
        ends = "" if value.low is None else f"{write(value.low)} to {write(value.high)}"
        return ends if self.few and ends else f"{write(value.mean)} ({ends})".replace(" ()", "")


@dataclass(frozen=True, slots=True)
class RunCurve:
    """How a run came along: (step, mean over classes), with the shape of the run."""

    marker: str
    name: str
    what: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """One case of one class in the plot of all cases; `slice` is its place in a scan, or None."""

    case: str
    class_name: str
    value: float
    slice: int | None = None


def run_line(
    run: RunRecord, report: Report, *, reference: str, marker: str, difference: Bounds | None
) -> RunLine:
    """Lay one run out."""
    measure = measures_of(report)[0]
    told = results(report, measure)
    seconds = run.result.get("seconds")
    return RunLine(
        run.id,
        run_number(run.id),
        run_kind(run),
        run_title(run),
        report.provenance.labelled,
        duration(float(seconds)) if isinstance(seconds, int | float) else "",
        measure,
        told.head,
        {each.tier: each.value for each in told.tiers},
        difference,
        run.id == reference,
        marker,
    )


def run_kind(run: RunRecord) -> str:
    """Say in a word or two how a run was trained."""
    settings = run.spec.get("settings", {})
    loss = settings.get("loss") if isinstance(settings, Mapping) else None
    if run.method == "cross-entropy" and loss not in (None, "ce", "bce"):
        return str(loss).replace("-", " ")
    return run_title(run).partition(" · ")[2] or run.method


def markers(ticked: Sequence[str]) -> dict[str, str]:
    """Give each drawn run its shape."""
    return dict(zip(ticked[:MOST_DRAWN], MARKERS, strict=False))


def class_lines(drawn: Sequence[tuple[str, Report]]) -> list[ClassLine]:
    """Lay the classes of several runs out, the most trained first.

    Parameters
    ----------
    drawn
        (marker, report) of each drawn run; the first decides the order of the classes and the
        measure.
    """
    if not drawn:
        return []
    first = drawn[0][1]
    measure = measures_of(first)[0]
    rows = [
        (marker, report.run, {row.name: row.value for row in results(report, measure).rows})
        for marker, report in drawn
    ]
    return [
        ClassLine(
            row.name,
            row.tier,
            row.count or 0,
            tuple(
                (marker, run_number(run), by_name.get(row.name, Value()))
                for marker, run, by_name in rows
            ),
            measure,
            row.few is not None,
        )
        for row in results(first, measure).rows
    ]


def run_curves(told: Sequence[tuple[str, str, Metrics]]) -> list[RunCurve]:
    """Give how runs came along by one measure, so that their curves can be compared.

    Parameters
    ----------
    told
        (marker, run id, what it told) of each drawn run. The most telling measure that all of
        them told is taken; where there is none, the most telling one that any did.
    """
    for least in (len(told), 1):
        for name, what, _ in HEADLINES:
            found = [(marker, run, _curves_of(name, metrics)) for marker, run, metrics in told]
            known = [(marker, run, curves) for marker, run, curves in found if curves]
            if known and len(known) >= least:
                return [
                    RunCurve(marker, run_number(run), what, _mean_curve(curves))
                    for marker, run, curves in known
                ]
    return []


def _curves_of(name: str, metrics: Metrics) -> list[Sequence[tuple[int, float]]]:
    return [points for (each, _), points in metrics.items() if each == name and points]


def _mean_curve(curves: Sequence[Sequence[tuple[int, float]]]) -> tuple[tuple[int, float], ...]:
    every = sorted(point for curve in curves for point in curve)
    steps = groupby(every, key=lambda point: point[0])
    return tuple((step, fmean(value for _, value in points)) for step, points in steps)


def spots(report: Report) -> list[Spot]:
    """List the cases of a report as points.

    Of label maps Dice by class; of classes that exclude each other how sure the answer is, below 0
    where it is wrong; of findings the probability of each labelled one.
    """
    found: list[Spot] = []
    for line in report.cases:
        case, dice = str(line["case"]), line.get("dice")
        if isinstance(dice, Mapping):
            found += [Spot(case, n, float(v)) for n, v in dice.items() if v is not None]
        elif isinstance(line.get("true"), str) and line.get("probability") is not None:
            found.append(Spot(case, str(line["true"]), _sureness(line)))
        elif isinstance(line.get("probabilities"), Mapping):
            shares = line["probabilities"]
            found += [Spot(case, n, float(shares[n])) for n in line.get("true", ()) if n in shares]
    return found


def _sureness(line: Mapping[str, Any]) -> float:
    sure = float(line["probability"])
    return sure if line["true"] == line.get("predicted") else -sure


def spots_title(task: Task) -> str:
    """Say what the points of the plot of all cases are."""
    if task is Task.SEGMENTATION:
        return "Dice of each scan, by class"
    if task is Task.CLASSIFICATION:
        return "How sure of each image: right answers above, wrong ones below"
    return "Probability of each labelled finding"


def changed_title(versus: Versus, other: str, noun: str) -> str:
    """Sum up what changed."""
    return (
        f"{versus.better:,} better, {versus.worse:,} worse than {other}, "
        f"of {versus.shared:,} {nouns(noun)}"
    )


def changed_sentence(one: ChangedCase, task: Task) -> str:
    """Tell one changed case in words."""
    if task is Task.SEGMENTATION:
        return f"{one.case}: mean Dice {one.before} before, {one.after} now."
    return f"{one.case}: {one.truth}; before {one.before}, now {one.after}."
