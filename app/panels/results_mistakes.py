"""Which images a report counts as mistakes, by what they were taken for; knows no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...core.evaluate.intervals import wilson
from ...core.evaluate.report import Report

MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Mistake:
    """Images that were answered wrongly in one way: `len(cases)` of `of` that could have been.

    `low` and `high` are the 95 % interval of that share.
    """

    words: str
    tier: str
    cases: tuple[str, ...]
    of: int
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """The same in a whole sentence."""
        share = f"{len(self.cases):,} of {self.of:,} images"
        return f"{self.words}: {share} (95 % interval {self.low:.0%} to {self.high:.0%})."


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of (true, predicted) classes in the order of `names`, the most trained first."""

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    def sentence(self, true: int, said: int) -> str:
        """Tell one cell in words."""
        count, of = self.counts[true][said], sum(self.counts[true])
        if true == said:
            return f"{self.names[true]}: {count:,} of {of:,} found."
        return f"{self.names[true]} taken for {self.names[said]}: {count:,} of {of:,} images."


def matrix_of(report: Report) -> Matrix | None:
    """Give what was taken for what; None where classes do not exclude each other."""
    confusion = report.confusion
    if confusion is None or not confusion.names:
        return None
    training = {each.name: each.training for each in report.classes}
    count = len(confusion.names)
    order = sorted(range(count), key=lambda i: -training.get(confusion.names[i], 0))
    return Matrix(
        tuple(confusion.names[i] for i in order),
        tuple(tuple(confusion.counts[i][j] for j in order) for i in order),
    )


def cases_taken(report: Report, true: str, said: str) -> tuple[str, ...]:
    """List the images of class `true` that were called `said`."""
    return tuple(
        str(line["case"])
        for line in report.cases
        if line.get("true") == true and line.get("predicted") == said
    )


def wrong_cases(report: Report) -> tuple[str, ...]:
    """List all images that were answered wrongly; of several findings, those with one missed."""
    if report.confusion is None:
        return tuple(dict.fromkeys(case for one in _several(report) for case in one.cases))
    return tuple(
        str(line["case"]) for line in report.cases if line.get("true") != line.get("predicted")
    )


def mistakes(report: Report, most: int = MOST_LISTED) -> tuple[Mistake, ...]:
    """List the most frequent mistakes: confused pairs, or what was missed and called wrongly."""
    found = _pairs(report) if report.confusion is not None else _several(report)
    return tuple(sorted(found, key=lambda one: -len(one.cases))[:most])


def _pairs(report: Report) -> list[Mistake]:
    tiers = {each.name: each.tier for each in report.classes}
    pairs = report.images.pairs if report.images else ()
    return [
        Mistake(
            f"{pair.true} taken for {pair.predicted}",
            tiers.get(pair.true, ""),
            cases_taken(report, pair.true, pair.predicted),
            pair.of,
            pair.low,
            pair.high,
        )
        for pair in pairs
    ]


def _several(report: Report) -> list[Mistake]:
    """List what was missed; what was called wrongly cannot be told from what nobody answered."""
    if report.images is None:
        return []
    missed = _missed(report, report.images.thresholds)
    counts, tiers = report.images.counts, {each.name: each.tier for each in report.classes}
    return [
        _mistake(f"{name} missed", tiers.get(name, ""), cases, counts[name].there)
        for name, cases in missed.items()
        if name in counts
    ]


def _missed(report: Report, cuts: Mapping[str, float]) -> dict[str, list[str]]:
    # One pass, since there may be many thousand lines: each has few classes.
    missed: dict[str, list[str]] = {}
    for line in report.cases:
        true = line.get("true")
        for name in true if isinstance(true, list | tuple) else ():
            if _probability(line, name) < cuts.get(name, 0.5):
                missed.setdefault(name, []).append(str(line["case"]))
    return missed


def _mistake(words: str, tier: str, cases: Sequence[str], of: int) -> Mistake:
    low, high = wilson(min(len(cases), of), of) or (0.0, 1.0)
    return Mistake(words, tier, tuple(cases), of, low, high)


def _probability(line: Mapping[str, object], name: str) -> float:
    shares = line.get("probabilities")
    value = shares.get(name) if isinstance(shares, Mapping) else None
    return float(value) if isinstance(value, int | float) else 0.0
