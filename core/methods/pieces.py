"""Measures a network on labelled scans at a small price: on a few pieces of each."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ..data.patches import ANYWHERE
from ..data.volumes import Places
from ..project.records import NOT_LABELLED
from .run import Validation, layout_of, to_device

if TYPE_CHECKING:
    from .segmentation import SegmentationRun

FEWEST_PIECES, MOST_PIECES = 8, 16
PIECES_AT_ONCE = 4


def measure_pieces(
    run: "SegmentationRun", network: nn.Module, case_ids: Sequence[str]
) -> Validation:
    """Dice of each class over a few pieces of these cases; yields after each portion.

    The pieces lie around each class of a case in turn, the same ones each time. A class that none
    of these cases has is not-a-number.
    """
    counts = torch.zeros(3, 1 + len(run.spec.classes), dtype=torch.float64)
    for case_id in case_ids:
        centres = piece_centres(run.store.places(case_id))
        for start in range(0, len(centres), PIECES_AT_ONCE):
            part = [(case_id, centre) for centre in centres[start : start + PIECES_AT_ONCE]]
            counts += _overlap(run, network, part)
            yield
    inside, predicted, labelled = counts[:, 1:].tolist()
    rows = zip(inside, predicted, labelled, strict=True)
    return {run.decisive: [2 * i / (p + n) if n else math.nan for i, p, n in rows]}


def piece_centres(places: Places) -> list[tuple[int, int, int]]:
    """Choose where the pieces of a case lie: around its classes in turn, and anywhere."""
    outputs = [*sorted(output for output in places if output != ANYWHERE), ANYWHERE]
    number = min(max(FEWEST_PIECES, len(outputs)), MOST_PIECES)
    chosen = []
    for piece in range(number):
        at = places[outputs[piece % len(outputs)]]
        turns = -(-number // len(outputs))
        place = int(len(at) * (piece // len(outputs) + 0.5) / turns)
        z, y, x = at[place].tolist()
        chosen.append((z, y, x))
    return chosen


def _overlap(
    run: "SegmentationRun", network: nn.Module, places: Sequence[tuple[str, tuple[int, int, int]]]
) -> Tensor:
    """Voxels of each output that are right, predicted and labelled, (3, 1 + classes)."""
    images, labels = run.cut(places, margin=False)
    images = run.preprocessing.normalise(to_device(images, run.device), channel_axis=1)
    with torch.inference_mode():
        scores = network(images.contiguous(memory_format=layout_of(run.grid.spatial_dims)))
    predicted = scores.argmax(1).cpu()
    known = labels != NOT_LABELLED
    answers, truth = predicted[known], labels[known].long()
    outputs = 1 + len(run.spec.classes)
    parts = (truth[answers == truth], answers, truth)
    return torch.stack([torch.bincount(part, minlength=outputs) for part in parts]).double()
