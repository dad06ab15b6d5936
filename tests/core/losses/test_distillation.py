"""Contrastive distillation against plain loops in double precision."""

import itertools
import math

import numpy as np
import pytest
import torch

from longtail.core.losses.distillation import (
    patch_features,
    similarity_distillation,
    similarity_spread,
)


def window_starts(length, size, step):
    starts = list(range(0, length - size + 1, step))
    return starts if starts[-1] == length - size else [*starts, length - size]


def patches_by_loop(maps, patch, stride):
    sizes = [min(size, length) for size, length in zip(patch, maps.shape[2:], strict=True)]
    starts = [
        window_starts(length, size, step)
        for length, size, step in zip(maps.shape[2:], sizes, stride, strict=True)
    ]
    parts = []
    for corner in itertools.product(*starts):
        inside = tuple(slice(at, at + size) for at, size in zip(corner, sizes, strict=True))
        part = maps[(slice(None), slice(None), *inside)]
        parts.append(part.reshape(*part.shape[:2], -1).mean(2))
    return np.stack(parts, 1)


@pytest.mark.parametrize(
    ("space", "patch", "stride", "count"),
    [
        ((8, 8), (4, 4), (2, 2), 9),
        ((9, 7), (4, 4), (2, 2), 12),
        ((5, 6, 7), (2, 3, 3), (1, 2, 2), 4 * 3 * 3),
        ((5, 4), (9, 3), (4, 1), 2),
        ((3, 3), (3, 3), (5, 5), 1),
    ],
)
def test_patches_equal_a_loop(space, patch, stride, count):
    maps = np.random.default_rng(0).normal(size=(2, 3, *space))
    found = patch_features(torch.tensor(maps), patch, stride)
    assert found.shape == (2, count, 3)
    np.testing.assert_allclose(found.numpy(), patches_by_loop(maps, patch, stride), atol=1e-12)


def test_patch_gradients_are_right():
    maps = torch.randn(1, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: patch_features(x, (2, 3), (2, 2)), (maps,))


def cosine(first, second):
    return first @ second / (np.linalg.norm(first) * np.linalg.norm(second))


def shares(values):
    raised = np.exp(values - values.max())
    return raised / raised.sum()


def divergence_by_loop(student, teacher, bank, student_temperature, teacher_temperature):
    parts = []
    for image, place in np.ndindex(student.shape[:2]):
        entries = bank[:, place]
        seen = shares(
            np.array([cosine(student[image, place], q) for q in entries]) / student_temperature
        )
        aim = shares(
            np.array([cosine(teacher[image, place], q) for q in entries]) / teacher_temperature
        )
        parts.append((aim * np.log(aim / seen)).sum())
    return np.mean(parts)


def example(patches=3):
    random = np.random.default_rng(1)
    return (random.normal(size=(n, patches, 5)) for n in (2, 2, 6))


def test_distillation_equals_a_loop():
    student, teacher, bank = example()
    expected = divergence_by_loop(student, teacher, bank, 0.1, 0.04)
    tensors = [torch.tensor(part) for part in (student, teacher, bank)]
    assert float(similarity_distillation(*tensors, 0.1, 0.04)) == pytest.approx(expected, rel=1e-9)
    single = [part.float() for part in tensors]
    assert float(similarity_distillation(*single, 0.1, 0.04)) == pytest.approx(expected, rel=1e-5)


def test_whole_images_equal_a_single_patch():
    student, teacher, bank = (torch.tensor(part) for part in example(patches=1))
    whole = similarity_distillation(student[:, 0], teacher[:, 0], bank[:, 0], 0.1, 0.04)
    torch.testing.assert_close(whole, similarity_distillation(student, teacher, bank, 0.1, 0.04))


def test_each_position_has_its_own_bank():
    student, teacher, bank = (torch.tensor(part) for part in example())
    order = torch.tensor([1, 2, 0])
    together = similarity_distillation(student, teacher, bank, 0.1, 0.04)
    apart = similarity_distillation(student, teacher, bank[:, order], 0.1, 0.04)
    turned = similarity_distillation(
        student[:, order], teacher[:, order], bank[:, order], 0.1, 0.04
    )
    torch.testing.assert_close(together, turned)
    assert not torch.isclose(together, apart)


def test_distillation_gradients_are_right_and_reach_the_student_only():
    student, teacher, bank = (torch.tensor(part, requires_grad=True) for part in example())
    assert torch.autograd.gradcheck(
        lambda x: similarity_distillation(x, teacher.detach(), bank.detach(), 0.2, 0.1), (student,)
    )
    similarity_distillation(student, teacher, bank, 0.2, 0.1).backward()
    assert teacher.grad is None
    assert bank.grad is None


def test_the_same_vectors_and_temperatures_have_nothing_to_learn():
    student, _, bank = (torch.tensor(part) for part in example())
    assert float(similarity_distillation(student, student, bank, 0.1, 0.1)) == pytest.approx(0.0)


@pytest.mark.parametrize("sizes", [(2, 0), (0, 4)])
def test_an_empty_bank_or_batch_is_finite(sizes):
    student = torch.randn(sizes[0], 3, 5, requires_grad=True)
    loss = similarity_distillation(student, student, torch.randn(sizes[1], 3, 5), 0.1, 0.04)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(student.grad).all()
    assert similarity_spread(student, torch.randn(sizes[1], 3, 5)) == 0


def test_vectors_of_length_zero_are_finite():
    student = torch.zeros(2, 5, requires_grad=True)
    loss = similarity_distillation(student, torch.zeros(2, 5), torch.randn(4, 5), 0.1, 0.04)
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(student.grad).all()


def test_spread_is_the_deviation_of_the_cosines():
    student, _, bank = example()
    expected = np.mean(
        [
            np.std([cosine(student[image, place], q) for q in bank[:, place]])
            for image, place in np.ndindex(student.shape[:2])
        ]
    )
    found = similarity_spread(torch.tensor(student), torch.tensor(bank))
    assert found == pytest.approx(expected)


def test_a_collapsed_network_has_no_spread():
    assert similarity_spread(torch.ones(3, 4), torch.ones(8, 4)) == pytest.approx(0.0, abs=1e-6)


def test_autocast_does_not_reach_the_products():
    student, teacher, bank = (torch.tensor(part).float() for part in example())
    plain = similarity_distillation(student, teacher, bank, 0.1, 0.04)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = similarity_distillation(student, teacher, bank, 0.1, 0.04)
    assert torch.equal(plain, cast)
