"""From an image to its label map in the project's class ids, on the image's own grid."""

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..data.preprocessing import Preprocessing
from ..io.image import Image
from .windows import SlidingWindow

LabelArray: TypeAlias = np.ndarray[Any, np.dtype[np.unsignedinteger[Any]]]
FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

# Probabilities below this add nothing to an entropy and would give log 0.
SMALLEST = 1e-8


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a network says of one image.

    Parameters
    ----------
    labels
        (z, y, x) or (y, x) on the image's grid: class ids, 0 background; uint8, or uint16 where
        an id is above 254.
    uncertainty
        Mean entropy over the voxels, 0 sure to 1 undecided between all classes.
    entropy
        The entropy of each voxel, 0 to 1, float32 on the image's grid.
    """

    labels: LabelArray
    uncertainty: float
    entropy: FloatArray


def segment(
    network: nn.Module,
    preprocessing: Preprocessing,
    class_ids: Sequence[int],
    image: Image,
    window: SlidingWindow,
    device: str,
) -> Generator[tuple[int, int], None, Segmentation]:
    """Predict one image, giving (done, total) windows on the way.

    Parameters
    ----------
    network
        On `device`, in evaluation mode; output 0 is the background.
    preprocessing
        What the network was trained behind.
    class_ids
        The value in the label map of each output after the background; 0 for one that is to be
        background.
    image
        The source, with its grid.
    window
        The sliding window.
    device
        Where the network computes.
    """
    values = preprocessing.apply(image)
    probabilities = yield from window.slide(network, values, device)
    return decide(probabilities, preprocessing, class_ids, image.shape)


def predict_volume(
    network: nn.Module,
    preprocessing: Preprocessing,
    class_ids: Sequence[int],
    image: Image,
    window: SlidingWindow,
    device: str = "cpu",
) -> tuple[LabelArray, float]:
    """Predict one image in one go; see `segment`.

    Returns
    -------
    tuple
        The label map in class ids on the image's grid, and its uncertainty.
    """
    steps = segment(network, preprocessing, class_ids, image, window, device)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Segmentation = end.value
            return found.labels, found.uncertainty


def decide(
    probabilities: Tensor,
    preprocessing: Preprocessing,
    class_ids: Sequence[int],
    shape: tuple[int, ...],
) -> Segmentation:
    """Bring probabilities (k, *grid) back to the source's `shape` and choose the likeliest class.

    Probabilities are brought back, not labels, so that borders stay smooth; one class at a time,
    so that a large scan with many classes fits into memory.
    """
    best = torch.full(shape, -1.0)
    output = torch.zeros(shape, dtype=torch.uint8 if len(probabilities) <= 255 else torch.int16)
    entropy = torch.zeros(shape)
    for index in range(len(probabilities)):
        one = preprocessing.restore(probabilities[index : index + 1], shape)[0]
        better = one > best
        best = torch.where(better, one, best)
        output.masked_fill_(better, index)
        entropy -= one * one.clamp_min(SMALLEST).log()
    entropy = (entropy / math.log(len(probabilities))).clamp_(0.0, 1.0)
    labels = _value_table(class_ids)[output.numpy()]
    return Segmentation(labels, float(entropy.mean()), entropy.numpy())


def _value_table(class_ids: Sequence[int]) -> LabelArray:
    values = (0, *class_ids)
    return np.asarray(values, dtype=np.uint8 if max(values) < 255 else np.uint16)
