"""Class-activation maps: which parts of an image speak for a class, class by class."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import LongtailError
from .looking import DEFAULT_VARIANT
from .tap import default_layer, listening, two_layers
from .variants import NEEDS_NO_GRADIENT, TWO_SCALES, VARIANTS, WAYS, Variant, grad_cam, two_scales

SMALLEST_CONTRAST = 1e-6
"""A map whose values differ by less than this share of the largest is constant."""

MODES = {2: "bilinear", 3: "trilinear"}


class MapKind(StrEnum):
    """What a map can say; all but `graded` come with zeros in place of values."""

    GRADED = "graded"
    """Some places speak more for the class than others."""
    CONSTANT = "constant"
    """Every place speaks alike for the class: there is nowhere to point to."""
    EMPTY = "empty"
    """Nothing in the image speaks for the class."""
    ABSENT = "absent"
    """The class was outlined nowhere in the image, so there is no region to explain."""
    UNDEFINED = "undefined"
    """The network's numbers are too large, or none: the map cannot be computed."""


@dataclass(frozen=True, slots=True)
class ClassMaps:
    """Maps of several images and classes.

    Attributes
    ----------
    values
        (image, class, *space) float32, 0 to 1, on the grid of the images; the classes in the
        order in which they were asked for. A graded map has a 0 and a 1.
    kinds
        What each map can say, [image][class].
    logits
        What the network gave, (image, output) or (image, output, *space).
    """

    values: Tensor
    kinds: tuple[tuple[MapKind, ...], ...]
    logits: Tensor

    @property
    def usable(self) -> Tensor:
        """Which maps are graded, (image, class) bool."""
        rows = [[kind is MapKind.GRADED for kind in row] for row in self.kinds]
        return torch.tensor(rows, device=self.values.device)


class RawMaps(NamedTuple):
    """Maps that are not scaled, on the layer's own grid: (image, class, *coarse).

    `absent` tells (image, class) where a class was outlined nowhere.
    """

    values: Tensor
    absent: Tensor
    logits: Tensor


def class_maps(
    network: nn.Module,
    images: Tensor,
    classes: Sequence[int],
    *,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
) -> ClassMaps:
    """Give the map of each of `classes` in each image: one look, and one way back a class.

    Parameters
    ----------
    network
        Gives logits (image, output), or (image, output, *space) for label maps. There the score
        of a class is its mean logit where it is the likeliest (Seg-Grad-CAM: Vinogradova et al.,
        AAAI 2020). The network is left as it was; see `listening`.
    images
        (image, channel, *space) on the network's device.
    classes
        Outputs of the network.
    variant
        One of `VARIANTS`.
    layer
        The name of the layer to look at; None takes `default_layer`.

    Raises
    ------
    LongtailError
        There is no such variant or layer, or the layer does not bear on the classes.
    """
    chosen = torch.tensor([list(classes)], device=images.device).expand(len(images), -1)
    raw = raw_maps(network, images, chosen, variant=variant, layer=layer)
    return _finished(raw, images.shape[2:])


def map_of_each(
    network: nn.Module,
    images: Tensor,
    chosen: Tensor,
    *,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
) -> ClassMaps:
    """Give one map an image, of the output `chosen` (image,) for it, in one look and one way back.

    The maps are (image, 1, *space); see `class_maps`.
    """
    raw = raw_maps(network, images, chosen[:, None], variant=variant, layer=layer)
    return _finished(raw, images.shape[2:])


def raw_maps(
    network: nn.Module,
    images: Tensor,
    chosen: Tensor,
    *,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
    summed: bool = False,
) -> RawMaps:
    """Give maps as they come, not scaled; `chosen` is (image, class) int64 outputs.

    With `summed` the score of a class in a label map is the sum of its logit over its region, not
    the mean, so that maps of neighbouring windows can be put together.
    """
    layers = _layers(network, variant, layer)
    with listening(network, *layers) as taps, _without_cache(images):
        images, chosen = _plain(images), _plain(chosen)
        logits: Tensor = network(images)
        maps, values = [tap.maps for tap in taps], []
        for column in range(chosen.shape[1]):
            score, absent = _score(logits, chosen[:, column], summed=summed)
            last = column == chosen.shape[1] - 1
            # Most windows of a scan are without the class, and need no way back.
            if variant in NEEDS_NO_GRADIENT or (logits.ndim > 2 and bool(absent.all())):
                gradients = [torch.zeros_like(one) for one in maps]
            else:
                gradients = _gradients(score, maps, layers, keep=not last)
            values.append((_joined(variant, maps, gradients), absent))
    kept, missing = zip(*values, strict=True)
    return RawMaps(torch.stack(kept, 1), torch.stack(missing, 1), logits.detach())


def _layers(network: nn.Module, variant: str, layer: str | None) -> tuple[str, ...]:
    """Give the layers that a variant looks at; `layer` is the finer one of two scales."""
    if variant == TWO_SCALES:
        coarse, fine = two_layers(network)
        return coarse, layer or fine
    if variant not in WAYS:
        raise LongtailError(
            f"There is no map called {variant!r}.", f"There are {', '.join(VARIANTS)}."
        )
    return (layer or default_layer(network),)


def _plain(values: Tensor) -> Tensor:
    """Make a tensor of inference mode one that a graph may hold."""
    return values.clone() if values.is_inference() else values


def enlarged(raw: Tensor, space: Sequence[int]) -> Tensor:
    """Bring (image, class, *coarse) onto `space` linearly."""
    mode = MODES[len(space)]
    return functional.interpolate(raw, size=tuple(space), mode=mode, align_corners=False)


def kinds_of(raw: Tensor, absent: Tensor) -> tuple[tuple[MapKind, ...], ...]:
    """Tell what (image, class, *grid) maps can say; `absent` is (image, class) bool."""
    flat = raw.flatten(2)
    low, high, finite = flat.amin(2), flat.amax(2), flat.isfinite().all(2)
    code = torch.zeros_like(absent, dtype=torch.int64)
    code[high - low <= SMALLEST_CONTRAST * high] = 1
    code[high <= 0] = 2
    code[~finite] = 4
    code[absent] = 3
    names = tuple(MapKind)
    return tuple(tuple(names[value] for value in row) for row in code.tolist())


def to_unit(values: Tensor, usable: Tensor) -> Tensor:
    """Bring each (image, class, *space) map to 0 ... 1; zeros where it is not usable."""
    shape = (*usable.shape, *[1] * (values.ndim - 2))
    flat = values.flatten(2)
    low, high = flat.amin(2).view(shape), flat.amax(2).view(shape)
    span = (high - low).clamp_min(torch.finfo(values.dtype).tiny)
    scaled = ((values - low) / span).clamp(0, 1).float()
    return torch.where(usable.view(shape), scaled, torch.zeros_like(scaled))


def _finished(raw: RawMaps, space: Sequence[int]) -> ClassMaps:
    kinds = kinds_of(raw.values, raw.absent)
    found = ClassMaps(enlarged(raw.values, space), kinds, raw.logits)
    return ClassMaps(to_unit(found.values, found.usable), kinds, raw.logits)


def _score(logits: Tensor, chosen: Tensor, *, summed: bool) -> tuple[Tensor, Tensor]:
    """Give the sum over the images of their scores, and for which of them there is none."""
    index = torch.arange(len(logits), device=logits.device)
    scores = logits[index, chosen]
    if logits.ndim == 2:
        return scores.sum(), torch.zeros_like(chosen, dtype=torch.bool)
    region = logits.argmax(1) == chosen.view(-1, *[1] * (logits.ndim - 2))
    voxels = region.flatten(1).sum(1)
    totals = (scores.float() if scores.dtype.itemsize < 4 else scores).mul(region).flatten(1).sum(1)
    return (totals if summed else totals / voxels.clamp_min(1)).sum(), voxels == 0


def _gradients(
    score: Tensor, maps: Sequence[Tensor], layers: Sequence[str], *, keep: bool
) -> list[Tensor]:
    if not score.requires_grad:
        raise _no_bearing(layers[0])
    found = torch.autograd.grad(score, list(maps), retain_graph=keep, allow_unused=True)
    gradients = []
    for layer, one in zip(layers, found, strict=True):
        if one is None:
            raise _no_bearing(layer)
        gradients.append(one)
    return gradients


def _no_bearing(layer: str) -> LongtailError:
    return LongtailError(
        f"The layer {layer} has no bearing on what the network says.", "Choose another layer."
    )


def _joined(variant: str, maps: Sequence[Tensor], gradients: Sequence[Tensor]) -> Tensor:
    if variant != TWO_SCALES:
        return _applied(WAYS[variant], maps[0], gradients[0])
    coarse, fine = (_applied(grad_cam, *one)[:, None] for one in zip(maps, gradients, strict=True))
    return two_scales(enlarged(coarse, fine.shape[2:]), fine)[:, 0]


@torch.no_grad()
def _applied(way: Variant, maps: Tensor, gradients: Tensor) -> Tensor:
    """Compute the map in full precision, also inside an autocast."""
    with torch.autocast(maps.device.type, enabled=False):
        wide = torch.promote_types(maps.dtype, torch.float32)
        return way(maps.detach().to(wide), gradients.to(wide))


@contextmanager
def _without_cache(images: Tensor) -> Iterator[None]:
    """Keep an autocast around us, but not the copies of weights that it makes without a graph.

    They would be used again by the training step that we are called in, whose weights would then
    get no gradient.
    """
    kind = images.device.type
    active = torch.is_autocast_enabled(kind)
    dtype = torch.get_autocast_dtype(kind)
    with torch.autocast(kind, dtype=dtype, enabled=active, cache_enabled=False):
        yield
