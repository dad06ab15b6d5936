"""What is said of one image: its findings, its box and the boxes that people drew; free of Qt."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.evaluate.localisation import energy_inside
from ...core.explain.stored import StoredMap
from ...core.project.boxfiles import DrawnBox
from ...core.project.records import Case, RunRecord
from .results_model import findings
from .results_state import moved_logits, predicted_classes
from .train_words import share

if TYPE_CHECKING:
    from ...core.project.store import Project

FEW = 6
"""Findings that stand on the page before all of them are asked for."""

KEPT_OVERLAP = 0.95
"""A drawn box that overlaps the predicted one by more than this is that box, accepted."""

REJECTED_SETTING = "rejected_boxes"
"""The run setting that lists [case, class] of boxes that a person has said are wrong."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A class of the run and how likely it holds it to be in this image.

    `labelled` and `boxed` tell that a person has given it, and drawn a box of it.
    """

    class_id: int
    name: str
    tier: str
    probability: float
    labelled: bool = False
    boxed: bool = False

    @property
    def sentence(self) -> str:
        """Say the row to a reader of the screen."""
        tier = f" ({self.tier})" if self.tier else ""
        given = " You have labelled it." if self.labelled else ""
        boxed = " It has a drawn box." if self.boxed else ""
        return f"{self.name}: {share(self.probability)}{tier}.{given}{boxed}"


def finding_rows(
    project: "Project",
    run: RunRecord,
    case: Case,
    logits: Sequence[float],
    tiers: "dict[int, str]",
    boxes: Sequence[DrawnBox],
) -> tuple[FindingRow, ...]:
    """List what a run finds in an image, the likeliest first; retired classes are left out."""
    from ...core.jobs.predicting import current_ids

    trained = predicted_classes(run)
    now = current_ids(project, [class_id for class_id, _ in trained])
    names = {record.id: record.name for record in project.classes}
    told = findings(
        moved_logits(project.task, run, tuple(float(z) for z in logits)),
        [(str(column), "") for column in range(len(trained))],
        project.task,
    )
    given = case.labels.yes if case.labels is not None else frozenset()
    drawn = {box.class_id for box in boxes}
    rows: dict[int, FindingRow] = {}
    for one in told:
        class_id = now[int(one.name)]
        if class_id and class_id not in rows:
            rows[class_id] = FindingRow(
                class_id,
                names[class_id],
                tiers.get(class_id, ""),
                one.probability,
                class_id in given,
                class_id in drawn,
            )
    return tuple(rows.values())


def shown_rows(
    rows: Sequence[FindingRow], chosen: int | None, *, every: bool
) -> tuple[FindingRow, ...]:
    """Give the rows that stand on the page: the first ones, the chosen one, what is labelled."""
    if every:
        return tuple(rows)
    return tuple(
        row for place, row in enumerate(rows) if place < FEW or row.class_id == chosen or row.boxed
    )


@dataclass(frozen=True, slots=True)
class Overlap:
    """How the predicted box lies on the drawn ones of its class.

    Parameters
    ----------
    drawn
        How many boxes of the class are drawn.
    iou
        Intersection over union with the one that it overlaps most; None without either.
    energy
        The share of the map that lies inside the drawn boxes, 0 to 1.
    """

    drawn: int = 0
    iou: float | None = None
    energy: float | None = None

    @property
    def is_kept(self) -> bool:
        """Whether the predicted box is among the drawn ones already."""
        return self.iou is not None and self.iou > KEPT_OVERLAP


def overlap(stored: StoredMap, found: Box | None, boxes: Sequence[DrawnBox]) -> Overlap:
    """Compare a map and its box with the boxes that people drew of the same class."""
    own = [box.xywh for box in boxes if box.class_id == stored.class_id]
    if not own:
        return Overlap()
    energy = None
    if stored.says_where:
        energy = energy_inside(np.asarray(stored.values, np.float64), np.array(own, np.float64))
    iou = max(iou_of(found, box) for box in own) if found is not None else None
    return Overlap(len(own), iou, energy)


def iou_of(first: Box, second: Box) -> float:
    """Give intersection over union of two boxes (x, y, width, height)."""
    common = 1.0
    for axis in (0, 1):
        low = max(first[axis], second[axis])
        high = min(first[axis] + first[axis + 2], second[axis] + second[axis + 2])
        common *= max(high - low, 0.0)
    union = first[2] * first[3] + second[2] * second[3] - common
    return common / union if union > 0 else 0.0


def energy_words(told: Overlap) -> str:
    """Write the share of the map inside the drawn boxes; empty where there is none."""
    if told.energy is None or not math.isfinite(told.energy):
        return ""
    return f"{100 * told.energy:.0f} %"


def rejected_boxes(run: RunRecord) -> frozenset[tuple[str, int]]:
    """Give the (case, class) whose box a person has rejected; what is damaged is left out."""
    found = set()
    stored = run.settings.get(REJECTED_SETTING)
    for entry in stored if isinstance(stored, list) else ():
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], int):
            found.add((str(entry[0]), entry[1]))
    return frozenset(found)
