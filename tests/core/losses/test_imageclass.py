"""Losses on image-level classes against plain NumPy in double precision."""

import numpy as np
import pytest
import torch

from longtail.core.losses import imageclass as losses

COUNTS = np.array([480.0, 67.0, 18.0, 5.0])


def example(seed=0, batch=6):
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, 4)) * 2, random.integers(0, 4, batch)


def log_shares(logits):
    top = logits.max(1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))


def picked(logits, target):
    return log_shares(logits)[np.arange(len(target)), target]


def both(logits, target):
    return torch.tensor(logits, requires_grad=True), torch.tensor(target)


def test_cross_entropy():
    logits, target = example()
    found = losses.cross_entropy(*both(logits, target))
    np.testing.assert_allclose(found.detach().numpy(), -picked(logits, target), rtol=1e-12)


def test_balanced_softmax_adds_the_log_prior():
    logits, target = example()
    prior = COUNTS / COUNTS.sum()
    expected = -picked(logits + np.log(prior), target)
    found = losses.balanced_softmax(*both(logits, target), torch.tensor(prior))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10)


def test_balanced_softmax_asks_more_of_a_rare_class():
    equal = torch.zeros(2, 4, dtype=torch.float64)
    prior = torch.tensor(COUNTS / COUNTS.sum())
    common, rare = losses.balanced_softmax(equal, torch.tensor([0, 3]), prior)
    assert rare > common


def test_tau_zero_is_plain_cross_entropy():
    logits, target = both(*example())
    prior = torch.tensor(COUNTS / COUNTS.sum())
    adjusted = losses.balanced_softmax(logits, target, prior, tau=0.0)
    torch.testing.assert_close(adjusted, losses.cross_entropy(logits, target))


def test_focal():
    logits, target = example()
    log_share = picked(logits, target)
    expected = -((1 - np.exp(log_share)) ** 2) * log_share
    found = losses.focal_loss(*both(logits, target), gamma=2.0)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-10)


def test_focal_without_gamma_is_cross_entropy():
    logits, target = both(*example())
    torch.testing.assert_close(
        losses.focal_loss(logits, target, 0.0), losses.cross_entropy(logits, target)
    )


def test_ldam():
    random = np.random.default_rng(0)
    cosines, target = random.uniform(-1, 1, (6, 4)), random.integers(0, 4, 6)
    margins = COUNTS**-0.25
    margins = 0.5 * margins / margins.max()
    shifted = 30 * (cosines - margins * np.eye(4)[target])
    found = losses.ldam(*both(cosines, target), torch.tensor(margins), 30.0)
    np.testing.assert_allclose(found.detach().numpy(), -picked(shifted, target), rtol=1e-8)
    np.testing.assert_allclose(losses.ldam_margins(torch.tensor(COUNTS)), margins, rtol=1e-6)


def test_weights():
    found = losses.class_balanced_weights(torch.tensor(COUNTS), 0.99).numpy()
    raw = (1 - 0.99) / (1 - 0.99**COUNTS)
    np.testing.assert_allclose(found, raw * 4 / raw.sum(), rtol=1e-5)
    inverse = losses.inverse_weights(torch.tensor(COUNTS)).numpy()
    np.testing.assert_allclose(inverse, COUNTS.sum() / (4 * COUNTS), rtol=1e-6)


def test_a_class_without_examples_weighs_nothing():
    counts = torch.tensor([10.0, 0.0, 2.0])
    for weights in (losses.inverse_weights(counts), losses.class_balanced_weights(counts)):
        assert weights[1] == 0
        assert torch.isfinite(weights).all()
    assert torch.isfinite(losses.safe_log(counts / counts.sum())).all()


def test_shares_as_targets_equal_indices():
    logits, target = both(*example())
    soft = torch.nn.functional.one_hot(target, 4).double()
    margins = losses.ldam_margins(torch.tensor(COUNTS)).double()
    prior = torch.tensor(COUNTS / COUNTS.sum())
    for loss in (
        losses.cross_entropy,
        losses.focal_loss,
        lambda x, t: losses.ldam(x, t, margins),
        lambda x, t: losses.balanced_softmax(x, t, prior),
    ):
        torch.testing.assert_close(loss(logits, target), loss(logits, soft))


def several(seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(5, 3)) * 2, random.integers(-1, 2, (5, 3))


def test_binary_cross_entropy_masks_unknown():
    logits, target = several()
    share = 1 / (1 + np.exp(-logits))
    expected = -np.where(target == 1, np.log(share), np.log(1 - share)) * (target >= 0)
    found = losses.binary_cross_entropy(*both(logits, target))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9)


def test_focal_binary_cross_entropy():
    logits, target = several()
    share = 1 / (1 + np.exp(-logits))
    right = np.where(target == 1, share, 1 - share)
    expected = -((1 - right) ** 2) * np.log(right) * (target >= 0)
    found = losses.focal_binary_cross_entropy(*both(logits, target), gamma=2.0)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9)


def test_nothing_known_is_zero_and_finite():
    logits = torch.randn(2, 3, requires_grad=True)
    target = torch.full((2, 3), -1)
    loss = losses.known_mean(losses.focal_binary_cross_entropy(logits, target), target)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_positive_weights():
    found = losses.positive_weights(
        torch.tensor([10.0, 0.0, 1.0]), torch.tensor([30.0, 5.0, 999.0])
    )
    assert found.tolist() == [3.0, 1.0, 100.0]


@pytest.mark.parametrize(
    "loss",
    [
        losses.cross_entropy,
        losses.focal_loss,
        lambda x, t: losses.ldam(x / 10, t, losses.ldam_margins(torch.tensor(COUNTS)).double()),
        lambda x, t: losses.balanced_softmax(x, t, torch.tensor(COUNTS / COUNTS.sum())),
        lambda x, t: losses.weighted_cross_entropy(x, t, torch.tensor(COUNTS)),
    ],
)
def test_gradients_are_right(loss):
    logits, target = both(*example())
    assert torch.autograd.gradcheck(lambda x: loss(x, target), (logits,))


def test_several_label_gradients_are_right():
    logits, target = both(*several())
    for loss in (losses.binary_cross_entropy, losses.focal_binary_cross_entropy):
        assert torch.autograd.gradcheck(lambda x, loss=loss: loss(x, target), (logits,))
