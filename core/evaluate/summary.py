"""Turn scores of cases into the figures of a report."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .bootstrap import RESAMPLES, Bounded, Bounds, FloatArray, bound
from .classification import (
    RECALL,
    IntArray,
    PresenceArray,
    multi_label_measures,
    single_label_measures,
)
from .intervals import wilson
from .report import FEW_CASES, ClassValue, EvaluatedClass, Figure, Value
from .segmentation import (
    MEASURES,
    ClassScore,
    count_scored,
    count_where,
    segmentation_measures,
)
from .tiers import TIERS


def segmentation_figures(
    cases: Sequence[Mapping[int, ClassScore]],
    classes: Sequence[EvaluatedClass],
    patients: Sequence[str],
    *,
    resamples: int = RESAMPLES,
) -> dict[str, Figure]:
    """Give each segmentation measure over `cases`; one that no case has is left out.

    Parameters
    ----------
    cases
        The scores of each case, by class id.
    classes
        The classes to average over.
    patients
        The patient of each case.
    """
    ids = [each.id for each in classes]
    tiers = tier_columns(classes)
    bounded = bound(segmentation_measures(cases, ids, tiers), patients, resamples=resamples)
    figures: dict[str, Figure] = {}
    for name in MEASURES:
        if bounded[name].overall.mean is not None:
            figures[name] = _segmentation_figure(name, bounded, cases, classes)
    return figures


def single_label_figures(
    truth: IntArray,
    logits: FloatArray,
    classes: Sequence[EvaluatedClass],
    patients: Sequence[str],
    *,
    graded: bool = False,
    resamples: int = RESAMPLES,
) -> dict[str, Figure]:
    """Give each measure of classes that exclude each other; see `single_label_measures`."""
    tiers = tier_columns(classes)
    measures = single_label_measures(truth, logits, tiers, graded=graded)
    bounded = bound(measures, patients, resamples=resamples)
    figures = _image_figures(bounded, classes, len(truth))
    # Of a class both are the share that was found.
    same = figures[RECALL].classes
    return figures | {"balanced_accuracy": replace(figures["balanced_accuracy"], classes=same)}


def multi_label_figures(
    truth: PresenceArray,
    logits: FloatArray,
    classes: Sequence[EvaluatedClass],
    patients: Sequence[str],
    *,
    thresholds: Sequence[float] | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Figure]:
    """Give each measure of classes that are yes, no or unknown; see `multi_label_measures`."""
    tiers = tier_columns(classes)
    measures = multi_label_measures(truth, logits, tiers, thresholds=thresholds)
    bounded = bound(measures, patients, resamples=resamples)
    return _image_figures(bounded, classes, len(truth))


def tier_columns(classes: Sequence[EvaluatedClass]) -> dict[str, list[int]]:
    """Give the positions of the classes of each tier, head first; empty tiers are left out."""
    columns = {tier: [i for i, c in enumerate(classes) if c.tier == tier] for tier in TIERS}
    return {tier: positions for tier, positions in columns.items() if positions}


def _segmentation_figure(
    name: str,
    bounded: Mapping[str, Bounded],
    cases: Sequence[Mapping[int, ClassScore]],
    classes: Sequence[EvaluatedClass],
) -> Figure:
    total, counts = count_scored(cases, [each.id for each in classes], name)
    values = {
        each.name: ClassValue(
            *_honest(bounds, count),
            n=count,
            false_positives=count_where(cases, each.id, lambda score: score.false_positive),
            missed=count_where(cases, each.id, lambda score: score.missed),
        )
        for each, bounds, count in zip(classes, bounded[name].classes, counts, strict=True)
    }
    tiers = {
        tier: Value(*_ends(bounded[f"{name}/{tier}"].overall), n=sum(counts[i] for i in columns))
        for tier, columns in tier_columns(classes).items()
    }
    return Figure(*_ends(bounded[name].overall), n=total, classes=values, tiers=tiers)


def _image_figures(
    bounded: Mapping[str, Bounded], classes: Sequence[EvaluatedClass], total: int
) -> dict[str, Figure]:
    tiers = {tier: [c for c in classes if c.tier == tier] for tier in TIERS}
    figures: dict[str, Figure] = {}
    for name, measured in bounded.items():
        members = tiers.get(name.removeprefix("recall_"), classes)
        count = total if members is classes else sum(each.test for each in members)
        if measured.overall.mean is None or "/" in name:
            continue
        alone = name.startswith(RECALL) and len(members) == 1
        figures[name] = Figure(
            *_honest(measured.overall, count, counted=alone),
            n=count,
            classes=_image_values(name, measured, members),
            tiers=_tier_values(name, bounded, tiers),
        )
    if RECALL in figures:
        figures[RECALL] = replace(figures[RECALL], tiers=_recall_tiers(figures))
    return figures


def _image_values(
    name: str, measured: Bounded, members: Sequence[EvaluatedClass]
) -> dict[str, ClassValue]:
    if not measured.classes:
        return {}
    counted = name.startswith(RECALL)
    return {
        each.name: ClassValue(*_honest(bounds, each.test, counted=counted), n=each.test)
        for each, bounds in zip(members, measured.classes, strict=True)
    }


def _tier_values(
    name: str, bounded: Mapping[str, Bounded], tiers: Mapping[str, Sequence[EvaluatedClass]]
) -> dict[str, Value]:
    found = {tier: bounded.get(f"{name}/{tier}") for tier in TIERS}
    cases = {tier: sum(each.test for each in members) for tier, members in tiers.items()}
    return {
        tier: Value(*_honest(one.overall, cases[tier]), n=cases[tier])
        for tier, one in found.items()
        if one is not None and one.overall.mean is not None
    }


def _honest(
    bounds: Bounds, cases: int, *, counted: bool = False
) -> tuple[float | None, float | None, float | None]:
    """Give a class's value with an interval that claims no more than its cases can.

    Drawing fewer than five cases again and again gives an interval that is far too narrow, and
    one without any width when all cases went the same way. A share that was counted then has at
    least Wilson's interval; of other measures of few cases an interval without width is left out.
    """
    mean, low, high = _ends(bounds)
    few, flat = cases < FEW_CASES, low == high
    if mean is None or not (few or flat):
        return mean, low, high
    wide = wilson(mean * cases, cases) if counted else None
    if wide is not None:
        ends = [*wide, *(end for end in (low, high) if end is not None)]
        return mean, min(ends), max(ends)
    return (mean, None, None) if few and flat else (mean, low, high)


def _recall_tiers(figures: Mapping[str, Figure]) -> dict[str, Value]:
    found = {tier: figures.get(f"{RECALL}_{tier}") for tier in TIERS}
    return {
        tier: Value(figure.mean, figure.low, figure.high, figure.n)
        for tier, figure in found.items()
        if figure is not None
    }


def _ends(bounds: Bounds) -> tuple[float | None, float | None, float | None]:
    return bounds.mean, bounds.low, bounds.high
