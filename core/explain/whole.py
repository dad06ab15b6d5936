"""The map of one case: a picture in one look, a scan for label maps window by window."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.devices import autocast_dtype
from ..data.preprocessing import Preprocessing
from ..io.image import Image
from .boxes import FoundBox, boxes_of, hottest_point
from .cam import MapKind, class_maps, enlarged, kinds_of, raw_maps, to_unit
from .looking import DEFAULT_VARIANT

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

OVERLAP = 0.5
WINDOWS_AT_ONCE = {2: 8, 3: 1}
"""Windows whose graph is in memory together."""


class CaseMap(NamedTuple):
    """The map of one class in one case, on the source's grid.

    Attributes
    ----------
    values
        (z, y, x) or (y, x), float32, 0 to 1; zeros where `kind` is not graded.
    kind
        What the map can say.
    logits
        What the network says of the whole image, (output,); None for label maps.
    """

    values: FloatArray
    kind: MapKind
    logits: FloatArray | None

    def boxes(self, **options: Any) -> list[FoundBox]:
        """Give the boxes of the map, the best first; see `boxes_of` for the options."""
        return boxes_of(self.values, **options) if self.kind is MapKind.GRADED else []

    def point(self) -> tuple[int, ...] | None:
        """Give the highest place in array order; None where the map says nothing."""
        return hottest_point(self.values) if self.kind is MapKind.GRADED else None


def map_of_picture(
    network: nn.Module,
    preprocessing: Preprocessing,
    image: Image,
    output: int,
    device: str,
    *,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
) -> CaseMap:
    """Give the map of one output of a network for image-level classes.

    Parameters
    ----------
    network
        On `device`; it is left as it was.
    preprocessing
        What the network was trained behind; it also brings the map back to the source's grid.
    image
        The source.
    output
        The network's output for the class.
    """
    batch = preprocessing.apply(image)[None].to(device)
    with precision(device):
        found = class_maps(network, batch, [output], variant=variant, layer=layer)
    logits = found.logits[0].float().cpu().numpy()
    return _restored(found.values[0], found.kinds[0][0], preprocessing, image, logits)


def map_of_scan(
    network: nn.Module,
    preprocessing: Preprocessing,
    image: Image,
    output: int,
    window: Sequence[int],
    device: str,
    *,
    variant: str = DEFAULT_VARIANT,
    layer: str | None = None,
) -> CaseMap:
    """Give the map of one output of a network for label maps, looked at window by window.

    Each window's score is the sum of the class's logit over its region, so that the maps of
    windows are on one scale; they are blended where windows overlap, and scaled together. A 2D
    network looks at a volume slice by slice.

    Parameters
    ----------
    window
        The window that the network was trained with, on its grid.
    """
    values = preprocessing.apply(image)
    by_slices = values.ndim - 1 > len(window)
    stack = values.movedim(1, 0) if by_slices else values[None]
    seen = _slid(stack, window, device, _Look(network, output, device, variant, layer))
    raw, region = seen.movedim(0, 1) if by_slices else seen[0]
    absent = torch.tensor([[not bool(region.any())]])
    kind = kinds_of(raw[None, None], absent)[0][0]
    unit = to_unit(raw[None, None], torch.tensor([[kind is MapKind.GRADED]]))[0]
    return _restored(unit, kind, preprocessing, image, None)


class _Look(NamedTuple):
    """Gives the unscaled map and the region of a class in windows: (window, 2, *space)."""

    network: nn.Module
    output: int
    device: str
    variant: str
    layer: str | None

    def __call__(self, batch: Tensor) -> Tensor:
        chosen = torch.full((len(batch), 1), self.output, device=batch.device)
        look = partial(raw_maps, variant=self.variant, layer=self.layer, summed=True)
        with precision(self.device):
            raw = look(self.network, batch, chosen)
        region = raw.logits.argmax(1, keepdim=True) == self.output
        # A window without the class has no score, and nothing to show.
        shown = raw.values * ~raw.absent.view(-1, 1, *[1] * (batch.ndim - 2))
        return torch.cat([enlarged(shown, batch.shape[2:]), region.to(shown.dtype)], 1)


def _slid(stack: Tensor, window: Sequence[int], device: str, look: _Look) -> Tensor:
    """Look at (image, channel, *grid) window by window; blend what is seen, on the processor."""
    from monai.inferers import sliding_window_inference

    seen: Tensor = sliding_window_inference(
        stack,
        tuple(window),
        WINDOWS_AT_ONCE[len(window)],
        look,
        overlap=OVERLAP,
        mode="gaussian",
        sw_device=device,
        device="cpu",
    )
    return seen


def _restored(
    values: Tensor,
    kind: MapKind,
    preprocessing: Preprocessing,
    image: Image,
    logits: FloatArray | None,
) -> CaseMap:
    moved = preprocessing.restore(values.float().cpu(), image.shape)[0]
    return CaseMap(moved.numpy(), kind, logits)


def precision(device: str) -> torch.autocast:
    """Compute as prediction does."""
    dtype = autocast_dtype(device)
    return torch.autocast(device.partition(":")[0], dtype=dtype, enabled=dtype is not None)
