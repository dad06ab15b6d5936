"""The second stage of `two-stage`: how a classifier on a frozen encoder is re-balanced.

Whatever is learned folds into one linear layer, so that the network stays what its card says.
cRT, LWS and tau-norm: Kang et al., "Decoupling representation and classifier", ICLR 2020; MARC:
Wang et al., ACML 2022; balanced softmax: Ren et al., NeurIPS 2020.
"""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..losses.imageclass import balanced_softmax, cross_entropy
from ..losses.long_tail import margin_calibration, rarity_weights
from ..nets.averaging import average_share, follow
from .priors import Shares

NEEDS_FIRST = ("lws", "tau-norm", "marc")
"""These change the classifier of the first stage; the others start a new one."""

EVENLY_SHOWN = ("crt", "lws")
"""These are shown all classes equally often."""


class SecondHead(nn.Module):
    """A classifier that is learned on the frozen features.

    Parameters
    ----------
    kind
        crt, lws, balanced-softmax or marc; what tau-norm does needs no learning.
    first
        The classifier of the first stage; it is not changed.
    """

    first_weight: Tensor
    first_bias: Tensor

    def __init__(self, kind: str, first: nn.Linear) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("first_weight", first.weight.detach().clone())
        self.register_buffer("first_bias", first.bias.detach().clone())
        if kind in NEEDS_FIRST:
            self.scale = nn.Parameter(torch.ones_like(self.first_bias))
            self.shift = nn.Parameter(torch.zeros_like(self.first_bias))
            self.shift.requires_grad_(kind == "marc")
        else:
            fresh = nn.Linear(first.in_features, first.out_features).to(self.first_weight.device)
            self.weight, self.bias = fresh.weight, fresh.bias

    def start_from(self, first: nn.Linear) -> None:
        """Take the classifier of the first stage as it is now."""
        self.first_weight.copy_(first.weight.detach())
        self.first_bias.copy_(first.bias.detach())

    def forward(self, features: Tensor) -> Tensor:
        """Logits (batch, class) of features (batch, width)."""
        with torch.autocast(features.device.type, enabled=False):
            return functional.linear(features.float(), *self.folded())

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weight (class, width) and bias (class,) of the linear layer that this amounts to."""
        if self.kind not in NEEDS_FIRST:
            return self.weight, self.bias
        lengths = self.first_weight.norm(dim=1)
        bias = self.scale * self.first_bias + self.shift * lengths
        return self.scale[:, None] * self.first_weight, bias

    def losses(self, features: Tensor, target: Tensor, counts: Tensor, shares: Tensor) -> Tensor:
        """Loss of each image, (batch,).

        Parameters
        ----------
        counts
            (class,) training images.
        shares
            (class,), how often each class is shown.
        """
        if self.kind == "balanced-softmax":
            return balanced_softmax(self(features), target, shares)
        if self.kind == "marc":
            first = functional.linear(features.float(), self.first_weight, self.first_bias)
            lengths = self.first_weight.norm(dim=1)
            return margin_calibration(first, target, lengths, self.scale, self.shift, counts)
        return cross_entropy(self(features), target)

    def prior(self, counts: Tensor, shares: Shares) -> Shares:
        """Give what the logits take for granted, (class,): see `losses` for the arguments."""
        present = (shares > 0).astype(float)
        if self.kind == "marc":
            present = shares * rarity_weights(counts).double().cpu().numpy()
        return np.asarray(present / present.sum(), float)


class ShortenedHead:
    """The running average of a classifier, and that with shorter weights (tau-norm).

    Attributes
    ----------
    plain
        The average as it was learned.
    tau
        How much its weights are shortened.
    """

    def __init__(self, head: nn.Linear, tau: float) -> None:
        self.plain = copy.deepcopy(head).requires_grad_(False)
        self.tau = tau

    def follow(self, head: nn.Linear, step: int, kept: float) -> None:
        """Move the average towards the classifier that learns."""
        follow(self.plain, head, average_share(step, kept))

    def choose(self, features: Tensor, targets: Tensor) -> None:
        """Choose tau by the mean recall of validation images; see `best_tau`."""
        self.tau = best_tau(self.plain.weight.cpu(), self.plain.bias.cpu(), features, targets)

    def write_to(self, head: Any) -> None:
        """Make `head` the shortened one."""
        copy_into(head, *tau_normalised(self.plain.weight, self.plain.bias, self.tau))

    def state(self) -> dict[str, Any]:
        """Give what must survive a resume."""
        return {"plain": self.plain.state_dict(), "tau": self.tau}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self.plain.load_state_dict(state["plain"])
        self.tau = float(state["tau"])


def tau_normalised(weight: Tensor, bias: Tensor, tau: float) -> tuple[Tensor, Tensor]:
    """Divide each row of a classifier, and its bias, by its length to the power of tau.

    At tau = 0 nothing changes; at 1 all rows have length 1.
    """
    shrink = weight.norm(dim=1).clamp_min(torch.finfo(weight.dtype).tiny) ** tau
    return weight / shrink[:, None], bias / shrink


def best_tau(weight: Tensor, bias: Tensor, features: Tensor, targets: Tensor) -> float:
    """Choose tau among 0, 0.1 ... 1 by the mean recall of validation images.

    Parameters
    ----------
    features, targets
        (image, width) and (image,).
    """
    scores = {}
    for tau in np.linspace(0, 1, 11).round(1).tolist():
        answers = functional.linear(features, *tau_normalised(weight, bias, tau)).argmax(1)
        scores[tau] = mean_recall(answers, targets)
    # Of equals the smallest, which changes least.
    return float(max(scores, key=lambda tau: (scores[tau], -tau)))


def mean_recall(answers: Tensor, targets: Tensor) -> float:
    """Mean over the present classes of the share that is found."""
    hits = torch.bincount(targets[answers == targets], minlength=int(targets.max()) + 1)
    cases = torch.bincount(targets)
    return float((hits / cases)[cases > 0].mean())


def copy_into(head: Any, weight: Tensor, bias: Tensor) -> None:
    """Make a linear layer this one."""
    with torch.no_grad():
        head.weight.copy_(weight)
        head.bias.copy_(bias)
