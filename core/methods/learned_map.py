"""When and of which images a run draws how the classes lie to each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..backend.events import Artifact
from .class_map import ClassMap, write_map

PICTURES = 10
IMAGES_A_CLASS = 24
CHOICE_STREAM = 13

Rows = np.ndarray[Any, np.dtype[np.int64]]


class LearnedMap:
    """Pictures of the classes of a run on images, about ten of them."""

    def __init__(self) -> None:
        self._map = ClassMap()
        self._drawn = 0

    def takes_turn(self, step: int, planned: int | None) -> bool:
        """Tell whether another tenth of the run is over; each is told once."""
        tenth = step * PICTURES // planned if planned else 0
        if tenth <= self._drawn:
            return False
        self._drawn = tenth
        return True

    def chosen(self, presence: np.ndarray[Any, Any]) -> tuple[Rows, Tensor]:
        """Choose some images of each class: their rows and classes, each (n,).

        Parameters
        ----------
        presence
            (image, class) bool. An image of several classes stands for its rarest.
        """
        counts = presence.sum(0)
        rarest = np.where(presence, counts, counts.max(initial=0) + 1).argmin(1)
        order = np.random.default_rng(CHOICE_STREAM).permutation(len(presence))
        order = order[presence[order].any(1)]
        found = [order[rarest[order] == each][:IMAGES_A_CLASS] for each in range(len(counts))]
        rows = np.concatenate(found)
        return rows, torch.as_tensor(rarest[rows])

    def picture(
        self, folder: Path, features: Tensor, classes: Tensor, centres: Tensor, step: int
    ) -> Artifact:
        """Draw a picture into the folder of the run.

        Parameters
        ----------
        features, classes
            (n, width) and (n,).
        centres
            (class, width), rows of 0 where a class has none.
        """
        arrays = self._map.draw(features, classes, centres, step)
        # In a picture 0 is the background, which images do not have.
        for name in ("point_classes", "centre_classes"):
            arrays[name] = arrays[name] + np.int16(1)
        return Artifact(write_map(folder, arrays), "map")

    def state(self) -> dict[str, Any]:
        """Give what keeps the pictures of a resumed run in one plane."""
        return {"plane": self._map.plane, "drawn": self._drawn}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self._map.plane = state["plane"]
        self._drawn = int(state["drawn"])
