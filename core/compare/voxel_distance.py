"""The surface distance of published tables: directed, in voxels, as medpy's `asd` has it."""

import math
from collections.abc import Iterable, Mapping
from statistics import fmean

import numpy as np

from ..evaluate.surface import Mask, surface_distances
from ..io.labelmap import read_label_map
from ..project.records import NOT_LABELLED, Split
from ..project.store import Project
from .cells import CellRecord


def mean_asd_voxels(
    project: Project, records: Iterable[CellRecord]
) -> Mapping[tuple[str, str | None], float]:
    """Give the mean over the runs of each contender and number of labels.

    Parameters
    ----------
    project
        Holds the runs and what they predicted for its test cases.
    records
        Of a comparison without draws.
    """
    runs: dict[tuple[str, str | None], list[float]] = {}
    for record in records:
        found = asd_voxels(project, record.run) if record.state == "done" and record.run else None
        if found is not None:
            runs.setdefault((record.contender, record.labelled), []).append(found)
    return {key: fmean(values) for key, values in runs.items()}


def asd_voxels(project: Project, run_id: str) -> float | None:
    """Average over classes the means over test cases; None where nothing was predicted."""
    values: dict[int, list[float]] = {}
    for record in project.predictions(run_id):
        case = project.case(record.case)
        if case.split is not Split.TEST or not case.has_mask or record.file is None:
            continue
        reference = project.read_label_map(case.id)
        predicted = read_label_map(project.path / record.file).array.reshape(reference.shape)
        known = reference != NOT_LABELLED
        for each in project.classes:
            truth = reference == each.id
            if truth.any():
                found = (predicted == each.id) & known
                values.setdefault(each.id, []).append(directed_asd(found, truth))
    return fmean(map(fmean, values.values())) if values else None


def directed_asd(found: Mask, truth: Mask) -> float:
    """Mean distance from the surface of `found` to that of `truth`, both of one shape, in voxels.

    Where nothing was found it is the image's diagonal (the programs behind published tables count
    such a case as 0 or leave it out).
    """
    if not found.any():
        return math.hypot(*found.shape)
    return float(np.mean(surface_distances(found, truth, (1.0,) * found.ndim).from_first))
