"""`two-stage` in the engine: the frozen encoder, resuming, other runs' encoders, refusals."""

import copy
import math

import pytest
import torch

from longtail.core.backend.events import Metric, Warned
from longtail.core.checkpoints.store import load, load_network
from longtail.core.errors import LongtailError
from longtail.core.methods.run import Setup
from longtail.core.methods.second_stage import SecondStage
from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.methods.two_stage import build
from longtail.core.project.records import Split
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run
from longtail.core.training.rehearsal import rehearse
from longtail.core.training.stepper import Stepper

SMALL = {"size": 32, "batch": 8, "images_a_class": 2}


@pytest.fixture
def start(tmp_path, pictures, finish, context):
    """Train on the pictures in a folder: gives events, result and folder."""

    def begin(name="run", *, resume=False, stop_after=None, settings=None, **wishes):
        folder = tmp_path / name
        if not resume:
            small = {**SMALL, **(settings or {})}
            write_spec(folder, plan_run(pictures, method="two-stage", settings=small, **wishes))
        steps = train(read_spec(folder), pictures, folder, context(stop_after), resume)
        return *finish(steps), folder

    return begin


def body(weights):
    return {name: value for name, value in weights.items() if name.startswith("body.")}


def metrics(events, name):
    return {e.class_name: e.value for e in events if isinstance(e, Metric) and e.name == name}


@pytest.mark.parametrize("head", ["crt", "lws", "balanced-softmax", "marc"])
def test_the_second_stage_leaves_the_encoder_to_the_bit(start, monkeypatch, head):
    frozen = {}
    enter = SecondStage.enter

    def watched(self):
        enter(self)
        frozen.update({k: v.clone() for k, v in self.run.average.state_dict().items()})

    monkeypatch.setattr(SecondStage, "enter", watched)
    _, result, folder = start(iterations=8, settings={"head": head, "head_share": 0.5})
    assert result["iterations"] == 8
    state = load(folder / "checkpoints/last.pt")
    for found in (state["weights"], state["training"]["network"]):
        torch.testing.assert_close(body(found), body(frozen), rtol=0, atol=0)
        assert not torch.equal(found["head.weight"], frozen["head.weight"])
    assert sum(result["prior"]) == pytest.approx(1)


@pytest.mark.parametrize(
    ("settings", "stop_after"),
    [
        ({"metric": "arcface"}, 6),
        ({"cache_features": True}, 8),
        ({"head": "marc"}, 10),
        ({"head": "tau-norm"}, 8),
    ],
)
def test_resuming_is_exact(start, settings, stop_after):
    wishes = {"iterations": 8, "settings": {"head_share": 0.5, **settings}}
    _, _, whole = start("whole", **wishes)
    _, stopped, parted = start("parted", stop_after=stop_after, **wishes)
    assert 0 < stopped["iterations"] < 8
    start("parted", resume=True)
    first, second = (load(each / "checkpoints/last.pt") for each in (whole, parted))
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    for key in ("second", "metric", "shortened"):
        ours, theirs = (each["training"]["method"][key] for each in (first, second))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_pictures_are_learned(start):
    events, result, folder = start(
        iterations=40,
        validation="split",
        settings={"learning_rate": 3e-3, "augmentation": "light", "head_share": 0.25},
    )
    assert result["validation"]["recall"]["mean"] > 0.6
    for name in ("recall_at_1", "map_at_r", "head_recall_before", "head_recall_after"):
        assert set(metrics(events, name)) == {"plain", "stripes", "square"}
    assert load_network(folder, "last").card.prior == pytest.approx([1 / 3] * 3)


def test_a_rehearsal_of_both_stages_leaves_no_trace(pictures, context, finish, monkeypatch):
    monkeypatch.setattr("longtail.core.training.rehearsal.TIMED_S", 0.0)
    spec = plan_run(
        pictures, method="two-stage", settings={**SMALL, "cache_features": True}, minutes=1
    )
    run = build(Setup(spec, pictures, "cpu"))
    list(run.prepare())
    stepper = Stepper(run)
    before = copy.deepcopy([stepper.state(), stepper.average.state_dict()])
    _, step_s = finish(rehearse(run, stepper, context()))
    assert step_s > 0
    assert run.phases == (0.0, pytest.approx(0.85))
    assert not run.second.active
    assert list(run.report.news(0)) == []
    after = [stepper.state(), stepper.average.state_dict()]
    torch.testing.assert_close(after[1], before[1], rtol=0, atol=0)
    for key in ("second", "metric", "shortened"):
        ours, theirs = (each["method"][key] for each in (before[0], after[0]))
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_shortened_classifier_predicts(start):
    settings = {"head": "tau-norm", "tau": 1.0}
    _, result, folder = start(iterations=4, validation="none", settings=settings)
    rows = load(folder / "checkpoints/last.pt")["weights"]["head.weight"]
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(3))
    assert result["prior"] == pytest.approx([1 / 3] * 3)
    plain = {"head": "tau-norm", "tau": 0}
    _, result, _ = start("plain", iterations=4, validation="none", settings=plain)
    assert result["prior"] == pytest.approx([16 / 28, 8 / 28, 4 / 28])


def test_validation_chooses_tau(start):
    _, _, folder = start(iterations=4, validation="split", settings={"head": "tau-norm"})
    tau = load(folder / "checkpoints/last.pt")["training"]["method"]["shortened"]["tau"]
    assert round(tau * 10) == pytest.approx(tau * 10)


@pytest.fixture
def other(pictures, finish, context):
    """Train a run of the project, as a source of an encoder."""

    def begin(method, **settings):
        spec = plan_run(
            pictures, method=method, settings={"size": 32, "batch": 8, **settings}, iterations=3
        )
        record = pictures.new_run(spec.to_mapping())
        folder = pictures.run_folder(record.id)
        finish(train(read_spec(folder), pictures, folder, context()))
        return record.id, folder

    return begin


@pytest.mark.parametrize(
    ("method", "head"), [("proco", "crt"), ("cross-entropy", "marc"), ("proco", "tau-norm")]
)
def test_the_encoder_of_another_run(start, other, method, head):
    run_id, source = other(method)
    _, result, folder = start(iterations=4, settings={"extractor": run_id, "head": head})
    assert result["iterations"] == 4
    taken, own = load_network(source).network.state_dict(), load_network(folder, "last").network
    torch.testing.assert_close(body(own.state_dict()), body(taken), rtol=0, atol=0)
    assert read_spec(folder).settings["size"] == 32


def test_kept_features_of_another_run(start, other):
    run_id, _ = other("cross-entropy", loss="ldam")
    _, result, folder = start(iterations=30, settings={"extractor": run_id, "cache_features": True})
    assert all(share > 0 for share in result["train"].values())
    assert math.isclose(sum(result["prior"]), 1)
    assert torch.isfinite(load(folder / "checkpoints/last.pt")["weights"]["head.weight"]).all()


def test_an_encoder_that_knows_the_test_images_is_told(start, other, pictures):
    run_id, _ = other("cross-entropy")
    pictures.set_split(["p0", "p1"], Split.TEST)
    events, _, _ = start(iterations=1, settings={"extractor": run_id})
    told = [event.text for event in events if isinstance(event, Warned)]
    assert any("learned from 2 images that are kept for validation or test" in t for t in told)


def test_encoders_that_cannot_be_taken(pictures, other):
    def plan(run_id):
        return plan_run(pictures, method="two-stage", settings={**SMALL, "extractor": run_id})

    with pytest.raises(LongtailError, match="no run named 'run-009'"):
        plan("run-009")
    with pytest.raises(LongtailError, match="no run named"):
        plan("../../etc")
    spec = plan_run(pictures, method="cross-entropy", settings={"size": 32}, iterations=1)
    fresh = pictures.new_run(spec.to_mapping())
    with pytest.raises(LongtailError, match="has not learned anything yet"):
        plan(fresh.id)


def test_several_classes_an_image_are_refused(findings):
    with pytest.raises(LongtailError, match="two-stage does not do multilabel"):
        plan_run(findings, method="two-stage")
