"""Finds and measures the regions that a step asks for, as rarely as the settings allow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..explain.boxes import MapArray
from ..explain.cam import map_of_each
from ..io.image import read_header
from ..project.boxfiles import DrawnBox
from ..project.records import Case
from .radiomic_cache import NO_CLASS, Key, KnownRegion, RegionCache
from .radiomic_features import BoxMeasurer
from .radiomic_regions import Box, box_of_map, central_box, drawn_on_grid
from .settings_radiomic import RadiomicContrastSettings

Drawn: TypeAlias = Mapping[int, Mapping[int, Sequence[Box]]]
"""Boxes that people drew, by row in the store and column of the class, on the network's grid."""

Take: TypeAlias = Callable[[np.ndarray[Any, Any]], Tensor]
"""Gives images by their rows in the store."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which class the region of an image is asked for; `box` is one that a person drew."""

    row: int
    column: int
    box: Box | None = None

    @property
    def key(self) -> Key:
        """Where it is remembered."""
        return self.row, self.column


class Chooser:
    """Chooses one class of each image in each step: a function of seed, step and image."""

    def __init__(self, seed: int, drawn: Drawn) -> None:
        self._seed = seed
        self._drawn = drawn

    def labelled(self, row: int, positives: Sequence[int], step: int) -> Asked:
        """Ask for one of the classes that an image has, or for none."""
        if not positives:
            return self._boxed(row, step) or Asked(row, NO_CLASS)
        column = positives[self._pick(len(positives), row, step)]
        return self._in_box(row, column, step) or Asked(row, column)

    def unlabelled(self, row: int, guess: int, step: int) -> Asked:
        """Ask for the class that an image most probably has, or for one that was boxed in it."""
        return self._boxed(row, step) or Asked(row, guess)

    def _boxed(self, row: int, step: int) -> Asked | None:
        columns = sorted(self._drawn.get(row, ()))
        if not columns:
            return None
        return self._in_box(row, columns[self._pick(len(columns), row, step)], step)

    def _in_box(self, row: int, column: int, step: int) -> Asked | None:
        boxes = self._drawn.get(row, {}).get(column, ())
        return Asked(row, column, boxes[self._pick(len(boxes), row, step)]) if boxes else None

    def _pick(self, count: int, row: int, step: int) -> int:
        if count == 1:
            return 0
        return int(np.random.default_rng([self._seed, step, row]).integers(count))


def on_grid(
    case: Case, boxes: Sequence[DrawnBox], class_ids: Sequence[int], space: Sequence[int]
) -> dict[int, list[Box]]:
    """Give the boxes of a case by the column of their class, on the network's grid."""
    # Very large tables are imported without a look into each file.
    shape = case.shape or read_header(case.channels[0]).shape
    found: dict[int, list[Box]] = {}
    for box in boxes:
        if box.class_id in class_ids:
            placed = found.setdefault(class_ids.index(box.class_id), [])
            placed.append(drawn_on_grid(box, shape, space))
    return found


class RegionFinder:
    """Keeps the regions of a run up to date.

    Parameters
    ----------
    stored, plain
        Give images by row: as they are stored, and normalised on the device, both unvaried. So
        a region is found and measured in one frame, and nothing has to be mapped back.
    space
        Size of the network's grid.
    """

    def __init__(
        self,
        settings: RadiomicContrastSettings,
        space: Sequence[int],
        stored: Take,
        plain: Take,
        device: str = "cpu",
    ) -> None:
        self.cache = RegionCache()
        scaled = settings.grey == "scaled"
        self.measurer = BoxMeasurer(
            settings.bin_width, scaled=scaled, dims=len(space), device=device
        )
        self._settings = settings
        self._space = tuple(space)
        self._stored = stored
        self._plain = plain

    def features(self, asked: Sequence[Asked], step: int, network: nn.Module) -> Tensor:
        """Give the features of the regions, (region, feature) on the processor, NaN without value.

        Parameters
        ----------
        network
            Whose map is looked at; it gets no gradient, and is left as it was.
        """
        found = self._found(asked, step, network)
        changed = [one for one, box in found.items() if not self._is_known(one.key, box)]
        fresh = self._measured(changed, [found[one] for one in changed])
        for one, box in found.items():
            features = fresh[one.key] if one.key in fresh else self._known(one.key).features
            self.cache.put(one.key, KnownRegion(step, box, features))
        return torch.stack([self._known(one.key).features for one in asked])

    def maps(
        self, network: nn.Module, rows: Sequence[int], columns: Sequence[int]
    ) -> tuple[MapArray, Tensor]:
        """Give the maps of one class an image, (image, *space), and the logits, (image, class)."""
        images = self._plain(np.asarray(rows))
        chosen = torch.tensor(list(columns), device=images.device)
        settings = self._settings
        layer = settings.map_layer or None
        found = map_of_each(network, images, chosen, variant=settings.map, layer=layer)
        return found.values[:, 0].cpu().numpy(), found.logits.float().cpu()

    def box(self, values: MapArray) -> Box:
        """Give the region of a map."""
        return box_of_map(values, self._settings.threshold)

    def _found(self, asked: Sequence[Asked], step: int, network: nn.Module) -> dict[Asked, Box]:
        """Give the boxes that are new in this step, or were drawn, or are the centre."""
        found = {one: one.box for one in asked if one.box is not None}
        found |= {one: central_box(self._space) for one in asked if one.key[1] == NO_CLASS}
        due = [
            one
            for one in dict.fromkeys(asked)
            if one not in found and self.cache.is_due(one.key, step, self._settings.refresh)
        ]
        if due:
            rows, columns = zip(*(one.key for one in due), strict=True)
            values, _ = self.maps(network, rows, columns)
            found |= {one: self.box(value) for one, value in zip(due, values, strict=True)}
        return found

    def _measured(self, asked: Sequence[Asked], boxes: Sequence[Box]) -> dict[Key, Tensor]:
        if not asked:
            return {}
        rows = [one.row for one in asked]
        values = self.measurer.measure(self._stored(np.array(rows)), boxes, rows)
        return {one.key: value for one, value in zip(asked, values, strict=True)}

    def _is_known(self, key: Key, box: Box) -> bool:
        known = self.cache.get(key)
        return known is not None and known.box == box

    def _known(self, key: Key) -> KnownRegion:
        known = self.cache.get(key)
        assert known is not None
        return known
