import json
from dataclasses import replace

import pytest
import torch

from longtail.core.checkpoints.store import build_network as real_build
from longtail.core.errors import LongtailError
from longtail.core.nets.recipe import NetworkRecipe
from longtail.core.predict.description import Provenance, describe
from longtail.core.predict.package import (
    DESCRIPTION,
    WEIGHTS,
    is_package,
    read_description,
    read_package,
    write_package,
)
from longtail.core.project.records import Task

COLOURS = {1: "#56b4e9", 2: "#cc79a7", 3: "#2fb58a"}


@pytest.fixture
def provenance():
    return Provenance(
        run="run-001-supervised",
        method="supervised",
        settings={"patch": "4x6x6", "pretrained": "/home/dr-meier/patients/net.pt"},
        seed=3,
        weights_hash="cd" * 32,
        versions={"torch": "2.13"},
    )


@pytest.fixture
def network(known_networks, volume_card):
    from longtail.core.checkpoints import store

    assert store.build_network is not real_build
    return store.build_network(volume_card.network)


@pytest.fixture
def folder(tmp_path, network, volume_card, provenance):
    description = describe(volume_card, COLOURS, provenance, thresholds={2: 0.4})
    return write_package(tmp_path / "model ü", description, network)


def test_a_model_survives(folder, network, volume_card):
    package = read_package(folder)
    assert package.loaded.card.to_mapping() == {
        **volume_card.to_mapping(),
        "method": "supervised",
        "label_version": 0,
    }
    assert [c.threshold for c in package.description.classes] == [None, 0.4]
    values = torch.rand(1, 1, 4, 6, 6)
    torch.testing.assert_close(package.loaded.network(values), network(values))
    assert is_package(folder)


def test_image_models_carry_their_prior(tmp_path, known_networks, image_card, provenance):
    from longtail.core.checkpoints import store

    target = (1 / 3, 1 / 3, 1 / 3)
    description = describe(image_card, COLOURS, provenance, prior_target=target)
    write_package(tmp_path / "m", description, store.build_network(image_card.network))
    read = read_package(tmp_path / "m")
    assert read.description.prior == image_card.prior
    assert read.description.prior_target == target


def test_a_flat_networks_kept_slices_survive(tmp_path, network, volume_card, provenance):
    kept = replace(volume_card.preprocessing, spacing_mm=(0.0, 1.5, 1.5))
    card = replace(volume_card, preprocessing=kept)
    write_package(tmp_path / "m", describe(card, COLOURS, provenance), network)
    assert read_package(tmp_path / "m").loaded.preprocessing == kept


def test_paths_of_people_stay_at_home(folder):
    text = (folder / DESCRIPTION).read_text()
    assert "meier" not in text
    assert "net.pt" in text
    assert "Not a medical device" in text


def test_a_folder_with_something_in_it_is_refused(folder, network, volume_card, provenance):
    with pytest.raises(LongtailError, match="not empty"):
        write_package(folder, describe(volume_card, COLOURS, provenance), network)


def changed(folder, **changes):
    path = folder / DESCRIPTION
    document = json.loads(path.read_text())
    for key, value in changes.items():
        place = document
        *parents, last = key.split("__")
        for parent in parents:
            place = place[int(parent) if parent.isdecimal() else parent]
        place[last] = value
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change",
    [
        {"classes": []},
        {"classes__0__id": 2},
        {"classes__0__id": -1},
        {"classes__0__colour": "red;}"},
        {"network__out_channels": 7},
        {"network__in_channels": 10**9},
        {"network__kind": "../../x"},
        {"network__options": {"weights": "/etc/passwd"}},
        {"network__options": {"weights": "..\\secret"}},
        {"network__options": {"width": 10**12}},
        {"network__options": {"deep": {"er": 1}}},
        {"network__options": {"deep": [[[1]]]}},
        {"network__options": {"pretrained": "lite0"}},
        {"network__options": {"pretrained": "secret"}},
        {"preprocessing__size": [10**9, 10**9]},
        {"preprocessing__spacing_mm": [1e-9, 1.0, 1.0]},
        {"preprocessing__spacing_mm": [-1.0, 1.0, 1.0]},
        {"preprocessing__spacing_mm": [float("nan"), 1.0, 1.0]},
        {"preprocessing__intensity__kind": "eval"},
        {"patch_size": [10**9, 1, 1]},
        {"patch_size": None},
        {"prior": [2.0, 0.1]},
        {"prior": [0.5]},
        {"task": "everything"},
        {"surprise": 1},
        {"provenance__weights_hash": "x"},
        {"format": 0},
    ],
    ids=str,
)
def test_a_hostile_description_is_refused_in_words(folder, change):
    changed(folder, **change)
    with pytest.raises(LongtailError, match="damaged"):
        read_description(folder)


def test_a_newer_model_is_named_as_such(folder):
    changed(folder, format=2)
    with pytest.raises(LongtailError, match="newer"):
        read_description(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, "\udcff"])
def test_what_is_no_description_is_a_sentence(folder, content):
    (folder / DESCRIPTION).write_text(content, errors="surrogateescape")
    with pytest.raises(LongtailError):
        read_description(folder)


def test_other_weights_are_refused(folder):
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(LongtailError, match="not those that were exported"):
        read_package(folder)


def test_weights_of_another_network_are_refused_before_it_is_built(folder, monkeypatch):
    import hashlib

    from safetensors.torch import save

    content = save({"conv.weight": torch.zeros(3, 1, 1, 1, 1), "conv.bias": torch.zeros(9)})
    (folder / WEIGHTS).write_bytes(content)
    changed(folder, weights_sha256=hashlib.sha256(content).hexdigest())
    with pytest.raises(LongtailError, match="do not fit"):
        read_package(folder)


def test_missing_weights_and_missing_models_are_sentences(folder, tmp_path):
    (folder / WEIGHTS).unlink()
    with pytest.raises(LongtailError, match="cannot be read"):
        read_package(folder)
    with pytest.raises(LongtailError, match="no exported model"):
        read_package(tmp_path)
    assert not is_package(tmp_path)


REAL = [
    NetworkRecipe("unet", 3, 1, 3, {"width": 4, "strides": ((1, 2, 2), (2, 2, 2))}),
    NetworkRecipe("unet", 2, 1, 3, {"width": 4}),
    NetworkRecipe("encoder", 2, 3, 2, {"name": "resnet18", "pretrained": "/home/x/net.pt"}),
    NetworkRecipe("encoder", 2, 1, 2, {"name": "densenet121", "head": "cosine"}),
]


@pytest.mark.parametrize("recipe", REAL, ids=lambda recipe: f"{recipe.kind}-{recipe.spatial_dims}")
def test_the_networks_that_are_trained_survive(tmp_path, volume_card, provenance, recipe):
    options = {key: value for key, value in recipe.options.items() if key != "pretrained"}
    network = real_build(replace(recipe, options=options)).eval()
    task = Task.SEGMENTATION if recipe.kind == "unet" else Task.CLASSIFICATION
    card = replace(volume_card, task=task, network=recipe)
    write_package(tmp_path / "m", describe(card, COLOURS, provenance), network)
    package = read_package(tmp_path / "m")
    values = torch.rand(1, recipe.in_channels, *[32] * recipe.spatial_dims)
    with torch.no_grad():
        torch.testing.assert_close(package.loaded.network(values), network(values))
    assert "home" not in (tmp_path / "m" / DESCRIPTION).read_text()
