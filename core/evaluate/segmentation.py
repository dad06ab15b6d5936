"""Compare label maps: overlap and surface distances a class, by the rules of the contract."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..errors import LongtailError
from .bootstrap import FloatArray, Measures, Table, mean_known, weighted_mean
from .surface import Mask, surface_distances

LabelMap: TypeAlias = np.ndarray[Any, np.dtype[Any]]

TOLERANCE_MM = 1.0
OVERLAPS = ("dice", "jaccard")
DISTANCES = ("hd95_mm", "asd_mm", "nsd_1mm")
MEASURES = OVERLAPS + DISTANCES


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How well one class was found in one case; None where a measure is not defined.

    Without a spacing nothing is in millimetres, so the distances are None.
    """

    dice: float
    jaccard: float
    hd95_mm: float | None
    asd_mm: float | None
    nsd_1mm: float | None
    in_reference: bool
    in_prediction: bool

    @property
    def false_positive(self) -> bool:
        """Predicted where the reference has none of it."""
        return self.in_prediction and not self.in_reference

    @property
    def missed(self) -> bool:
        """In the reference and not predicted at all."""
        return self.in_reference and not self.in_prediction


def score_case(
    reference: LabelMap,
    prediction: LabelMap,
    class_ids: Sequence[int],
    spacing_mm: Sequence[float] | None,
    unlabelled: int = 255,
) -> dict[int, ClassScore]:
    """Score each class of one case.

    A class that neither map holds is left out of the answer. Voxels that are `unlabelled` in the
    reference are left out of both maps.

    Parameters
    ----------
    reference, prediction
        Label maps of one shape, (z, y, x) or (y, x).
    class_ids
        The values to score.
    spacing_mm
        Size of a voxel in the order of the axes, None where it is not known.
    """
    if reference.shape != prediction.shape:
        raise LongtailError(
            f"The prediction has the shape {prediction.shape}, its labels {reference.shape}.",
            "Predict this case again: its image was replaced since.",
        )
    known = reference != unlabelled
    scores: dict[int, ClassScore] = {}
    for class_id in class_ids:
        truth, found = (reference == class_id), (prediction == class_id) & known
        if truth.any() or found.any():
            scores[class_id] = score_masks(truth, found, spacing_mm)
    return scores


def score_masks(truth: Mask, found: Mask, spacing_mm: Sequence[float] | None) -> ClassScore:
    """Score one class of one case from two masks, of which at least one holds a voxel."""
    size_truth, size_found = int(truth.sum()), int(found.sum())
    both = int((truth & found).sum())
    hd95, asd, nsd = _distances(truth, found, spacing_mm, bool(size_truth), bool(size_found))
    return ClassScore(
        dice=2 * both / (size_truth + size_found),
        jaccard=both / (size_truth + size_found - both),
        hd95_mm=hd95,
        asd_mm=asd,
        nsd_1mm=nsd,
        in_reference=bool(size_truth),
        in_prediction=bool(size_found),
    )


def diagonal_mm(shape: Sequence[int], spacing_mm: Sequence[float]) -> float:
    """Give the diagonal of an image of `shape` voxels in millimetres."""
    return math.hypot(*(n * s for n, s in zip(shape, spacing_mm, strict=True)))


def segmentation_measures(
    cases: Sequence[Mapping[int, ClassScore]],
    class_ids: Sequence[int],
    tiers: Mapping[str, Sequence[int]],
) -> Measures:
    """Give all measures as a function of weights: means over classes of means over cases.

    Parameters
    ----------
    cases
        The scores of each case.
    class_ids
        The foreground classes, in the order of the answer's class axis.
    tiers
        Columns of `class_ids` a tier; each measure gets a `measure/tier` beside it.
    """
    values = {name: _matrix(cases, class_ids, name) for name in MEASURES}

    def measure(weights: FloatArray) -> dict[str, Table]:
        tables: dict[str, Table] = {}
        for name, matrix in values.items():
            classes = weighted_mean(matrix, weights)
            tables[name] = Table(mean_known(classes), classes)
            for tier, columns in tiers.items():
                tables[f"{name}/{tier}"] = Table(mean_known(classes[:, list(columns)]))
        return tables

    return measure


def told_measures(
    told: Sequence[Mapping[str, Mapping[str, float | None]]], names: Sequence[str]
) -> Measures:
    """Give all measures as a function of weights, from figures by measure and class name.

    Parameters
    ----------
    told
        A mapping a case, as the lines of a report are: `{"dice": {"liver": 0.9}, ...}`. What is
        absent or None is not defined there.
    names
        The foreground classes, in the order of the answer's class axis.
    """
    values = {
        measure: np.array(
            [[_number(line.get(measure, {}).get(name)) for name in names] for line in told],
            dtype=float,
        ).reshape(len(told), len(names))
        for measure in MEASURES
    }

    def measure(weights: FloatArray) -> dict[str, Table]:
        classes = {name: weighted_mean(matrix, weights) for name, matrix in values.items()}
        return {name: Table(mean_known(each), each) for name, each in classes.items()}

    return measure


def count_scored(
    cases: Sequence[Mapping[int, ClassScore]], class_ids: Sequence[int], measure: str
) -> tuple[int, list[int]]:
    """Count the cases that have a value of `measure`: for any class, and for each class."""
    known = np.isfinite(_matrix(cases, class_ids, measure))
    return int(known.any(axis=1).sum()), [int(n) for n in known.sum(axis=0)]


def count_where(
    cases: Sequence[Mapping[int, ClassScore]], class_id: int, test: Callable[[ClassScore], bool]
) -> int:
    """Count the cases whose score of `class_id` passes `test`."""
    return sum(class_id in case and test(case[class_id]) for case in cases)


def _distances(
    truth: Mask,
    found: Mask,
    spacing_mm: Sequence[float] | None,
    in_reference: bool,
    in_prediction: bool,
) -> tuple[float | None, float | None, float | None]:
    if spacing_mm is None:
        return None, None, None
    if not in_reference:
        # No distance to nothing; the share of matching surface is an overlap and is 0, as Dice.
        return None, None, 0.0
    if not in_prediction:
        diagonal = diagonal_mm(truth.shape, spacing_mm)
        return diagonal, diagonal, 0.0
    between = surface_distances(truth, found, spacing_mm)
    return between.hd95, between.average, between.within(TOLERANCE_MM)


def _matrix(
    cases: Sequence[Mapping[int, ClassScore]], class_ids: Sequence[int], measure: str
) -> FloatArray:
    matrix = np.full((len(cases), len(class_ids)), np.nan)
    for row, case in enumerate(cases):
        for column, class_id in enumerate(class_ids):
            value = getattr(case[class_id], measure) if class_id in case else None
            if value is not None:
                matrix[row, column] = value
    return matrix


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
