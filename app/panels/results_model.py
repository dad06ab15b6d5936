"""What the Results panel shows of a run; knows neither Qt nor torch."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ...core.evaluate.report import FEW_CASES, EvaluatedClass, Report
from ...core.project.records import Task
from .train_words import difference, share, short_share


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure by class: its key in a report, its name, its unit and which way is better.

    `head` names the one number over all classes, `head_key` its key where it has its own.
    """

    key: str
    title: str
    head: str
    unit: str = ""
    higher_is_better: bool = True
    head_key: str = ""

    @property
    def is_share(self) -> bool:
        """Whether its values lie between 0 and 1."""
        return not self.unit

    def written(self, value: float | None) -> str:
        """Write a value with as many digits as it means."""
        if value is None or not math.isfinite(value):
            return share(None)
        return share(value) if self.is_share else f"{value:.1f}"

    def changed(self, change: float | None) -> str:
        """Write a change with its sign."""
        return difference(change, 2 if self.is_share else 1)


_RECALL = Measure("recall", "Recall", "balanced accuracy", head_key="balanced_accuracy")
_AUC = Measure("auc", "AUC", "mean AUC")
_PRECISION = Measure("average_precision", "Average precision", "mean average precision")
_F1 = Measure("macro_f1", "F1", "macro F1")

# What a page is about comes first.
MEASURES: Mapping[Task, tuple[Measure, ...]] = {
    Task.SEGMENTATION: (
        Measure("dice", "Dice", "mean Dice"),
        Measure("jaccard", "Jaccard", "mean Jaccard"),
        Measure("nsd_1mm", "Surface within 1 mm", "mean surface Dice at 1 mm"),
        Measure("hd95_mm", "95 % Hausdorff distance", "mean 95 % distance", "mm", False),
        Measure("asd_mm", "Mean surface distance", "mean surface distance", "mm", False),
    ),
    Task.CLASSIFICATION: (_RECALL, _AUC, _PRECISION, _F1),
    Task.MULTILABEL: (_AUC, _PRECISION, _RECALL, _F1),
}


class Measured(Protocol):
    """A mean with its 95 % interval, as a report holds them."""

    @property
    def mean(self) -> float | None:
        """The mean."""

    @property
    def low(self) -> float | None:
        """The lower end."""

    @property
    def high(self) -> float | None:
        """The upper end."""

    @property
    def n(self) -> int:
        """How many cases are behind it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A measured value with its 95 % interval, over `n` cases; None where nothing was measured."""

    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One class of the table.

    `count` is the number of its labelled training cases, `other` the value of the run compared
    with, `note` what to know before trusting the value.
    """

    name: str
    tier: str
    count: int | None
    value: Value
    measure: Measure
    other: float | None = None
    note: str = ""
    few: int | None = None
    """How many cases have the class, where these are too few for a point; else None."""

    @property
    def change(self) -> float | None:
        """How much the value differs from the other run's; nothing is said of few cases."""
        if self.value.mean is None or self.other is None or self.few is not None:
            return None
        return self.value.mean - self.other

    @property
    def few_texts(self) -> tuple[str, str]:
        """What stands in place of a point: the interval, and on how many cases."""
        noun = "case" if self.few == 1 else "cases"
        if self.value.low is None or self.value.high is None:
            return "no interval", f"only {self.few} {noun}"
        write = short_share if self.measure.is_share else self.measure.written
        return f"{write(self.value.low)} to {write(self.value.high)}", f"only {self.few} {noun}"

    @property
    def sentence(self) -> str:
        """The row in words."""
        if self.value.mean is None:
            return f"{self.name}: not measured, no case of this part has it."
        write, unit = self.measure.written, f" {self.measure.unit}".rstrip()
        has_interval = self.value.low is not None and self.value.high is not None
        text = f"{self.name}: {self.measure.title}"
        if self.few is None:
            text += f" {write(self.value.mean)}{unit},"
        if has_interval:
            text += f" 95 % interval {write(self.value.low)} to {write(self.value.high)}{unit},"
        if self.few is not None and not has_interval:
            text += " cannot be told,"
        text = text.removesuffix(",")
        text += f", measured on {self.value.n:,}"
        if self.count is not None:
            text += f", {self.count:,} labelled in training"
        if self.other is not None:
            text += f"; the other run {write(self.other)}{unit}"
        return f"{text}.\n{self.note}".strip()


@dataclass(frozen=True, slots=True)
class TierValue:
    """The value of a tier; of few cases only the interval and the count are written."""

    tier: str
    value: Value
    measure: Measure

    @property
    def text(self) -> str:
        """As it stands in the line of the tiers."""
        write = short_share if self.measure.is_share else self.measure.written
        if self.value.n >= FEW_CASES:
            return f"{self.tier} {write(self.value.mean)}"
        if self.value.low is None or self.value.high is None:
            return f"{self.tier}: {self.value.n} cases"
        ends = f"{write(self.value.low)} to {write(self.value.high)}"
        return f"{self.tier} {ends} ({self.value.n} cases)"

    @property
    def sentence(self) -> str:
        """The same with its interval."""
        low, high = self.value.low, self.value.high
        if low is None or high is None:
            return self.text
        write = self.measure.written
        text = f"{self.tier.capitalize()}: {write(self.value.mean)}, " if self.value.n >= 5 else ""
        text = text or f"{self.tier.capitalize()}: "
        return f"{text}95 % interval {write(low)} to {write(high)}, {self.value.n:,} cases"


@dataclass(frozen=True, slots=True)
class Results:
    """One evaluated run, ready to be drawn."""

    measure: Measure
    head: Value
    change: float | None
    rows: tuple[ResultRow, ...]
    tiers: tuple["TierValue", ...]
    case_count: int
    notes: tuple[str, ...] = ()
    thresholds: str = ""
    """Where head ends and tail begins, as a sentence."""

    @property
    def head_text(self) -> str:
        """The one number."""
        return self.measure.written(self.head.mean)

    @property
    def interval_text(self) -> str:
        """The interval under the one number."""
        low, high = self.head.low, self.head.high
        if low is None or high is None:
            return "no interval: too few cases"
        if self.measure.is_share:
            return f"95 % interval {short_share(low)} to {short_share(high)}"
        return f"95 % interval {low:.1f} to {high:.1f} {self.measure.unit}"

    @property
    def better(self) -> bool | None:
        """Whether the change is for the better; None when there is none to speak of."""
        return is_better(self.change, self.measure)

    @property
    def track_end(self) -> float:
        """Where the track of the intervals ends; it begins at 0."""
        if self.measure.is_share:
            return 1.0
        ends = [row.value.high or row.value.mean or 0.0 for row in self.rows]
        return max([*ends, *(row.other or 0.0 for row in self.rows), 1.0])


def is_better(change: float | None, measure: Measure) -> bool | None:
    """Tell whether a change that shows in the digits is for the better."""
    if change is None or not measure.changed(change).strip("0."):
        return None
    return (change > 0) == measure.higher_is_better


def measures_of(report: Report) -> tuple[Measure, ...]:
    """List the measures that a report holds by class, the most telling first."""
    task = Task(report.provenance.task)
    return tuple(
        measure
        for measure in MEASURES[task]
        if measure.key in report.summary and report.summary[measure.key].classes
    )


def results(report: Report, measure: Measure, other: Report | None = None) -> Results:
    """Lay a report out for one measure, beside the report of the run compared with."""
    head = _head(report, measure)
    before = _head(other, measure).mean if other else None
    classes = sorted(report.classes, key=lambda each: -each.training)
    return Results(
        measure,
        head,
        None if head.mean is None or before is None else head.mean - before,
        tuple(_row(report, measure, each, other) for each in classes),
        _tiers(report, measure),
        report.provenance.evaluated,
        _notes(report, other),
        report.thresholds,
    )


def told_value(report: Report, key: str, each: EvaluatedClass | None) -> str:
    """Tell a measure of a class with its interval, of few cases the interval alone.

    `each` None tells the measure over all classes.
    """
    figure = report.summary.get(key)
    value = _checked(figure.classes.get(each.name) if figure and each is not None else figure)
    few = each is not None and each.few
    if value.mean is None:
        return share(None)
    if value.low is None or value.high is None:
        return "unknown: too few cases" if few else share(value.mean)
    ends = f"{short_share(value.low)} to {short_share(value.high)}"
    return ends if few else f"{share(value.mean)} ({ends})"


def _notes(report: Report, other: Report | None) -> tuple[str, ...]:
    """List what to know of the figures shown; of few cases and of kappa the report tells more."""
    elsewhere = ("trust its interval", "Kappa is")
    told = [note for note in report.notes if not any(words in note for words in elsewhere)]
    if other is not None and (care := comparable(report, other)):
        told.append(f"Compare with care: {care}.")
    return tuple(told)


def comparable(report: Report, other: Report) -> str:
    """Say why two runs should be compared with care; empty when they can be compared plainly."""
    ours, theirs = report.provenance, other.provenance
    if ours.evaluated != theirs.evaluated:
        return f"measured on {ours.evaluated:,} and {theirs.evaluated:,} cases"
    if ours.labelled != theirs.labelled:
        return f"trained on {ours.labelled:,} and {theirs.labelled:,} labelled cases"
    if report.setting != other.setting:
        return "measured at different settings of the prior slider"
    return ""


def case_sentence(report: Report, measure: Measure, case_id: str) -> str:
    """Say how the run did on one case; empty for a case that was not measured."""
    line = next((each for each in report.cases if each.get("case") == case_id), None)
    if line is None:
        return ""
    by_class = line.get(measure.key)
    if isinstance(by_class, Mapping):
        told = [f"{n} {measure.written(v)}" for n, v in by_class.items() if v is not None]
        return f"{measure.title} here: {', '.join(told)}" if told else ""
    true, said = line.get("true"), line.get("predicted")
    if not isinstance(true, str) or not isinstance(said, str):
        return ""
    return f"Rightly {said}." if true == said else f"Labelled {true}, taken for {said}."


@dataclass(frozen=True, slots=True)
class Finding:
    """One class of an image and how likely a run holds it to be, 0 to 1.

    `labelled` tells that a person has given it.
    """

    name: str
    tier: str
    probability: float
    labelled: bool = False


def findings(
    logits: Sequence[float],
    classes: Sequence[tuple[str, str]],
    task: Task,
    given: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Turn an image's logits into findings, the likeliest first.

    Parameters
    ----------
    logits
        One value a class.
    classes
        The (name, tier) of each class, in the order of the logits.
    task
        Whether the classes exclude each other.
    given
        Names of the classes that a person has given.
    """
    told = zip(classes, _probabilities([float(z) for z in logits], task), strict=False)
    found = [Finding(name, tier, p, name in given) for (name, tier), p in told if math.isfinite(p)]
    return tuple(sorted(found, key=lambda finding: -finding.probability))


def _probabilities(logits: list[float], task: Task) -> list[float]:
    if task is Task.MULTILABEL:
        return [0.5 * (1.0 + math.tanh(0.5 * z)) for z in logits]
    top = max((z for z in logits if math.isfinite(z)), default=0.0)
    odds = [math.exp(min(z - top, 0.0)) if z == z else math.nan for z in logits]
    total = sum(odd for odd in odds if math.isfinite(odd)) or 1.0
    return [odd / total for odd in odds]


def _row(
    report: Report, measure: Measure, facts: EvaluatedClass, other: Report | None
) -> ResultRow:
    return ResultRow(
        facts.name,
        facts.tier,
        facts.training,
        _of_class(report, measure, facts.name),
        measure,
        _of_class(other, measure, facts.name).mean if other else None,
        f"Only {facts.test} of the cases have it: trust the interval." if facts.few else "",
        facts.test if facts.few else None,
    )


def _head(report: Report, measure: Measure) -> Value:
    figure = report.summary.get(measure.head_key) if measure.head_key else None
    return _checked(figure or report.summary.get(measure.key))


def _of_class(report: Report, measure: Measure, name: str) -> Value:
    figure = report.summary.get(measure.key)
    return _checked(figure.classes.get(name) if figure else None)


def _tiers(report: Report, measure: Measure) -> tuple[TierValue, ...]:
    figure = report.summary.get(measure.key)
    found: list[TierValue] = []
    for tier in ("head", "medium", "tail"):
        own = report.summary.get(f"{measure.key}_{tier}")
        value = _checked(own or (figure.tiers.get(tier) if figure else None))
        if value.mean is not None:
            # A label map is measured too where a class is only predicted: that is no case of it.
            cases = sum(each.test for each in report.classes if each.tier == tier)
            found.append(TierValue(tier, replace(value, n=min(value.n, cases)), measure))
    # One tier alone says nothing that the number over all classes does not.
    return tuple(found) if len(found) > 1 else ()


def _checked(measured: Measured | None) -> Value:
    if measured is None:
        return Value()
    ends = (measured.mean, measured.low, measured.high)
    mean, low, high = (end if end is not None and math.isfinite(end) else None for end in ends)
    return Value(mean, low, high, measured.n)
