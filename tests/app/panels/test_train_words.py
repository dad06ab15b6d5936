"""How numbers and times are told."""

import math

import pytest

from longtail.app.panels import train_words as words


@pytest.mark.parametrize(
    ("value", "told"),
    [(0.786, "0.79"), (1.0, "1.00"), (None, "\N{EN DASH}"), (math.nan, "\N{EN DASH}")],
)
def test_shares_have_two_digits(value, told):
    assert words.share(value) == told


def test_short_shares_drop_the_zero_but_keep_a_one():
    assert words.short_share(0.82) == ".82"
    assert words.short_share(1.0) == "1.00"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.12, "+0.12"),
        (-0.04, "\N{MINUS SIGN}0.04"),
        (0.0004, "0.00"),
        (-0.001, "0.00"),
        (None, ""),
    ],
)
def test_differences_carry_their_sign_unless_they_vanish(value, told):
    assert words.difference(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(131, "2:11"), (3731, "1:02:11"), (0, "0:00"), (None, ""), (-3, "")]
)
def test_clock(seconds, told):
    assert words.clock(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1, "1 second"),
        (40, "40 seconds"),
        (360, "6 minutes"),
        (4800, "80 minutes"),
        (7260, "2 h 01 min"),
    ],
)
def test_durations_are_what_a_person_says(seconds, told):
    assert words.duration(seconds) == told


def test_plurals_know_none_one_and_many():
    assert words.plural(0, "scan") == "no scans"
    assert words.plural(1, "class") == "1 class"
    assert words.plural(1712, "image") == "1,712 images"


def test_memory_never_tells_more_digits_than_it_means():
    assert words.memory(823_456_789) == "820 MB"
    assert words.memory(2_440_000_000) == "2.4 GB"


def test_a_run_is_told_by_its_number():
    assert words.run_number("run-003-supervised") == "run 3"
    assert words.run_number("imported") == "imported"
