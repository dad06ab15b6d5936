"""Losses for long tails against plain loops in double precision."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses import imageclass, long_tail

YES, KNOWN = np.array([300.0, 40.0, 6.0]), np.array([400.0, 390.0, 400.0])


def several(seed=0, batch=6):
    random = np.random.default_rng(seed)
    return random.normal(size=(batch, 3)) * 2, random.integers(-1, 2, (batch, 3))


def both(logits, target):
    return torch.tensor(logits, requires_grad=True), torch.tensor(target)


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


# Asymmetric -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gamma_yes", "gamma_no", "margin"), [(0, 4, 0.05), (1, 2, 0), (2, 0, 0.3)]
)
def test_asymmetric_equals_a_loop(gamma_yes, gamma_no, margin):
    logits, target = several()
    expected = np.zeros(logits.shape)
    for at in np.ndindex(logits.shape):
        share = sigmoid(logits[at])
        if target[at] == 1:
            expected[at] = -((1 - share) ** gamma_yes) * math.log(share)
        elif target[at] == 0:
            shifted = max(share - margin, 0)
            expected[at] = -(shifted**gamma_no) * math.log(1 - shifted)
    found = long_tail.asymmetric_loss(*both(logits, target), gamma_yes, gamma_no, margin)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-7, atol=1e-14)


def test_asymmetric_without_its_parts_is_binary_cross_entropy():
    logits, target = both(*several())
    found = long_tail.asymmetric_loss(logits, target, 0.0, 0.0, 0.0)
    torch.testing.assert_close(found, imageclass.binary_cross_entropy(logits, target))


def test_a_certain_no_costs_nothing_and_a_certain_yes_something():
    logits = torch.full((1, 2), math.log(0.04 / 0.96))
    no, yes = long_tail.asymmetric_loss(logits, torch.tensor([[0, 1]]))[0]
    assert no == 0
    assert yes == pytest.approx(-math.log(0.04), rel=1e-5)


# Distribution-balanced ------------------------------------------------------------------------


def balanced_by_loop(logits, target, gamma, tolerance=2.0, shift=0.05):
    result = np.zeros(logits.shape)
    for image, number in np.ndindex(logits.shape):
        answer = target[image, number]
        if answer < 0:
            continue
        drawn = sum(1 / YES[c] for c in range(3) if target[image, c] == 1)
        ratio = 1 / YES[number] / drawn if drawn else math.inf
        weight = 0.1 + (sigmoid(10 * (ratio - 0.2)) if drawn else 1.0)
        share = YES[number] / KNOWN[number]
        moved = logits[image, number] - shift * math.log(1 / share - 1)
        plain = math.log1p(math.exp(-moved if answer else tolerance * moved))
        focal = (1 - math.exp(-plain)) ** gamma
        result[image, number] = weight * plain * focal / (1 if answer else tolerance)
    return result


@pytest.mark.parametrize("gamma", [0.0, 2.0])
def test_distribution_balanced_equals_a_loop(gamma):
    logits, target = several()
    target[0] = [0, 0, -1]
    found = long_tail.distribution_balanced_loss(
        *both(logits, target), torch.tensor(YES), torch.tensor(KNOWN), gamma
    )
    np.testing.assert_allclose(
        found.detach().numpy(), balanced_by_loop(logits, target, gamma), rtol=1e-5, atol=1e-12
    )


def test_an_image_drawn_for_a_rare_class_teaches_the_common_one_less():
    positive = torch.tensor([[True, False, True]])
    common, _, rare = long_tail.rebalanced_weights(positive, torch.tensor(YES))[0]
    assert rare > 1.0
    assert common < 0.3


def test_unlikely_counts_stay_finite():
    logits, target = both(*several())
    yes, known = torch.tensor([0.0, 5.0, 5.0]), torch.tensor([0.0, 5.0, 9.0])
    losses = long_tail.distribution_balanced_loss(logits, target, yes, known)
    losses.sum().backward()
    assert torch.isfinite(losses).all()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("size", [0.0, 1e3])
def test_far_logits_and_unknown_answers_are_finite(size):
    for loss in (
        long_tail.asymmetric_loss,
        lambda x, t: long_tail.asymmetric_loss(x, t, 0.5, 0.5, 0.05),
        lambda x, t: long_tail.asymmetric_loss(x, t, 1.0, 1.0, 0.0),
        lambda x, t: long_tail.distribution_balanced_loss(
            x, t, torch.tensor(YES), torch.tensor(KNOWN)
        ),
    ):
        logits = (torch.tensor([[1.0, -1.0, 1.0]] * 3) * size).requires_grad_()
        target = torch.tensor([[0] * 3, [1] * 3, [-1] * 3])
        losses = loss(logits, target)
        losses.sum().backward()
        assert torch.isfinite(losses).all()
        assert torch.isfinite(logits.grad).all()
        assert (losses[2] == 0).all()
        assert (logits.grad[2] == 0).all()


def test_several_class_gradients_are_right():
    logits, target = both(*several())
    yes, known = torch.tensor(YES), torch.tensor(KNOWN)
    assert torch.autograd.gradcheck(lambda x: long_tail.asymmetric_loss(x, target), (logits,))
    assert torch.autograd.gradcheck(
        lambda x: long_tail.distribution_balanced_loss(x, target, yes, known), (logits,)
    )


# Balanced contrast ----------------------------------------------------------------------------


def cosine(first, second):
    return first @ second / (np.linalg.norm(first) * np.linalg.norm(second))


def contrast_example(seed=0, count=8, classes=(0, 0, 0, 1, 2)):
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(count, 5)),
        random.choice(classes, count),
        random.normal(size=(4, 5)),
    )


def contrast_by_loop(features, classes, centres, temperature):
    everything = [*zip(features, classes, strict=True), *zip(centres, range(4), strict=True)]
    result = []
    for row, (feature, own) in enumerate(zip(features, classes, strict=True)):
        others = [entry for number, entry in enumerate(everything) if number != row]
        whole = 0.0
        for label in range(4):
            raised = [
                math.exp(cosine(feature, other) / temperature)
                for other, number in others
                if number == label
            ]
            whole += np.mean(raised)
        near = [
            math.log(math.exp(cosine(feature, other) / temperature) / whole)
            for other, number in others
            if number == own
        ]
        result.append(-np.mean(near))
    return np.array(result)


@pytest.mark.parametrize("count", [1, 8])
def test_balanced_contrast_equals_a_loop(count):
    given = contrast_example(count=count)
    found = long_tail.balanced_contrast(*(torch.tensor(x) for x in given), 0.2)
    np.testing.assert_allclose(found.numpy(), contrast_by_loop(*given, 0.2), rtol=1e-9)


def test_balanced_contrast_gradients_are_right():
    features, classes, centres = (torch.tensor(x) for x in contrast_example())
    features.requires_grad_()
    centres.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, y: long_tail.balanced_contrast(x, classes, y, 0.3), (features, centres)
    )


def test_balanced_contrast_of_one_class_and_of_nothing_is_finite():
    for count in (5, 0):
        features, classes, centres = (
            torch.tensor(x) for x in contrast_example(count=count, classes=(1,))
        )
        features.requires_grad_()
        loss = long_tail.balanced_contrast(features, classes, centres).sum()
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(features.grad).all()


# Margin calibration ---------------------------------------------------------------------------


def test_margin_calibration_equals_a_loop():
    random = np.random.default_rng(0)
    logits, target = random.normal(size=(5, 3)), random.integers(0, 3, 5)
    norms, scale, shift = (random.uniform(0.5, 2, 3) for _ in range(3))
    raw = YES**-1.2
    weight, expected = raw * 3 / raw.sum(), []
    for row, label in zip(logits, target, strict=True):
        raised = np.exp(scale * row + shift * norms)
        expected.append(-weight[label] * math.log(raised[label] / raised.sum()))
    given = [torch.tensor(x) for x in (logits, target, norms, scale, shift, YES)]
    np.testing.assert_allclose(long_tail.margin_calibration(*given), expected, rtol=1e-6)
    given[3].requires_grad_()
    given[4].requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, b: long_tail.margin_calibration(*given[:3], a, b, given[5]),
        (given[3], given[4]),
    )


def test_calibration_begins_with_the_logits_as_they_are():
    logits, norms = torch.randn(4, 3), torch.rand(3)
    same = long_tail.calibrated_margins(logits, norms, torch.ones(3), torch.zeros(3))
    assert torch.equal(same, logits)


def test_a_class_without_examples_has_no_weight():
    weights = long_tail.rarity_weights(torch.tensor([10.0, 0.0, 2.0]))
    assert weights[1] == 0
    assert float(weights.sum()) == pytest.approx(3.0)
