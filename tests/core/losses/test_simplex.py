"""Class centres and which class gets which: the simplex, the moving means, the assignment."""

import itertools

import numpy as np
import pytest
import torch

from longtail.core.errors import LongtailError
from longtail.core.losses.simplex import allocate, moving_means, simplex_centres


@pytest.mark.parametrize(("classes", "width"), [(2, 2), (3, 8), (4, 128), (8, 8), (14, 64)])
def test_centres_are_a_regular_simplex(classes, width):
    centres = simplex_centres(classes, width)
    assert centres.dtype == torch.float32
    products = centres.double() @ centres.double().T
    expected = torch.full((classes, classes), -1 / (classes - 1), dtype=torch.float64)
    expected.fill_diagonal_(1.0)
    torch.testing.assert_close(products, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(centres.sum(0), torch.zeros(width), atol=1e-6, rtol=0)


def test_centres_depend_on_the_seed_only():
    assert torch.equal(simplex_centres(4, 16, seed=3), simplex_centres(4, 16, seed=3))
    assert not torch.allclose(simplex_centres(4, 16, seed=3), simplex_centres(4, 16, seed=4))


@pytest.mark.parametrize(("classes", "width"), [(1, 8), (0, 8), (9, 8)])
def test_impossible_centres_are_refused_with_a_remedy(classes, width):
    with pytest.raises(LongtailError) as caught:
        simplex_centres(classes, width)
    assert caught.value.remedy


def normalised(vector):
    length = np.linalg.norm(vector)
    return vector / length if length else vector


def test_moving_means_equal_a_loop():
    random = np.random.default_rng(0)
    means = np.stack([normalised(row) for row in random.normal(size=(5, 7))])
    means[3] = 0
    features = random.normal(size=(40, 7))
    classes = random.choice([0, 1, 3, 255], 40)
    expected = means.copy()
    for number in (0, 1, 3):
        drawn = normalised(features[classes == number].sum(0))
        expected[number] = normalised(0.9 * means[number] + 0.1 * drawn)
    found = moving_means(torch.tensor(means), torch.tensor(features), torch.tensor(classes))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
    assert torch.equal(found[[2, 4]], torch.tensor(means)[[2, 4]])


def test_moving_means_take_no_gradient_and_no_half_precision():
    features = torch.randn(6, 4, requires_grad=True)
    found = moving_means(torch.zeros(2, 4), features.bfloat16(), torch.zeros(6, dtype=torch.long))
    assert not found.requires_grad
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.norm(dim=1), torch.tensor([1.0, 0.0]))


def test_moving_means_of_nothing_stay():
    means = torch.eye(3)
    nothing = torch.zeros(0, dtype=torch.long)
    assert torch.equal(moving_means(means, torch.zeros(0, 3), nothing), means)


def best_sum(means, centres):
    rows = range(len(means))
    return max(
        sum(float(means[row] @ centres[column]) for row, column in zip(rows, order, strict=True))
        for order in itertools.permutations(rows)
    )


def example(classes=5, width=9, seed=0):
    random = torch.Generator().manual_seed(seed)
    means = torch.nn.functional.normalize(torch.randn(classes, width, generator=random))
    return means, simplex_centres(classes, width)


@pytest.mark.parametrize("seed", range(5))
def test_allocation_has_the_largest_sum_of_all(seed):
    means, centres = example(seed=seed)
    chosen = allocate(means, centres)
    assert sorted(chosen.tolist()) == list(range(5))
    found = float((means * centres[chosen]).sum())
    assert found == pytest.approx(best_sum(means, centres), abs=1e-5)


def test_allocation_follows_a_permutation_of_the_classes():
    means, centres = example()
    order = torch.tensor([3, 1, 4, 0, 2])
    assert torch.equal(allocate(means[order], centres), allocate(means, centres)[order])


def test_allocation_follows_a_permutation_of_the_centres():
    means, centres = example()
    order = torch.tensor([2, 0, 4, 1, 3])
    assert torch.equal(order[allocate(means, centres[order])], allocate(means, centres))


def test_classes_near_their_centres_get_them():
    _, centres = example()
    order = torch.tensor([4, 2, 0, 1, 3])
    assert torch.equal(allocate(centres[order], centres), order)


def test_classes_never_seen_leave_the_choice_to_the_others():
    _, centres = example()
    means = torch.zeros(5, 9)
    means[2], means[4] = centres[0], centres[3]
    chosen = allocate(means, centres)
    assert (chosen[2], chosen[4]) == (0, 3)
    assert sorted(chosen.tolist()) == list(range(5))


def test_features_that_are_not_finite_still_give_an_assignment():
    means, centres = example()
    means[1] = torch.nan
    assert sorted(allocate(means, centres).tolist()) == list(range(5))
