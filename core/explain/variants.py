"""From the maps of a layer and their gradients to one map a class: published ways.

All take maps A and gradients G = d score / d A, (image, channel, *coarse), in float32 or float64,
and give (image, *coarse), not below 0 and not scaled. They are written out here because MONAI's
`GradCAM` and `GradCAMpp` empty the gradients of a network that is being trained, leave their hooks
in it and its layers no longer in place, need weights that take gradients, and mix the images of a
batch in Grad-CAM++; the tests hold them to MONAI's values for one image.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

Variant = Callable[[Tensor, Tensor], Tensor]


def grad_cam(maps: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel by its mean gradient (Selvaraju et al., ICCV 2017)."""
    return functional.relu(_weighted(maps, gradients.flatten(2).mean(2)))


def grad_cam_pp(maps: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel by its positive gradients, so that several objects count alike.

    Chattopadhyay et al., WACV 2018, for the exponential of the score: with alpha =
    G^2 / (2 G^2 + G^3 sum A), which is 1 / (2 + G sum A), a channel weighs sum(alpha relu(G)).
    The factor exp(score) of an image is left out: it does not change the scaled map.
    """
    total = maps.flatten(2).sum(2).view(*maps.shape[:2], *[1] * (maps.ndim - 2))
    denominator = 2 + gradients * total
    alpha = torch.where(denominator != 0, 1 / denominator, torch.zeros_like(denominator))
    return functional.relu(_weighted(maps, (alpha * functional.relu(gradients)).flatten(2).sum(2)))


def hires_cam(maps: Tensor, gradients: Tensor) -> Tensor:
    """Weigh each channel at each place by its gradient there (Draelos and Carin, 2020)."""
    return functional.relu((maps * gradients).sum(1))


def layer_cam(maps: Tensor, gradients: Tensor) -> Tensor:
    """Weigh by the positive gradients alone (Jiang et al., IEEE TIP 2021): for earlier layers."""
    return functional.relu((maps * functional.relu(gradients)).sum(1))


def eigen_cam(maps: Tensor, gradients: Tensor) -> Tensor:
    """Give the strongest common pattern of the channels, whatever the class.

    Muhammad and Yeasin, IJCNN 2020: the projection of A, as (place, channel), on its first right
    singular vector; the sign, which a singular vector leaves open, is that with a positive sum.
    `gradients` are not used.
    """
    # Right singular vectors and values from the smaller of the two matrices of products.
    rows = maps.flatten(2).transpose(1, 2)
    if rows.shape[1] <= rows.shape[2]:
        values, vectors = _largest(rows @ rows.transpose(1, 2))
        projected = vectors * values.clamp_min(0).sqrt()[:, None]
    else:
        _, vectors = _largest(rows.transpose(1, 2) @ rows)
        projected = (rows @ vectors[:, :, None])[:, :, 0]
    sign = torch.where(projected.sum(1, keepdim=True) < 0, -1.0, 1.0).to(projected.dtype)
    return functional.relu(projected * sign).view(len(maps), *maps.shape[2:])


def two_scales(coarse: Tensor, fine: Tensor) -> Tensor:
    """Join the Grad-CAMs of two layers on one grid by their geometric mean.

    After Englebert et al., "Poly-CAM", ICPR 2022, who multiply the maps of all layers: the last
    layer knows where a class is, the one before it how large it is.
    """
    return (coarse * fine).sqrt()


WAYS: Mapping[str, Variant] = {
    "grad-cam": grad_cam,
    "grad-cam++": grad_cam_pp,
    "hirescam": hires_cam,
    "layercam": layer_cam,
    "eigen-cam": eigen_cam,
}
"""The ways that look at one layer."""

TWO_SCALES = "two-scale"

VARIANTS = (*WAYS, TWO_SCALES)
"""All ways by their names, as they are chosen and stored."""

NEEDS_NO_GRADIENT = frozenset({"eigen-cam"})


def _weighted(maps: Tensor, weights: Tensor) -> Tensor:
    """Sum (image, channel, *coarse) maps under (image, channel) weights."""
    return (maps * weights.view(*weights.shape, *[1] * (maps.ndim - 2))).sum(1)


def _largest(products: Tensor) -> tuple[Tensor, Tensor]:
    """Give the largest eigenvalue (image,) and its vector (image, n) of symmetric matrices.

    In float64 on the processor: some graphics cards have neither.
    """
    values, vectors = torch.linalg.eigh(products.double().cpu())
    return values[:, -1].to(products), vectors[:, :, -1].to(products)
