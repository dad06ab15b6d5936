"""Features of pixels and regions: what a network for label maps holds at chosen places.

The features of a place are those of all maps on the network's way up, interpolated there, each
map's brought to length 1 so that no level drowns the others.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..backend.devices import autocast_dtype
from ..checkpoints.card import ModelCard
from ..errors import LongtailError
from ..io.image import AnyArray, Image
from ..nets.heads import sample
from ..project.records import NOT_LABELLED
from .embed import padded, starts_on

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Whole: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]

WINDOWS_AT_ONCE = {2: 8, 3: 1}
REGION_PIXELS = 512
"""Pixels whose mean stands for a region."""

AXES = 3


class Points(NamedTuple):
    """Places in a case as the network sees them; see `Embedding` for what the columns mean."""

    features: FloatArray
    places: Whole
    classes: Whole
    predicted: Whole


@dataclass(frozen=True)
class PixelEyes:
    """A network for label maps, asked for what it holds at places.

    Parameters
    ----------
    network
        On `device`, in evaluation mode; gives its maps one by one.
    class_ids
        The class of each output after the background; 0 for one that is to be background.

    Raises
    ------
    LongtailError
        The network is not one for label maps.
    """

    network: nn.Module
    card: ModelCard
    class_ids: tuple[int, ...]
    device: str

    def __post_init__(self) -> None:
        if self.card.patch_size is None or not hasattr(self.network, "maps"):
            raise LongtailError(
                "This run gives classes to whole images, so it has no features of pixels.",
                "Choose images, or a run on label maps.",
            )

    def pixels(
        self, image: Image, labels: AnyArray | None, count: int, random: np.random.Generator
    ) -> Points:
        """Draw `count` pixels of each class that is there, background included.

        Parameters
        ----------
        labels
            Class ids on the image's grid, 255 not labelled; None takes the network's answer.
        """
        scan = _Scan(self, image, labels)
        chosen = [_some(where, count, random) for _, where in scan.classes()]
        if not chosen:
            return _nothing()
        flat = np.concatenate(chosen)
        features, outputs = scan.look(flat)
        return Points(features, scan.places(flat), scan.class_at(flat), self._ids(outputs))

    def regions(self, image: Image, labels: AnyArray | None, random: np.random.Generator) -> Points:
        """Average the features of each class but the background; see `pixels`."""
        scan = _Scan(self, image, labels)
        found = [(value, where) for value, where in scan.classes() if value]
        if not found:
            return _nothing()
        chosen = [_some(where, REGION_PIXELS, random) for _, where in found]
        features, outputs = scan.look(np.concatenate(chosen))
        ends = np.cumsum([len(one) for one in chosen])[:-1]
        middles = np.array([scan.middle(where) for _, where in found])
        return Points(
            np.stack([part.mean(axis=0) for part in np.split(features, ends)]),
            scan.places(middles),
            scan.class_at(middles),
            np.array([np.bincount(self._ids(o)).argmax() for o in np.split(outputs, ends)]),
        )

    def _ids(self, outputs: Whole) -> Whole:
        return np.array((0, *self.class_ids), np.int64)[outputs]


class _Scan:
    """One case on the network's grid; places are given as positions in the flattened grid."""

    def __init__(self, eyes: PixelEyes, image: Image, labels: AnyArray | None) -> None:
        card = eyes.card
        assert card.patch_size is not None
        self._eyes, self._image, self._rule = eyes, image, card.preprocessing
        self._values = self._rule.apply(image)
        self._grid = tuple(self._values.shape[1:])
        # A 2D network looks at one slice of a volume at a time.
        self._flat = len(self._grid) > len(card.patch_size)
        self._window = (1, *card.patch_size) if self._flat else card.patch_size
        self._labelled = labels is not None
        spacing = image.geometry.spacing_mm if image.geometry else None
        on_grid = (
            torch.from_numpy(np.array((0, *eyes.class_ids)))[self._answer()]
            if labels is None
            else self._rule.apply_labels(labels, spacing)
        )
        self._map = on_grid.numpy().reshape(-1)

    def classes(self) -> Iterator[tuple[int, Whole]]:
        """Give each class that is there, 0 the background, with its places."""
        order = self._map.argsort(kind="stable")
        values, first = np.unique(self._map[order], return_index=True)
        for value, where in zip(values.tolist(), np.split(order, first[1:]), strict=True):
            if value != NOT_LABELLED:
                yield value, where

    def class_at(self, flat: Whole) -> Whole:
        """Give the labelled class at places; 255 everywhere in a case without labels."""
        if not self._labelled:
            return np.full(len(flat), NOT_LABELLED, np.int64)
        return np.asarray(self._map[flat], np.int64)

    def middle(self, where: Whole) -> int:
        """Give the place of a region nearest to its middle, in the slice that has most of it."""
        at = np.stack(np.unravel_index(where, self._grid), axis=1)
        if at.shape[1] == AXES:
            inside = at[:, 0] == np.bincount(at[:, 0]).argmax()
            at, where = at[inside], where[inside]
        return int(where[((at - at.mean(axis=0)) ** 2).sum(axis=1).argmin()])

    def places(self, flat: Whole) -> Whole:
        """Give z, y, x of the source, (place, 3); z is -1 in a picture."""
        at = np.stack(np.unravel_index(flat, self._grid), axis=1)
        shape = self._image.shape
        if self._flat:
            axis = self._rule.slice_axis
            order = [1 + i for i in range(AXES - 1)]
            order.insert(axis, 0)
            at, grid = at[:, order], [self._grid[i] for i in order]
        else:
            grid = list(self._grid)
        source = ((at + 0.5) * np.array(shape) / np.array(grid)).astype(np.int64)
        none = np.full((len(at), AXES - len(shape)), -1, np.int64)
        return np.concatenate([none, source], axis=1)

    def look(self, flat: Whole) -> tuple[FloatArray, Whole]:
        """Give the features at places (place, width), and the network's outputs there (place,)."""
        values, before = padded(self._values, self._window)
        at = np.stack(np.unravel_index(flat, self._grid), axis=1) + np.array(before)
        starts = _nearest_windows(at, values.shape[1:], self._window)
        windows, belongs = np.unique(starts, axis=0, return_inverse=True)
        belongs = belongs.reshape(-1)
        features: list[Tensor] = []
        outputs, order = [], []
        step = WINDOWS_AT_ONCE[len(self._window) - self._flat]
        for first in range(0, len(windows), step):
            mine = np.flatnonzero((belongs >= first) & (belongs < first + step))
            local = torch.as_tensor((at - starts)[mine][:, int(self._flat) :])
            row = torch.as_tensor(belongs[mine] - first)
            seen, said = self._sampled(values, windows[first : first + step], row, local)
            features.append(seen)
            outputs.append(said)
            order.append(mine)
        back = np.concatenate(order).argsort()
        return torch.cat(features).numpy()[back], torch.cat(outputs).numpy()[back]

    def _sampled(
        self, values: Tensor, starts: Whole, row: Tensor, local: Tensor
    ) -> tuple[Tensor, Tensor]:
        maps = self._maps(values, starts)
        size, device = self._window[int(self._flat) :], maps[0].device
        row, local = row.to(device), local.to(device)
        levels = [functional.normalize(sample(each, row, local, size)) for each in maps[:-1]]
        outputs = sample(maps[-1], row, local, size).argmax(1)
        return torch.cat(levels, 1).cpu(), outputs.cpu()

    @torch.inference_mode()
    def _maps(self, values: Tensor, starts: Whole) -> list[Tensor]:
        device = self._eyes.device
        batch = torch.stack([_cut(values, start, self._window) for start in starts]).to(device)
        dtype = autocast_dtype(device)
        with torch.autocast(device.partition(":")[0], dtype=dtype, enabled=dtype is not None):
            network: Any = self._eyes.network
            found: list[Tensor] = network.maps(batch.squeeze(2) if self._flat else batch)
        return found

    def _answer(self) -> Tensor:
        """Give the network's outputs on the grid, from windows beside each other."""
        values, before = padded(self._values, self._window)
        said = torch.zeros(values.shape[1:], dtype=torch.long)
        pairs = zip(values.shape[1:], self._window, strict=True)
        places = np.array(list(product(*(starts_on(have, want) for have, want in pairs))))
        step = WINDOWS_AT_ONCE[len(self._window) - self._flat]
        for first in range(0, len(places), step):
            part = places[first : first + step]
            outputs = self._maps(values, part)[-1].argmax(1).cpu()
            for start, one in zip(part, outputs, strict=True):
                _cut(said[None], start, self._window)[0] = one
        return _cut(said[None], np.array(before), self._grid)[0]


def _cut(values: Tensor, start: Whole, size: Sequence[int]) -> Tensor:
    """Give a view of a box of (channel, *grid)."""
    box = (slice(int(a), int(a) + n) for a, n in zip(start, size, strict=True))
    return values[(slice(None), *box)]


def _nearest_windows(at: Whole, grid: Sequence[int], window: Sequence[int]) -> Whole:
    """Choose for each place, of windows that overlap by half, the one it is most central in."""
    columns = []
    for axis, (have, want) in enumerate(zip(grid, window, strict=True)):
        starts = np.unique([*range(0, have - want, max(1, want // 2)), have - want])
        middles = starts + (want - 1) / 2
        columns.append(starts[np.abs(middles - at[:, axis, None]).argmin(axis=1)])
    return np.stack(columns, axis=1)


def _some(where: Whole, count: int, random: np.random.Generator) -> Whole:
    return where if len(where) <= count else random.choice(where, count, replace=False)


def _nothing() -> Points:
    none = np.zeros(0, np.int64)
    return Points(np.zeros((0, 0), np.float32), np.zeros((0, AXES), np.int64), none, none)
