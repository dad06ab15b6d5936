"""The fast engine: all features of many regions in one call, batched in torch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .classes import Batch, Work, prepare
from .names import class_of, full_name
from .packing import steps
from .regions import Region
from .settings import RadiomicSettings

Array = np.ndarray[Any, np.dtype[Any]]
In = TypeVar("In")
Out = TypeVar("Out")
Each = Callable[[Callable[[In], Out], Sequence[In]], list[Out]]

PLACES_MOST = 1 << 19
"""Places of boxes that are looked at together; bounds memory, with `CELLS_MOST`."""

WASTE_MOST = 1.5
"""How many times its own boxes a batch may take by giving all the rows of the longest."""

PLACES_LEAST = 1 << 16
"""Fewer places than this are not worth a batch of their own."""

SLACK = 1.1
"""Of an even share for each thread, so that rims and longer rows leave no rest over."""

CELLS_MOST = 1 << 22
"""Cells of co-occurrence matrices that are held together."""

ALONE_MOST = 1 << 18
"""Up to so many places in all one thread is faster than several that wait for each other."""

KEPT_BYTES = 31 << 20
"""Memory of this size is asked for and given back untouched: the C library of Linux then keeps
freed blocks up to it for what comes next, instead of having each page cleared anew by the system,
which takes a fifth of the time (glibc, `M_MMAP_THRESHOLD`, at most 32 MiB). Elsewhere no effect."""

BATCHES_EACH = 2
"""Batches that a thread is given at a time; bounds memory."""


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
        Where and how precisely textures are computed; first order is always in float64, shapes
        by NumPy in float64.

    Returns
    -------
    (region, feature) in the order of `settings.names`; NaN where a feature has no value.
    """
    np.empty(KEPT_BYTES, dtype=np.uint8)  # see there
    flat = regions[0].flat
    where = torch.device(device)
    found = torch.empty(len(regions), len(settings.names(flat=flat)), dtype=dtype, device=where)
    places = sum(region.mask.size for region in regions)
    with _side_by_side(where, alone=places <= ALONE_MOST) as (each, threads):
        batches = list(_batches(regions, settings, threads))
        for start in range(0, len(batches), threads * BATCHES_EACH):
            some = batches[start : start + threads * BATCHES_EACH]
            for chosen, rows in zip(some, _rows(some, regions, settings, found, each), strict=True):
                found[torch.tensor(chosen, device=where)] = rows
    return found


def _rows(
    batches: Sequence[list[int]],
    regions: Sequence[Region],
    settings: RadiomicSettings,
    like: Tensor,
    each: Any,
) -> list[Tensor]:
    """(region, feature) of each batch: first all are laid out, then class by class measured."""

    def laid(chosen: list[int]) -> Batch:
        return prepare([regions[number] for number in chosen], settings, like.device, like.dtype)

    works = [one.works() for one in each(laid, batches)]
    done = iter(each(_done, [work for some in works for work in some]))
    flat = regions[0].flat
    names = settings.names(flat=flat)
    return [_columns([next(done) for _ in some], names, like, flat=flat) for some in works]


def _done(work: Work) -> dict[str, dict[str, Tensor]]:
    return work()


def _columns(
    found: Sequence[dict[str, dict[str, Tensor]]], names: Sequence[str], like: Tensor, *, flat: bool
) -> Tensor:
    by_name = {
        full_name(class_of(class_, flat), name): values
        for one in found
        for class_, measured in one.items()
        for name, values in measured.items()
    }
    return torch.stack([by_name[name].to(like) for name in names], dim=1)


def _one_by_one(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    return [work(item) for item in items]


@contextmanager
def _side_by_side(device: torch.device, *, alone: bool) -> Iterator[tuple[Any, int]]:
    """Give a `map` and its threads, on the processor with one thread of torch's each.

    The steps are too small to be shared between threads: on a busy computer these wait for each
    other at every step, and 5 steps in 6 of the time are waiting.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield _one_by_one, 1
        return
    torch.set_num_threads(1)  # a thread that torch first meets from now on gets one as well
    try:
        if alone:
            yield _one_by_one, 1
            return
        with ThreadPoolExecutor(threads, "radiomics") as pool:
            yield lambda work, items: list(pool.map(work, items)), threads
    finally:
        torch.set_num_threads(threads)


def _batches(
    regions: Sequence[Region], settings: RadiomicSettings, threads: int
) -> Iterator[list[int]]:
    """Numbers of the regions that are measured together: of like size, within bounded memory."""
    rim = max(settings.distances)
    boxes = np.array([one.mask.shape for one in regions]) + rim
    if regions[0].flat:
        boxes[:, 0] = 1
    directions = len(steps(settings.distances, settings, flat=regions[0].flat))
    cells = np.array([directions * _levels_of(one, settings) for one in regions])
    rows = boxes[:, 2] if regions[0].flat else boxes[:, 1] * boxes[:, 2]
    order = np.lexsort((boxes.prod(axis=1), rows)).tolist()
    most = min(PLACES_MOST, int(boxes.prod(axis=1).sum() / threads * SLACK) + 1)
    first = 0
    while first < len(order):
        rest = order[first:]
        last = first + _end_of_batch(boxes[rest], cells[rest], most, flat=regions[0].flat)
        yield order[first:last]
        first = last


def _end_of_batch(boxes: Array, cells: Array, most: int, *, flat: bool) -> int:
    """How many of the regions share rows of one length and matrices of one width at little loss."""
    number = np.arange(1, len(boxes) + 1)
    shared = np.maximum.accumulate(boxes)
    places = boxes[:, 1].cumsum() * shared[:, 2]
    if not flat:
        places = boxes[:, 0].cumsum() * shared[:, 1] * shared[:, 2]
    wasteful = (places > WASTE_MOST * boxes.prod(axis=1).cumsum()) & (places > PLACES_LEAST)
    large = number * np.maximum.accumulate(cells) > CELLS_MOST
    stop = wasteful | large | (places > most)
    stop[0] = False
    return int(stop.argmax()) if stop.any() else len(boxes)


def _levels_of(region: Region, settings: RadiomicSettings) -> int:
    """At most this many cells has a matrix of the region's levels."""
    inside = region.values[region.mask]
    found = settings.bin_count or int(np.ptp(inside) / settings.bin_width) + 2
    return min(found, len(inside)) ** 2
