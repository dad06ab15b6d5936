"""`cross-entropy` with the losses made for long tails."""

import math

import pytest
import torch

from longtail.core.backend.events import Metric
from longtail.core.checkpoints.store import load
from longtail.core.errors import LongtailError
from longtail.core.losses import imageclass as losses
from longtail.core.methods.cross_entropy import build
from longtail.core.methods.run import Setup
from longtail.core.methods.settings import SEVERAL_LABEL_LOSSES
from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run

SMALL = {"size": 32, "batch": 8}


@pytest.fixture
def start(tmp_path, finish, context):
    """Train on a project in a folder: gives events, result and folder."""

    def begin(project, name="run", *, resume=False, stop_after=None, settings=None, **wishes):
        folder = tmp_path / name
        if not resume:
            small = {**SMALL, **(settings or {})}
            write_spec(folder, plan_run(project, method="cross-entropy", settings=small, **wishes))
        steps = train(read_spec(folder), project, folder, context(stop_after), resume)
        return *finish(steps), folder

    return begin


def all_finite(events):
    told = [e.value for e in events if isinstance(e, Metric) and e.name == "loss"]
    return bool(told) and all(math.isfinite(value) for value in told)


def test_bcl_resumes_exactly(pictures, start):
    wishes = {"iterations": 6, "validation": "none", "settings": {"loss": "bcl"}}
    events, result, whole = start(pictures, "whole", **wishes)
    assert all_finite(events)
    assert result["prior"] == pytest.approx([1 / 3] * 3)
    start(pictures, "parted", stop_after=7, **wishes)
    _, resumed, parted = start(pictures, "parted", resume=True)
    assert resumed["iterations"] == 6
    first, second = (load(each / "checkpoints/last.pt") for each in (whole, parted))
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    ours, theirs = (each["training"]["method"]["contrast"] for each in (first, second))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_bcl_moves_its_projections(pictures, start):
    wishes = {"validation": "none", "settings": {"loss": "bcl"}}
    _, _, one = start(pictures, "one", iterations=1, **wishes)
    _, _, two = start(pictures, "two", iterations=2, **wishes)
    first, second = (
        load(each / "checkpoints/last.pt")["training"]["method"]["contrast"] for each in (one, two)
    )
    assert all(not torch.equal(first[name], second[name]) for name in first)


def test_bcl_cannot_learn_from_mixed_images(pictures):
    with pytest.raises(LongtailError, match="cannot learn from mixed ones"):
        plan_run(pictures, method="cross-entropy", settings={"loss": "bcl", "mixup": "balanced"})


@pytest.mark.parametrize("loss", SEVERAL_LABEL_LOSSES)
def test_every_loss_of_several_classes_runs(findings, start, loss):
    events, result, _ = start(findings, iterations=2, settings={"loss": loss})
    assert all_finite(events)
    assert all(0 < share < 1 for share in result["prior"])


@pytest.mark.parametrize("loss", ["bcl", "ldam", "balanced-softmax"])
def test_losses_of_one_class_are_refused_for_several(findings, loss):
    with pytest.raises(LongtailError, match="several classes per image"):
        plan_run(findings, method="cross-entropy", settings={"loss": loss})


def run_of(pictures, **settings):
    spec = plan_run(pictures, method="cross-entropy", settings={**SMALL, **settings}, iterations=9)
    run = build(Setup(spec, pictures, "cpu"))
    list(run.prepare())
    return run


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"loss": "ldam"}, 8),
        ({"loss": "ldam", "weights_after": 0}, 0),
        ({"loss": "class-balanced"}, 0),
        ({"loss": "class-balanced", "weights_after": 0.5}, 5),
        ({"loss": "weighted", "weights_after": 1}, 10),
        ({"loss": "ce"}, 10),
    ],
)
def test_weights_count_from_when_they_should(pictures, settings, first):
    run = run_of(pictures, **settings)
    counted = [run.weights(place / 10) is not None for place in range(10)]
    assert counted == [place >= first for place in range(10)]
    weights = run.weights(1.0)
    expected = torch.tensor([16.0, 8.0, 4.0])
    if first < 10:
        torch.testing.assert_close(weights, _weights_of(settings["loss"], expected))
        expected = expected * weights
    torch.testing.assert_close(torch.tensor(run.prior()).float(), expected / expected.sum())


def _weights_of(loss, counts):
    if loss == "weighted":
        return losses.inverse_weights(counts)
    return losses.class_balanced_weights(counts, 0.99)
