"""Losses of `radiomic-contrast`, against plain loops in double precision."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses.balance import balancing_scale, gradient_norm
from longtail.core.losses.radiomic_contrast import (
    paired_contrast,
    published_focal,
)


def cosine(first, second):
    return first @ second / (np.linalg.norm(first) * np.linalg.norm(second))


def nt_xent(first, second, temperature):
    """The published formula, term by term."""
    items = [*first, *second]
    count = len(first)
    losses = []
    for k, item in enumerate(items):
        partner = (k + count) % (2 * count)
        own = math.exp(cosine(item, items[partner]) / temperature)
        others = sum(
            math.exp(cosine(item, other) / temperature)
            for m, other in enumerate(items)
            if m not in (k, partner)
        )
        losses.append(-math.log(own / (own + others)))
    return losses


@pytest.mark.parametrize(("pairs", "temperature"), [(2, 0.5), (7, 0.5), (5, 0.07)])
def test_pairs_equal_the_published_formula(pairs, temperature):
    random = np.random.default_rng(pairs)
    first, second = random.normal(size=(2, pairs, 6)) * random.uniform(0.1, 9, (2, pairs, 1))
    found = paired_contrast(torch.tensor(first), torch.tensor(second), temperature)
    np.testing.assert_allclose(found, nt_xent(first, second, temperature), atol=1e-10)


def test_gradients_of_pairs_equal_finite_differences():
    random = np.random.default_rng(0)
    first, second = (torch.tensor(random.normal(size=(4, 5)), requires_grad=True) for _ in "ab")
    assert torch.autograd.gradcheck(lambda *given: paired_contrast(*given), (first, second))


@pytest.mark.parametrize("pairs", [0, 1])
def test_one_pair_and_none_have_nothing_to_tell_apart(pairs):
    first, second = (torch.ones(pairs, 4, requires_grad=True) for _ in "ab")
    losses = paired_contrast(first, second)
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([0.0] * 2 * pairs, abs=1e-6)
    assert torch.equal(first.grad, torch.zeros(pairs, 4))


def test_equal_and_empty_vectors_are_finite():
    first = torch.cat([torch.zeros(2, 4), torch.ones(2, 4)]).requires_grad_()
    losses = paired_contrast(first, torch.ones(4, 4))
    losses.sum().backward()
    assert losses.isfinite().all()
    assert first.grad.isfinite().all()


def test_pairs_are_computed_in_full_precision():
    first, second = torch.randn(2, 6, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = paired_contrast(first, second)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, paired_contrast(first.float(), second.float()))


def focal(logit, answer, alpha, gamma):
    share = 1 / (1 + math.exp(-logit))
    right, weight = (share, alpha) if answer else (1 - share, 1 - alpha)
    return -weight * (1 - right) ** gamma * math.log(right)


def test_the_focal_loss_equals_the_published_formula():
    random = np.random.default_rng(0)
    logits, target = random.normal(size=(5, 3)) * 3, random.integers(-1, 2, (5, 3))
    found = published_focal(torch.tensor(logits), torch.tensor(target))
    for row, column in np.ndindex(5, 3):
        answer = target[row, column]
        expected = 0.0 if answer < 0 else focal(logits[row, column], answer, 0.25, 2.0)
        assert float(found[row, column]) == pytest.approx(expected, abs=1e-10)


def test_gradients_of_the_focal_loss_equal_finite_differences():
    logits = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    target = torch.tensor([[1, 0, -1], [0, 1, 1], [-1, -1, -1], [0, 0, 1]])
    assert torch.autograd.gradcheck(lambda given: published_focal(given, target), (logits,))


def test_the_focal_loss_is_finite_where_it_is_certain():
    logits = torch.tensor([[200.0, -200.0]], requires_grad=True)
    losses = published_focal(logits, torch.tensor([[0, 1]]))
    losses.sum().backward()
    assert losses.isfinite().all()
    assert logits.grad.isfinite().all()


def test_gradients_are_measured_and_left_alone():
    weight, other = torch.tensor([3.0, 4.0], requires_grad=True), torch.ones(2, requires_grad=True)
    loss = (2 * weight).sum() + other.sum()
    assert gradient_norm(loss, [weight]) == pytest.approx(2 * math.sqrt(2))
    assert gradient_norm(loss, [weight, other]) == pytest.approx(math.sqrt(10))
    assert gradient_norm(loss, [torch.ones(1, requires_grad=True)]) == 0
    assert gradient_norm(torch.tensor(1.0), [weight]) == 0
    assert weight.grad is None
    loss.backward()
    assert weight.grad.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [(4.0, 2.0, 1.0), (1.0, 10.0, 0.05), (4.0, 0.0, 5.0), (0.0, 3.0, 0.0), (100.0, 1.0, 5.0)],
)
def test_the_scale_brings_one_gradient_to_a_share_of_the_other(ours, theirs, expected):
    assert balancing_scale(ours, theirs, 0.5, 5.0) == pytest.approx(expected)
