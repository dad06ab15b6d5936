"""A report as one HTML file that needs nothing beside it."""

import re
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from ... import resources
from ..files import write_text
from ..project.records import Task
from .box_scores import FIGURES
from .box_words import ROWS, BoxRow, box_heads, box_sentence, box_table
from .html_images import by_training, image_view, tier_cells
from .report import FEW_CASES, EvaluatedClass, Figure, Report
from .svg import bar
from .tiers import TIERS
from .wording import MEASURES, NO_VALUE, PRIMARY, Measure, interval_text

HEX_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}")
PLAIN_COLOUR = "#9aa3ad"

SEGMENTATION_RULES = (
    "All figures are means over the classes of each class's mean over the cases. A class that "
    "neither labels nor prediction hold is left out of that case; one that was missed has Dice 0 "
    "and the image's diagonal as distance; one that is predicted where there is none has Dice 0 "
    "and is counted as a false alarm. Voxels that nobody labelled are left out."
)
IMAGE_RULES = (
    "Figures over several classes are means over the classes; a class that is neither there nor "
    "predicted is left out."
)


def write_html(path: Path, report: Report) -> None:
    """Replace `path` by the report as one self-contained HTML file."""
    write_text(path, render(report))


def render(report: Report) -> str:
    """Give the report as HTML; every text in it is escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    source = (files(resources) / "templates" / "report.html").read_text(encoding="utf-8")
    return environment.from_string(source).render(**view_of(report))


def view_of(report: Report) -> dict[str, Any]:
    """Give what the templates of a report show, as plain data."""
    shown = [MEASURES[name] for name in report.summary if name in MEASURES and name not in FIGURES]
    shown.sort(key=lambda measure: measure.name != _primary(report).name)
    segmentation = report.provenance.task == Task.SEGMENTATION
    # With one class per image, recall over the classes is balanced accuracy.
    twins = {"recall"} if report.provenance.task == Task.CLASSIFICATION else set()
    return {
        "report": report,
        "about": report.provenance,
        "data_sentence": _data_sentence(report),
        "drawn": _drawn(report),
        "cards": [_card(m, report.summary[m.name]) for m in shown if m.name not in twins],
        "tiers": _tier_rows(report),
        "tier_title": _tier_measure(report).title,
        "tables": [_table(report, measure) for measure in _in_tables(report, shown)],
        "alarms": segmentation,
        "shares": any(each.share is not None for each in report.classes),
        "matrix": _matrix(report),
        "images": image_view(report),
        "boxes": _boxes(report),
        "tier_columns": [MEASURES[name].title for name in _tiered(report)],
        "training": _training(report),
        "rules": SEGMENTATION_RULES if segmentation else IMAGE_RULES,
    }


def _primary(report: Report) -> Measure:
    return MEASURES[PRIMARY[Task(report.provenance.task)]]


def _data_sentence(report: Report) -> str:
    about = report.provenance
    text = _count(about.evaluated, "case")
    # As many patients as cases is what a table without patients gives.
    if about.patients != about.evaluated:
        text += f" of {_count(about.patients, 'patient')}"
    if about.left_out:
        text += f"; {_count(about.left_out, 'case')} without usable labels left out"
    return f"{text}."


def _drawn(report: Report) -> str:
    """Say what is drawn again and again for the intervals."""
    about = report.provenance
    return _count(about.patients, "case" if about.patients == about.evaluated else "patient")


def _card(measure: Measure, figure: Figure) -> dict[str, str]:
    few = figure.n < FEW_CASES
    ends = interval_text(measure, figure.low, figure.high)
    return {
        "title": measure.title,
        "sentence": measure.sentence,
        "unit": measure.unit,
        "value": _value(measure, figure.mean, figure.low, few=few),
        "interval": f"{ends}, {_count(figure.n, 'case')}" if few else ends,
    }


def _tier_measure(report: Report) -> Measure:
    segmentation = report.provenance.task == Task.SEGMENTATION
    return MEASURES["dice" if segmentation else "recall"]


def _tier_rows(report: Report) -> list[dict[str, Any]]:
    measure = _tier_measure(report)
    whole = report.summary.get(measure.name)
    rows = []
    for tier in TIERS:
        members = [each for each in report.classes if each.tier == tier]
        value = whole.tiers.get(tier) if whole else None
        if not members or value is None:
            continue
        # A label map is measured too where a class is only predicted: that is no case of it.
        few = sum(each.test for each in members) < FEW_CASES
        rows.append(
            {
                "tier": tier,
                "names": ", ".join(each.name for each in members),
                "n": value.n,
                "few": few,
                "value": _value(measure, value.mean, value.low, few=few),
                "interval": interval_text(measure, value.low, value.high),
                "bar": bar(value.mean, value.low, value.high, tier, 1.0, few=few),
                "others": tier_cells(report, tier, _tiered(report)),
            }
        )
    return rows


def _in_tables(report: Report, shown: Sequence[Measure]) -> list[Measure]:
    """Measures with a value a class, less twins: recall by class is also balanced accuracy's."""
    twins = {"recall_head", "recall_medium", "recall_tail"}
    if report.provenance.task == Task.CLASSIFICATION:
        twins.add("balanced_accuracy")
    tables = [m for m in shown if report.summary[m.name].classes and m.name not in twins]
    return sorted(tables, key=lambda measure: measure.name != _tier_measure(report).name)


def _table(report: Report, measure: Measure) -> dict[str, Any]:
    figure = report.summary[measure.name]
    rows = [
        _row(each, measure, figure) for each in by_training(report) if each.name in figure.classes
    ]
    return {
        "title": measure.title,
        "unit": measure.unit,
        "sentence": measure.sentence,
        "counts": any(value.missed is not None for value in figure.classes.values()),
        "rows": rows,
    }


def _row(each: EvaluatedClass, measure: Measure, figure: Figure) -> dict[str, Any]:
    value = figure.classes[each.name]
    known = [one.high or one.mean or 0.0 for one in figure.classes.values()]
    longest = max(known, default=0.0) or 1.0 if measure.unit else 1.0
    return {
        "name": each.name,
        "colour": each.colour if HEX_COLOUR.fullmatch(each.colour) else PLAIN_COLOUR,
        "tier": each.tier,
        "training": each.training,
        "share": NO_VALUE if each.share is None else f"{each.share:.1%}",
        "n": value.n,
        "few": _few(each, value.n),
        "value": _value(measure, value.mean, value.low, few=each.few),
        "interval": interval_text(measure, value.low, value.high),
        "false_positives": NO_VALUE if value.false_positives is None else value.false_positives,
        "missed": NO_VALUE if value.missed is None else value.missed,
        "bar": bar(value.mean, value.low, value.high, each.tier, longest, few=each.few),
    }


def _few(each: EvaluatedClass, measured: int) -> str:
    """Mark a class in few cases; some are measured only because it was predicted there."""
    if not each.few:
        return ""
    return "few" if each.test == measured else f"few: {each.test} have it"


def _value(measure: Measure, mean: float | None, low: float | None, *, few: bool) -> str:
    """Write a value; one of few cases stands only beside its interval."""
    return NO_VALUE if few and low is None else measure.text(mean)


def _tiered(report: Report) -> list[str]:
    """Name the other measures that have a value a tier."""
    first = _tier_measure(report).name
    return [
        name
        for name, figure in report.summary.items()
        if figure.tiers and name != first and name in MEASURES
    ]


def _matrix(report: Report) -> dict[str, Any] | None:
    if report.confusion is None:
        return None
    rows = []
    for name, counts in zip(report.confusion.names, report.confusion.counts, strict=True):
        total = sum(counts) or 1
        cells = [{"count": count, "shade": f"{0.75 * count / total:.2f}"} for count in counts]
        rows.append({"name": name, "cells": cells})
    return {"names": report.confusion.names, "rows": rows}


def _boxes(report: Report) -> dict[str, Any] | None:
    if report.boxes is None:
        return None
    groups: dict[str, list[BoxRow]] = {}
    for row in box_table(report.boxes):
        groups.setdefault(row.name, []).append(row)
    own = report.boxes.rows["map"]
    return {
        "sentence": box_sentence(report.boxes),
        "heads": box_heads(),
        "groups": groups,
        "own": ROWS["map"],
        "intervals": [_card(MEASURES[name], own[name]) for name in FIGURES if name in own],
    }


def _training(report: Report) -> list[tuple[str, str]]:
    about = report.provenance
    settings = ", ".join(f"{name} {value}" for name, value in about.settings.items())
    validation = (
        f"chosen on {about.validation_labelled} labelled validation cases"
        if about.validation == "split"
        else "none: nothing was tuned"
    )
    rows = [
        ("Method", f"{about.method_title} ({about.method})"),
        ("Labelled training cases", str(about.labelled)),
        ("Unlabelled training cases", str(about.unlabelled)),
        ("Validation", validation),
        ("Seed" if len(about.seeds) == 1 else "Seeds", ", ".join(map(str, about.seeds))),
        ("Iterations", "unknown" if about.iterations is None else f"{about.iterations:,}"),
        ("Tiers", report.thresholds),
        ("Labels", f"version {about.trained_label_version}, measured by {about.label_version}"),
        ("Weights (SHA-256)", about.weights_hash),
        ("Settings", settings),
        ("Versions", ", ".join(f"{name} {version}" for name, version in about.versions.items())),
    ]
    return [(name, value) for name, value in rows if value]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
