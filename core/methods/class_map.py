"""A picture in two dimensions of how a method sees the classes, kept for replay."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..files import replacing

FOLDER = "maps"
POINTS_A_CLASS = 60


class ClassMap:
    """Projects features onto a plane that is fixed by the first picture of a run.

    The plane is spanned by the two directions in which the class centres differ most, so that
    pictures of different steps can be laid over each other.
    """

    def __init__(self) -> None:
        self.plane: Tensor | None = None

    def draw(
        self, features: Tensor, classes: Tensor, centres: Tensor, step: int
    ) -> dict[str, np.ndarray[Any, Any]]:
        """Give the arrays of a picture.

        Parameters
        ----------
        features, classes
            (n, width) and (n,): some pixels or images.
        centres
            (class, width); rows of zeros are classes without a centre yet.
        """
        features = torch.nn.functional.normalize(features.float().cpu(), dim=1)
        centres = torch.nn.functional.normalize(centres.float().cpu(), dim=1)
        if self.plane is None:
            self.plane = _plane(centres)
        known = centres.norm(dim=1) > 0
        chosen = _some_of_each(classes.cpu())
        return {
            "points": (features[chosen] @ self.plane).numpy().astype(np.float32),
            "point_classes": classes.cpu()[chosen].numpy().astype(np.int16),
            "centres": (centres[known] @ self.plane).numpy().astype(np.float32),
            "centre_classes": known.nonzero().squeeze(1).numpy().astype(np.int16),
            "step": np.asarray(step, np.int64),
        }


def write_map(folder: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """Write a picture into a run's folder; gives its path inside."""
    name = f"{FOLDER}/step-{int(arrays['step']):07d}.npz"
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    with replacing(folder / name) as aside, aside.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return name


def _plane(centres: Tensor) -> Tensor:
    """Orthonormal directions in which the centres spread, (width, 2)."""
    spread = centres - centres.mean(0)
    noise = 1e-6 * torch.eye(2, centres.shape[1])
    _, _, directions = torch.linalg.svd(torch.cat([spread, noise]), full_matrices=False)
    plane = directions[:2].T
    # The sign of a singular vector is arbitrary: the first centre stands on the positive side.
    signs = torch.where(centres[0] @ plane < 0, -1.0, 1.0)
    signed: Tensor = plane * signs
    return signed


def _some_of_each(classes: Tensor) -> Tensor:
    """Positions of the first entries of each class, (n,)."""
    order = classes.argsort(stable=True)
    counts = torch.bincount(classes)
    first = counts.cumsum(0) - counts
    rank = torch.arange(len(classes)) - first[classes[order]]
    return order[rank < POINTS_A_CLASS]
