"""V-Net and plain U-Net: against the published networks written out, shapes, maps, recipes."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from longtail.core.nets.plain_unet import build_plain_unet
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.nets.vnet import build_vnet


def convolutions(network):
    kinds = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)
    return [each for each in network.modules() if isinstance(each, kinds)]


def weight_count(pairs):
    """Weights of convolutions given as (inputs, outputs, kernel voxels)."""
    return sum(inputs * outputs * kernel for inputs, outputs, kernel in pairs)


def test_the_vnet_has_the_published_convolutions():
    network = build_vnet(3, 1, 2)
    widths = (16, 32, 64, 128, 256)
    published = [(1, 16, 27), *[(32, 32, 27)] * 2, *[(64, 64, 27)] * 3, *[(128, 128, 27)] * 3]
    published += [(256, 256, 27)] * 3
    published += [(128, 128, 27)] * 3 + [(64, 64, 27)] * 3 + [(32, 32, 27)] * 2 + [(16, 16, 27)]
    published += [(a, b, 8) for a, b in pairwise(widths)] * 2
    published += [(16, 2, 1)]
    found = convolutions(network)
    assert len(found) == len(published)
    assert sum(each.weight.numel() for each in found) == weight_count(published)


def test_the_plain_unet_has_the_published_convolutions():
    network = build_plain_unet(2, 1, 4, dropout=0.5)
    widths = (16, 32, 64, 128, 256)
    inputs = (1, *widths)
    published = [
        pair for a, b in zip(inputs, widths, strict=False) for pair in ((a, b, 9), (b, b, 9))
    ]
    for below, above in zip(widths[1:], widths, strict=False):
        published += [(below, above, 4), (2 * above, above, 9), (above, above, 9)]
    published += [(16, 4, 9)]
    found = convolutions(network)
    assert len(found) == len(published)
    assert sum(each.weight.numel() for each in found) == weight_count(published)
    shares = [each.p for each in network.modules() if isinstance(each, nn.Dropout)]
    assert shares == pytest.approx([0.05, 0.1, 0.2, 0.3, 0.5])


def test_the_vnet_adds_its_skips():
    network = build_vnet(3, 1, 2, width=4, strides=[[2, 2, 2]]).eval()
    images = torch.randn(1, 1, 4, 6, 4)
    top = network.stages[0](images)
    bottom = network.stages[1](network.downs[0](top))
    risen = network.rises[0](network.ups[0](bottom) + top)
    torch.testing.assert_close(network.maps(images), [bottom, risen, network.last(risen)])


def test_the_plain_unet_pools_and_concatenates():
    network = build_plain_unet(2, 1, 2, width=4, strides=[[2, 2]]).eval()
    images = torch.randn(1, 1, 8, 6)
    top = network.stages[0](images)
    bottom = network.stages[1](functional.max_pool2d(top, 2))
    risen = network.rises[0](torch.cat([top, network.ups[0](bottom)], 1))
    torch.testing.assert_close(network.maps(images), [bottom, risen, network.last(risen)])


@pytest.mark.parametrize("kind", ["unet", "plain-unet", "vnet"])
@pytest.mark.parametrize(
    ("dims", "strides", "shape"),
    [(2, [[2, 2]] * 3, (16, 24)), (3, [[1, 2, 2], [2, 2, 2]], (6, 8, 12))],
)
def test_every_network_on_label_maps_tells_its_maps(kind, dims, strides, shape):
    options = {"width": 4, "strides": strides, "dropout": 0.5}
    recipe = NetworkRecipe(kind, dims, 2, 5, options)
    network = build_network(NetworkRecipe.from_mapping(recipe.to_mapping()))
    assert all(side % by == 0 for side, by in zip(shape, network.divisor, strict=True))
    images = torch.randn(2, 2, *shape)
    *maps, logits = network.maps(images)
    assert [each.shape[1] for each in maps] == list(network.map_widths)
    assert logits.shape == (2, 5, *shape)
    network.eval()
    torch.testing.assert_close(network(images), network.maps(images)[-1])


def test_the_published_sizes_fit():
    assert build_vnet(3, 1, 2).divisor == (16, 16, 16)
    assert all(side % 16 == 0 for side in (112, 112, 80))
    assert build_plain_unet(2, 1, 4).map_widths == (256, 128, 64, 32, 16)


def test_instance_norm_makes_examples_independent():
    images = torch.randn(3, 1, 8, 8)
    network = build_vnet(2, 1, 2, width=4, strides=[[2, 2]], norm="instance")
    torch.testing.assert_close(network(images)[:1], network(images[:1]))
    batch = build_vnet(2, 1, 2, width=4, strides=[[2, 2]])
    assert not torch.allclose(batch(images)[:1], batch(images[:1]))


def test_whole_maps_drop_out_in_the_vnet():
    network = build_vnet(2, 1, 2, width=8, strides=[[2, 2]], dropout=0.5)
    bottom = network.maps(torch.randn(1, 1, 16, 16))[0]
    dropped = bottom.flatten(2).abs().sum(2) == 0
    assert 0 < int(dropped.sum()) < dropped.numel()
