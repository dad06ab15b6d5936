"""Heads: points against resized maps, gradients, lone rows, full precision."""

import pytest
import torch
from torch.nn import functional

from longtail.core.nets.heads import (
    LINEAR,
    DenseHead,
    PointHead,
    Predictor,
    Projector,
    sample,
)

SIZES = {2: (12, 16), 3: (8, 12, 10)}
WIDTHS = (6, 4, 3)


def pyramid(dims):
    torch.manual_seed(0)
    return [
        torch.randn(2, width, *(side // step for side in SIZES[dims]), requires_grad=True)
        for width, step in zip(WIDTHS, (4, 2, 1), strict=True)
    ]


def voxels(dims, count=40):
    return torch.stack([torch.randint(0, side, (2, count)) for side in SIZES[dims]], -1)


def read(dense, points):
    """Read (batch, channel, *space) at whole points, one by one."""
    rows = [
        torch.stack([image[(slice(None), *place)] for place in places.tolist()])
        for image, places in zip(dense, points, strict=True)
    ]
    return torch.stack(rows)


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("dims", [2, 3])
def test_points_are_a_pointwise_convolution_of_resized_maps(dims, norm):
    maps, points = pyramid(dims), voxels(dims)
    head = PointHead(WIDTHS, width=5, hidden=7, norm=norm)
    resized = [functional.interpolate(m, SIZES[dims], mode=LINEAR[dims]) for m in maps]
    stacked = torch.cat(resized, 1)
    layers = head.layers
    first = layers.first.weight.reshape(7, -1, *[1] * dims)
    convolution = functional.conv2d if dims == 2 else functional.conv3d
    hidden = read(convolution(stacked, first, layers.first.bias), points)
    if norm == "batch":  # over the sampled points
        spread, centre = torch.var_mean(hidden, (0, 1), correction=0)
    else:
        spread, centre = torch.var_mean(hidden, 2, correction=0, keepdim=True)
    hidden = ((hidden - centre) / (spread + 1e-5).sqrt()).relu()
    expected = hidden @ layers.last.weight.T + layers.last.bias
    torch.testing.assert_close(head(maps, points, SIZES[dims]), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_reach_every_map_and_every_weight(dims):
    maps = pyramid(dims)
    for head in (PointHead(WIDTHS, 5, 7), DenseHead(WIDTHS, 5, 7, spatial_dims=dims)):
        found = torch.autograd.grad(
            head(maps, voxels(dims), SIZES[dims]).square().sum(), [*maps, *head.parameters()]
        )
        assert all(float(gradient.abs().sum()) > 0 for gradient in found)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_dense_head_at_points_is_its_dense_map_there(dims):
    maps, points = pyramid(dims), voxels(dims)
    head = DenseHead(WIDTHS, width=5, hidden=7, spatial_dims=dims).eval()
    dense = head.dense(maps, SIZES[dims])
    assert dense.shape == (2, 5, *SIZES[dims])
    torch.testing.assert_close(
        head(maps, points, SIZES[dims]), read(dense, points), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_sampling_is_that_of_torch(dims):
    values = pyramid(dims)[0].detach().requires_grad_()
    image = torch.randint(0, 2, (30,))
    points = torch.rand(30, dims) * 20 - 4  # between voxels, and outside
    sides = torch.tensor(SIZES[dims])
    grid = ((2 * points + 1) / sides - 1).flip(-1).reshape(1, 30, *[1] * (dims - 1), dims)
    theirs = functional.grid_sample(
        values, grid.expand(2, *grid.shape[1:]), padding_mode="border", align_corners=False
    )
    expected = theirs.flatten(2)[image, :, torch.arange(30)]
    found = sample(values, image, points, SIZES[dims])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weight = torch.randn_like(found)
    torch.testing.assert_close(
        *(torch.autograd.grad((each * weight).sum(), values) for each in (found, expected)),
        rtol=1e-5,
        atol=1e-5,
    )


def test_between_voxels_the_value_is_between():
    values = torch.tensor([0.0, 10.0, 30.0]).reshape(1, 1, 1, 3)
    points = torch.tensor([[0.0, 0.5], [0.0, 1.25], [0.0, 9.0]])
    found = sample(values, torch.zeros(3, dtype=torch.long), points, (1, 3))[:, 0]
    torch.testing.assert_close(found, torch.tensor([5.0, 15.0, 30.0]))


def test_listed_points_may_be_uneven():
    maps, points = pyramid(2), voxels(2)
    head = PointHead(WIDTHS, 5, 7).eval()
    image = torch.tensor([1, 0, 1])
    expected = head(maps, points, SIZES[2])[image, [0, 1, 2]]
    listed = points[image, [0, 1, 2]]
    torch.testing.assert_close(head.at(maps, image, listed, SIZES[2]), expected)
    none = head.train().at(maps, image[:0], listed[:0], SIZES[2])
    assert none.shape == (0, 5)
    none.sum().backward()
    assert torch.isfinite(maps[0].grad).all()


@pytest.mark.parametrize("dims", [2, 3])
def test_bfloat16_around_a_head_does_not_reach_it(dims):
    maps, points = pyramid(dims), voxels(dims)
    with torch.autocast("cpu", torch.bfloat16):
        for head in (PointHead(WIDTHS, 5, 7), DenseHead(WIDTHS, 5, 7, spatial_dims=dims)):
            assert head([m.bfloat16() for m in maps], points, SIZES[dims]).dtype == torch.float32
        rows = torch.randn(4, 3, 6)
        projected = Projector(6, 5, 7)(rows.bfloat16())
        assert projected.dtype == Predictor(5, 4)(projected).dtype == torch.float32


def test_projector_and_predictor_take_rows_and_patches():
    projector, predictor = Projector(6, 5, 7).eval(), Predictor(5, 4).eval()
    patches = torch.randn(4, 3, 6)
    found = predictor(projector(patches))
    assert found.shape == (4, 3, 5)
    torch.testing.assert_close(predictor(projector(patches[:, 1])), found[:, 1])


@pytest.mark.parametrize("count", [0, 1])
def test_a_lone_row_and_none_at_all_can_be_learned_from(count):
    head = Projector(6, 5, 7)
    rows = torch.randn(count, 6, requires_grad=True)
    found = head(rows)
    assert found.shape == (count, 5)
    found.sum().backward()
    assert torch.isfinite(rows.grad).all()
    assert torch.isfinite(head.norm.running_var).all()
