"""The classes in numbers: images and patients of each part, tier, effective number."""

import numpy as np

from ..project.records import Split
from .doctor_records import ClassCount
from .doctor_study import PARTS, Study

BETA = 0.999
"""Of the effective number; the published values go from 0.9 to 0.9999."""


def effective_number(count: int, beta: float = BETA) -> float:
    """Give what `count` images of a class are worth, if each adds less than the one before.

    (1 - beta^n) / (1 - beta): Cui, Jia, Lin, Song, Belongie: Class-Balanced Loss Based on
    Effective Number of Samples, CVPR 2019.
    """
    return float((1.0 - beta**count) / (1.0 - beta))


def class_counts(study: Study) -> tuple[ClassCount, ...]:
    """Count each class, the commonest in the training part first."""
    counted = [_count(study, column) for column in range(len(study.class_ids))]
    train = PARTS.index(Split.TRAIN)
    return tuple(sorted(counted, key=lambda one: (-one.parts[train][0], one.class_id)))


def _count(study: Study, column: int) -> ClassCount:
    class_id, there = study.class_ids[column], study.has(column)
    parts = []
    for place in range(len(PARTS)):
        rows = there & (study.split == place)
        parts.append((int(rows.sum()), len(np.unique(study.groups[rows]))))
    train = parts[PARTS.index(Split.TRAIN)][0]
    return ClassCount(
        class_id=class_id,
        name=study.names[column],
        tier=study.tiers.get(class_id, ""),
        parts=tuple(parts),
        effective=effective_number(train),
        volume=float(study.volumes.get(class_id, 0.0)),
    )
