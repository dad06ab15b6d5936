"""`proco`: contrast with recalibrated prototypes, for one class per image.

Yang et al., "ProCo: prototype-aware contrastive learning for long-tailed medical image
classification", MICCAI 2022 (arXiv 2209.00183). docs/methods/proco.md says what follows the authors
and what had to be reconstructed. With prototypes and proto-instances off it is PaCo.
"""

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.events import Event, Metric
from ..checkpoints.card import ModelCard
from ..losses import proco as losses
from ..losses.balance import gradient_norm
from ..losses.imageclass import safe_log
from ..nets.averaging import Follower
from ..nets.projection import Projection
from .gradient_balance import GradientBalance
from .imageclass import ImageRun
from .priors import Shares, weighed_prior
from .proco_memory import ProcoMemory
from .run import Batch, Moment, Setup, StepResult
from .settings import read_settings
from .settings_contrast import ProcoSettings

SECOND_VIEW = 17


def build(setup: Setup) -> "ProcoRun":
    """Make the run of a spec."""
    settings = read_settings(ProcoSettings, setup.spec.settings)
    assert isinstance(settings, ProcoSettings)
    return ProcoRun(setup, settings)


class ProcoRun(ImageRun):
    """A classifier and a contrast set, learned in one stage."""

    def __init__(self, setup: Setup, settings: ProcoSettings) -> None:
        super().__init__(setup, settings)
        self.choice = settings
        self.balance = GradientBalance(settings.contrast_share)
        self._fresh: list[tuple[Tensor, Tensor, Tensor]] = []
        self._pulls: list[tuple[float, float, float]] = []

    def prepare(self, card: ModelCard | None = None) -> Iterator[Event]:
        """Read the images, build the network, its projection and their slow copies."""
        yield from super().prepare(card)
        features: int = self.network.width  # type: ignore[assignment]
        self.projection = Projection(features, self.choice.width).to(self.device)
        self.key_body = _slow(self.network.body)
        self.key_projection = _slow(self.projection)
        self._followers = (
            Follower(self.key_body, self.network.body),  # type: ignore[arg-type]
            Follower(self.key_projection, self.projection),
        )
        self.memory = ProcoMemory(self.choice, len(self.spec.classes), self.device)

    def trained_parameters(self) -> Iterator[nn.Parameter]:
        """Give the projection's weights too."""
        yield from super().trained_parameters()
        yield from self.projection.parameters()

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Give the projection a group of its own."""
        decay = self.common.weight_decay
        own = {"params": list(self.projection.parameters()), "weight_decay": decay}
        return [*super().parameter_groups(), own]

    def batch(self, step: int) -> Batch:
        """Give varied images, a `second` view of each where that is wished, and the targets."""
        rows = self.sampler.draw(step, self.settings.batch)
        batch = {"image": self.varied(rows, step), "target": self.targets_at(rows)}
        if self.choice.second_view:
            batch["second"] = self.varied(rows, step, SECOND_VIEW)
        return batch

    def step(self, batch: Batch, moment: Moment) -> StepResult:
        """Go down on the loss of the images against the keys of their second views."""
        target = batch["target"]
        features = self.network.features(batch["image"])  # type: ignore[operator]
        logits = self.network.head(self.network.dropout(features)).float()  # type: ignore[operator]
        queries = self.projection(features)
        keys = self._keys(batch["second"]) if self.choice.second_view else None
        shares = self.shares
        contrast = self.memory.contrast(queries, keys, target, shares)
        given = (logits + self.shift(shares), queries, target, contrast, self.choice.temperature)
        if self.choice.normaliser == "joint":
            loss = self.weighed(losses.joint_loss(*given), target).mean()
        else:
            plain, apart = losses.separate_losses(*given, self.choice.spare_own_class)
            plain, apart = (self.weighed(each, target).mean() for each in (plain, apart))
            loss = plain + self._factor(plain, apart, features) * apart
        own = queries.detach()
        self._fresh.append((own, own if keys is None else keys, target))
        return StepResult(loss, self.tally(logits.detach(), target), {})

    def before_step(self) -> None:
        """Forget the portions of a step that was not taken."""
        self._fresh.clear()
        self._pulls.clear()

    def after_step(self, moment: Moment) -> None:
        """Let the slow encoder follow; take the batch into queue, prototypes and weights."""
        if self.choice.second_view:
            kept = losses.key_momentum(moment.step, moment.total, self.choice.key_momentum)
            for one in self._followers:
                one.follow(kept)
        if self._pulls:
            self.balance.take(self._pulls)
        self.memory.take(*(torch.cat(parts) for parts in zip(*self._fresh, strict=True)))

    def prior(self) -> Shares:
        """Even, or pi / w where learned weights took the place of the log prior."""
        shares = self.sampler.class_shares
        factors = self.class_factors.double().numpy()
        if self._weights_classifier:
            raw = shares / self.memory.weights.double().cpu().numpy()
        else:
            raw = (shares > 0).astype(float)
        return weighed_prior(np.asarray(raw / raw.sum(), float), factors, several=False)

    def embedded(self, images: Tensor) -> Tensor:
        """Directions in which images are compared, as the slow encoder or the average sees them."""
        if self.choice.second_view:
            return self._keys(images)
        with torch.no_grad():
            directions: Tensor = self.projection(super().embedded(images))
        return directions

    def class_centres(self, features: Tensor, classes: Tensor) -> Tensor:
        """Give the prototypes."""
        if not self.choice.prototypes:
            return super().class_centres(features, classes)
        return self.memory.prototypes * self.memory.known[:, None]

    def news(self, step: int) -> Iterator[Event]:
        """Tell how strongly the comparisons pull."""
        yield from super().news(step)
        if self.balance.share > 0:
            yield Metric(step, "contrast_gradient", self.balance.ratio)

    def state(self) -> dict[str, Any]:
        """Give projection, slow copies, memory and balance too."""
        own = {name: module.state_dict() for name, module in self._modules_beside().items()}
        beside = {"beside": own, "memory": self.memory.state(), "balance": self.balance.state()}
        return {**super().state(), **beside}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        super().load_state(state)
        for name, module in self._modules_beside().items():
            module.load_state_dict(state["beside"][name])
        self.memory.load_state(state["memory"])
        if "balance" in state:  # runs of an earlier version have none
            self.balance.load_state(state["balance"])

    @property
    def shares(self) -> Tensor:
        """How often each class is shown, (class,)."""
        return torch.tensor(self.sampler.class_shares, dtype=torch.float32, device=self.device)

    def shift(self, shares: Tensor) -> Tensor:
        """Give what is added to the classifier's logits while it learns, (class,).

        How often classes are shown makes it even-handed; how many images there are makes it surer
        of rare ones than that, by the margins log(n_j / n_y) of Menon et al. (ICLR 2021).
        """
        learned = self._weights_classifier
        even = self.memory.weights.log() if learned else safe_log(shares)
        return even + self.choice.rare_margin * safe_log(self.counts / self.counts.sum())

    @property
    def _weights_classifier(self) -> bool:
        choice = self.choice
        return choice.recalibration == "learned" and choice.apply_to in ("classifier", "both")

    def _factor(self, classes: Tensor, contrast: Tensor, features: Tensor) -> float:
        """How much the comparisons count: fixed, or so that they pull as hard as is wished.

        Both gradients are measured where the losses part: at the features.
        """
        if self.balance.share == 0:
            return self.choice.contrast_weight
        ours, theirs = (gradient_norm(each, [features]) for each in (classes, contrast))
        factor = self.balance.scale(ours, theirs)
        self._pulls.append((ours, theirs, factor))
        return factor

    def _keys(self, images: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.key_body(images).flatten(2).mean(2)
            keys: Tensor = self.key_projection(features)
        return keys

    def _modules_beside(self) -> dict[str, nn.Module]:
        return {
            "projection": self.projection,
            "key_body": self.key_body,
            "key_projection": self.key_projection,
        }


def _slow(module: Any) -> nn.Module:
    """Copy a module that follows by itself."""
    copied: nn.Module = copy.deepcopy(module).eval().requires_grad_(False)
    return copied
