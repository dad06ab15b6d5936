"""The estimate of memory, against what torch really keeps for the backward pass."""

import sys

import pytest
import torch

from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.settings import SupervisedSettings
from longtail.core.methods.settings_semi import ActionSettings, SemiSupervisedSettings
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.training.estimate import (
    BYTES,
    FRAMEWORK_BYTES,
    NETWORK_COST,
    estimate_patches,
    memory_there,
)


def kept(network, images):
    """Bytes of all storages that the backward pass needs, weights apart."""
    weights = {each.untyped_storage().data_ptr() for each in network.parameters()}
    found = {}
    held = []

    def keep(values):
        held.append(values)  # or another tensor could get its place
        storage = values.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return values

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda values: values):
        network(images)
    return sum(found.values())


@pytest.mark.parametrize(("kind", "dims"), list(NETWORK_COST))
def test_maps_and_weights_are_right_within_a_factor_of_two(kind, dims):
    width, levels = 8, 3
    recipe = NetworkRecipe(kind, dims, 1, 4, {"width": width, "strides": [[2] * dims] * levels})
    network = build_network(recipe)
    images = torch.randn(2, 1, *{2: (64, 64), 3: (24, 32, 24)}[dims])
    maps, weights = NETWORK_COST[kind, dims]
    # The gradients of maps come on top of what is kept for them.
    assert maps / 2 <= kept(network, images) / BYTES / images.numel() / width <= maps
    count = sum(each.numel() for each in network.parameters()) / width**2 / 4**levels
    assert weights / 2 <= count <= weights * 2


def test_learning_from_unlabelled_scans_costs_more():
    plain, semi = SupervisedSettings(), SemiSupervisedSettings()
    one, other = (estimate_patches(each, (40, 56, 40), 3, 2) for each in (plain, semi))
    weights = BYTES * 5 * NETWORK_COST["unet", 3][1] * 16**2 * 4**3 + FRAMEWORK_BYTES
    assert (other - weights) / (one - weights) == pytest.approx(semi.cost_factor, rel=1e-6)
    assert semi.cost_factor > plain.cost_factor == 1


def test_the_published_head_is_counted():
    acdc = METHODS.get("action++").presets["acdc"]
    dense = ActionSettings(**acdc)
    points = ActionSettings(**{**acdc, "head": "points"})
    one, other = (estimate_patches(each, (256, 256), 4, 4) for each in (dense, points))
    # A step of it peaked at 4.5 GB on a processor.
    assert 4.5e9 / 2 <= one <= 4.5e9 * 2
    assert one > 1.5 * other


def test_memory_of_a_card_is_not_guessed(monkeypatch):
    assert memory_there("cpu") > 1e8
    assert memory_there("mps") is None
    monkeypatch.delitem(sys.modules, "torch")
    assert memory_there("cuda:0") is None
