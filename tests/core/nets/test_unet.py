"""The U-Net against MONAI's, and its shapes."""

import pytest
import torch

from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.nets.unet import build_unet


def test_it_computes_what_monai_computes():
    from monai.networks.nets import UNet

    theirs = UNet(3, 1, 3, (4, 8, 16), (2, 2), num_res_units=2).eval()
    ours = build_unet(3, 1, 3, width=4, strides=[[2, 2, 2]] * 2).eval()
    inner = theirs.model
    pairs = [
        (inner[0], ours.down[0]),
        (inner[1].submodule[0], ours.down[1]),
        (inner[1].submodule[1].submodule, ours.bottom),
        (inner[1].submodule[2], ours.up[1]),
        (inner[2], ours.up[0]),
    ]
    for source, target in pairs:
        target.load_state_dict(source.state_dict())
    images = torch.randn(2, 1, 16, 16, 16)
    torch.testing.assert_close(ours(images), theirs(images))


@pytest.mark.parametrize(
    ("dims", "strides", "shape"),
    [(2, [[2, 2]] * 3, (32, 24)), (3, [[1, 2, 2], [2, 2, 2]], (6, 16, 16))],
)
def test_logits_have_the_size_of_the_image(dims, strides, shape):
    network = build_unet(dims, 2, 5, width=4, strides=strides)
    logits = network(torch.randn(1, 2, *shape))
    assert logits.shape == (1, 5, *shape)
    assert all(side % by == 0 for side, by in zip(shape, network.divisor, strict=True))


def test_maps_come_from_the_bottom_up():
    network = build_unet(2, 1, 3, width=4)
    maps = network.maps(torch.randn(1, 1, 32, 32))
    assert [each.shape[1] for each in maps] == [32, 8, 4, 3]
    assert [each.shape[-1] for each in maps] == [4, 8, 16, 32]


def test_a_recipe_survives_plain_data():
    recipe = NetworkRecipe("unet", 2, 1, 3, {"width": 4, "strides": [[2, 2]], "dropout": 0.1})
    again = NetworkRecipe.from_mapping(recipe.to_mapping())
    assert again == recipe
    assert build_network(again)(torch.randn(1, 1, 8, 8)).shape == (1, 3, 8, 8)
