"""`cross-entropy`: an encoder, with the losses and samplers made for uneven classes."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backend.events import Event
from ..checkpoints.card import ModelCard
from ..data.sampling import ImageSampler
from ..losses import imageclass as losses
from ..losses import long_tail
from ..nets.encoders import CosineHead, ImageClassifier
from .balanced_contrast import BalancedContrast
from .imageclass import ImageRun
from .priors import Shares, mixed_shares, several_prior, single_prior, weighed_prior
from .run import Batch, Moment, Setup, StepResult
from .settings import CrossEntropySettings, read_settings

DEFERRED_SHARE = 0.8
"""LDAM weighs the classes in what is left of the run after this share (DRW)."""

LARGEST_POSITIVE_WEIGHT = 20.0
BLEND_STREAM, SECOND_VIEW = 7, 17


def build(setup: Setup) -> "CrossEntropyRun":
    """Make the run of a spec."""
    settings = read_settings(CrossEntropySettings, setup.spec.settings)
    assert isinstance(settings, CrossEntropySettings)
    return CrossEntropyRun(setup, settings)


class CrossEntropyRun(ImageRun):
    """One encoder, one of many losses."""

    def __init__(self, setup: Setup, settings: CrossEntropySettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.head = "cosine" if settings.loss == "ldam" else "linear"
        self.contrast: BalancedContrast | None = None

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the images and build the network, with what bcl compares images by."""
        yield from super().prepare(card)
        if self.choice.loss == "bcl":
            width: int = self.network.width  # type: ignore[assignment]
            self.contrast = BalancedContrast(width).to(self.device)

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give the weights of bcl's projections too."""
        yield from super().trained_parameters()
        if self.contrast is not None:
            yield from self.contrast.parameters()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give bcl's projections a group of their own."""
        groups = super().parameter_groups()
        if self.contrast is None:
            return groups
        own = {"params": list(self.contrast.parameters()), "weight_decay": self.common.weight_decay}
        return [*groups, own]

    def batch(self, step: int) -> Batch:
        """Give varied images and targets, blended with evenly drawn ones where that is wished."""
        batch = super().batch(step)
        if self.contrast is not None:
            rows = self.sampler.draw(step, self.settings.batch)
            return {**batch, "second": self.varied(rows, step, SECOND_VIEW)}
        if self.choice.mixup == "none" or self.several:
            return batch
        return self._blended(batch, step)

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the chosen loss."""
        if self.contrast is not None:
            return self._compared(batch, self.contrast)
        self._scale_head()
        logits = self.logits_of(batch).float()
        target = batch["target"]
        if self.several:
            loss = losses.known_mean(self.weighed(self._several(logits, target), target), target)
        else:
            loss = self.weighed(self._single(logits, target, moment), target).mean()
        return StepResult(loss, self.tally(logits.detach(), target), {})

    def logits_of(self, batch: Batch) -> Tensor:
        """Give the logits of a batch, (batch, class)."""
        logits: Tensor = self.network(batch["image"])
        return logits

    def state(self) -> dict[str, Any]:
        """Give bcl's projections too."""
        if self.contrast is None:
            return super().state()
        return {**super().state(), "contrast": self.contrast.state_dict()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        if self.contrast is not None:
            self.contrast.load_state_dict(state["contrast"])

    def prior(self) -> Shares:
        """Give what the logits take for granted when the run has ended."""
        factors = _array(self.class_factors)
        return weighed_prior(self._plain_prior(), factors, several=self.several)

    def _plain_prior(self) -> Shares:
        if self.several:
            weights = self._positive_weights()
            return several_prior(*self._answers(), None if weights is None else _array(weights))
        weights = self.weights(1.0)
        return single_prior(
            self.choice.loss,
            self._shares(),
            None if weights is None else _array(weights),
            self._tau,
        )

    def _compared(self, batch: Batch, contrast: BalancedContrast) -> StepResult:
        """Balanced softmax of the first views, and comparisons of both."""
        target = batch["target"]
        network: Any = self.network
        views = network.features(torch.cat([batch["image"], batch["second"]]))
        logits = network.head(network.dropout(views[: len(target)])).float()
        plain = losses.balanced_softmax(
            logits, target, self._prior_shown(logits), 1.0, self.choice.label_smoothing
        )
        apart = contrast(views, target, network.head)
        loss = self.weighed(plain + self.choice.contrast_weight * apart, target).mean()
        return StepResult(loss, self.tally(logits.detach(), target), {})

    def _single(self, logits: Tensor, target: Tensor, moment: Moment) -> Tensor:
        choice, smoothing = self.choice, self.choice.label_smoothing
        if choice.loss in ("balanced-softmax", "logit-adjustment"):
            prior = self._prior_shown(logits)
            return losses.balanced_softmax(logits, target, prior, self._tau, smoothing)
        if choice.loss == "focal":
            return losses.focal_loss(logits, target, choice.focal_gamma)
        weights = self.weights(moment.share)
        if choice.loss == "ldam":
            margins = losses.ldam_margins(self.counts)
            return losses.ldam(logits, target, margins, choice.ldam_scale, weights)
        if weights is not None:
            return losses.weighted_cross_entropy(logits, target, weights, smoothing)
        return losses.cross_entropy(logits, target, smoothing)

    def _several(self, logits: Tensor, target: Tensor) -> Tensor:
        choice = self.choice.loss
        if choice == "focal-bce":
            return losses.focal_binary_cross_entropy(logits, target, self.choice.focal_gamma)
        if choice == "asymmetric":
            return long_tail.asymmetric_loss(logits, target)
        if choice == "distribution-balanced":
            yes, known = (torch.tensor(each, device=self.device) for each in self._answers())
            return long_tail.distribution_balanced_loss(logits, target, yes.float(), known.float())
        plain = losses.binary_cross_entropy(logits, target, self._positive_weights())
        if choice == "class-balanced":
            beta = self.choice.class_balanced_beta
            return plain * losses.class_balanced_weights(self.counts, beta)
        return plain

    def weights(self, share: float) -> Tensor | None:
        """Give the classes' weights in the loss after `share` of the run; LDAM's come late."""
        after = self.choice.weights_after
        if after < 0:
            after = DEFERRED_SHARE if self.choice.loss == "ldam" else 0.0
        if share < after or after >= 1:
            return None
        if self.choice.loss == "weighted":
            return losses.inverse_weights(self.counts)
        if self.choice.loss in ("class-balanced", "ldam"):
            return losses.class_balanced_weights(self.counts, self.choice.class_balanced_beta)
        return None

    def _positive_weights(self) -> Tensor | None:
        if self.choice.loss != "weighted":
            return None
        yes, known = (torch.tensor(each, device=self.device) for each in self._answers())
        weights = losses.positive_weights(yes, known - yes, LARGEST_POSITIVE_WEIGHT)
        return weights.float()

    def _answers(self) -> tuple[Shares, Shares]:
        """How often each class was answered yes, and how often it was answered at all."""
        targets = self.targets.numpy()
        return (targets == 1).sum(0).astype(float), (targets >= 0).sum(0).astype(float)

    def _shares(self) -> Shares:
        shares = self.sampler.class_shares
        if self.choice.mixup == "none":
            return shares
        return mixed_shares(shares, self.choice.mixup_alpha, (shares > 0).astype(float))

    def _prior_shown(self, logits: Tensor) -> Tensor:
        return torch.tensor(self._shares(), dtype=torch.float32, device=logits.device)

    @property
    def _tau(self) -> float:
        return self.choice.adjustment_tau if self.choice.loss == "logit-adjustment" else 1.0

    def _blended(self, batch: Batch, step: int) -> Batch:
        even = ImageSampler(self.sampler.presence, "class-balanced", self.spec.seed + 1)
        even.rest(self.sampler.resting)
        rows = even.draw(step, self.settings.batch)
        other = self.varied(rows, step, BLEND_STREAM)
        random = np.random.default_rng([self.spec.seed, step, BLEND_STREAM])
        drawn = random.beta(self.choice.mixup_alpha, 1.0, self.settings.batch)
        amount = torch.tensor(drawn, dtype=torch.float32, device=self.device)
        images = torch.lerp(batch["image"], other, amount.view(-1, *([1] * (other.ndim - 1))))
        classes = len(self.spec.classes)
        own = functional.one_hot(batch["target"], classes).float()
        added = functional.one_hot(self.targets_at(rows), classes).float()
        return {"image": images, "target": torch.lerp(own, added, amount[:, None])}

    def _scale_head(self) -> None:
        network = self.network
        if isinstance(network, ImageClassifier) and isinstance(network.head, CosineHead):
            network.head.scale.fill_(self.choice.ldam_scale)


def _array(values: Tensor) -> Shares:
    return values.double().cpu().numpy()
