"""The parts of the HTML report that only image-level classes have, as plain data for the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from .mistakes import Pair
from .report import FEW_CASES, ClassValue, EvaluatedClass, Figure, Report, Value
from .svg import precision_recall_plot, reliability_plot, roc_plot
from .wording import MEASURES, NO_VALUE, Measure, interval_text

CURVES = ("auc", "average_precision")


def image_view(report: Report) -> dict[str, Any] | None:
    """Give counts, pairs, reliability and curves for the page; None for label maps."""
    if report.images is None:
        return None
    return {
        "counts": _counts(report),
        "thresholds": bool(report.images.thresholds),
        "pairs": [_pair(one) for one in report.images.pairs],
        "reliability": _reliability(report),
        "curves": _curves(report),
        "tuned": _tuned(report),
    }


def by_training(report: Report) -> list[EvaluatedClass]:
    """List the classes, the most frequent in training first."""
    return sorted(report.classes, key=lambda each: (each.share or 0.0, each.training), reverse=True)


def _counts(report: Report) -> list[dict[str, Any]]:
    images = report.images
    assert images is not None
    rows = []
    for each in by_training(report):
        count = images.counts.get(each.name)
        if count is None:
            continue
        ends = count.interval
        rows.append(
            {
                "name": each.name,
                "tier": each.tier,
                "there": count.there,
                "found": count.found,
                "missed": count.there - count.found,
                "alarms": count.alarms,
                "few": each.few,
                "interval": interval_text(MEASURES["recall"], *(ends or (None, None))),
                "threshold": f"{images.thresholds.get(each.name, 0.5):.2f}",
            }
        )
    return rows


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "true": pair.true,
        "predicted": pair.predicted,
        "n": pair.n,
        "of": pair.of,
        "interval": f"{pair.low:.0%} to {pair.high:.0%}",
    }


def _reliability(report: Report) -> list[dict[str, Any]]:
    assert report.images is not None
    ece, measure = report.summary.get("ece"), MEASURES["ece"]
    plots = []
    for one in report.images.reliability:
        if one.name:
            value = ece.classes.get(one.name) if ece else None
        else:
            value = ClassValue(ece.mean, ece.low, ece.high, ece.n) if ece else None
        plots.append(
            {
                "name": one.name or "All answers",
                "n": one.n,
                "plot": reliability_plot(one),
                "error": told(measure, value),
            }
        )
    return plots


def _curves(report: Report) -> list[dict[str, Any]]:
    assert report.images is not None
    known = {curve.name: curve for curve in report.images.curves}
    shown = [each for each in by_training(report) if each.name in known]
    return [_curve(report, each, known[each.name]) for each in shown]


def _curve(report: Report, each: EvaluatedClass, curve: Any) -> dict[str, Any]:
    areas = {}
    for name in CURVES:
        figure = report.summary.get(name)
        value = figure.classes.get(each.name) if figure else None
        areas[name] = told(MEASURES[name], value, few=each.few)
    return {
        "name": each.name,
        "tier": each.tier,
        "there": curve.there,
        "known": curve.known,
        "few": each.few,
        "roc": roc_plot(curve, each.tier, few=each.few),
        "precision_recall": precision_recall_plot(curve, each.tier, few=each.few),
        "auc": areas["auc"],
        "average_precision": areas["average_precision"],
    }


def _tuned(report: Report) -> dict[str, Any] | None:
    if report.tuned is None:
        return None
    cuts = [f"{name} {value:.2f}" for name, value in report.tuned.thresholds.items()]
    return {
        "labelled": report.tuned.labelled,
        "thresholds": ", ".join(cuts),
        "rows": _side_by_side(report.summary, report.tuned.summary),
    }


def _side_by_side(
    plain: Mapping[str, Figure], tuned: Mapping[str, Figure]
) -> list[tuple[str, str, str]]:
    names = [name for name in tuned if name in plain and name in MEASURES]
    return [
        (
            MEASURES[name].title,
            _whole(MEASURES[name], plain[name]),
            _whole(MEASURES[name], tuned[name]),
        )
        for name in names
    ]


def told(measure: Measure, value: ClassValue | Value | None, *, few: bool = False) -> str:
    """Tell a value with its interval; of a class with few cases the interval alone."""
    if value is None or value.mean is None:
        return NO_VALUE
    ends = interval_text(measure, value.low, value.high)
    if not few:
        return f"{measure.text(value.mean)} ({ends})"
    return NO_VALUE if value.low is None else ends


def tier_cells(report: Report, tier: str, names: Sequence[str]) -> list[str]:
    """Tell the value of each measure for one tier."""
    cells = []
    for name in names:
        value = report.summary[name].tiers.get(tier)
        few = value is not None and value.n < FEW_CASES
        cells.append(told(MEASURES[name], value, few=few))
    return cells


def _whole(measure: Measure, figure: Figure) -> str:
    return f"{measure.text(figure.mean)} ({interval_text(measure, figure.low, figure.high)})"
