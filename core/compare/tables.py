"""The results of a comparison as files: Markdown and CSV for people, and a plot."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..evaluate.box_scores import COMPARED
from ..evaluate.prior import probabilities_of
from ..evaluate.report import NOTICE
from ..evaluate.wording import MEASURES, NO_VALUE
from ..files import write_text
from ..project.records import Task
from .cells import CellRecord
from .plot import draw
from .results import BY_CLASS, SHOWN, Comparison, Difference, Row, Spread

TABLE = "table.md"
TABLE_CSV = "table.csv"
CASES_CSV = "cases.csv"
PLOT = "plot.svg"
MARK = "*"
ALL_CLASSES = "all"
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


def write_results(folder: Path, comparison: Comparison) -> None:
    """Replace the tables and the plot in a comparison's folder."""
    write_text(folder / TABLE, markdown(comparison))
    write_text(folder / TABLE_CSV, table_csv(comparison))
    write_text(folder / CASES_CSV, cases_csv(comparison))
    write_text(folder / PLOT, draw(comparison))


def markdown(comparison: Comparison) -> str:
    """Write the comparison as a page."""
    plan = comparison.plan
    parts = [f"# {_plain(plan.title)}", NOTICE, *introduction(comparison)]
    if comparison.rows:
        measures = _present(comparison)
        heads = ["method", "labelled", "n", *(_title(name) for name in measures)]
        parts += [_overall_heading(comparison)]
        parts += [_grid(heads, (_overall_line(row, measures) for row in comparison.rows))]
        parts += ["## Each class", _class_grid(comparison)]
        parts += _difference_parts(comparison, measures)
    parts += _run_parts(comparison)
    return "\n\n".join(part for part in parts if part) + "\n"


def introduction(comparison: Comparison) -> list[str]:
    """Say in sentences what was compared, and what is missing yet."""
    plan = comparison.plan
    measured = (
        "the best of its checkpoints" if plan.which == "best" else "its last averaged weights"
    )
    told = [
        f"Every run had {plan.budget}, validation {plan.validation}, and is measured on the test "
        f"cases with {measured}. Runs with one seed and one number of labelled cases learned from "
        "the same labels."
    ]
    if comparison.waiting:
        done = len(comparison.records) - len(comparison.failed)
        total = len(comparison.records) + len(comparison.waiting)
        told.append(f"Not finished: {done} of {total} runs are measured.")
    return told + [_plain(note) for note in comparison.notes]


def spread_text(name: str, one: Spread | None) -> str:
    """Write `mean, plus or minus deviation` over runs, or a single run's value and interval."""
    if one is None or one.mean is None:
        return NO_VALUE
    text = _digits(one.mean, name)
    if one.sd is not None:
        return f"{text} {PLUS_MINUS} {_digits(one.sd, name)}"
    if one.low is None or one.high is None:
        return text
    return f"{text} [{_digits(one.low, name)}, {_digits(one.high, name)}]"


def difference_text(name: str, one: Difference | None) -> str:
    """Write a difference with its interval, marked where that leaves 0 out."""
    if one is None or one.mean is None:
        return NO_VALUE
    mean = _signed(one.mean, name)
    if one.low is None or one.high is None:
        return mean
    interval = f"{mean} [{_signed(one.low, name)}, {_signed(one.high, name)}]"
    return f"{interval} {MARK}" if one.is_clear else interval


def table_csv(comparison: Comparison) -> str:
    """Write a line for each method, number of labels, measure and class."""
    heads = ("method", "labelled", "measure", "class", "n", "mean", "sd", "mean_low", "mean_high")
    after = ("reference", "pairs", "difference", "low", "high", "clear")
    lines = [line for row in comparison.rows for line in _csv_lines(row, comparison)]
    return _csv((*heads, *after), lines)


def cases_csv(comparison: Comparison) -> str:
    """Write a line for each run, test case and class."""
    task = comparison.plan.task
    values = SHOWN[task] if task is Task.SEGMENTATION else ("truth", "probability")
    heads = ("method", "labelled", "draw", "seed", "case", "class", *values)
    lines = [line for one in comparison.records for line in _case_lines(one, task)]
    return _csv(heads, lines)


def _overall_heading(comparison: Comparison) -> str:
    if any(len(row.replicates) > 1 for row in comparison.rows):
        return "## Mean and standard deviation over the runs"
    return "## Each method, with its 95 % bootstrap interval over test patients"


def _overall_line(row: Row, measures: Sequence[str]) -> list[str]:
    values = [spread_text(name, row.overall.get(name)) for name in measures]
    return [row.name, row.labels, str(len(row.replicates)), *values]


def _class_grid(comparison: Comparison) -> str:
    measures = _present_by_class(comparison)
    heads = ["method", "labelled", "class", *(_title(name) for name in measures)]
    lines = (
        [row.name, row.labels, name, *(_class_text(row, measure, name) for measure in measures)]
        for row in comparison.rows
        for name in comparison.class_names
    )
    return _grid(heads, lines)


def _class_text(row: Row, measure: str, name: str) -> str:
    return spread_text(measure, row.classes.get(measure, {}).get(name))


def _difference_parts(comparison: Comparison, measures: Sequence[str]) -> list[str]:
    rows = [row for row in comparison.rows if row.pairs]
    if not rows:
        return []
    lines = [
        [row.name, row.labels, ALL_CLASSES, str(row.pairs)]
        + [difference_text(name, row.differences.get(name)) for name in measures]
        for row in rows
    ]
    by_class = _present_by_class(comparison)
    class_lines = [
        [row.name, row.labels, name, str(row.pairs)]
        + [difference_text(m, row.class_differences.get(m, {}).get(name)) for m in by_class]
        for row in rows
        for name in comparison.class_names
    ]
    first = ["method", "labelled", "class", "pairs"]
    return [
        f"## Differences to {_plain(comparison.plan.reference)}",
        "Each is the mean over pairs of runs with the same labels, on the same cases, with its "
        f"95 % bootstrap interval over test patients and runs; {MARK} where it leaves 0 out.",
        _grid([*first, *map(_title, measures)], lines),
        _grid([*first, *map(_title, by_class)], class_lines),
    ]


def _run_parts(comparison: Comparison) -> list[str]:
    parts = []
    if measured := [one for one in comparison.records if one.state == "done"]:
        heads = ["method", "labelled", "draw", "seed", "run", "iterations", "seconds", "in all, s"]
        parts += ["## Runs", _grid(heads, map(_run_line, measured))]
    if comparison.failed:
        heads = ["method", "labelled", "draw", "seed", "why"]
        lines = ([*_cell_texts(one), one.reason] for one in comparison.failed)
        parts += ["## Runs that failed", _grid(heads, lines)]
    return parts


def _run_line(one: CellRecord) -> list[str]:
    figures = [_text(one.iterations), _text(one.seconds), _text(one.total_s)]
    return [*_cell_texts(one), _text(one.run), *figures]


def _cell_texts(one: CellRecord) -> list[str]:
    labels = f"{one.labels or one.labelled or ALL_CLASSES}"
    return [one.contender, labels, one.draw or NO_VALUE, str(one.seed)]


def _csv_lines(row: Row, comparison: Comparison) -> Iterable[list[Any]]:
    task, reference = comparison.plan.task, comparison.plan.reference
    for measure, spread in row.overall.items():
        found = row.differences.get(measure)
        yield _csv_line(row, measure, "", spread, found, reference)
    for measure in BY_CLASS[task]:
        for name, spread in row.classes.get(measure, {}).items():
            found = row.class_differences.get(measure, {}).get(name)
            yield _csv_line(row, measure, name, spread, found, reference)


def _csv_line(
    row: Row, measure: str, name: str, spread: Spread, found: Difference | None, reference: str
) -> list[Any]:
    start = [row.name, row.labels, measure, name, spread.n, _rounded(spread.mean)]
    difference: list[Any] = ["", "", "", "", "", ""]
    if found is not None:
        values = [_rounded(value) for value in (found.mean, found.low, found.high)]
        difference = [reference, row.pairs, *values, int(found.is_clear)]
    ends = [_rounded(value) for value in (spread.sd, spread.low, spread.high)]
    return [*start, *ends, *difference]


def _case_lines(one: CellRecord, task: Task) -> Iterable[list[Any]]:
    start = [one.contender, one.labelled or ALL_CLASSES, one.draw or "", one.seed]
    exclusive = task is Task.CLASSIFICATION
    for case in one.cases:
        if case.scores is not None:
            for each in one.classes:
                scores = [case.scores.get(name, {}).get(each.name) for name in SHOWN[task]]
                yield [*start, case.case, each.name, *map(_rounded, scores)]
            continue
        shares = probabilities_of(np.array([case.logits]), exclusive=exclusive)[0]
        for place, each in enumerate(one.classes):
            truth = (case.truth or ())[place]
            yield [*start, case.case, each.name, truth, _rounded(float(shares[place]))]


def _present(comparison: Comparison) -> list[str]:
    """Leave measures out that no run has, such as distances without a spacing."""
    return [
        name
        for name in SHOWN[comparison.plan.task]
        if any(_has(row.overall, name) for row in comparison.rows)
    ]


def _present_by_class(comparison: Comparison) -> list[str]:
    """Leave boxes out where no image has any; the others stand for each class."""
    measures, present = BY_CLASS[comparison.plan.task], _present(comparison)
    return [name for name in measures if name in present or name not in COMPARED]


def _has(values: Mapping[str, Spread], name: str) -> bool:
    return name in values and values[name].mean is not None


def _title(name: str) -> str:
    measure = MEASURES[name]
    return f"{measure.title} ({measure.unit})" if measure.unit else measure.title


def _grid(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    first = f"| {' | '.join(heads)} |"
    rule = f"|{' --- |' * len(heads)}"
    return "\n".join([first, rule, *(f"| {' | '.join(map(_plain, line))} |" for line in lines)])


def _plain(text: str) -> str:
    """Keep a name from being read as part of the table or as markup."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _digits(value: float, name: str) -> str:
    return f"{value:.2f}" if MEASURES[name].unit else f"{value:.3f}"


def _signed(value: float, name: str) -> str:
    return f"{value:+.2f}" if MEASURES[name].unit else f"{value:+.3f}"


def _text(value: object) -> str:
    return NO_VALUE if value is None else str(value)


def _rounded(value: float | None) -> float | str:
    return "" if value is None else round(value, 6)


def _csv(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(lines)
    return stream.getvalue()
