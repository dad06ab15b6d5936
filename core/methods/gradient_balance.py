"""Comparisons that move an encoder no harder than wished, for methods that add them to classes."""

from collections import deque
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from ..losses.balance import balancing_scale

MEAN_KEPT = 0.9
STEPS_TOLD = 100
LARGEST_SCALE = 10.0
"""More than this would follow the noise of comparisons that have nothing left to learn."""


class GradientBalance:
    """Holds the comparisons' gradient at a share of the classes', by running means of both.

    Attributes
    ----------
    classes, contrast
        Running means of the lengths of both gradients before any scaling.
    applied
        For each of the last steps, the length of the classes' gradient and of the comparisons' as
        it was scaled.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.classes = self.contrast = 0.0
        self.applied: deque[tuple[float, float]] = deque(maxlen=STEPS_TOLD)
        self._steps = 0

    @property
    def ratio(self) -> float:
        """The comparisons' gradient as a share of the classes', over the last steps."""
        classes = sum(ours for ours, _ in self.applied)
        contrast = sum(theirs for _, theirs in self.applied)
        return contrast / classes if classes > 0 else 0.0

    def scale(self, classes: float, contrast: float) -> float:
        """Give the factor of the comparisons in a step with gradients of these lengths."""
        ours, theirs = self._moved(self.classes, classes), self._moved(self.contrast, contrast)
        return balancing_scale(ours, theirs, self.share, LARGEST_SCALE)

    def take(self, lengths: Sequence[tuple[float, float, float]]) -> None:
        """Follow a step: lengths of both gradients and the factor, for each portion of it."""
        classes = fmean(ours for ours, _, _ in lengths)
        contrast = fmean(theirs for _, theirs, _ in lengths)
        self.applied.append((classes, fmean(theirs * factor for _, theirs, factor in lengths)))
        self.classes = self._moved(self.classes, classes)
        self.contrast = self._moved(self.contrast, contrast)
        self._steps += 1

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "classes": self.classes,
            "contrast": self.contrast,
            "applied": [list(lengths) for lengths in self.applied],
            "steps": self._steps,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self.classes, self.contrast = float(state["classes"]), float(state["contrast"])
        self.applied.clear()
        self.applied.extend((float(ours), float(theirs)) for ours, theirs in state["applied"])
        self._steps = int(state["steps"])

    def _moved(self, running: float, value: float) -> float:
        """Move a running mean, which starts as a plain one."""
        kept = min(MEAN_KEPT, self._steps / (self._steps + 1))
        return kept * running + (1 - kept) * value
