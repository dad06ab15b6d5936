"""What a heat map costs beyond the network's own way there and back, and whether its values hold.

    longtail bench cam

For each variant: a map of one class of a clicked image at 224 pixels by EfficientNet-Lite0 (where
it is installed, else ResNet-18), brought back to the pixels of the file with its boxes, beside one
look and one way back alone; and the largest difference to the map that numpy makes of the stored
activations and gradients. Times are medians of pairs taken in turn.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from longtail.app.cli.bench import result
from longtail.core.data.intensity import picture_intensity
from longtail.core.data.preprocessing import Preprocessing
from longtail.core.errors import LongtailError
from longtail.core.explain.cam import raw_maps
from longtail.core.explain.tap import listening, two_layers
from longtail.core.explain.variants import TWO_SCALES, VARIANTS
from longtail.core.explain.whole import map_of_picture
from longtail.core.io.image import Image
from longtail.core.nets.encoders import ImageClassifier, build_encoder

SIZE, CLASSES, CHOSEN = 224, 8, 3
FILE_SHAPE = (1024, 1024)
PAIRS = 7
LIMIT_MS = 300.0
AGREE = 1e-5


def measure() -> list[dict[str, Any]]:
    """Time and check every variant."""
    torch.manual_seed(0)
    network = encoder()
    pixels = np.random.default_rng(0).integers(0, 255, (3, *FILE_SHAPE), np.uint8)
    image = Image(pixels, None, colour=True)
    rule = Preprocessing(
        spatial_dims=2,
        channel_count=3,
        network_channels=3,
        intensity=picture_intensity(3),
        size=(SIZE, SIZE),
    )
    batch = rule.apply(image)[None]
    rows = []
    for variant in VARIANTS:
        whole, alone = in_turn(
            lambda v=variant: map_of_picture(
                network, rule, image, CHOSEN, "cpu", variant=v
            ).boxes(),
            lambda: there_and_back(network, batch),
        )
        beyond = whole.wall_ms - alone.wall_ms
        spent = whole.processor_ms - alone.processor_ms
        rows.append(
            result(f"{variant}: beyond forward and backward", beyond, "ms", at_most=LIMIT_MS)
        )
        rows.append(result(f"{variant}: the same, processor time of all threads", spent, "ms"))
        rows.append(result(f"{variant}: forward and backward", alone.wall_ms, "ms"))
        rows.append(
            result(
                f"{variant}: largest difference to numpy, of the highest value",
                difference(network, batch, variant),
                "share",
                at_most=AGREE,
            )
        )
    return rows


def encoder() -> ImageClassifier:
    """Build the network that a click asks."""
    try:
        return build_encoder("efficientnet-lite0", 2, 3, CLASSES, pretrained="lite0").eval()
    except LongtailError:
        return build_encoder("resnet18", 2, 3, CLASSES).eval()


class Spent(NamedTuple):
    """Milliseconds by the clock and of the processor; only the latter is calm on a busy machine."""

    wall_ms: float
    processor_ms: float


def in_turn(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Spent, Spent]:
    """Give the medians of both."""
    acts = (first, second)
    spent: tuple[list[Spent], list[Spent]] = ([], [])
    for _ in range(PAIRS + 1):
        for times, act in zip(spent, acts, strict=True):
            wall, processor = time.perf_counter(), time.process_time()
            act()
            since = time.perf_counter() - wall, time.process_time() - processor
            times.append(Spent(1000 * since[0], 1000 * since[1]))
    one, other = (Spent(*map(statistics.median, zip(*each[1:], strict=True))) for each in spent)
    return one, other


def there_and_back(network: ImageClassifier, batch: torch.Tensor) -> None:
    """Look once, and go back once from the class to the last maps."""
    with listening(network, "body") as (tap,):
        logits = network(batch)
        torch.autograd.grad(logits[0, CHOSEN], tap.maps)


def difference(network: ImageClassifier, batch: torch.Tensor, variant: str) -> float:
    """Give the largest difference to the map that numpy makes of what the layer stored."""
    with listening(network, *two_layers(network)) as taps:
        logits = network(batch)
        gradients = torch.autograd.grad(logits[0, CHOSEN], [tap.maps for tap in taps])
        stored = [tap.maps.detach() for tap in taps]
    pairs = [
        (maps[0].double().numpy(), gradient[0].double().numpy())
        for maps, gradient in zip(stored, gradients, strict=True)
    ]
    if variant == TWO_SCALES:
        coarse, fine = (by_numpy("grad-cam", *pair) for pair in pairs)
        expected = np.sqrt(twice_as_large(coarse) * fine)
    else:
        expected = by_numpy(variant, *pairs[0])
    found = raw_maps(network, batch, torch.tensor([[CHOSEN]]), variant=variant).values[0, 0]
    scale = float(np.abs(expected).max()) or 1.0
    return float(np.abs(found.double().numpy() - expected).max()) / scale


def twice_as_large(values: np.ndarray) -> np.ndarray:
    """Enlarge (y, x) linearly: a new pixel lies a quarter of an old one off that one's middle."""
    for axis in (0, 1):
        before = np.concatenate([values.take([0], axis), values], axis)
        after = np.concatenate([values, values.take([-1], axis)], axis)
        count = values.shape[axis]
        low = 0.25 * before.take(range(count), axis) + 0.75 * values
        high = 0.75 * values + 0.25 * after.take(range(1, count + 1), axis)
        values = np.stack([low, high], axis + 1).reshape(
            [size * (1 + (place == axis)) for place, size in enumerate(values.shape)]
        )
    return values


def by_numpy(variant: str, maps: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Make a map (y, x) of activations and gradients (channel, y, x) by the papers' formulas."""
    if variant == "eigen-cam":
        rows = maps.reshape(len(maps), -1).T
        projected = rows @ np.linalg.svd(rows, full_matrices=False)[2][0]
        projected = projected if projected.sum() >= 0 else -projected
        return np.maximum(projected, 0).reshape(maps.shape[1:])
    if variant == "grad-cam":
        weights = gradient.mean(axis=(1, 2))[:, None, None] * np.ones_like(maps)
    elif variant == "grad-cam++":
        square, cube = gradient**2, gradient**3
        below = 2 * square + maps.sum(axis=(1, 2), keepdims=True) * cube
        alpha = np.divide(square, below, out=np.zeros_like(square), where=below != 0)
        weights = (alpha * np.maximum(gradient, 0)).sum(axis=(1, 2))[:, None, None]
        weights = weights * np.ones_like(maps)
    elif variant == "hirescam":
        weights = gradient
    else:
        weights = np.maximum(gradient, 0)
    return np.maximum((weights * maps).sum(axis=0), 0)
