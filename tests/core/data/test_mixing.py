"""Boxes of one image in another: where they lie, how large they are, what they carry over."""

import math

import pytest
import torch

from longtail.core.data.mixing import border_kept_masks, box_masks, mix

SIZES = [(64, 64), (48, 96), (35, 51, 35), (112, 112, 80)]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def sides_of(mask):
    """Sides of the box that a mask is, after checking that it is one."""
    places = mask.nonzero()
    sides = places.max(0).values - places.min(0).values + 1
    assert int(sides.prod()) == int(mask.sum())
    return sides.tolist()


@pytest.mark.parametrize("size", SIZES)
def test_boxes_have_the_share_that_was_asked_for(size):
    masks = box_masks(60, size, seeded(), 0.25, 0.5)
    assert masks.shape == (60, *size)
    assert masks.dtype == torch.bool
    shares = masks.flatten(1).double().mean(1)
    # A side is whole pixels: it is off by at most half of one.
    slack = 0.5 / min(size) * 1.5
    assert ((shares > 0.25 - slack) & (shares < 0.5 + slack)).all()
    assert shares.max() - shares.min() > 0.15


@pytest.mark.parametrize("size", SIZES)
def test_boxes_are_whole_with_sides_and_places_that_vary(size):
    masks = box_masks(40, size, seeded())
    sides = {tuple(sides_of(mask)) for mask in masks}
    corners = {tuple(mask.nonzero()[0].tolist()) for mask in masks}
    assert len(sides) > 30
    assert len(corners) > 20


def test_boxes_reach_every_pixel():
    reached = box_masks(400, (12, 10), seeded()).any(0)
    assert reached.all()


def test_boxes_repeat_with_their_seed():
    assert torch.equal(box_masks(5, (20, 20), seeded(3)), box_masks(5, (20, 20), seeded(3)))
    assert not torch.equal(box_masks(5, (20, 20), seeded(3)), box_masks(5, (20, 20), seeded(4)))


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (2, 3, 1)])
def test_tiny_images_still_have_a_box(size):
    masks = box_masks(8, size, seeded())
    assert masks.flatten(1).any(1).all()


@pytest.mark.parametrize("size", SIZES)
def test_copy_paste_boxes_keep_their_sides(size):
    masks = border_kept_masks(20, size, seeded())
    expected = [math.floor(length * 2 / 3 + 0.5) for length in size]
    assert all(sides_of(mask) == expected for mask in masks)
    assert len({tuple(mask.nonzero()[0].tolist()) for mask in masks}) > 5


def test_mix_takes_the_second_inside_for_images_and_labels_alike():
    mask = box_masks(2, (6, 5, 4), seeded())
    images, labels = torch.randn(2, 2, 3, 6, 5, 4), torch.randint(0, 4, (2, 2, 6, 5, 4))
    mixed, answers = mix(*images, mask), mix(*labels, mask)
    assert mixed.shape == (2, 3, 6, 5, 4)
    assert answers.dtype == labels.dtype
    for channel in range(3):
        assert torch.equal(mixed[:, channel][mask], images[1][:, channel][mask])
        assert torch.equal(mixed[:, channel][~mask], images[0][:, channel][~mask])
    assert torch.equal(answers[mask], labels[1][mask])
    assert torch.equal(answers[~mask], labels[0][~mask])
