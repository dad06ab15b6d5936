"""The fast engine: all features of many regions in one call, batched in torch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .cooccurrence import co_occurrence, over_directions
from .counted import count, emphasis
from .discretise import levels
from .firstorder import first_order
from .greytone import grey_tone_difference
from .names import class_of, full_name
from .neighbours import Levels, Neighbourhood, rank_levels, walk
from .packing import Packed, pack, steps
from .regions import Region
from .runs import runs
from .settings import RadiomicSettings
from .shape import shape
from .zones import zones

Array = np.ndarray[Any, np.dtype[Any]]
Measured = dict[str, Tensor]
"""Short name of a feature: (region,)."""

PLACES_MOST = 1 << 19
"""Places of boxes that are looked at together; bounds memory, with `CELLS_MOST`."""

WASTE_MOST = 3
"""How many times its own boxes a batch may take by giving all the size of the largest."""

PLACES_LEAST = 1 << 16
"""Fewer places than this are not worth a batch of their own."""

CELLS_MOST = 1 << 22
"""Cells of co-occurrence matrices that are held together."""

WORDS = {
    "glrlm": ("ShortRun", "LongRun", "RunLength", "Run", "RunEmphasis"),
    "glszm": ("SmallArea", "LargeArea", "SizeZone", "Zone", "ZoneEmphasis"),
    "gldm": ("SmallDependence", "LargeDependence", "Dependence", "Dependence", "Emphasis"),
}
"""What a class calls small, large, its sizes, its things, and their emphasis."""


def measure(
    regions: Sequence[Region],
    settings: RadiomicSettings,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Measure regions of any size, all of them flat or none.

    Parameters
    ----------
    regions
        Without the problems that `problem_of` finds.
    settings
        What is measured.
    device, dtype
        Where and how precisely it is computed; shapes always by NumPy in float64.

    Returns
    -------
    (region, feature) in the order of `settings.names`; NaN where a feature has no value.
    """
    flat = regions[0].flat
    found = torch.empty(len(regions), len(settings.names(flat=flat)), dtype=dtype, device=device)
    batches = list(_batches(regions, settings))

    def columns(chosen: list[int]) -> Tensor:
        batch = [regions[number] for number in chosen]
        by_name = _measured(batch, settings, torch.device(device), dtype)
        return torch.stack([by_name[name].to(found) for name in settings.names(flat=flat)], dim=1)

    for chosen, values in zip(batches, _each(columns, batches, found.device), strict=True):
        found[torch.tensor(chosen, device=device)] = values
    return found


def _each(
    work: Callable[[list[int]], Tensor], batches: Sequence[list[int]], device: torch.device
) -> list[Tensor]:
    """Do batches, on the processor side by side with one thread of torch's each.

    The steps are too small to be shared between threads: on a busy computer these wait for each
    other at every step, and 5 steps in 6 of the time are waiting.
    """
    if device.type != "cpu":
        return [work(batch) for batch in batches]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a thread that torch first meets from now on gets one as well
    try:
        with ThreadPoolExecutor(min(threads, len(batches)), "radiomics") as pool:
            return list(pool.map(work, batches))
    finally:
        torch.set_num_threads(threads)


def _batches(regions: Sequence[Region], settings: RadiomicSettings) -> Iterator[list[int]]:
    """Numbers of the regions that are measured together: of like size, within bounded memory."""
    rim = max(settings.distances)
    boxes = np.array([one.mask.shape for one in regions]) + 2 * rim
    directions = len(_neighbours(settings, regions[0].flat))
    cells = np.array([directions * _levels_of(one, settings) for one in regions])
    order = np.argsort(boxes.prod(axis=1), kind="stable").tolist()
    first = 0
    while first < len(order):
        last = _end_of_batch(boxes[order[first:]], cells[order[first:]]) + first
        yield order[first:last]
        first = last


def _end_of_batch(boxes: Array, cells: Array) -> int:
    """How many of the regions share boxes of one size and matrices of one width at little loss."""
    number = np.arange(1, len(boxes) + 1)
    places = number * np.maximum.accumulate(boxes).prod(axis=1)
    wasteful = (places > WASTE_MOST * boxes.prod(axis=1).cumsum()) & (places > PLACES_LEAST)
    large = number * np.maximum.accumulate(cells) > CELLS_MOST
    stop = wasteful | large | (places > PLACES_MOST)
    stop[0] = False
    return int(stop.argmax()) if stop.any() else len(boxes)


def _levels_of(region: Region, settings: RadiomicSettings) -> int:
    """At most this many cells has a matrix of the region's levels."""
    inside = region.values[region.mask]
    levels_ = settings.bin_count or int(np.ptp(inside) / settings.bin_width) + 2
    return min(levels_, len(inside)) ** 2


def _neighbours(settings: RadiomicSettings, flat: bool) -> tuple[tuple[int, int, int], ...]:
    return steps(settings.distances, settings, flat=flat)


def _measured(
    regions: Sequence[Region], settings: RadiomicSettings, device: torch.device, dtype: torch.dtype
) -> Measured:
    flat = regions[0].flat
    wanted = set(settings.classes)
    by_class: dict[str, Mapping[str, Tensor]] = {}
    if "shape" in wanted:
        by_class["shape"] = _shapes(regions, device)
    if wanted - {"shape"}:
        by_class.update(_grey(regions, settings, device, dtype))
    return {
        full_name(class_of(class_, flat), name): values
        for class_, measured in by_class.items()
        for name, values in measured.items()
    }


def _shapes(regions: Sequence[Region], device: torch.device) -> Measured:
    shapes = [shape(region) for region in regions]
    return {
        name: torch.tensor([one[name] for one in shapes], dtype=torch.float64, device=device)
        for name in shapes[0]
    }


def _grey(
    regions: Sequence[Region], settings: RadiomicSettings, device: torch.device, dtype: torch.dtype
) -> dict[str, Measured]:
    wanted = set(settings.classes)
    packed = pack(regions, max(settings.distances), device)
    inside = np.concatenate([region.values[region.mask] for region in regions])
    values = torch.from_numpy(inside).to(device)
    # Levels are cut in float64: a value on an edge must not change sides.
    grey = levels(values, packed.counts, settings)
    ranked = rank_levels(grey, packed.owner, packed.regions, dtype)
    found: dict[str, Measured] = {}
    if "firstorder" in wanted:
        voxel = _voxel_mm3(regions, device, dtype)
        shift = settings.voxel_array_shift
        found["firstorder"] = first_order(
            values.to(dtype), packed.counts, ranked.counts[:, 1:], voxel, shift
        )
    if "glrlm" in wanted:
        found["glrlm"] = _runs(packed, ranked, settings, flat=regions[0].flat)
    if "glszm" in wanted:
        within = settings.force_2d_axis if settings.force_2d and not regions[0].flat else None
        counted = zones(packed, ranked, regions, within)
        found["glszm"] = _in_words("glszm", emphasis(counted, packed.regions))
    if wanted & {"glcm", "gldm", "ngtdm"}:
        found.update(_beside(packed, ranked, settings, flat=regions[0].flat))
    return found


def _voxel_mm3(regions: Sequence[Region], device: torch.device, dtype: torch.dtype) -> Tensor:
    sizes = [float(np.prod(region.spacing_mm)) for region in regions]
    return torch.tensor(sizes, dtype=dtype, device=device)


def _runs(packed: Packed, ranked: Levels, settings: RadiomicSettings, *, flat: bool) -> Measured:
    directions = steps((1,), settings, flat=flat)
    counted = runs(packed, ranked, directions)
    shape_ = (packed.regions, len(directions))
    measured = emphasis(counted, packed.regions * len(directions))
    return _in_words(
        "glrlm", {name: over_directions(one.view(shape_)) for name, one in measured.items()}
    )


def _beside(
    packed: Packed, ranked: Levels, settings: RadiomicSettings, *, flat: bool
) -> dict[str, Measured]:
    around = walk(packed, ranked, _neighbours(settings, flat), settings.gldm_alpha)
    table = ranked.table[:, 1:]
    return {
        "glcm": co_occurrence(
            around.pairs, table, table.amax(dim=1), symmetrical=settings.symmetrical
        ),
        "gldm": _dependences(packed, ranked, around),
        "ngtdm": grey_tone_difference(ranked, around, packed.owner),
    }


def _dependences(packed: Packed, ranked: Levels, around: Neighbourhood) -> Measured:
    counted = count(packed.owner, ranked.rank, around.dependent + 1, packed.regions, ranked.table)
    return _in_words("gldm", emphasis(counted, packed.regions))


def _in_words(class_: str, measured: Mapping[str, Any]) -> Measured:
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
