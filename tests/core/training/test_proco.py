"""`proco` in the engine: learning, resuming, retreating, refusing."""

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact, Metric
from longtail.core.checkpoints.store import load, load_network
from longtail.core.errors import LongtailError
from longtail.core.methods.proco import ProcoRun, build
from longtail.core.methods.run import Setup
from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run

PACO = {"prototypes": False, "proto_instances": False, "recalibration": "fixed"}


@pytest.fixture
def start(tmp_path, pictures, finish, context):
    """Train on the pictures in a folder: gives events, result and folder."""

    def begin(name="run", *, resume=False, stop_after=None, settings=None, **wishes):
        folder = tmp_path / name
        if not resume:
            small = {"size": 32, "batch": 8, **(settings or {})}
            write_spec(folder, plan_run(pictures, method="proco", settings=small, **wishes))
        steps = train(read_spec(folder), pictures, folder, context(stop_after), resume)
        return *finish(steps), folder

    return begin


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {**PACO, "second_view": True},
        {"normaliser": "separate", "queue": 0, "second_view": True},
        {"second_view": True, "contrast_share": 0.0, "sampler": "instance"},
        {"second_view": False, "contrast_share": 0.3},
    ],
)
def test_resuming_is_exact(start, settings):
    wishes = {"iterations": 6, "settings": settings}
    _, _, whole = start("whole", **wishes)
    _, stopped, parted = start("parted", stop_after=7, **wishes)
    assert 0 < stopped["iterations"] < 6
    _, result, _ = start("parted", resume=True)
    assert result["iterations"] == 6
    first, second = (load(each / "checkpoints/last.pt") for each in (whole, parted))
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    for key in ("memory", "beside", "balance"):
        ours, theirs = (each["training"]["method"][key] for each in (first, second))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_pictures_are_learned(start):
    events, result, folder = start(
        preset="few-label-fast",
        iterations=30,
        validation="split",
        settings={"learning_rate": 3e-3, "augmentation": "light"},
    )
    assert result["validation"]["recall"]["mean"] > 0.6
    assert result["prior"] == pytest.approx([1 / 3] * 3)
    network, card, _ = load_network(folder)
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 3)
    assert card.method == "proco"
    assert any(isinstance(event, Metric) and event.name == "train_recall" for event in events)
    maps = [e for e in events if isinstance(e, Artifact) and e.kind == "map"]
    assert maps
    with np.load(folder / maps[-1].path) as arrays:
        assert set(arrays["point_classes"].tolist()) == {1, 2, 3}
        assert arrays["centres"].shape == (3, 2)
        assert arrays["step"] == 30


def test_comparisons_pull_their_share(start):
    settings = {"second_view": False, "normaliser": "separate", "contrast_share": 0.25}
    events, _, _ = start(iterations=30, settings=settings)
    told = [each.value for each in events if getattr(each, "name", "") == "contrast_gradient"]
    # A little less than 0.25: the first images have nothing to be compared with.
    assert 0.15 < told[-1] < 0.28


def test_rare_classes_are_given_room_by_how_many_images_there_are(pictures):
    settings = {"size": 32, "sampler": "square-root", "rare_margin": 0.5, "apply_to": "prototype"}
    run = build(Setup(plan_run(pictures, method="proco", settings=settings), pictures, "cpu"))
    list(run.prepare())
    counts = torch.tensor([16.0, 8.0, 4.0])
    shown = counts.sqrt() / counts.sqrt().sum()
    expected = shown.log() + 0.5 * (counts / 28).log()
    torch.testing.assert_close(run.shift(run.shares), expected)
    np.testing.assert_allclose(run.prior(), [1 / 3] * 3)


def test_learned_weights_in_the_classifier_change_the_prior(start):
    settings = {"apply_to": "both", "normaliser": "joint", "sampler": "instance"}
    _, result, folder = start(iterations=4, settings=settings)
    weights = load(folder / "checkpoints/last.pt")["training"]["method"]["memory"]["weights"]
    expected = np.array([16, 8, 4]) / weights.numpy()
    np.testing.assert_allclose(result["prior"], expected / expected.sum(), rtol=1e-5)


def test_memory_running_out_keeps_the_queue_whole(start, monkeypatch):
    plain = ProcoRun.step

    def short_of_memory(self, batch, moment):
        result = plain(self, batch, moment)
        if len(batch["image"]) > 4:
            raise MemoryError
        return result

    monkeypatch.setattr(ProcoRun, "step", short_of_memory)
    _, _, folder = start(iterations=2)
    kept = load(folder / "checkpoints/last.pt")["training"]["method"]["memory"]["queue"]
    assert int(kept["filled"]) == 16


def test_several_classes_an_image_are_refused(findings):
    with pytest.raises(LongtailError, match="proco does not do multilabel") as error:
        plan_run(findings, method="proco")
    assert "cross-entropy" in error.value.remedy
