"""Features of earlier batches with their classes, the oldest leaving first."""

import torch
from torch import Tensor

from ..errors import LongtailError


class FeatureQueue:
    """A ring of up to `size` features.

    Parameters
    ----------
    size
        How many are kept.
    width
        Length of one.
    """

    def __init__(self, size: int, width: int, device: torch.device | str = "cpu") -> None:
        self._features = torch.zeros(size, width, device=device)
        self._classes = torch.zeros(size, dtype=torch.long, device=device)
        self._next = 0
        self._filled = 0

    def __len__(self) -> int:
        return self._filled

    @property
    def features(self) -> Tensor:
        """(filled, width), in no particular order."""
        return self._features[: self._filled]

    @property
    def classes(self) -> Tensor:
        """(filled,), in the order of `features`."""
        return self._classes[: self._filled]

    @torch.no_grad()
    def put(self, features: Tensor, classes: Tensor) -> None:
        """Add (n, width) features and (n,) classes, the last of them the newest."""
        size = len(self._features)
        count = min(len(features), size)
        newest = slice(len(features) - count, None)
        places = (self._next + torch.arange(count, device=self._features.device)) % max(size, 1)
        self._features[places] = features[newest].to(self._features)
        self._classes[places] = classes[newest].to(self._classes)
        self._next = (self._next + count) % max(size, 1)
        self._filled = min(self._filled + count, size)

    def state(self) -> dict[str, Tensor]:
        """Give what a checkpoint keeps."""
        return {
            "features": self._features.clone(),
            "classes": self._classes.clone(),
            "next": torch.tensor(self._next),
            "filled": torch.tensor(self._filled),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Continue from `state()`.

        Raises
        ------
        LongtailError
            The state is that of another queue.
        """
        features, classes = state["features"], state["classes"]
        following, filled, size = int(state["next"]), int(state["filled"]), len(self._features)
        fits = features.shape == self._features.shape and classes.shape == self._classes.shape
        if not (fits and 0 <= following < max(size, 1) and 0 <= filled <= size):
            raise LongtailError(
                "The checkpoint's queue of features does not fit these settings.",
                "Start a new run, or use the settings that the checkpoint was trained with.",
            )
        self._features.copy_(features)
        self._classes.copy_(classes)
        self._next, self._filled = following, filled
