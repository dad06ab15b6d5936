"""When a class is being lost: made curves, with and without noise."""

import math

import numpy as np
import pytest

from longtail.core.training.losing import (
    Finding,
    find_lost,
    find_never,
    find_share,
    find_unseen,
    is_over,
    noise,
    smoothed,
)

TOTAL = 1000
FALLING = np.column_stack([np.arange(10, 1001, 10), np.linspace(2, 0.5, 100)])


def series(values, until=TOTAL):
    """Values at even distances up to step `until`."""
    return np.column_stack([np.linspace(until / len(values), until, len(values)), values])


def curve(shape, count, sd=0.0, seed=0, until=TOTAL):
    """A course over the share of the run so far, with noise."""
    at = np.linspace(1 / count, 1, count)
    values = np.array([shape(share) for share in at])
    values = values + np.random.default_rng(seed).normal(0, sd, count)
    return series(np.clip(values, 0, 1), until)


def rising(share):
    return 0.8 * (1 - np.exp(-5 * share))


def collapsing(share):
    return 0.7 if share < 0.5 else 0.7 * max(0.1, 1 - 10 * (share - 0.5))


def anywhen(found, whole):
    """Ask the rule at every length that the series has had."""
    return [found(whole[:length]) for length in range(1, len(whole) + 1)]


def test_short_series_are_not_smoothed_and_long_ones_are():
    short = series([0.1, 0.9, 0.2, 0.4])
    np.testing.assert_array_equal(smoothed(short), short)
    long = series(np.arange(32.0))
    width = 4  # an eighth of 32
    wanted = [np.arange(32.0)[max(0, n - width + 1) : n + 1].mean() for n in range(32)]
    np.testing.assert_allclose(smoothed(long)[:, 1], wanted)


def test_noise_is_that_around_the_course():
    random = np.random.default_rng(0)
    values = np.linspace(0, 5, 2000) + random.normal(0, 0.2, 2000)
    assert noise(series(values)) == pytest.approx(0.2, rel=0.1)
    assert noise(series([0.8, 0.8, 0.1, 0.1, 0.1])) < 0.01


@pytest.mark.parametrize("count", [12, 20, 200])
@pytest.mark.parametrize("sd", [0.0, 0.03])
def test_a_fallen_class_is_found_once_it_stayed_down(count, sd):
    whole = curve(collapsing, count, sd)
    findings = anywhen(lambda part: find_lost(part, FALLING, TOTAL), whole)
    first = next(at for at, found in enumerate(findings) if found)
    assert whole[first, 0] > 600
    found = findings[-1]
    assert found.kind == "lost"
    assert found.then == pytest.approx(0.7, abs=0.1)
    assert found.now < 0.2
    assert found.then_step <= 560


def test_six_values_of_cases_that_sat_out_are_enough():
    found = find_lost(series([0.6, 0.7, 0.1, 0.15, 0.05, 0.1], 700), FALLING, TOTAL)
    assert found.now == pytest.approx(0.1)
    assert found.then == pytest.approx(0.7)
    assert find_lost(series([0.6, 0.7, 0.1, 0.15], 400), FALLING, TOTAL) is None


@pytest.mark.parametrize("count", [6, 12, 20, 100])
@pytest.mark.parametrize("level", [0.2, 0.5, 0.8])
def test_noise_alone_is_no_loss(count, level):
    alarms = 0
    for seed in range(12):
        whole = curve(lambda share: level, count, 0.1 * level + 0.02, seed)
        alarms += any(anywhen(lambda part: find_lost(part, FALLING, TOTAL), whole))
    assert alarms == 0


@pytest.mark.parametrize("seed", range(5))
def test_a_rising_noisy_class_is_not_lost(seed):
    whole = curve(rising, 80, 0.1, seed)
    assert not any(anywhen(lambda part: find_lost(part, FALLING, TOTAL), whole))
    others = [0.8]
    assert not any(anywhen(lambda part: find_never(part, others, TOTAL), whole))


def test_a_running_ratio_of_few_cases_must_fall_far_and_stay_down_long():
    whole = curve(collapsing, 100)
    assert find_lost(whole, FALLING, TOTAL, chance=0.1)
    assert find_lost(whole, FALLING, TOTAL, chance=0.3) is None
    assert find_lost(whole, FALLING, TOTAL, memory=300)
    assert find_lost(whole, FALLING, TOTAL, memory=480) is None
    never = curve(lambda share: 0.0, 50, until=300)
    assert find_never(never, [0.8], TOTAL, memory=200)
    assert find_never(never, [0.8], TOTAL, memory=400) is None


def test_what_an_untrained_network_gets_right_is_not_lost():
    lucky = curve(lambda share: 0.9 if share < 0.08 else 0.4, 100)
    assert not any(anywhen(lambda part: find_lost(part, FALLING, TOTAL), lucky))
    slow = curve(lambda share: 0.9 if share < 0.18 else 0.4, 100)
    assert any(anywhen(lambda part: find_lost(part, FALLING, TOTAL), slow))
    few = {"memory": 200}
    assert not any(anywhen(lambda part: find_lost(part, FALLING, TOTAL, **few), slow))


def test_a_dip_that_passes_is_no_loss():
    def dip(share):
        return 0.1 if 0.5 < share < 0.6 else 0.7

    whole = curve(dip, 50)
    assert not any(anywhen(lambda part: find_lost(part, FALLING, TOTAL), whole))


def test_nothing_is_said_in_the_first_fifth():
    early = curve(collapsing, 40, until=190)
    assert find_lost(early, FALLING, TOTAL) is None
    assert find_lost(curve(collapsing, 40, until=300), FALLING, TOTAL) is not None


def test_when_the_loss_rises_too_it_is_not_about_one_class():
    rising_loss = FALLING * [1, -1] + [0, 3]
    assert find_lost(curve(collapsing, 40), rising_loss, TOTAL) is None
    assert find_lost(curve(collapsing, 40), np.empty((0, 2)), TOTAL) is None


def test_a_class_at_zero_is_found_when_the_others_are_learned():
    never = curve(lambda share: 0.01, 30)
    found = find_never(never, [0.8, math.nan, 0.78], TOTAL)
    assert found.kind == "never"
    assert found.now == pytest.approx(0.01)
    assert found.then == pytest.approx(0.79)
    assert find_never(never, [0.2], TOTAL) is None
    assert find_never(never, [], TOTAL) is None
    assert find_never(curve(lambda share: 0.01, 30, until=290), [0.8], TOTAL) is None


def test_a_late_class_is_given_its_time():
    late = curve(lambda share: 0.5 * max(0, share - 0.25), 100)
    findings = anywhen(lambda part: find_never(part, [0.8], TOTAL), late)
    assert not any(findings[34:])


def test_a_class_that_was_never_shown_is_found():
    nothing = np.empty((0, 2))
    assert find_unseen(nothing, 299, TOTAL) is None
    assert find_unseen(nothing, 300, TOTAL) == Finding("unseen", 0.0, 0.0)
    assert find_unseen(series([0.1]), 900, TOTAL) is None


def test_a_predicted_share_tenfold_off_is_found():
    fits = (0.02, 0.02)
    rare = find_share(series([0.0005] * 20), 0.01, [fits], TOTAL)
    assert (rare.kind, rare.then) == ("rare", 0.01)
    assert rare.now == pytest.approx(0.0005)
    common = find_share(series([0.2] * 20), 0.01, [fits], TOTAL)
    assert common.kind == "common"
    for share in (0.002, 0.01, 0.09):
        assert find_share(series([share] * 20), 0.01, [fits], TOTAL) is None
    assert find_share(series([0.0005] * 20, 250), 0.01, [fits], TOTAL) is None
    assert find_share(series([0.0005] * 20), 0.0, [fits], TOTAL) is None


def test_a_share_that_comes_right_by_itself_is_left_alone():
    fits = (0.02, 0.02)
    falling = series(0.4 * 0.95 ** np.arange(40.0))
    rising_share = series(0.0001 * 1.05 ** np.arange(40.0))
    assert find_share(falling, 0.005, [fits], TOTAL) is None
    assert find_share(rising_share, 0.01, [fits], TOTAL) is None
    assert find_share(falling, 0.02, [fits], TOTAL) is None


def test_where_no_class_is_predicted_it_is_not_about_one():
    nothing = (0.0, 0.02)
    assert find_share(series([0.0] * 20), 0.01, [nothing], TOTAL) is None
    assert find_share(series([0.0] * 20), 0.01, [], TOTAL).kind == "rare"


def test_a_class_recovers():
    lost = Finding("lost", 0.1, 0.6, 300)
    assert is_over(lost, series([0.6, 0.1, 0.1, 0.55, 0.55, 0.56]))
    assert not is_over(lost, series([0.6, 0.1, 0.1, 0.42, 0.42, 0.42]))
    assert is_over(Finding("never", 0.0, 0.6), series([0.0, 0.2, 0.3, 0.4]))
    assert not is_over(Finding("never", 0.0, 0.6), series([0.0, 0.0, 0.3, 0.4]))
    assert is_over(Finding("rare", 0.0, 0.01), series([0.0, 0.005, 0.005, 0.006]))
    assert not is_over(Finding("rare", 0.0, 0.01), series([0.0, 0.001, 0.001]))
    assert not is_over(lost, np.empty((0, 2)))
