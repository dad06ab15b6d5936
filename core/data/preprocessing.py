"""From an image on its own grid to the network's tensor, and back again.

Training and prediction share one `Preprocessing`; it is plain data and travels with the weights.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import LongtailError
from ..io.image import AnyArray, Image

PREPROCESSING_FORMAT = 1
COLOUR_MEAN = (0.485, 0.456, 0.406)
COLOUR_DEVIATION = (0.229, 0.224, 0.225)
GREY_MEAN = (0.449,)
GREY_DEVIATION = (0.226,)
LUMINANCE = (0.299, 0.587, 0.114)
SAMPLE_FOR_PERCENTILES = 200_000
EMPTY_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Intensity:
    """How grey values become numbers around zero.

    `kind` is

    - `zscore`: each image clipped at its own percentiles `low` and `high`, then brought to mean 0
      and deviation 1 (magnetic resonance, ultrasound: units that mean nothing);
    - `window`: every image clipped at the values `low` and `high`, then less `mean` and divided
      by `deviation`, one value a channel (Hounsfield units);
    - `unit`: brought to 0 ... 1 (8 bits by 255, others by their own percentiles), then less `mean`
      and divided by `deviation` (photographs, X-rays).
    """

    kind: str = "zscore"
    low: float = 0.5
    high: float = 99.5
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is done to an image before the network sees it.

    Parameters
    ----------
    spatial_dims
        Dimensions of the network, 2 or 3. A 2D network looks at a volume slice by slice.
    channel_count
        Channels that a case must have.
    intensity
        How grey values are scaled.
    network_channels
        Channels that the network takes; one grey channel is repeated when this is larger.
    spacing_mm
        Voxel size of the network's grid, in array order of the source; 0 keeps an axis as it is,
        None keeps each grid.
    size
        Fixed size of the network's grid (image-level classes); None keeps the size.
    slice_axis
        For a 2D network on volumes: the axis of the source that counts slices; it comes first on
        the network's grid.
    """

    spatial_dims: int
    channel_count: int
    intensity: Intensity = Intensity()
    network_channels: int = 1
    spacing_mm: tuple[float, ...] | None = None
    size: tuple[int, ...] | None = None
    slice_axis: int = 0
    format: int = PREPROCESSING_FORMAT

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for JSON and checkpoints."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "Preprocessing":
        """Read what `to_mapping` wrote.

        Raises
        ------
        LongtailError
            It was written by a newer version, or is damaged.
        """
        if int(mapping.get("format", 1)) > PREPROCESSING_FORMAT:
            raise LongtailError("This model was made by a newer Longtail.", "Update Longtail.")
        values = {key: _tupled(value) for key, value in mapping.items()}
        intensity = {key: _tupled(value) for key, value in mapping["intensity"].items()}
        try:
            return cls(**{**values, "intensity": Intensity(**intensity)})
        except TypeError as error:
            raise LongtailError(
                f"The preprocessing of this model is damaged: {error}.", "Export the model again."
            ) from error

    def apply(self, image: Image) -> Tensor:
        """Give what the network sees, float32.

        Returns
        -------
        Tensor
            (network_channels, *grid). The grid has the dimensions of the image; for a 2D network
            on a volume its first axis counts slices.
        """
        return self.normalise(self.prepare(image))

    def prepare(self, image: Image) -> Tensor:
        """Bring an image onto the network's grid: (channel_count, *grid).

        It is uint8 for `unit` intensities, so that a case in memory stays small, and float32
        with the final values for all others. `normalise` does the rest.
        """
        image = self._with_channels(image)
        self.check(image)
        spacing = image.geometry.spacing_mm if image.geometry else None
        values = self._scaled(_finite(self._slices_first(image.array)))
        values = _resampled(values, self.grid_of(image.shape, spacing), antialias=True)
        if self.intensity.kind == "unit":
            return (values * 255.0).round_().clamp_(0, 255).to(torch.uint8)
        return values

    def normalise(self, prepared: Tensor, channel_axis: int = 0) -> Tensor:
        """Finish what `prepare` began; for a batch the channel axis is 1."""
        if prepared.dtype == torch.uint8:
            shape = [1] * prepared.ndim
            shape[channel_axis] = -1
            rule, device = self.intensity, prepared.device
            mean = torch.tensor(rule.mean, device=device).view(shape)
            deviation = torch.tensor(rule.deviation, device=device).view(shape)
            prepared = (prepared.float() * (1 / 255.0) - mean) / deviation
        if self.network_channels != prepared.shape[channel_axis]:
            repeats = [1] * prepared.ndim
            repeats[channel_axis] = self.network_channels
            prepared = prepared.repeat(repeats)
        return prepared

    def apply_labels(self, labels: AnyArray, spacing_mm: tuple[float, ...] | None) -> Tensor:
        """Bring a label map (*source grid) onto the network's grid, nearest voxel, same type."""
        moved = torch.from_numpy(np.ascontiguousarray(self._slices_first(labels[None])))
        return _nearest(moved, self.grid_of(labels.shape, spacing_mm))[0]

    def restore(self, scores: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Bring (k, *grid) float scores back to (k, *shape), the source's grid, linearly."""
        moved = _resampled(scores, self._slices_first_shape(shape), antialias=False)
        return self._slices_back(moved, shape)

    def restore_labels(self, labels: Tensor, shape: tuple[int, ...]) -> Tensor:
        """Bring (*grid) labels back to the source's grid by the nearest voxel."""
        moved = _nearest(labels[None], self._slices_first_shape(shape))
        return self._slices_back(moved, shape)[0]

    def grid_of(
        self, shape: tuple[int, ...], spacing_mm: tuple[float, ...] | None
    ) -> tuple[int, ...]:
        """Give the network's grid for a source of `shape`, slices first for a 2D network."""
        if self.size is not None:
            return self.size
        if self.spacing_mm is not None and spacing_mm is not None:
            shape = tuple(
                max(1, round(length * have / want)) if want else length
                for length, have, want in zip(shape, spacing_mm, self.spacing_mm, strict=True)
            )
        return self._slices_first_shape(shape)

    def check(self, image: Image) -> None:
        """Raise a LongtailError when `image` is not of the kind the network was made for."""
        if image.array.shape[0] != self.channel_count:
            raise LongtailError(
                f"This image has {image.array.shape[0]} channels; the network was trained with "
                f"{self.channel_count}.",
                "Predict images of the kind that it was trained with.",
            )
        if len(image.shape) not in self._possible_dims:
            raise LongtailError(
                f"This image has {len(image.shape)} dimensions; the network was trained with "
                f"{' or '.join(map(str, self._possible_dims))}.",
                "Predict images of the kind that it was trained with.",
            )

    def _with_channels(self, image: Image) -> Image:
        """Make a grey picture of a colour one, or the other way round, where one is expected."""
        if self.intensity.kind != "unit" or image.array.shape[0] == self.channel_count:
            return image
        if image.array.shape[0] == 1 and self.channel_count == 3:
            return replace(image, array=np.repeat(image.array, 3, axis=0))
        if image.colour and self.channel_count == 1:
            return replace(image, array=_luminance(image.array), colour=False)
        return image

    @property
    def _possible_dims(self) -> tuple[int, ...]:
        if self.size is not None:
            return (len(self.size),)
        if self.spacing_mm is not None:
            return (len(self.spacing_mm),)
        return (3,) if self.spatial_dims == 3 else (2, 3)

    def _scaled(self, array: AnyArray) -> Tensor:
        rule = self.intensity
        values = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
        if rule.kind == "window":
            shape = (-1, *([1] * (values.ndim - 1)))
            mean = torch.tensor(rule.mean).view(shape)
            return (values.clamp(rule.low, rule.high) - mean) / torch.tensor(rule.deviation).view(
                shape
            )
        if rule.kind == "zscore":
            return torch.stack([_zscore(channel, rule.low, rule.high) for channel in values])
        if array.dtype == np.uint8:
            return values / 255.0
        return torch.stack([_unit(channel, rule.low, rule.high) for channel in values])

    def _slices_first(self, array: AnyArray) -> AnyArray:
        """Move the slice axis of (k, z, y, x) to the front for a 2D network; no copy."""
        if self.spatial_dims == 2 and array.ndim == 4:
            return np.moveaxis(array, 1 + self.slice_axis, 1)
        return array

    def _slices_first_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.spatial_dims == 2 and len(shape) == 3:
            rest = tuple(n for axis, n in enumerate(shape) if axis != self.slice_axis)
            return (shape[self.slice_axis], *rest)
        return shape

    def _slices_back(self, moved: Tensor, shape: tuple[int, ...]) -> Tensor:
        if self.spatial_dims == 2 and len(shape) == 3:
            return torch.movedim(moved, 1, 1 + self.slice_axis)
        return moved


def percentiles(channel: Tensor, low: float, high: float) -> tuple[float, float]:
    """Give the values at two percentiles, from an evenly taken sample of a large image."""
    flat = channel.reshape(-1)
    step = max(1, flat.numel() // SAMPLE_FOR_PERCENTILES)
    values = np.percentile(flat[::step].numpy(), (low, high))
    return float(values[0]), float(values[1])


def _zscore(channel: Tensor, low: float, high: float) -> Tensor:
    bottom, top = percentiles(channel, low, high)
    clipped = channel.clamp(bottom, top)
    # Brain-stripped and padded images are mostly one value, which says nothing of the tissue.
    inside = clipped[clipped > clipped.min()]
    if inside.numel() < (1 - EMPTY_SHARE) * clipped.numel() and inside.numel() > 1:
        mean, deviation = inside.mean(), inside.std()
    else:
        mean, deviation = clipped.mean(), clipped.std(correction=0)
    return (clipped - mean) / deviation.clamp_min(1e-6)


def _unit(channel: Tensor, low: float, high: float) -> Tensor:
    bottom, top = percentiles(channel, low, high)
    return ((channel - bottom) / max(top - bottom, 1e-6)).clamp_(0.0, 1.0)


def _luminance(colour: AnyArray) -> AnyArray:
    grey = np.tensordot(np.array(LUMINANCE), colour[:3].astype(np.float32), axes=1)[None]
    return np.rint(grey).astype(colour.dtype) if colour.dtype.kind in "ui" else grey


def _finite(array: AnyArray) -> AnyArray:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
    return array


def _resampled(values: Tensor, grid: tuple[int, ...], *, antialias: bool) -> Tensor:
    """Bring (k, *shape) onto `grid` linearly; with `antialias` 2D images shrink without moire."""
    if tuple(values.shape[1:]) == grid:
        return values
    mode = "bilinear" if len(grid) == 2 else "trilinear"
    smooth = antialias and len(grid) == 2
    return functional.interpolate(
        values[None].float(), size=grid, mode=mode, align_corners=False, antialias=smooth
    )[0]


def _nearest(values: Tensor, grid: tuple[int, ...]) -> Tensor:
    """Bring (k, *shape) of any integer type onto `grid` by the nearest voxel centre."""
    for axis, length in enumerate(grid, start=1):
        have = values.shape[axis]
        if have != length:
            at = (torch.arange(length, device=values.device) + 0.5) * (have / length)
            values = values.index_select(axis, at.long().clamp_(0, have - 1))
    return values


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
