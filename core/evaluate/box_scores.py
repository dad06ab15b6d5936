"""How well boxes were found, case by case: what a report and a comparison keep of it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from .bootstrap import Bounded, Bounds, FloatArray, Measures, Table, mean_known
from .intervals import wilson
from .localisation import (
    THRESHOLDS,
    Localised,
    LocatedFinding,
    overlaps_of,
    points_inside,
)
from .report import BoxParts, ClassValue, Figure

FIGURES = ("box_iou", *(f"box_acc_{round(100 * each)}" for each in THRESHOLDS), "pointing")
"""The measures of boxes that stand among the figures of a run."""

COMPARED = ("box_iou", "box_acc_30")
"""Those that tables of a comparison have."""


class BoxScore(BaseModel):
    """One finding in one image.

    `iou` has the intersection over union of each drawn box with the box that found it, 0 without
    one; `pointed` whether the map's highest place lies in a drawn box; `found` the predicted
    boxes as x, y, width and height in pixels of the file as stored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    iou: tuple[float, ...]
    pointed: bool
    found: tuple[tuple[float, ...], ...] = ()


def scores_of(findings: Sequence[LocatedFinding]) -> dict[str, dict[str, BoxScore]]:
    """Give the score of each finding with drawn boxes, by case and class name."""
    scores: dict[str, dict[str, BoxScore]] = {}
    for finding in findings:
        if finding.drawn is None or not len(finding.drawn):
            continue
        scores.setdefault(finding.case, {})[finding.class_name] = BoxScore(
            iou=tuple(round(float(value), 5) for value in overlaps_of(finding)),
            pointed=points_inside(finding),
            found=tuple(tuple(round(float(v), 2) for v in box) for box in finding.found),
        )
    return scores


def told_box_measures(cases: Sequence[Mapping[str, BoxScore]], classes: Sequence[str]) -> Measures:
    """Give the measures of boxes as a function of the weights of cases; none without boxes.

    Parameters
    ----------
    cases
        The scores of each case, by class name.
    classes
        The classes in the order of their values.
    """
    known = {name for case in cases for name in case}

    def measures(weights: FloatArray) -> dict[str, Table]:
        if not known:
            return {}
        found = {}
        for name in FIGURES:
            sums, counts = _sums(cases, classes, name)
            total, mass = weights @ sums, weights @ counts
            out = np.full_like(total, np.nan)
            share: FloatArray = np.divide(total, mass, out=out, where=mass > 0)
            found[name] = Table(mean_known(share), share)
        return found

    return measures


def box_parts(localised: Localised, findings: Sequence[LocatedFinding], most: int) -> BoxParts:
    """Give what a report says of boxes: the run's maps with both controls beside them."""
    boxes = dict(zip(localised.classes, localised.boxes, strict=True))
    boxed = [one for one in findings if one.drawn is not None and len(one.drawn)]
    counts = Counter(one.class_name for one in boxed)
    rows = {
        row: {name: _figure(name, one, boxes, counts) for name, one in measured.items()}
        for row, measured in localised.rows.items()
    }
    return BoxParts(
        rows={str(row): told for row, told in rows.items()},
        boxes=boxes,
        cases=localised.cases,
        patients=localised.patients,
        left_out=localised.left_out,
        most=most,
    )


def _sums(
    cases: Sequence[Mapping[str, BoxScore]], classes: Sequence[str], name: str
) -> tuple[FloatArray, FloatArray]:
    sums = np.zeros((len(cases), len(classes)))
    counts = np.zeros_like(sums)
    for row, case in enumerate(cases):
        for column, each in enumerate(classes):
            if each in case:
                sums[row, column], counts[row, column] = _score(case[each], name)
    return sums, counts


def _score(score: BoxScore, name: str) -> tuple[float, float]:
    if name == "pointing":
        return float(score.pointed), 1.0
    iou = np.asarray(score.iou)
    if name == "box_iou":
        return float(iou.sum()), float(len(iou))
    return float((iou > int(name.removeprefix("box_acc_")) / 100).sum()), float(len(iou))


def _figure(name: str, one: Bounded, boxes: Mapping[str, int], counts: Mapping[str, int]) -> Figure:
    behind = counts if name in ("pointing", "energy") else boxes
    values = {
        each: ClassValue(*_honest(bounds, name, behind.get(each, 0)), n=behind.get(each, 0))
        for each, bounds in zip(boxes, one.classes, strict=True)
    }
    return Figure(*_ends(one.overall), n=sum(behind.values()), classes=values)


def _honest(
    bounds: Bounds, name: str, count: int
) -> tuple[float | None, float | None, float | None]:
    """Give a class's value; where all boxes went one way, with Wilson's interval of a share."""
    counted = name.startswith(("box_acc", "box_iobb_acc")) or name == "pointing"
    if not counted or bounds.mean is None or bounds.low != bounds.high:
        return _ends(bounds)
    low, high = wilson(bounds.mean * count, count) or (bounds.low, bounds.high)
    return bounds.mean, low, high


def _ends(bounds: Bounds) -> tuple[float | None, float | None, float | None]:
    return bounds.mean, bounds.low, bounds.high
