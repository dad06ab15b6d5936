"""A few steps in a hundred are looked at for the time that the system takes."""

import os

import pytest

from longtail.core.backend import clearing
from longtail.core.backend.clearing import (
    LOOKED_AT_EVERY,
    STEPS_LEFT_OUT,
    STEPS_LOOKED_AT,
    ClearingWatch,
)


@pytest.fixture
def clock(monkeypatch):
    """Processor time as the test sets it, and what the C library was told."""
    spent = {"user": 0.0, "system": 0.0, "told": []}
    monkeypatch.setattr(
        clearing.os, "times", lambda: os.times_result((spent["user"], spent["system"], 0, 0, 0))
    )
    monkeypatch.setattr(clearing, "keep_blocks", lambda *, kept: spent["told"].append(kept))
    return spent


def take(watch, clock, steps, system):
    for _ in range(steps):
        with watch.over():
            clock["user"] += 1.0
            clock["system"] += system


def test_blocks_are_kept_where_the_system_clears_them_for_long(clock) -> None:
    watch = ClearingWatch()
    take(watch, clock, STEPS_LEFT_OUT, 5.0)  # memory that must be had in any case
    take(watch, clock, STEPS_LOOKED_AT - 1, 0.3)
    assert clock["told"] == [False]
    take(watch, clock, 1, 0.3)
    assert clock["told"] == [False, True]
    take(watch, clock, 2 * LOOKED_AT_EVERY, 0.0)
    assert clock["told"] == [False, True]
    ClearingWatch()
    assert clock["told"] == [False, True, False]


def test_steps_that_grow_later_are_seen(clock) -> None:
    watch = ClearingWatch()
    take(watch, clock, STEPS_LEFT_OUT + LOOKED_AT_EVERY, 0.05)
    assert not watch.kept
    take(watch, clock, STEPS_LOOKED_AT, 0.3)
    assert watch.kept
