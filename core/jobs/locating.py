"""From the map of a case to what the localisation measures take."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..errors import LongtailError
from ..evaluate.bootstrap import FloatArray
from ..evaluate.localisation import Boxes, LocatedFinding, energy_inside
from ..project.records import Case

if TYPE_CHECKING:
    from ..explain.whole import CaseMap

THRESHOLD = 0.5
"""Share of the map's maximum that every figure is made with; it is not tuned."""


def located(
    case: Case, class_name: str, found: "CaseMap", drawn: Boxes | None, *, most: int = 1
) -> LocatedFinding:
    """Give what was drawn and what the map of one class finds in one picture.

    Parameters
    ----------
    found
        The class's map; one that says nothing finds nothing.
    drawn
        (box, 4) x, y, w, h in pixels of the file as stored; None where nobody looked.
    most
        How many boxes a finding may have; published figures are made with one.

    Raises
    ------
    LongtailError
        The case is a volume.
    """
    if len(case.shape) != 2:
        raise LongtailError(
            f"{case.id} is a volume; boxes are compared on single images.", "Leave volumes out."
        )
    boxes = [box.xywh for box in found.boxes(threshold=THRESHOLD, most=most)]
    point = found.point()
    return LocatedFinding(
        case=case.id,
        patient=case.patient or case.id,
        class_name=class_name,
        shape=(case.shape[0], case.shape[1]),
        drawn=drawn,
        found=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        point=None if point is None else (point[1] + 0.5, point[0] + 0.5),
        energy=None if drawn is None else energy_inside(found.values.astype(np.float64), drawn),
    )


def locate_like(most: int = 1) -> Callable[[FloatArray], Boxes]:
    """Give the way from a random map to boxes that `located` takes with the run's own maps."""
    from ..explain.boxes import boxes_of

    def locate(values: FloatArray) -> Boxes:
        boxes = [box.xywh for box in boxes_of(values, threshold=THRESHOLD, most=most)]
        return np.array(boxes, dtype=np.float64).reshape(-1, 4)

    return locate
