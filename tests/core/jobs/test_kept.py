import os

import pytest
import torch

from longtail.core.checkpoints.card import ModelCard
from longtail.core.checkpoints.store import save
from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.jobs import kept
from longtail.core.jobs.kept import kept_run
from longtail.core.methods.spec import RunSpec
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.project.records import Task
from longtail.core.project.store import Project


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=["blob"]) as project:
        yield project
    kept._kept.clear()


def add_run(project, seed):
    card = ModelCard(
        task=Task.MULTILABEL,
        class_ids=(1,),
        class_names=("blob",),
        network=NetworkRecipe("encoder", 2, 1, 1, {"name": "resnet18"}),
        preprocessing=Preprocessing(2, 1, Intensity("window", 0, 1, (0.0,), (1.0,)), size=(32, 32)),
    )
    classes = [{"id": 1, "name": "blob", "examples": 1, "volume": 0.5}]
    spec = RunSpec(method="cross-entropy", task=card.task, classes=classes, iterations=1)
    run = project.new_run(spec.to_mapping()).id
    return run, write(project, run, card, seed)


def write(project, run, card, seed):
    torch.manual_seed(seed)
    path = project.run_folder(run) / "checkpoints" / "last.pt"
    save(path, {"card": card.to_mapping(), "weights": build_network(card.network).state_dict()})
    return card


def test_a_network_is_read_once(project):
    run, _ = add_run(project, 0)
    first = kept_run(project, run, "best", "cpu")
    assert kept_run(project, run, "best", "cpu").network is first.network


def test_new_weights_are_read(project):
    run, card = add_run(project, 0)
    first = kept_run(project, run, "best", "cpu")
    write(project, run, card, 1)
    os.utime(project.run_folder(run) / "checkpoints" / "last.pt", (2e9, 2e9))
    assert kept_run(project, run, "best", "cpu").weights_hash != first.weights_hash


def test_another_run_takes_its_place(project):
    one, two = add_run(project, 0)[0], add_run(project, 1)[0]
    first = kept_run(project, one, "best", "cpu")
    assert kept_run(project, two, "best", "cpu").weights_hash != first.weights_hash
    assert kept_run(project, one, "best", "cpu").network is not first.network


def test_a_large_network_is_not_kept(project, monkeypatch):
    monkeypatch.setattr(kept, "LARGEST_BYTES", 1000)
    run, _ = add_run(project, 0)
    first = kept_run(project, run, "best", "cpu")
    assert kept_run(project, run, "best", "cpu").network is not first.network
