"""How strongly one loss pulls beside another: lengths of gradients, and a factor for them."""

from collections.abc import Sequence

import torch
from torch import Tensor


def gradient_norm(loss: Tensor, weights: Sequence[Tensor]) -> float:
    """Length of the gradient of `loss` at `weights`, all of them as one vector.

    The graph is kept; nothing is added to the gradients that the weights already have. It is 0
    where the loss does not depend on them.
    """
    if not loss.requires_grad:
        return 0.0
    gradients = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    lengths = [each.detach().float().norm() for each in gradients if each is not None]
    return float(torch.stack(lengths).norm()) if lengths else 0.0


def balancing_scale(ours: float, theirs: float, share: float, most: float) -> float:
    """Give the factor that makes gradients of length `theirs` as long as `share` of `ours`.

    It is at most `most`, also where there is hardly a gradient to scale.
    """
    wanted = share * ours
    return wanted / theirs if wanted < most * theirs else most
