"""The queue of earlier features: the oldest go first, and it survives a resume."""

import pytest
import torch

from longtail.core.errors import LongtailError
from longtail.core.methods.feature_queue import FeatureQueue


def numbered(first, count, width=3):
    """Features and classes that say when they came."""
    number = torch.arange(first, first + count)
    return number.float().unsqueeze(1).expand(count, width), number


def kept(queue):
    return sorted(queue.classes.tolist())


def test_the_oldest_go_first():
    queue, everything = FeatureQueue(10, 3), []
    for first, count in [(0, 4), (4, 3), (7, 5), (12, 1), (13, 10), (23, 0), (23, 6)]:
        queue.put(*numbered(first, count))
        everything += range(first, first + count)
        assert kept(queue) == everything[-10:]
        assert torch.equal(queue.features[:, 0].long(), queue.classes)


def test_more_than_fit_keeps_the_newest():
    queue = FeatureQueue(4, 3)
    queue.put(*numbered(0, 3))
    queue.put(*numbered(3, 11))
    assert kept(queue) == [10, 11, 12, 13]
    queue.put(*numbered(14, 2))
    assert kept(queue) == [12, 13, 14, 15]


def test_an_empty_queue_has_empty_tensors():
    queue = FeatureQueue(4, 3)
    assert queue.features.shape == (0, 3)
    assert queue.classes.shape == (0,)
    assert len(queue) == 0


def test_a_queue_of_no_size_keeps_nothing():
    queue = FeatureQueue(0, 3)
    queue.put(*numbered(0, 5))
    assert queue.features.shape == (0, 3)


def test_features_are_copies_without_a_gradient():
    queue = FeatureQueue(4, 3)
    features = torch.ones(2, 3, requires_grad=True)
    queue.put(features, torch.tensor([1, 2], dtype=torch.uint8))
    assert not queue.features.requires_grad
    with torch.no_grad():
        features.zero_()
    assert (queue.features == 1).all()


@pytest.mark.parametrize("before", [3, 9])
def test_a_resumed_queue_goes_on_as_the_first_would(before):
    first, second = FeatureQueue(6, 3), FeatureQueue(6, 3)
    first.put(*numbered(0, before))
    state = first.state()
    first.put(*numbered(before, 2))
    second.load_state(state)
    assert kept(second) == list(range(before))[-6:]
    second.put(*numbered(before, 2))
    assert torch.equal(first.features, second.features)
    assert torch.equal(first.classes, second.classes)


def test_the_state_is_plain_tensors():
    assert all(isinstance(value, torch.Tensor) for value in FeatureQueue(4, 3).state().values())


@pytest.mark.parametrize("change", ["size", "width", "next", "filled"])
def test_the_state_of_another_queue_is_refused(change):
    state = FeatureQueue(4, 3).state()
    if change in ("size", "width"):
        state = FeatureQueue(5 if change == "size" else 4, 2).state()
    else:
        state[change] = torch.tensor(99)
    with pytest.raises(LongtailError):
        FeatureQueue(4, 3).load_state(state)
