"""Measures of one run as functions of the weights of its cases, from the line that was kept."""

from collections.abc import Sequence

import numpy as np

from ..evaluate.bootstrap import FloatArray, Measures, Pair, Table
from ..evaluate.box_scores import told_box_measures
from ..evaluate.classification import multi_label_measures, single_label_measures
from ..evaluate.prior import shift_softmax, uniform
from ..evaluate.segmentation import told_measures
from ..evaluate.tiers import TIERS
from ..project.records import Task
from .cells import CaseScores, CellRecord
from .results import BY_CLASS, SHOWN

ADJUSTED = "post-hoc adjusted"
OF_TIERS = tuple(f"recall_{tier}" for tier in TIERS)
LEAST_TILT = 1e-6


def measures_of(record: CellRecord, case_ids: Sequence[str], task: Task) -> Measures:
    """Give the measures of a run on these of its cases, classes in the order of the record."""
    by_id = {one.case: one for one in record.cases}
    cases = [by_id[case_id] for case_id in case_ids]
    if task is Task.SEGMENTATION:
        scores = [one.scores or {} for one in cases]
        return told_measures(scores, [each.name for each in record.classes])
    return _of_images(cases, record, task)


def pair_of(first: CellRecord, second: CellRecord, task: Task) -> Pair | None:
    """Pair two runs on the cases that both have; None where there is no such case."""
    theirs = {one.case for one in second.cases}
    common = [one for one in first.cases if one.case in theirs]
    if not common or _names(first) != _names(second):
        return None
    ids = [one.case for one in common]
    groups = [one.group for one in common]
    return Pair(measures_of(first, ids, task), measures_of(second, ids, task), groups)


def adjusted(record: CellRecord) -> CellRecord | None:
    """Give the run as if its logits had been moved to the uniform prior; None where that is idle.

    That is post-hoc logit adjustment with tau = 1 (Menon et al., ICLR 2021) of the stored logits.
    """
    prior = record.prior
    if not record.adjustable or prior is None or max(prior) - min(prior) < LEAST_TILT:
        return None
    logits = np.array([one.logits for one in record.cases], dtype=float)
    moved = shift_softmax(logits, prior, uniform(len(prior)))
    cases = tuple(
        one.model_copy(update={"logits": tuple(row)})
        for one, row in zip(record.cases, moved.tolist(), strict=True)
    )
    name = f"{record.contender}, {ADJUSTED}"
    return record.model_copy(update={"contender": name, "cases": cases})


def _of_images(cases: Sequence[CaseScores], record: CellRecord, task: Task) -> Measures:
    truth = np.array([one.truth for one in cases], dtype=np.int8)
    logits = np.array([one.logits for one in cases], dtype=float)
    tiers = _tiers(record)
    boxes = told_box_measures([one.boxes or {} for one in cases], _names(record))
    if task is Task.CLASSIFICATION:
        answers = truth.argmax(axis=1).astype(np.int64)
        return _shown_alone(single_label_measures(answers, logits, tiers), boxes, task)
    return _shown_alone(multi_label_measures(truth, logits, tiers), boxes, task)


def _shown_alone(measures: Measures, boxes: Measures, task: Task) -> Measures:
    """Keep what tables show, and no classes of a tier: each run may have others in it."""
    shown = {*SHOWN[task], *BY_CLASS[task]}

    def measure(weights: FloatArray) -> dict[str, Table]:
        found = {**measures(weights), **boxes(weights)}
        return {
            name: Table(table.overall) if name in OF_TIERS else table
            for name, table in found.items()
            if name in shown
        }

    return measure


def _tiers(record: CellRecord) -> dict[str, list[int]]:
    columns = {
        tier: [place for place, each in enumerate(record.classes) if each.tier == tier]
        for tier in TIERS
    }
    return {tier: places for tier, places in columns.items() if places}


def _names(record: CellRecord) -> list[str]:
    return [each.name for each in record.classes]
