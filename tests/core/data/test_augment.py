"""Variation of whole batches."""

import math
from dataclasses import replace

import pytest
import torch

from longtail.core.data.augment import (
    IMAGE_STRONG,
    VOLUME_STRONG,
    Variation,
    any_way_up,
    mirror,
    swap,
    vary,
)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def blob(dims=3, batch=4):
    shape = (18, 24, 20)[:dims]
    axes = torch.meshgrid(*[torch.linspace(-1, 1, n) for n in shape], indexing="ij")
    inside = sum(axis**2 for axis in axes) < 0.3
    images = inside.float().repeat(batch, 1, *[1] * dims) * 2 - 1
    return images, inside.to(torch.uint8).repeat(batch, *[1] * dims)


@pytest.mark.parametrize("dims", [2, 3])
def test_image_and_labels_move_together(dims):
    images, labels = blob(dims)
    only_geometry = Variation(turn=0.4, shrink=0.8, grow=1.25, shift=0.1, bend=0.05)
    moved, truth = vary(images, labels, only_geometry, generator())
    assert not torch.equal(truth, labels)
    known = truth != 255
    agree = ((moved[:, 0] > 0) == (truth == 1))[known].float().mean()
    assert float(agree) > 0.97


def test_nothing_asked_changes_nothing():
    images, labels = blob()
    same, truth = vary(images, labels, Variation(), generator())
    torch.testing.assert_close(same, images)
    assert torch.equal(truth, labels)


def test_not_labelled_stays_not_labelled():
    images, labels = blob()
    labels[:, :9] = 255
    _, truth = vary(images, labels, VOLUME_STRONG, generator())
    assert set(truth.unique().tolist()) <= {0, 1, 255}
    assert 0.3 < float((truth == 255).float().mean()) < 0.8


def test_what_comes_from_outside_is_not_labelled():
    images, labels = blob()
    far = Variation(shrink=0.5, grow=0.5)
    moved, truth = vary(images, labels, far, generator())
    corner = truth[:, 0, 0, 0]
    assert (corner == 255).all()
    assert (moved[:, 0, 0, 0, 0] == 0).all()


def test_a_margin_is_cut_away():
    images, labels = blob()
    for variation in (Variation(), VOLUME_STRONG):
        moved, truth = vary(images, labels, variation, generator(), (10, 12, 14))
        assert moved.shape == (4, 1, 10, 12, 14)
        assert truth.shape == (4, 10, 12, 14)


def test_one_seed_gives_one_result():
    images, labels = blob()
    first, second = (vary(images, labels, VOLUME_STRONG, generator(3)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    other, _ = vary(images, labels, VOLUME_STRONG, generator(4))
    assert not torch.equal(first[0], other)


def test_images_of_a_batch_differ():
    images, _ = blob(2)
    moved, _ = vary(images, None, any_way_up(IMAGE_STRONG), generator())
    assert not torch.allclose(moved[0], moved[1])


def test_values_stay_finite_on_a_flat_image():
    flat = torch.zeros(3, 1, 16, 16)
    everything = replace(IMAGE_STRONG, noise_share=1.0, blur_share=1.0, coarse_share=1.0)
    varied, _ = vary(flat, None, everything, generator())
    assert torch.isfinite(varied).all()


def test_a_whole_turn_in_thick_slices_keeps_millimetres():
    # A rod of 8 mm along x becomes one of 2 slices along z when slices are 4 mm thick.
    images = torch.zeros(1, 1, 8, 16, 16)
    images[0, 0, 3:5, 7:9, 4:12] = 1
    turned = Variation(turn=math.pi / 2)

    found = []
    for seed in range(40):
        moved, _ = vary(images, None, turned, generator(seed), spacing=(4.0, 1.0, 1.0))
        found.append(float(moved.sum()) * 4.0)
    volume = float(images.sum()) * 4.0
    assert 0.5 * volume < sum(found) / len(found) < 1.5 * volume


def test_mirroring_hits_about_half():
    images = torch.arange(4.0).repeat(400, 1, 1, 1)
    mirrored, _ = mirror(images, None, (1,), generator())
    share = float((mirrored[:, 0, 0, 0] == 3).float().mean())
    assert 0.4 < share < 0.6


def test_swapping_turns_image_and_labels_alike():
    images = torch.rand(64, 1, 6, 6)
    labels = (images[:, 0] > 0.5).to(torch.uint8)
    swapped, truth = swap(images, labels, generator())
    assert torch.equal(truth, (swapped[:, 0] > 0.5).to(torch.uint8))
    share = float((swapped != images).flatten(1).any(1).float().mean())
    assert 0.3 < share < 0.7
    long = torch.rand(2, 1, 6, 4)
    assert torch.equal(swap(long, None, generator())[0], long)
