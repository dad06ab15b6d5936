"""Timing the first steps, and then a fixed number."""

from longtail.core.training.budget import Budget


def count(budget, seconds, most=100):
    for done in range(1, most):
        if budget.count_step(seconds, done):
            return done
    raise AssertionError("the number of steps was never fixed")


def test_minutes_become_steps():
    budget = Budget(1.0, None)
    at = count(budget, 0.1)
    assert at == 3 + 30  # three that are slow for other reasons, then 5 % of the minute
    assert 590 <= budget.planned <= 600


def test_slow_first_steps_do_not_count():
    budget = Budget(1.0, None)
    for done in range(1, 4):
        budget.count_step(2.0, done)
    count(budget, 0.1)
    assert 530 <= budget.planned <= 560


def test_a_moment_s_load_does_not_decide_the_run():
    budget = Budget(1.0, None)
    for done in range(1, 20):
        budget.count_step(0.1, done)
    budget.count_step(1.0, 20)
    count(budget, 0.1)
    assert budget.planned >= 570


def test_long_budgets_are_not_timed_for_minutes():
    budget = Budget(120.0, None)
    assert count(budget, 1.0) <= 3 + 30


def test_a_step_may_be_longer_than_the_budget():
    budget = Budget(0.01, None)
    assert count(budget, 5.0) <= 3
    assert budget.planned >= 2
    assert budget.is_over


def test_validation_takes_its_part():
    plain, checked = Budget(1.0, None), Budget(1.0, None, validates=True)
    for budget in (plain, checked):
        count(budget, 0.1)
    assert 0.85 * plain.planned < checked.planned < plain.planned


def test_the_number_is_kept():
    budget = Budget(1.0, 50, seconds=30.0)
    assert not any(budget.count_step(0.5, done) for done in range(1, 60))
    assert budget.total == 50
    assert not budget.is_over
    budget.spend(10.0)
    assert budget.is_over


def test_steps_alone_have_no_clock():
    budget = Budget(None, 7, seconds=1e6)
    assert not budget.is_over
    assert budget.total == 7
