"""Learning rate and averaging as functions of the step."""

import pytest
import torch

from longtail.core.nets.averaging import average_share, follow
from longtail.core.training.schedule import learning_rate_share


def test_up_then_down():
    shares = [learning_rate_share(step, 400) for step in range(400)]
    assert shares[0] < 0.1
    assert max(shares) == pytest.approx(1.0)
    assert shares.index(max(shares)) <= 26
    assert shares[30:] == sorted(shares[30:], reverse=True)
    assert shares[-1] < 0.02


@pytest.mark.parametrize("total", [1, 2, 5])
def test_short_runs_learn_too(total):
    assert all(0 < learning_rate_share(step, total) <= 1 for step in range(total))


def test_the_average_starts_quickly():
    assert average_share(0, 0.99) == 0.1
    assert average_share(10_000, 0.99) == 0.99
    assert average_share(5, 0.0) == 0.0


def test_the_average_follows():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    average = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    before = average[0].weight.clone()
    network[1].running_mean += 3
    follow(average, network, 0.75)
    torch.testing.assert_close(average[0].weight, 0.75 * before + 0.25 * network[0].weight)
    assert torch.equal(average[1].running_mean, network[1].running_mean)
    follow(average, network, 0.0)
    assert torch.equal(average[0].weight, network[0].weight)
