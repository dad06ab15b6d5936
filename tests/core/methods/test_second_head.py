"""Classifiers of the second stage, folded into one linear layer."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from longtail.core.methods.second_head import (
    SecondHead,
    ShortenedHead,
    best_tau,
    copy_into,
    mean_recall,
    tau_normalised,
)

COUNTS = torch.tensor([20.0, 5.0, 2.0])
SHARES = np.array([20, 5, 2]) / 27


def first_head(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(6, 3)


def test_tau_zero_changes_nothing_and_one_gives_unit_rows():
    head = first_head()
    weight, bias = tau_normalised(head.weight, head.bias, 0.0)
    torch.testing.assert_close(weight, head.weight)
    torch.testing.assert_close(bias, head.bias)
    weight, _ = tau_normalised(head.weight, head.bias, 1.0)
    torch.testing.assert_close(weight.norm(dim=1), torch.ones(3))
    half, _ = tau_normalised(head.weight, head.bias, 0.5)
    torch.testing.assert_close(half.norm(dim=1), head.weight.norm(dim=1).sqrt())


def test_a_row_of_zeros_stays():
    weight, bias = tau_normalised(torch.zeros(2, 3), torch.zeros(2), 1.0)
    assert torch.isfinite(weight).all()
    assert torch.isfinite(bias).all()


@pytest.mark.parametrize("kind", ["lws", "marc"])
def test_these_start_where_the_first_ended(kind):
    first = first_head()
    features = torch.randn(4, 6)
    torch.testing.assert_close(SecondHead(kind, first)(features), first(features))


@pytest.mark.parametrize("kind", ["crt", "balanced-softmax"])
def test_these_start_anew(kind):
    first = first_head()
    assert not torch.equal(SecondHead(kind, first).folded()[0], first.weight)


def test_marc_folds_as_its_formula_says():
    first = first_head()
    head = SecondHead("marc", first)
    with torch.no_grad():
        head.scale.copy_(torch.tensor([0.5, 1.0, 2.0]))
        head.shift.copy_(torch.tensor([0.1, -0.2, 0.3]))
    features = torch.randn(5, 6)
    z, lengths = first(features), first.weight.norm(dim=1)
    torch.testing.assert_close(head(features), head.scale * z + head.shift * lengths)


@pytest.mark.parametrize("kind", ["crt", "lws", "balanced-softmax", "marc"])
def test_losses_are_those_of_the_folded_layer(kind):
    head = SecondHead(kind, first_head())
    features, target = torch.randn(5, 6), torch.tensor([0, 1, 2, 0, 0])
    logits = functional.linear(features, *head.folded())
    shares = torch.tensor(SHARES, dtype=torch.float32)
    if kind == "balanced-softmax":
        expected = functional.cross_entropy(logits + shares.log(), target, reduction="none")
    elif kind == "marc":
        weight = COUNTS**-1.2
        weight = weight * 3 / weight.sum()
        expected = functional.cross_entropy(logits, target, weight, reduction="none")
    else:
        expected = functional.cross_entropy(logits, target, reduction="none")
    found = head.losses(features, target, COUNTS, shares)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    found.mean().backward()
    learned = {name for name, p in head.named_parameters() if p.grad is not None}
    wanted = {"lws": {"scale"}, "marc": {"scale", "shift"}}.get(kind, {"weight", "bias"})
    assert learned == wanted


def test_what_they_take_for_granted():
    for kind in ("crt", "lws", "balanced-softmax"):
        np.testing.assert_allclose(SecondHead(kind, first_head()).prior(COUNTS, SHARES), 1 / 3)
    marc = SecondHead("marc", first_head()).prior(COUNTS, SHARES)
    expected = np.array([20, 5, 2]) ** -0.2
    np.testing.assert_allclose(marc, expected / expected.sum(), rtol=1e-5)


def test_tau_is_chosen_by_mean_recall():
    # Class 0 has a long row and wins everywhere until rows have one length.
    weight, bias = torch.tensor([[20.0, 0.0], [0.0, 1.0]]), torch.zeros(2)
    features = torch.tensor([[1.0, 0.0], [0.3, 1.0], [0.2, 1.0]])
    targets = torch.tensor([0, 1, 1])
    tau = best_tau(weight, bias, features, targets)
    answers = functional.linear(features, *tau_normalised(weight, bias, tau)).argmax(1)
    assert answers.tolist() == [0, 1, 1]
    assert 0 < tau < 1
    assert mean_recall(torch.tensor([0, 0, 1]), targets) == pytest.approx(0.75)


def test_a_shortened_head_leaves_the_plain_one():
    head = first_head()
    shortened = ShortenedHead(head, 1.0)
    written = first_head(1)
    shortened.follow(head, 5, 0.9)
    shortened.write_to(written)
    torch.testing.assert_close(written.weight.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(shortened.plain.weight, head.weight)


def test_copying_into_a_head():
    head = first_head()
    copy_into(head, torch.ones(3, 6), torch.zeros(3))
    assert head.weight.sum() == 18
    assert head.weight.requires_grad
