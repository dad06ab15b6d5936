"""Which regions of the case on the canvas can be measured; free of Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.project.boxfiles import DrawnBox
from ...core.project.records import NOT_LABELLED, Case, ClassRecord
from .radiomics_reader import RegionAsked
from .train_words import run_number

if TYPE_CHECKING:
    from ...core.explain.boxes import FoundBox
    from ...core.explain.stored import StoredMap


@dataclass(frozen=True, slots=True)
class RegionChoice:
    """A region that can be chosen: its words, its class, how it is asked for."""

    words: str
    class_name: str
    asked: RegionAsked


def box_choices(
    case: Case,
    names: Mapping[int, str],
    drawn: Sequence[DrawnBox],
    stored: "StoredMap | None",
    found: "FoundBox | None",
) -> tuple[RegionChoice, ...]:
    """List the boxes of an image: the one of the heat map first, then the drawn ones."""
    choices = []
    if stored is not None and found is not None:
        x, y, width, height = (float(side) for side in found.xywh)
        name = names.get(stored.class_id, stored.class_name)
        asked = RegionAsked(case.id, stored.class_id, (x, y, width, height))
        choices.append(RegionChoice(f"{name}, predicted box", name, asked))
    for number, box in enumerate(drawn, start=1):
        name = names.get(box.class_id, "")
        words = f"{name}, drawn box" + (f" {number}" if len(drawn) > 1 else "")
        choices.append(RegionChoice(words, name, RegionAsked(case.id, box.class_id, box.xywh)))
    return tuple(choices)


def map_choices(
    case: Case,
    classes: Sequence[ClassRecord],
    run_id: str | None,
    predicted: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None",
) -> tuple[RegionChoice, ...]:
    """List the classes that are marked in a scan: by people, then as the run predicted them."""
    choices = [
        RegionChoice(f"{one.name}, labelled", one.name, RegionAsked(case.id, one.id))
        for one in classes
        if case.volumes_mm3.get(one.id, 0.0) > 0
    ]
    if predicted is None or run_id is None:
        return tuple(choices)
    there = np.flatnonzero(np.bincount(predicted.ravel(), minlength=NOT_LABELLED + 1))
    for one in classes:
        if one.id in there:
            words = f"{one.name}, predicted by {run_number(run_id)}"
            asked = RegionAsked(case.id, one.id, map_of=run_id)
            choices.append(RegionChoice(words, one.name, asked))
    return tuple(choices)
