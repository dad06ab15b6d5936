"""Each matrix on a tiny picture beside loops over every voxel."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch

from longtail.core.radiomics.neighbours import look_around, pairs_along, rank_levels
from longtail.core.radiomics.packing import pack, steps
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.runs import runs
from longtail.core.radiomics.settings import RadiomicSettings
from longtail.core.radiomics.zones import zones

SETTINGS = RadiomicSettings()
PICTURES = {
    "flat": (np.array([[[1, 1, 2, 5], [2, 2, 2, 5], [1, 5, 2, 2]]]), [(0, 1, 1)]),
    "solid": (np.random.default_rng(0).integers(1, 4, (3, 3, 4)), [(0, 0, 0), (1, 1, 2)]),
}


@pytest.fixture(params=list(PICTURES))
def case(request):
    grey, outside = PICTURES[request.param]
    mask = np.ones(grey.shape, dtype=bool)
    for place in outside:
        mask[place] = False
    region = Region(1, grey.astype(float), mask, (1.0, 1.0, 1.0), request.param == "flat")
    packed = pack([region], 1, torch.device("cpu"))
    levels = rank_levels(torch.from_numpy(grey[mask]).int(), packed.owner, 1, torch.float64)
    return region, packed, levels


def inside(region):
    return {
        tuple(int(part) for part in place): int(region.values[tuple(place)])
        for place in np.argwhere(region.mask)
    }


def moved(place, step, times=1):
    return tuple(a + times * b for a, b in zip(place, step, strict=True))


def cells(*columns):
    parts = [column.tolist() for column in columns]
    return {(int(a), int(b)): int(c) for a, b, c in zip(*parts, strict=True)}


def around(place):
    for step in itertools.product((-1, 0, 1), repeat=3):
        if step != (0, 0, 0):
            yield moved(place, step)


def test_pairs_are_counted_along_each_step(case):
    region, packed, levels = case
    grey = inside(region)
    directions = steps((1,), SETTINGS, flat=region.flat)
    assert len(directions) == (4 if region.flat else 13)
    found = pairs_along(packed, levels, directions)[0]
    table = levels.table[0, 1:].int().tolist()
    for number, step in enumerate(directions):
        expected = Counter()
        for place, level in grey.items():
            other = moved(place, step)
            if other in grey:
                expected[level, grey[other]] += 1
        got = {
            (a, b): int(found[number, i, j])
            for i, a in enumerate(table)
            for j, b in enumerate(table)
            if found[number, i, j]
        }
        assert got == expected


@pytest.mark.parametrize("alpha", [0, 1])
def test_dependence_and_mean_of_the_neighbours(case, alpha):
    region, packed, levels = case
    grey = inside(region)
    found = look_around(packed, levels, steps((1,), SETTINGS, flat=region.flat), alpha)
    for number, (place, level) in enumerate(grey.items()):
        beside = [grey[other] for other in around(place) if other in grey]
        assert int(found.seen[number]) == len(beside)
        assert int(found.summed[number]) == sum(beside)
        assert int(found.dependent[number]) == sum(abs(one - level) <= alpha for one in beside)


def test_runs_of_one_level(case):
    region, packed, levels = case
    grey = inside(region)
    directions = steps((1,), SETTINGS, flat=region.flat)
    found = runs(packed, levels, directions)
    for number, step in enumerate(directions):
        expected = Counter()
        for place, level in grey.items():
            before = moved(place, step, -1)
            if grey.get(before) == level:
                continue
            length = 1
            while grey.get(moved(place, step, length)) == level:
                length += 1
            expected[level, length] += 1
        kept = found.row == number
        parts = (part[kept] for part in (found.grey, found.size, found.count))
        assert cells(*parts) == expected


def test_zones_of_one_level(case):
    region, packed, levels = case
    grey = inside(region)
    expected = Counter()
    left = set(grey)
    while left:
        zone, edge = set(), [left.pop()]
        while edge:
            place = edge.pop()
            zone.add(place)
            near = {one for one in around(place) if one in left and grey[one] == grey[place]}
            left -= near
            edge += near
        expected[grey[place], len(zone)] += 1
    found = zones(packed, levels, None)
    assert cells(found.grey, found.size, found.count) == expected


def test_slices_do_not_touch_when_a_plane_is_forced():
    mask = np.ones((2, 2, 2), dtype=bool)
    region = Region(1, np.ones((2, 2, 2)), mask, (1.0, 1.0, 1.0), False)
    packed = pack([region], 1, torch.device("cpu"))
    levels = rank_levels(torch.ones(8, dtype=torch.int32), packed.owner, 1, torch.float64)
    for axis in range(3):
        found = zones(packed, levels, axis)
        assert (found.size.tolist(), found.count.tolist()) == ([4.0], [2.0])
    assert zones(packed, levels, None).size.tolist() == [8.0]
