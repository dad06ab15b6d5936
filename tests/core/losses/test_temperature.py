"""Schedules: their ends, their middle and their formula."""

import math

import pytest

from longtail.core.losses.temperature import adaptive_temperature, ramp_up


@pytest.mark.parametrize("least", [0.04, 0.1, 0.6, 1.0])
def test_warm_at_both_ends_and_coldest_half_way(least):
    assert adaptive_temperature(0, 1000, least) == pytest.approx(1.0, abs=1e-12)
    assert adaptive_temperature(500, 1000, least) == pytest.approx(least, abs=1e-12)
    assert adaptive_temperature(1000, 1000, least) == pytest.approx(1.0, abs=1e-12)


def test_the_same_on_both_sides_and_never_colder_than_least():
    values = [adaptive_temperature(step, 40, 0.1) for step in range(41)]
    assert values == pytest.approx(values[::-1])
    assert min(values) == pytest.approx(0.1)
    assert values[:21] == sorted(values[:21], reverse=True)
    assert values[10] == pytest.approx(0.55)


def test_a_run_of_no_known_length_starts_warm():
    assert adaptive_temperature(0, 0, 0.1) == 1.0


def test_ramp():
    assert ramp_up(0.0, 0.15) == pytest.approx(math.exp(-5))
    assert ramp_up(0.075, 0.15) == pytest.approx(math.exp(-5 * 0.25))
    assert ramp_up(0.15, 0.15) == 1.0
    assert ramp_up(0.9, 0.15) == 1.0
    assert ramp_up(-1.0) == ramp_up(0.0)


def test_without_a_ramp_it_counts_from_the_beginning():
    assert ramp_up(0.0, 0.0) == 1.0
