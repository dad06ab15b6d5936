"""Features of whole images: by a run's network, or by a pretrained encoder before any training."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backend.devices import autocast_dtype
from ..checkpoints.card import ModelCard
from ..checkpoints.store import hash_of
from ..data.intensity import picture_intensity
from ..data.preprocessing import Preprocessing, percentiles
from ..errors import LongtailError
from ..io.image import AnyArray, Image
from ..nets.encoders import ImageClassifier, build_encoder
from ..project.records import Task

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Place: TypeAlias = tuple[int, int, int]

NOWHERE: Place = (-1, -1, -1)
PRETRAINED = "efficientnet-lite0"
PRETRAINED_SIZE = 160
"""Side in pixels to which images are brought for the pretrained encoder."""

SLICES = 5
WINDOWS = 8
"""Slices of a volume, and windows of a scan, that stand for the whole."""

FULL_ENOUGH = 0.5
"""Share of the largest content from which a slice may stand for the volume."""

MOST_AT_ONCE = 32
NUMBERS_AT_ONCE = 4_000_000
VOLUME_PERCENTILES = (1.0, 99.0)
UNEQUAL_SPACING = 1.2


class Prepared(NamedTuple):
    """What stands for an image: `parts` is (part, channel, *space), all of one size.

    `place` is z, y, x in the file as stored, where the image should be opened.
    """

    parts: Tensor
    place: Place = NOWHERE


class Seen(NamedTuple):
    """An image in the eyes of a network: `features` (width,) and `logits` (class,) float32."""

    name: str
    features: FloatArray
    logits: FloatArray
    place: Place


@dataclass(frozen=True)
class Eyes:
    """A network and what is done to an image before it.

    Parameters
    ----------
    name
        What it is, in words.
    weights_hash
        Of the network's weights.
    prepare
        Gives what stands for an image.
    look
        Parts on `device` to features (part, width) and logits (part, class).
    traits
        Whatever else decides the features, as plain data.
    """

    name: str
    weights_hash: str
    device: str
    prepare: Callable[[Image], Prepared]
    look: Callable[[Tensor], tuple[Tensor, Tensor]]
    traits: Mapping[str, Any] = field(default_factory=dict)


def pretrained_eyes(device: str, size: int = PRETRAINED_SIZE) -> Eyes:
    """Give the encoder that has seen photographs only (EfficientNet-Lite0, ImageNet).

    Grey images are shown in grey; of a volume it sees slices, and their mean stands for it.
    """
    network = build_encoder(PRETRAINED, 2, 3, 1, pretrained="lite0").eval()
    # Measured: a fifth faster on processors when channels lie beside each other.
    network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def look(parts: Tensor) -> tuple[Tensor, Tensor]:
        laid_out = parts.contiguous(memory_format=torch.channels_last)
        return network.features(laid_out), parts.new_zeros(len(parts), 0)

    return Eyes(
        name="EfficientNet-Lite0 (photographs)",
        weights_hash=hash_of(network.body.state_dict()),
        device=device,
        prepare=partial(_as_pictures, size=size),
        look=look,
        traits={"size": size, "slices": SLICES},
    )


def run_eyes(network: nn.Module, card: ModelCard, weights_hash: str, device: str) -> Eyes:
    """Give the eyes of a run; one for label maps is asked for its deepest maps.

    Parameters
    ----------
    network
        On `device`, in evaluation mode.

    Raises
    ------
    LongtailError
        The network has no features to show.
    """
    if card.task is Task.SEGMENTATION:
        prepare, look = partial(_as_windows, card=card), partial(_deepest, network)
    elif isinstance(network, ImageClassifier):
        prepare, look = partial(_whole, rule=card.preprocessing), partial(_classified, network)
    else:
        raise LongtailError("This network has no features to show.", "Choose another run.")
    return Eyes(
        name=f"{card.method} · {card.network.options.get('name', card.network.kind)}",
        weights_hash=weights_hash,
        device=device,
        prepare=prepare,
        look=look,
        traits={"preprocessing": card.preprocessing.to_mapping(), "patch": card.patch_size},
    )


def embed(eyes: Eyes, images: Iterable[tuple[str, Prepared]]) -> Iterator[list[Seen]]:
    """Show images to a network in batches, giving each batch when it is done."""
    waiting: list[tuple[str, Prepared]] = []
    count = 0
    for image in images:
        waiting.append(image)
        count += len(image[1].parts)
        if count >= _at_once(image[1].parts):
            yield _seen(eyes, waiting)
            waiting, count = [], 0
    if waiting:
        yield _seen(eyes, waiting)


def _at_once(parts: Tensor) -> int:
    return max(1, min(MOST_AT_ONCE, NUMBERS_AT_ONCE // max(1, parts[0].numel())))


@torch.inference_mode()
def _seen(eyes: Eyes, images: Sequence[tuple[str, Prepared]]) -> list[Seen]:
    counts = [len(prepared.parts) for _, prepared in images]
    batch = torch.cat([prepared.parts for _, prepared in images]).to(eyes.device)
    dtype = autocast_dtype(eyes.device)
    with torch.autocast(eyes.device.partition(":")[0], dtype=dtype, enabled=dtype is not None):
        found = eyes.look(batch)
    features, logits = (
        [part.mean(0).numpy() for part in torch.split(each.float().cpu(), counts)] for each in found
    )
    return [
        Seen(name, row, said, prepared.place)
        for (name, prepared), row, said in zip(images, features, logits, strict=True)
    ]


def _classified(network: ImageClassifier, parts: Tensor) -> tuple[Tensor, Tensor]:
    features = network.features(parts)
    return features, network.head(features)


def _deepest(network: Any, parts: Tensor) -> tuple[Tensor, Tensor]:
    """Average the maps at the bottom of a U; such a network says nothing of a whole image."""
    bottom: Tensor = network.maps(parts)[0].flatten(2).mean(2)
    return bottom, parts.new_zeros(len(parts), 0)


def _whole(image: Image, rule: Preprocessing) -> Prepared:
    return Prepared(rule.apply(image)[None])


def _as_windows(image: Image, card: ModelCard) -> Prepared:
    """Give the windows with the most in them, slice by slice for a 2D network on a volume."""
    rule, window = card.preprocessing, card.patch_size
    if window is None:
        raise LongtailError("This model was not trained on label maps.", "Choose another run.")
    values = rule.apply(image)
    stack, place = [values], NOWHERE
    if values.ndim - 1 > len(window):
        chosen = fullest(content(values[0].numpy()), SLICES)
        stack = [values[:, at] for at in chosen]
        place = _slice_place(chosen[0], rule.slice_axis)
    parts = torch.stack([part for one in stack for part in windows_of(one, window)])
    order = parts.flatten(1).clamp_min(0).sum(1).argsort(descending=True, stable=True)
    return Prepared(parts[order[: max(WINDOWS, len(stack))]], place)


def windows_of(values: Tensor, window: Sequence[int]) -> list[Tensor]:
    """Cut (channel, *grid) into windows that cover it, padded with zeros where it is smaller."""
    values, _ = padded(values, window)
    starts = [starts_on(have, want) for have, want in zip(values.shape[1:], window, strict=True)]
    return [
        values[(slice(None), *(slice(a, a + n) for a, n in zip(at, window, strict=True)))]
        for at in product(*starts)
    ]


def padded(values: Tensor, window: Sequence[int]) -> tuple[Tensor, tuple[int, ...]]:
    """Pad (channel, *grid) with zeros to the size of a window; give how much came before it."""
    short = [max(0, want - have) for have, want in zip(values.shape[1:], window, strict=True)]
    around = [n for one in reversed(short) for n in (one // 2, one - one // 2)]
    return functional.pad(values, around), tuple(one // 2 for one in short)


def starts_on(have: int, want: int) -> list[int]:
    """Where windows of a side begin that cover an axis evenly with the fewest of them."""
    count = -(-have // want)
    return np.linspace(0, have - want, count).round().astype(int).tolist() if count > 1 else [0]


def _as_pictures(image: Image, size: int) -> Prepared:
    if len(image.shape) == 2:
        return Prepared(_picture(image, size)[None])
    axis = _slice_axis(image)
    scaled = np.moveaxis(_in_bytes(image.array), 1 + axis, 1)
    chosen = fullest(content(np.moveaxis(image.array[0], axis, 0)), SLICES)
    pictures = [_picture(Image(scaled[:, at], None), size) for at in chosen]
    return Prepared(torch.stack(pictures), _slice_place(chosen[0], axis))


def _picture(image: Image, size: int) -> Tensor:
    """Give a colour picture of (channel, y, x); of many channels their mean, in grey."""
    if image.array.shape[0] not in (1, 3):
        grey = image.array.mean(axis=0, keepdims=True)
        image = replace(image, array=grey.astype(image.array.dtype), colour=False)
    channels = image.array.shape[0]
    return Preprocessing(
        spatial_dims=2,
        channel_count=channels,
        network_channels=3,
        intensity=picture_intensity(channels),
        size=(size, size),
    ).apply(image)


def _in_bytes(array: AnyArray) -> AnyArray:
    """Scale each channel of a volume as a whole, so that its slices keep their brightness."""
    scaled = []
    for channel in array:
        values = np.nan_to_num(channel.astype(np.float32))
        low, high = percentiles(torch.from_numpy(np.ascontiguousarray(values)), *VOLUME_PERCENTILES)
        unit = np.clip((values - low) / max(high - low, 1e-6), 0.0, 1.0)
        scaled.append(np.rint(unit * 255).astype(np.uint8))
    return np.stack(scaled)


def content(volume: AnyArray) -> FloatArray:
    """How much there is in each slice of (slice, y, x): voxels above the volume's mean."""
    values = np.nan_to_num(volume.astype(np.float32))
    above: FloatArray = (values > values.mean()).reshape(len(values), -1).sum(1).astype(np.float32)
    return above


def fullest(contents: FloatArray, count: int) -> list[int]:
    """Choose slices evenly among those with much in them; the fullest of the choice comes first."""
    full = np.flatnonzero(contents >= FULL_ENOUGH * contents.max())
    places = np.linspace(0, len(full) - 1, min(count, len(full))).round().astype(int)
    chosen = full[np.unique(places)]
    return sorted(chosen.tolist(), key=lambda at: -contents[at])


def _slice_axis(image: Image) -> int:
    """Give the axis across the slices: that of the thickest voxels, else the first."""
    spacing = image.geometry.spacing_mm if image.geometry else (1.0,) * 3
    return int(np.argmax(spacing)) if max(spacing) > UNEQUAL_SPACING * min(spacing) else 0


def _slice_place(at: int, axis: int) -> Place:
    place = list(NOWHERE)
    place[axis] = at
    return place[0], place[1], place[2]
