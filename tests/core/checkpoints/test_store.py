"""Checkpoints: whole or not at all, and never code."""

import errno
import io
import json
from pathlib import Path

import pytest
import torch

from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import (
    checkpoint_path,
    hash_of,
    load,
    load_network,
    save,
    weights_hash,
)
from longtail.core.data.preprocessing import Preprocessing
from longtail.core.errors import LongtailError
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.records import Task


def card(**changes):
    values = {
        "task": Task.SEGMENTATION,
        "class_ids": (2, 5),
        "class_names": ("Leber", "Näher"),
        "network": NetworkRecipe("unet", 2, 1, 3, {"width": 4}),
        "preprocessing": Preprocessing(2, 1),
        "patch_size": (16, 16),
        "method": "supervised",
        "label_version": 7,
    }
    return ModelCard(**{**values, **changes})


@pytest.fixture
def run(tmp_path):
    network = build_network(card().network)
    folder = tmp_path / "ein Lauf"
    state = {"card": card().to_mapping(), "weights": network.state_dict()}
    save(folder / "checkpoints" / "last.pt", state)
    return folder


def test_a_network_comes_back(run):
    network, found, preprocessing = load_network(run)
    assert found == card()
    assert preprocessing == Preprocessing(2, 1)
    saved = load(run / "checkpoints" / "last.pt")["weights"]
    torch.testing.assert_close(dict(network.state_dict()), dict(saved))
    assert network(torch.zeros(1, 1, 16, 16)).shape == (1, 3, 16, 16)


def test_the_best_is_the_last_without_validation(run):
    assert checkpoint_path(run, "best").name == "last.pt"
    (run / "checkpoints" / "best.pt").write_bytes(b"")
    assert checkpoint_path(run, "best").name == "best.pt"
    with pytest.raises(LongtailError, match="no checkpoint 'class-9'"):
        checkpoint_path(run, "class-9")


def test_a_card_survives_json():
    for one in (card(), card(task=Task.CLASSIFICATION, patch_size=None, prior=(0.25, 0.75))):
        assert ModelCard.from_mapping(json.loads(json.dumps(one.to_mapping()))) == one


@pytest.mark.parametrize("damage", [{"task": "cooking"}, {"classes": [{}]}, {"network": {"a": 1}}])
def test_a_damaged_card_is_said(damage):
    with pytest.raises(LongtailError, match="damaged"):
        ModelCard.from_mapping({**card().to_mapping(), **damage})


def test_newer_files_are_refused(tmp_path):
    with pytest.raises(LongtailError, match="newer Longtail"):
        ModelCard.from_mapping({**card().to_mapping(), "format": 2})
    save(tmp_path / "a.pt", {"format": 2})
    with pytest.raises(LongtailError, match="newer Longtail"):
        load(tmp_path / "a.pt")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_cut_file_is_said(run, share):
    path = run / "checkpoints" / "last.pt"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(LongtailError, match=r"last\.pt is damaged or cut short"):
        load(path)


class Danger:
    def __reduce__(self):
        return (print, ("it was run",))


@pytest.mark.parametrize("content", [Danger(), {"format": 1, "weights": Danger()}, [1], {"a": 1}])
def test_nothing_in_a_file_is_run(tmp_path, content, capsys):
    path = tmp_path / "bad.pt"
    torch.save(content, path)
    with pytest.raises(LongtailError, match="damaged"):
        load(path)
    assert capsys.readouterr().out == ""


def test_weights_of_another_network_are_refused(run):
    path = run / "checkpoints" / "last.pt"
    state = load(path)
    save(path, {**state, "card": card(network=NetworkRecipe("unet", 2, 1, 4)).to_mapping()})
    with pytest.raises(LongtailError, match="do not fit its network"):
        load_network(run)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LongtailError, match=r"last\.pt is not in"):
        load(tmp_path / "last.pt")
    with pytest.raises(LongtailError, match="no checkpoint"):
        load_network(tmp_path)


def test_the_hash_is_of_the_weights(run, tmp_path):
    path = run / "checkpoints" / "last.pt"
    state = load(path)
    save(tmp_path / "other.pt", {**state, "training": {"step": 3}})
    assert weights_hash(path) == weights_hash(tmp_path / "other.pt")
    weights = dict(state["weights"])
    name = next(iter(weights))
    weights[name] = weights[name] + 1e-6
    assert hash_of(weights) != weights_hash(path)
    halves = {name: value.half() for name, value in weights.items()}
    assert hash_of(halves) != hash_of(weights)


def test_a_failed_write_leaves_the_old_file(run):
    path = run / "checkpoints" / "last.pt"
    before = path.read_bytes()
    with pytest.raises(Exception, match="pickle"):
        save(path, {"weights": lambda: None})
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["last.pt"]


def test_a_full_disk_is_said_and_the_old_checkpoint_stays(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    save(path, {"weights": torch.zeros(3)})
    before = path.read_bytes()

    class FullDisk(io.FileIO):
        def write(self, data):
            if self.tell() > 100:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(Path, "open", lambda self, mode: FullDisk(self, mode))
    with pytest.raises(LongtailError, match="disk is full"):
        save(path, {"weights": torch.zeros(100_000)})
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["last.pt"]
