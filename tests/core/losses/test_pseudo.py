"""Learning from a teacher's predictions, against plain loops in double precision."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses.pseudo import (
    aligned,
    confident_share,
    pseudo_dice_loss,
    pseudo_label_loss,
    running_confidence,
    share_factors,
    soft_consistency,
)

NAN = math.nan


def shares_of(logits):
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def example(seed=0, shape=(2, 3, 4), classes=3):
    """Logits, predicted classes, confidences and which pixels count."""
    random = np.random.default_rng(seed)
    batch, *space = shape
    logits = random.normal(size=(batch, classes, *space))
    pseudo = random.integers(0, classes, shape)
    return logits, pseudo, random.uniform(0.9, 1.0, shape), random.random(shape) < 0.7


def tensors(*arrays):
    return [torch.tensor(array) for array in arrays]


def loss_by_loop(logits, pseudo, confidence, valid, least, weight):
    shares, total = shares_of(logits), 0.0
    for image in range(len(logits)):
        sure = sum(c >= 0.97 for c in confidence[image][valid[image]]) / valid[image].sum()
        for at in zip(*valid[image].nonzero(), strict=True):
            label = pseudo[(image, *at)]
            if math.isnan(least[label]) or confidence[(image, *at)] > least[label]:
                total -= sure * weight[label] * math.log(shares[(image, label, *at)])
    return total / valid.sum()


@pytest.mark.parametrize("shape", [(2, 3, 4), (3, 2, 3, 2)])
def test_loss_equals_a_loop(shape):
    logits, pseudo, confidence, valid = example(shape=shape)
    least, weight = np.array([NAN, 0.95, 0.92]), np.array([1.0, 2.0, 0.5])
    expected = loss_by_loop(logits, pseudo, confidence, valid, least, weight)
    given = tensors(logits, pseudo, confidence, valid)
    found = pseudo_label_loss(*given, 0.97, *tensors(least, weight))
    assert float(found) == pytest.approx(expected, rel=1e-9)
    single = [given[0].float(), given[1], given[2].float(), given[3]]
    barred = [part.float() for part in tensors(least, weight)]
    assert float(pseudo_label_loss(*single, 0.97, *barred)) == pytest.approx(expected, rel=1e-5)


def test_without_bars_and_weights_every_valid_pixel_counts_alike():
    logits, pseudo, confidence, valid = example()
    expected = loss_by_loop(logits, pseudo, confidence, valid, [NAN] * 3, [1.0] * 3)
    given = tensors(logits, pseudo, confidence, valid)
    assert float(pseudo_label_loss(*given)) == pytest.approx(expected, rel=1e-9)
    none = torch.full((3,), NAN)
    torch.testing.assert_close(pseudo_label_loss(*given, least=none), pseudo_label_loss(*given))


def test_gradients_are_right():
    logits, *others = tensors(*example())
    least = torch.tensor([NAN, 0.95, 0.92])
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pseudo_label_loss(x, *others, least=least), (logits,))


def test_no_gradient_reaches_pixels_that_do_not_count():
    logits, pseudo, confidence, valid = tensors(*example())
    pseudo[~valid] = 255
    logits.requires_grad_()
    pseudo_label_loss(logits, pseudo, confidence, valid).backward()
    gradient = logits.grad.movedim(1, -1)
    assert (gradient[~valid] == 0).all()
    assert (gradient[valid] != 0).any()


@pytest.mark.parametrize("case", ["no valid pixel", "no confident pixel", "one class"])
def test_degenerate_batches_are_finite(case):
    logits, pseudo, confidence, valid = tensors(*example())
    logits.requires_grad_()
    if case == "no valid pixel":
        valid = torch.zeros_like(valid)
    elif case == "no confident pixel":
        confidence = torch.full_like(confidence, 0.5)
    else:
        pseudo = torch.ones_like(pseudo)
    loss = pseudo_label_loss(logits, pseudo, confidence, valid)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()
    assert (loss == 0) == (case != "one class")


def test_confident_share_counts_valid_pixels_only():
    confidence = torch.tensor([[[0.97, 0.5], [0.99, 1.0]], [[0.1, 0.2], [0.99, 0.99]]])
    valid = torch.tensor([[[True, True], [True, False]], [[False] * 2] * 2])
    torch.testing.assert_close(confident_share(confidence, valid, 0.97), torch.tensor([2 / 3, 0.0]))


def test_running_confidence_equals_a_loop():
    _, pseudo, confidence, valid = example(classes=3)
    least = np.array([NAN, 0.5, NAN, 0.25])
    expected = least.copy()
    for number in range(3):
        here = confidence[valid & (pseudo == number)].mean()
        old = least[number]
        expected[number] = here if math.isnan(old) else 0.99 * old + 0.01 * here
    found = running_confidence(*tensors(least, pseudo, confidence, valid))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_running_confidence_keeps_classes_that_are_not_predicted():
    _, pseudo, confidence, valid = tensors(*example())
    least = torch.tensor([NAN, 0.5, 0.25])
    nothing = running_confidence(least, pseudo, confidence, torch.zeros_like(valid))
    torch.testing.assert_close(nothing, least, equal_nan=True)


def test_soft_consistency_equals_a_loop():
    logits, _, weight, _ = example()
    teacher = shares_of(example(seed=5)[0])
    shares, total = shares_of(logits), 0.0
    for image, row, column in np.ndindex(weight.shape):
        apart = shares[image, :, row, column] - teacher[image, :, row, column]
        total += weight[image, row, column] * (apart**2).mean()
    found = soft_consistency(*tensors(logits, teacher, weight))
    assert float(found) == pytest.approx(total / weight.sum(), rel=1e-9)


def test_soft_consistency_gradients_are_right_and_reach_the_student_only():
    logits, _, weight, _ = tensors(*example())
    teacher = torch.tensor(shares_of(example(seed=5)[0]), requires_grad=True)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: soft_consistency(x, teacher.detach(), weight), (logits,)
    )
    soft_consistency(logits, teacher, weight).backward()
    assert teacher.grad is None


def test_soft_consistency_without_a_certain_pixel_is_zero():
    logits, *_ = tensors(*example())
    logits.requires_grad_()
    loss = soft_consistency(logits, logits.detach().softmax(1) * 0, torch.zeros(2, 3, 4))
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(logits.grad).all()


def test_running_confidence_of_many_pixels_is_exact():
    shape = (2, 60, 60, 60)
    found = running_confidence(
        torch.tensor([NAN]),
        torch.zeros(shape, dtype=torch.long),
        torch.full(shape, 0.991),
        torch.ones(shape, dtype=torch.bool),
    )
    assert found.item() == pytest.approx(0.991, abs=1e-6)


def dice_by_loop(logits, pseudo, confidence, valid, least):
    shares, classes = shares_of(logits), logits.shape[1]
    inside, sizes, guesses = np.zeros(classes), np.zeros(classes), np.zeros(classes)
    sure, seen = 0.0, 0
    for image in range(len(logits)):
        if not valid[image].any():
            continue
        own = sum(c >= 0.97 for c in confidence[image][valid[image]]) / valid[image].sum()
        sure, seen = sure + own, seen + 1
        for at in zip(*valid[image].nonzero(), strict=True):
            label = pseudo[(image, *at)]
            if not math.isnan(least[label]) and confidence[(image, *at)] <= least[label]:
                continue
            guesses[label] += own
            inside[label] += own * shares[(image, label, *at)]
            for each in range(classes):
                sizes[each] += own * shares[(image, each, *at)]
    present = [each for each in range(1, classes) if guesses[each] > 0]
    losses = [1 - 2 * inside[each] / (sizes[each] + guesses[each]) for each in present]
    return sure / max(seen, 1) * sum(losses) / max(len(present), 1)


@pytest.mark.parametrize("least", [None, [NAN, 0.95, NAN]])
@pytest.mark.parametrize("blind", [False, True])
def test_dice_of_guesses_equals_a_loop_in_value_and_gradient(least, blind):
    logits, pseudo, confidence, valid = example(3)
    valid[0] &= not blind
    bars = [NAN] * 3 if least is None else least
    given = [pseudo, confidence, valid]
    student = torch.tensor(logits, requires_grad=True)
    loss = pseudo_dice_loss(
        student, *tensors(*given), least=None if least is None else torch.tensor(least)
    )
    assert float(loss.detach()) == pytest.approx(dice_by_loop(logits, *given, bars), abs=1e-6)
    loss.backward()
    step = 1e-5
    for at in [(0, 0, 1, 2), (1, 1, 0, 3), (1, 2, 2, 0)]:
        up, down = logits.copy(), logits.copy()
        up[at] += step
        down[at] -= step
        slope = (dice_by_loop(up, *given, bars) - dice_by_loop(down, *given, bars)) / (2 * step)
        assert float(student.grad[at]) == pytest.approx(slope, abs=1e-6)


def test_dice_of_no_guess_is_zero_with_a_gradient():
    logits, pseudo, confidence, valid = example(4)
    for given in ((pseudo, confidence, valid & False), (pseudo * 0, confidence, valid)):
        student = torch.tensor(logits, requires_grad=True)
        loss = pseudo_dice_loss(student, *tensors(*given))
        assert float(loss.detach()) == 0
        loss.backward()
        assert torch.isfinite(student.grad).all()


def test_factors_make_up_for_what_a_class_lacks():
    predicted = torch.tensor([900.0, 60.0, 36.0, 4.0], dtype=torch.float64)
    wanted = torch.tensor([0.0, 0.6, 0.32, 0.08], dtype=torch.float64)
    factors = share_factors(predicted, wanted)
    assert factors.tolist() == pytest.approx([1, 1, 0.32 / 0.36, 2])
    held = share_factors(predicted * factors, wanted)
    assert held.tolist() == pytest.approx([1, 1, 1, 1])
    squared = share_factors(predicted, wanted, power=2, most=5)
    assert squared.tolist() == pytest.approx([1, 1, (0.32 / 0.36) ** 2, 4])


def test_factors_are_bounded_and_1_where_nothing_is_known():
    predicted = torch.tensor([10.0, 5.0, 0.0, 5.0])
    assert share_factors(predicted, torch.tensor([0.0, 0.5, 0.5, 0.0])).tolist() == pytest.approx(
        [1, 0.5, 3, 1]
    )
    nothing = torch.tensor([10.0, 0.0, 0.0, 0.0])
    assert share_factors(nothing, torch.ones(4)).tolist() == [1, 1, 1, 1]
    assert share_factors(predicted, torch.zeros(4)).tolist() == [1, 1, 1, 1]


def test_aligned_shares_add_up_and_follow_the_factors():
    random = torch.Generator().manual_seed(0)
    shares = torch.randn(2, 3, 4, 5, generator=random, dtype=torch.float64).softmax(1)
    moved = aligned(shares, torch.tensor([1.0, 1.0, 2.0]))
    odds = (moved[:, 2] / moved[:, 0]) / (shares[:, 2] / shares[:, 0])
    assert torch.allclose(odds, torch.full_like(odds, 2))
    assert torch.allclose(moved.sum(1), torch.ones(2, 4, 5, dtype=torch.float64))
    assert torch.allclose(aligned(shares, torch.ones(3)), shares)
