"""The patch follows memory and time, and what was asked for stays."""

import math

import pytest

from longtail.core.methods.settings import SupervisedSettings
from longtail.core.methods.settings_semi import ActionSettings
from longtail.core.project.records import Case, Split, Status
from longtail.core.training.estimate import estimate_patches
from longtail.core.training.grid import MEMORY_SHARE, choose_batch, choose_grid


def grid(shape, spacing=None, *, model=SupervisedSettings, on_card=False, memory_gb=None, **rest):
    case = Case("a", ("x",), shape, 1, spacing, Split.TRAIN, Status.REVIEWED)
    minutes = rest.pop("minutes", None)
    memory = None if memory_gb is None else int(memory_gb * 1e9)
    settings = model(**rest)
    found = choose_grid([case] * 3, settings, on_card, memory_bytes=memory, minutes=minutes)
    return found, settings


def room(found):
    return math.prod(found.patch)


@pytest.mark.parametrize("memory_gb", [4, 8, 16, 80])
def test_a_step_fits_into_memory(memory_gb):
    found, settings = grid(
        (120, 300, 300), (1.0, 1.0, 1.0), model=ActionSettings, on_card=True, memory_gb=memory_gb
    )
    batch = choose_batch(found.patch, settings)
    needed = estimate_patches(settings, found.patch, len(found.strides), batch)
    assert needed <= MEMORY_SHARE * memory_gb * 1e9
    assert all(
        side % math.prod(steps) == 0
        for side, steps in zip(found.patch, zip(*found.strides, strict=True), strict=True)
    )


def test_more_memory_never_makes_the_patch_smaller():
    rooms = [room(grid((120, 300, 300), on_card=True, memory_gb=gb)[0]) for gb in (2, 4, 8, 16, 80)]
    assert rooms == sorted(rooms)
    assert rooms[0] < rooms[-1]
    assert rooms[-1] == room(grid((120, 300, 300), on_card=True)[0])


def test_learning_from_unlabelled_scans_leaves_less_room():
    plain, _ = grid((120, 300, 300), on_card=True, memory_gb=3)
    semi, _ = grid((120, 300, 300), on_card=True, memory_gb=3, model=ActionSettings)
    assert room(semi) < room(plain)


def test_hardly_any_memory_still_gives_a_patch():
    found, _ = grid((120, 300, 300), memory_gb=0.1)
    assert min(found.patch) >= 4
    assert room(found) <= 24**3


def test_a_patch_that_was_asked_for_stays():
    assert grid((120, 300, 300), memory_gb=0.1, patch="96x96x96")[0].patch == (96, 96, 96)


def test_time_changes_the_patch_on_a_processor_only():
    shape = (120, 300, 300)
    rooms = [room(grid(shape, minutes=minutes)[0]) for minutes in (1, 6, 60)]
    assert rooms == sorted(set(rooms))
    assert room(grid(shape)[0]) == rooms[1]
    assert grid(shape, minutes=1, on_card=True)[0] == grid(shape, on_card=True)[0]


def test_small_volumes_are_taken_whole_whatever_the_time():
    assert all(grid((35, 51, 35), minutes=m)[0].patch == (40, 56, 40) for m in (5, 6, 60))


def test_slices_get_a_batch_for_their_size():
    settings = SupervisedSettings()
    assert [choose_batch((side, side), settings) for side in (64, 128, 256, 512)] == [16, 16, 4, 4]
    assert choose_batch((40, 56, 40), settings) == 2
    assert choose_batch((40, 56, 40), SupervisedSettings(batch=3)) == 3
