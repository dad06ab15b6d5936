"""What is known of the regions of images: where they were found, when, and their features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from .radiomic_regions import Box

Key: TypeAlias = tuple[int, int]
"""Row of an image in the store, and column of a class; -1 where no class is asked for."""

NO_CLASS = -1


@dataclass(frozen=True, slots=True)
class KnownRegion:
    """The region of a class in an image.

    Parameters
    ----------
    step
        When it was found.
    features
        (feature,) float32 on the processor, NaN where one has no value.
    """

    step: int
    box: Box
    features: Tensor


class RegionCache:
    """The newest region of each class in each image."""

    def __init__(self) -> None:
        self._known: dict[Key, KnownRegion] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> KnownRegion | None:
        """Give the region as it was found last."""
        return self._known.get(key)

    def put(self, key: Key, region: KnownRegion) -> None:
        """Take a region in place of what was known."""
        self._known[key] = region

    def is_due(self, key: Key, step: int, refresh: int) -> bool:
        """Tell whether a region has to be found (again): it is unknown, or `refresh` steps old."""
        known = self._known.get(key)
        return known is None or not 0 <= step - known.step < refresh

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint keeps."""
        known = self._known.values()
        return {
            "keys": torch.tensor(list(self._known), dtype=torch.long).view(-1, 2),
            "steps": torch.tensor([each.step for each in known], dtype=torch.long),
            "boxes": torch.tensor([each.box for each in known], dtype=torch.long),
            "features": torch.stack([each.features for each in known]) if known else torch.empty(0),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        rows = zip(
            state["keys"].tolist(),
            state["steps"].tolist(),
            state["boxes"].tolist(),
            state["features"],
            strict=True,
        )
        self._known = {
            (row, column): KnownRegion(step, tuple(box), features.clone())
            for (row, column), step, box, features in rows
        }
