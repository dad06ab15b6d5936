"""The second stage of `two-stage`: a new classifier on an encoder that stays as it is."""

import copy
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..data.sampling import ImageSampler
from ..nets.averaging import average_share, follow
from .imageclass import ImageRun
from .priors import Shares
from .run import Batch, StepResult
from .second_head import EVENLY_SHOWN, SecondHead, copy_into
from .settings_contrast import TwoStageSettings

KEPT = 0.98
CACHED_BATCH = 256
CACHE_STREAM, VIEW_STREAM = 1000, 23


class SecondStage:
    """What the second stage of a run learns and remembers.

    Attributes
    ----------
    head
        The classifier that is learned; its running average predicts.
    active
        Whether the stage has begun.
    """

    def __init__(self, run: ImageRun, choice: TwoStageSettings) -> None:
        self.run = run
        self.choice = choice
        first: nn.Linear = run.network.head  # type: ignore[assignment]
        self.head = SecondHead(choice.head, first).to(run.device)
        self.active = False
        self._average = copy.deepcopy(self.head).requires_grad_(False)
        self._steps = 0

    def enter(self) -> None:
        """Freeze the averaged network and put the new classifier on it."""
        network: Any = self.run.network
        network.load_state_dict(self.run.average.state_dict())
        self.head.start_from(network.head)
        self._average.load_state_dict(self.head.state_dict())
        self.active = True
        self._steps = 0

    def batch(self, step: int) -> Batch:
        """Give images as the classifier wants them shown, or kept features in their place."""
        run, sampler = self.run, self._sampler
        sampler.factors = run.sampler.factors
        if sampler.resting != run.sampler.resting:
            sampler.rest(run.sampler.resting)
        if not self.choice.cache_features:
            rows = sampler.draw(step, run.settings.batch)
            return {"image": run.varied(rows, step), "target": run.targets_at(rows)}
        rows = sampler.draw(step, max(CACHED_BATCH, run.settings.batch))
        views = torch.randint(
            self.choice.cached_views, (len(rows),), generator=run.random(step, VIEW_STREAM)
        )
        features = self._cached[views.to(run.device), torch.as_tensor(rows, device=run.device)]
        return {"features": features, "target": run.targets_at(rows)}

    def result(self, batch: Batch) -> StepResult:
        """Go down on the classifier's loss."""
        target = batch["target"]
        features = batch.get("features")
        if features is None:
            features = self.frozen(batch["image"])
        shares = torch.tensor(
            self._sampler.class_shares, dtype=torch.float32, device=self.run.device
        )
        losses = self.head.losses(features, target, self.run.counts, shares)
        logits = self.head(features).detach()
        loss = self.run.weighed(losses, target).mean()
        return StepResult(loss, self.run.tally(logits, target), {})

    def after_step(self) -> None:
        """Let the predicting classifier follow."""
        self._steps += 1
        follow(self._average, self.head, average_share(self._steps, KEPT))
        for network in (self.run.average, self.run.network):
            copy_into(network.head, *self._average.folded())

    def frozen(self, images: Tensor) -> Tensor:
        """Features of the encoder as it predicts, without gradient, its batch norms set."""
        with torch.no_grad():
            return self.run.embedded(images).float()

    def prior(self) -> Shares:
        """Give what the new classifier takes for granted."""
        return self.head.prior(self.run.counts, self._sampler.class_shares)

    def forget_images(self) -> None:
        """Forget what was computed from the training images, because they are others now."""
        for name in ("_cached", "_sampler"):
            self.__dict__.pop(name, None)

    def state(self) -> dict[str, Any]:
        """Give what must survive a resume."""
        return {
            "active": self.active,
            "steps": self._steps,
            "head": self.head.state_dict(),
            "average": self._average.state_dict(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self.active = bool(state["active"])
        self._steps = int(state["steps"])
        self.head.load_state_dict(state["head"])
        self._average.load_state_dict(state["average"])
        self.forget_images()

    @cached_property
    def _sampler(self) -> ImageSampler:
        run = self.run
        how = "class-balanced" if self.choice.head in EVENLY_SHOWN else run.settings.sampler
        return ImageSampler(run.sampler.presence, how, run.spec.seed + 2)

    @cached_property
    def _cached(self) -> Tensor:
        """What the frozen encoder sees, (view, image, width)."""
        count, size = len(self.run.train_ids), self.run.settings.batch
        portions = [np.arange(at, min(at + size, count)) for at in range(0, count, size)]
        views = [
            torch.cat(
                [
                    self.frozen(self.run.varied(rows, int(rows[0]), CACHE_STREAM + view))
                    for rows in portions
                ]
            )
            for view in range(self.choice.cached_views)
        ]
        return torch.stack(views)
