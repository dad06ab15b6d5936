"""A batch of regions, and the work to be done on it class by class."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cooccurrence import co_occurrence, over_directions
from .counted import count, emphasis
from .discretise import levels
from .firstorder import first_order
from .greytone import grey_tone_difference
from .neighbours import Levels, look_around, pairs_along, rank_levels
from .packing import Packed, pack, steps
from .regions import Region
from .runs import runs
from .segments import ordered, starts
from .settings import RadiomicSettings
from .shape import shapes
from .zones import zones

ByName = dict[str, Tensor]
"""Short name of a feature: (region,)."""

Work = Callable[[], dict[str, ByName]]
"""Measures some classes, by their names."""

WORDS = {
    "glrlm": ("ShortRun", "LongRun", "RunLength", "Run", "RunEmphasis"),
    "glszm": ("SmallArea", "LargeArea", "SizeZone", "Zone", "ZoneEmphasis"),
    "gldm": ("SmallDependence", "LargeDependence", "Dependence", "Dependence", "Emphasis"),
}
"""What a class calls small, large, its sizes, its things, and their emphasis."""


@dataclass(frozen=True)
class Batch:
    """Regions that are measured together, all of them flat or none.

    Parameters
    ----------
    regions
        As they were given.
    settings
        What is measured.
    packed, levels
        The regions in a line and their grey levels; levels are in the precision of the textures.
    values
        (voxel,) float64, region after region, in order of size within each.
    """

    regions: Sequence[Region]
    settings: RadiomicSettings
    packed: Packed
    levels: Levels
    values: Tensor

    def works(self) -> list[Work]:
        """Give the pieces of work, any of them beside any other; the longest ones first."""
        wanted = set(self.settings.classes)
        pieces: tuple[tuple[set[str], Work], ...] = (
            ({"glrlm"}, self._runs),
            ({"shape"}, self._shape),
            ({"glszm"}, self._zones),
            ({"glcm"}, self._pairs),
            ({"gldm", "ngtdm"}, self._neighbours),
            ({"firstorder"}, self._values),
        )
        return [work for classes, work in pieces if classes & wanted]

    @property
    def _flat(self) -> bool:
        return self.regions[0].flat

    def _zones(self) -> dict[str, ByName]:
        planes = self.settings.force_2d and not self._flat
        counted = zones(self.packed, self.levels, self.settings.force_2d_axis if planes else None)
        return {"glszm": _in_words("glszm", emphasis(counted, self.packed.regions))}

    def _runs(self) -> dict[str, ByName]:
        directions = steps((1,), self.settings, flat=self._flat)
        shape = (self.packed.regions, len(directions))
        measured = emphasis(runs(self.packed, self.levels, directions), shape[0] * shape[1])
        means = over_directions({name: one.view(shape) for name, one in measured.items()})
        return {"glrlm": _in_words("glrlm", means)}

    def _pairs(self) -> dict[str, ByName]:
        found = pairs_along(self.packed, self.levels, self._steps())
        table = self.levels.table[:, 1:]
        symmetrical = self.settings.symmetrical
        return {"glcm": co_occurrence(found, table, table.amax(dim=1), symmetrical=symmetrical)}

    def _neighbours(self) -> dict[str, ByName]:
        packed, ranked = self.packed, self.levels
        around = look_around(packed, ranked, self._steps(), self.settings.gldm_alpha)
        counted = count(ranked.code, around.dependent.int() + 1, ranked.table)
        return {
            "gldm": _in_words("gldm", emphasis(counted, packed.regions)),
            "ngtdm": grey_tone_difference(ranked, around, packed.regions),
        }

    def _values(self) -> dict[str, ByName]:
        sizes = [float(np.prod(region.spacing_mm)) for region in self.regions]
        voxel = torch.tensor(sizes, dtype=torch.float64, device=self.values.device)
        shift = self.settings.voxel_array_shift
        histogram = self.levels.counts[:, 1:]
        found = first_order(self.values, self.packed.counts, histogram, voxel, shift)
        return {"firstorder": found}

    def _shape(self) -> dict[str, ByName]:
        return {"shape": shapes(self.regions, self.packed)}

    def _steps(self) -> tuple[tuple[int, int, int], ...]:
        return steps(self.settings.distances, self.settings, flat=self._flat)


def prepare(
    regions: Sequence[Region], settings: RadiomicSettings, device: torch.device, dtype: torch.dtype
) -> Batch:
    """Lay regions in a line and cut their values into levels."""
    packed = pack(regions, max(settings.distances), device)
    in_order = ordered(packed.values, packed.counts)
    first = starts(packed.counts)
    low, high = in_order[first], in_order[first + packed.counts - 1]
    # Levels are cut in float64: a value on an edge must not change sides.
    grey = levels(packed.values, low, high, packed.counts, settings)
    ranked = rank_levels(grey, packed.owner, packed.regions, dtype)
    return Batch(regions, settings, packed, ranked, in_order)


def _in_words(class_: str, measured: Mapping[str, Tensor]) -> ByName:
    """Give the sums of `emphasis` the names that a class has for them."""
    small, large, sizes, thing, ending = WORDS[class_]
    return {
        f"{small}Emphasis": measured["small"],
        f"{large}Emphasis": measured["large"],
        f"LowGrayLevel{ending}": measured["low"],
        f"HighGrayLevel{ending}": measured["high"],
        f"{small}LowGrayLevelEmphasis": measured["small_low"],
        f"{small}HighGrayLevelEmphasis": measured["small_high"],
        f"{large}LowGrayLevelEmphasis": measured["large_low"],
        f"{large}HighGrayLevelEmphasis": measured["large_high"],
        "GrayLevelNonUniformity": measured["grey_uniformity"],
        "GrayLevelNonUniformityNormalized": measured["grey_share"],
        f"{sizes}NonUniformity": measured["size_uniformity"],
        f"{sizes}NonUniformityNormalized": measured["size_share"],
        "GrayLevelVariance": measured["grey_variance"],
        f"{thing}Variance": measured["size_variance"],
        f"{thing}Entropy": measured["entropy"],
        f"{thing}Percentage": measured["percentage"],
    }
