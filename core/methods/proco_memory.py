"""What `proco` remembers between steps: a queue of keys, prototypes, and the classes' weights."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..losses import proco as losses
from ..losses.imageclass import safe_log
from ..losses.proco import Contrast
from .feature_queue import FeatureQueue
from .settings_contrast import ProcoSettings

PROTOTYPE_KEPT = 0.95


class ProcoMemory:
    """The contrast set beside the batch.

    Attributes
    ----------
    prototypes
        (class, width), of length 1; `known` (class,) bool tells which there are yet.
    weights
        (class,), within 0 ... 1: how well each class is recognised by its prototype.
    """

    def __init__(self, settings: ProcoSettings, classes: int, device: str) -> None:
        self._settings = settings
        self._queue = FeatureQueue(settings.queue, settings.width, device)
        self.prototypes = torch.zeros(classes, settings.width, device=device)
        self.known = torch.zeros(classes, dtype=torch.bool, device=device)
        self.weights = torch.full((classes,), 1 / classes, device=device)

    def contrast(
        self, queries: Tensor, keys: Tensor | None, target: Tensor, prior: Tensor
    ) -> Contrast:
        """Give what the queries (batch, width) are compared with.

        Parameters
        ----------
        keys
            (batch, width), of the other view, if there is one; the queue does not hold them yet.
        prior
            (class,), how often each class is shown.
        """
        settings = self._settings
        alpha = settings.alpha or losses.automatic_alpha(float(prior.max()), settings.queue)
        parts = [
            losses.entries(queries, target, alpha),
            losses.entries(self._queue.features, self._queue.classes, alpha),
        ]
        if keys is not None:
            parts.insert(1, losses.entries(keys, target, alpha))
        if settings.prototypes:
            classes = torch.arange(len(self.known), device=self.known.device)
            masked = torch.where(self.known, classes, losses.MASKED)
            parts.append(losses.entries(self.prototypes, masked, 1.0, self._shifts(prior)))
        if settings.proto_instances:
            made = losses.proto_instances(
                self.prototypes,
                self.known,
                self._queue.features,
                self._queue.classes,
                settings.instance_share,
                settings.hardest,
            )
            parts.append(losses.entries(*made, alpha))
        return losses.joined(*parts)

    def take(self, queries: Tensor, keys: Tensor, target: Tensor) -> None:
        """Take the batch of a step into weights, prototypes and queue."""
        settings = self._settings
        self.weights = losses.recalibrated(
            self.weights,
            queries,
            target,
            self.prototypes,
            self.known,
            settings.temperature,
            settings.recalibration_kept,
        )
        entries = torch.cat([self._queue.features, keys])
        classes = torch.cat([self._queue.classes, target])
        self.prototypes, self.known = losses.moved_prototypes(
            self.prototypes, self.known, entries, classes, PROTOTYPE_KEPT
        )
        self._queue.put(keys, target)

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "queue": self._queue.state(),
            "prototypes": self.prototypes.clone(),
            "known": self.known.clone(),
            "weights": self.weights.clone(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Continue from `state()`."""
        self._queue.load_state(state["queue"])
        device = self.weights.device
        self.prototypes = state["prototypes"].to(device)
        self.known = state["known"].to(device)
        self.weights = state["weights"].to(device)

    def _shifts(self, prior: Tensor) -> Tensor | None:
        settings = self._settings
        if settings.recalibration == "none" or settings.apply_to == "classifier":
            return None
        return safe_log(prior) if settings.recalibration == "fixed" else self.weights.log()
