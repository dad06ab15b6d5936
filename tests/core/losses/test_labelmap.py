"""Losses on label maps against plain loops in double precision."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses.labelmap import (
    batch_dice,
    class_overlap,
    dice_cross_entropy,
    labelled_mean,
    voxel_cross_entropy,
)


def example(seed=0, batch=2, classes=4, shape=(3, 4, 5)):
    random = np.random.default_rng(seed)
    logits = random.normal(size=(batch, classes, *shape))
    labels = random.integers(0, classes, size=(batch, *shape)).astype(np.uint8)
    labels[random.random(labels.shape) < 0.3] = 255
    return logits, labels


def shares_of(logits):
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def test_cross_entropy_equals_a_double_loop():
    logits, labels = example()
    shares, expected = shares_of(logits), np.zeros(labels.shape)
    for at in np.ndindex(labels.shape):
        if labels[at] != 255:
            expected[at] = -math.log(shares[(at[0], labels[at], *at[1:])])
    found = voxel_cross_entropy(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)


def test_weights_multiply_each_class():
    logits, labels = example()
    weight = torch.tensor([1.0, 2.0, 3.0, 0.5], dtype=torch.float64)
    plain = voxel_cross_entropy(torch.tensor(logits), torch.tensor(labels))
    weighted = voxel_cross_entropy(torch.tensor(logits), torch.tensor(labels), weight)
    factor = torch.cat([weight, torch.zeros(252, dtype=torch.float64)])[torch.tensor(labels).long()]
    torch.testing.assert_close(weighted, plain * factor)


def test_dice_equals_plain_sums_over_labelled_voxels():
    logits, labels = example()
    shares, known = shares_of(logits), labels != 255
    expected = []
    for number in range(logits.shape[1]):
        share, truth = shares[:, number][known], (labels == number)[known]
        expected.append(1 - 2 * (share * truth).sum() / (share.sum() + truth.sum()))
    found, present = batch_dice(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5)
    assert present.all()


def test_what_is_not_labelled_changes_nothing():
    logits, labels = example()
    other = logits.copy()
    other.transpose(0, 2, 3, 4, 1)[labels == 255] += 5.0
    first = dice_cross_entropy(torch.tensor(logits), torch.tensor(labels))
    second = dice_cross_entropy(torch.tensor(other), torch.tensor(labels))
    torch.testing.assert_close(first, second)


def test_no_gradient_reaches_what_is_not_labelled():
    logits, labels = example()
    leaf = torch.tensor(logits, requires_grad=True)
    sum(dice_cross_entropy(leaf, torch.tensor(labels))).backward()
    gradient = leaf.grad.movedim(1, -1)
    assert (gradient[torch.tensor(labels) == 255] == 0).all()
    assert (gradient[torch.tensor(labels) != 255] != 0).any()


def test_gradients_are_right():
    logits, labels = example(shape=(2, 3))
    leaf = torch.tensor(logits, requires_grad=True)
    target = torch.tensor(labels)

    def loss(values):
        return labelled_mean(voxel_cross_entropy(values, target), target)

    assert torch.autograd.gradcheck(loss, (leaf,))


def test_soft_dice_gradients_are_right(monkeypatch):
    logits, labels = example(shape=(2, 3))
    leaf = torch.tensor(logits, requires_grad=True)
    # The loss computes in single precision; the check needs double.
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    assert torch.autograd.gradcheck(lambda x: batch_dice(x, torch.tensor(labels))[0], (leaf,))


@pytest.mark.parametrize("value", [255, 0])
def test_a_batch_of_one_value_is_finite(value):
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    labels = torch.full((2, 4, 4), value, dtype=torch.uint8)
    entropy, dice = dice_cross_entropy(logits, labels)
    (entropy + dice).backward()
    assert math.isfinite(entropy)
    assert math.isfinite(dice)
    assert dice == 0
    assert torch.isfinite(logits.grad).all()
    assert (entropy == 0) == (value == 255)


def test_an_absent_class_is_left_out_of_the_mean():
    logits = torch.zeros(1, 3, 1, 4)
    logits[0, 1, 0, :2] = 20.0
    logits[0, 0, 0, 2:] = 20.0
    labels = torch.tensor([[[1, 1, 0, 0]]], dtype=torch.uint8)
    _, dice = dice_cross_entropy(logits, labels)
    assert float(dice) == pytest.approx(0.0, abs=1e-5)


def test_overlap_adds_up_to_the_labelled_voxels():
    logits, labels = example()
    inside, predicted, size = class_overlap(torch.tensor(logits), torch.tensor(labels))
    assert float(predicted.sum()) == pytest.approx(int((labels != 255).sum()), rel=1e-5)
    assert float(size.sum()) == int((labels != 255).sum())
    assert (inside <= torch.minimum(predicted, size) + 1e-5).all()
