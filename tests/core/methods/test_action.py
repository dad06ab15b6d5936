"""ACTION++: its stages, its switches, and what it tells."""

import math

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact, Metric
from longtail.core.checkpoints.store import load, load_network
from longtail.core.methods.contrast_weights import pulls
from longtail.core.methods.run import Moment
from longtail.core.methods.spec import write_spec
from longtail.core.project.records import NOT_LABELLED
from longtail.core.training.engine import train

NO_PRETRAINING = {"pretrain_share": 0.0}
EACH_STEP = {
    "contrast_every": 1,
    "labelled_first": 0.0,
    "ramp_share": 0.15,
    "hold_shares": False,
}
"""Unlike the presets for short trainings: every step of these tests does all there is to do."""


@pytest.fixture
def trial(trial):
    """Plan and prepare a small run in which no part waits for its turn."""

    def begin(project, method, *, settings=None, **wishes):
        return trial(project, method, settings={**EACH_STEP, **(settings or {})}, **wishes)

    return begin


@pytest.mark.parametrize(
    "off",
    [
        {"unlabelled": False},
        {"pseudo_dice": False},
        {"mix": "none"},
        {"mix": "unlabelled"},
        {"per_class_threshold": "always"},
        {"per_class_threshold": "never"},
        {"pretrain_share": 0.0},
        {"pretrain_global": False},
        {"pretrain_local": False},
        {"pretrain_global": False, "pretrain_local": False},
        {"anco": False},
        {"saacl": False},
        {"anco": False, "saacl": False},
        {"anco": False, "saacl": False, "unlabelled": False, "pretrain_share": 0.0},
        {"adaptive_temperature": False},
        {"contrast_share": 0.0},
        {"divide_centre": True},
        {"head": "dense"},
        {"ema": 0.0},
        {"labelled_first": 0.3},
        {"contrast_every": 2},
        {"fill_gaps": False},
        {"hold_shares": True},
    ],
    ids=str,
)
def test_every_part_can_be_switched_off(scans, trial, off):
    made = trial(scans, "action++", iterations=3, settings={"pretrain_share": 0.34, **off})
    assert np.isfinite(made.go(3)).all()
    result = made.run.step(made.run.batch(2), Moment(2, 3))
    assert ("anco" in result.parts) is off.get("anco", True)
    assert ("saacl" in result.parts) is off.get("saacl", True)
    assert ("pseudo" in result.parts) is off.get("unlabelled", True)


def test_pre_training_comes_first_and_only_where_wished(scans, trial):
    made = trial(scans, "action++", settings={"pretrain_share": 0.5})
    assert made.run.phases == (0.0, 0.5)
    batch = made.run.batch(0)
    assert "pretraining" in made.run.step(batch, Moment(2, 6)).parts
    assert "anco" in made.run.step(batch, Moment(3, 6)).parts
    without = trial(scans, "action++", settings=NO_PRETRAINING)
    assert without.run.phases == (0.0,)
    assert "anco" in without.run.step(batch, Moment(0, 6)).parts


def test_labelled_scans_may_come_first(scans, trial, monkeypatch):
    settings = {"pretrain_share": 0.25, "labelled_first": 0.25, "ramp_share": 0.5}
    made = trial(scans, "action++", settings=settings)
    assert made.run.phases == (0.0, 0.25, 0.5)
    batch = made.run.batch(0)
    first, after = made.run.step(batch, Moment(3, 8)), made.run.step(batch, Moment(4, 8))
    assert "pseudo" not in first.parts
    assert {"anco", "saacl"} <= first.parts.keys() & after.parts.keys()
    assert "pseudo" in after.parts
    assert made.run.ramp(Moment(4, 8)) < made.run.ramp(Moment(6, 8)) < 1
    assert made.run.ramp(Moment(8, 8)) == 1
    bare = trial(scans, "action++", settings={**settings, "anco": False, "saacl": False})
    monkeypatch.setattr(bare.run, "average", None)  # with labels alone no teacher is asked
    assert math.isfinite(float(bare.run.step(batch, Moment(3, 8)).loss.detach()))


def test_contrasts_may_take_part_in_some_steps_only(scans, trial):
    made = trial(scans, "action++", settings={**NO_PRETRAINING, "contrast_every": 3})
    seen = [made.run.step(made.run.batch(step), Moment(step, 7)).parts for step in range(7)]
    assert ["anco" in parts for parts in seen] == [step % 3 == 0 for step in range(7)]
    assert ["saacl" in parts for parts in seen] == [step % 3 == 0 for step in range(7)]
    assert all("pseudo" in parts for parts in seen)


def test_gaps_of_labelled_scans_are_learned_from(scans, trial):
    made = trial(scans, "action++", settings={**NO_PRETRAINING, "mix": "none"})
    run = made.run
    batch = next(one for one in map(run.batch, range(40)) if one["gaps"].any())
    gaps, count = batch["gaps"], len(batch["image"])
    assert (batch["label"][gaps] == NOT_LABELLED).all()
    taught = run._taught(batch, labelled=True, pool=True)[-1]
    view = run._view(batch, taught)
    assert torch.equal(view.guessed[:count], gaps)
    assert torch.equal(view.pseudo[:count], taught[:count].argmax(1))
    assert (view.labels[:count][gaps] == NOT_LABELLED).all()
    run.choice = run.choice.model_copy(update={"fill_gaps": False})
    assert not run._view(batch, taught).guessed[:count].any()


def test_a_class_that_withers_is_held(scans, trial):
    made = trial(scans, "action++", settings={**NO_PRETRAINING, "hold_shares": True})
    run, batch = made.run, made.run.batch(0)
    guesses = torch.zeros(len(batch["image"]) + len(batch["weak"]), 3, *batch["weak"].shape[2:])
    guesses[:, 1] = 0.5  # a little more of class 1 than of class 2 everywhere
    run.held.shares = torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64)
    run.held.scarce = torch.tensor([False, False, True])

    def pseudo(*predicted):
        run.predicted = torch.tensor(predicted, dtype=torch.float64)
        view = run._view(batch, guesses)
        return view.pseudo[view.guessed].bincount(minlength=3).tolist()

    even = pseudo(0, 1e9, 1e9)
    assert even[1] > 0
    assert even[2] == 0
    assert pseudo(0, 9e9, 1e9) == [0, 0, even[1]]
    assert run.predicted[1] > 0.98 * 9e9  # what the teacher says by itself is counted
    run.choice = run.choice.model_copy(update={"hold_shares": False})
    assert pseudo(0, 9e9, 1e9) == even


def test_the_temperature_falls_and_rises_within_each_stage(scans, trial):
    made = trial(scans, "action++", iterations=40, settings={"pretrain_share": 0.5})
    told = {}
    batch = made.run.batch(0)
    for step in (0, 10, 20, 30, 39):
        made.run.step(batch, Moment(step, 40))
        told[step] = made.run._temperature
    assert told[0] == told[20] == 1.0
    assert told[10] == pytest.approx(0.1)
    assert told[30] == pytest.approx(0.1)
    assert 0.9 < told[39] < 1
    fixed = trial(scans, "action", iterations=40, settings=NO_PRETRAINING)
    for step in (0, 20):
        fixed.run.step(fixed.run.batch(0), Moment(step, 40))
        assert fixed.run._temperature == (
            0.1 if not fixed.run.choice.adaptive_temperature else told[step]
        )


def test_the_published_rate_falls_in_each_stage(scans, trial):
    settings = {"pretrain_share": 0.25, "decay": "poly"}
    made = trial(scans, "action++", settings=settings)
    paced = [made.run.paced(Moment(step, 40)) for step in (0, 9, 10, 39)]
    assert paced == [Moment(0, 10), Moment(9, 10), Moment(0, 30), Moment(29, 30)]
    plain = trial(scans, "action++", settings={"pretrain_share": 0.25})
    assert plain.run.paced(Moment(39, 40)) == Moment(39, 40)


def test_a_contrast_pulls_at_most_a_share_as_hard_as_the_labels(scans, trial, monkeypatch):
    settings = {**NO_PRETRAINING, "contrast_share": 0.2}
    made = trial(scans, "action++", settings=settings)
    measured = []

    def measure(loss, maps):
        measured.append(pulls(loss, maps))
        return measured[-1]

    monkeypatch.setattr("longtail.core.methods.contrast_weights.pulls", measure)
    made.run.step(made.run.batch(0), Moment(0, 6))
    supervised, *contrasts = measured
    assert len(supervised) == len(made.run.network.map_widths)
    for name, own in zip(("anco", "saacl"), contrasts, strict=True):
        weight = made.run.contrast_weights[name]
        shares = [weight * mine / theirs for mine, theirs in zip(own, supervised, strict=True)]
        assert max(shares) == pytest.approx(0.2) or weight == 20


def test_a_contrast_that_does_not_pull_yet_gets_no_weight(scans, trial, monkeypatch):
    made = trial(scans, "action++", settings=NO_PRETRAINING)
    name = "longtail.core.methods.contrast_weights.pulls"
    monkeypatch.setattr(name, lambda loss, maps: [0.0] * len(maps))
    made.go(1)
    assert made.run.contrast_weights.items() == ()
    monkeypatch.undo()
    made.go(1)
    assert set(dict(made.run.contrast_weights.items())) == {"anco", "saacl"}


def test_fixed_weights_are_taken_where_no_share_is_wished(scans, trial):
    settings = {**NO_PRETRAINING, "contrast_share": 0.0, "saacl_weight": 0.5}
    settings["unlabelled_weight"] = 1.0
    made = trial(scans, "action++", settings=settings)
    result = made.run.step(made.run.batch(0), Moment(5, 6))
    parts = result.parts
    wanted = parts["cross_entropy"] + parts["dice_loss"] + parts["pseudo"]
    wanted += 0.01 * parts["anco"] + 0.5 * parts["saacl"]
    assert float(result.loss.detach()) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("network", ["unet", "plain-unet"])
def test_a_scan_that_is_no_number_is_skipped_and_forgotten(scans, trial, network):
    settings = {"pretrain_share": 0.5, "network": network}
    made = trial(scans, "action++", iterations=8, settings=settings)
    plain = made.run.batch

    def broken(step):
        batch = plain(step)
        if step in (1, 5):
            batch["image"] = batch["image"] * math.nan
            batch["strong"] = batch["strong"] * math.nan
            batch["weak"] = batch["weak"] * math.nan
        return batch

    made.run.batch = broken
    losses = made.go(8)
    assert [math.isnan(loss) for loss in losses] == [step in (1, 5) for step in range(8)]
    state = made.run.state()
    assert torch.isfinite(state["contrast"]["queue"]["features"]).all()
    assert torch.isfinite(state["contrast"]["means"]).all()
    assert all(torch.isfinite(each).all() for each in state["pretraining"]["bank"].values())
    assert all(math.isfinite(each) for each in state["weights"].values())
    for module in (made.run.average, made.run.contrast.teacher_head, made.run.pretraining.heads):
        assert all(torch.isfinite(each).all() for each in module.buffers())


def test_no_confident_pixel_is_no_harm(scans, trial):
    settings = {**NO_PRETRAINING, "contrast_confidence": 0.999, "confidence": 0.999, "mix": "none"}
    made = trial(scans, "action++", settings=settings)
    batch = made.run.batch(0)
    batch["known"] = batch["known"].masked_fill(batch["known"] < 254, 254)
    *maps, logits = made.run._taught(batch, labelled=True, pool=True)
    made.run._taught = lambda batch, **_: [*maps, torch.zeros_like(logits)]
    result = made.run.step(batch, Moment(5, 6))
    assert result.parts["pseudo"] == 0
    assert float(result.parts["anco"]) > 0
    batch["label"] = torch.full_like(batch["label"], NOT_LABELLED)
    nothing = made.run.step(batch, Moment(5, 6))
    assert float(nothing.loss.detach()) == 0
    nothing.loss.backward()


@pytest.mark.parametrize("saacl", [True, False])
def test_a_class_that_nobody_labelled_is_no_harm(project_of, trial, saacl):
    def ball(mask):
        return np.where(mask == 1, mask, 0).astype(np.uint8)

    project = project_of(ball, ball, None, None)
    settings = {**NO_PRETRAINING, "saacl": saacl}
    made = trial(project, "action++", settings=settings)
    assert np.isfinite(made.go(4)).all()
    list(made.run.news(4))
    (picture,) = (made.run.setup.folder / "maps").iterdir()
    with np.load(picture, allow_pickle=False) as arrays:
        assert set(arrays["centre_classes"].tolist()) <= {0, 1, 2}


def test_rare_classes_have_a_bar_of_their_own(scans, trial):
    made = trial(scans, "action++", settings=NO_PRETRAINING)
    counts = made.run.output_counts()
    assert made.run.has_bar.tolist() == (counts < 0.01 * counts.sum()).tolist()
    assert trial(scans, "action++", settings={"per_class_threshold": "always"}).run.has_bar.all()
    off = trial(scans, "action++", settings={"per_class_threshold": "never"})
    assert not off.run.has_bar.any()
    assert off.run._current_bars() is None


def test_which_classes_are_rare_follows_the_labels(scans, trial):
    settings = {"class_weights": "balanced", "per_class_threshold": "auto"}
    made = trial(scans, "action++", settings=settings)
    rare, weights = made.run.has_bar.clone(), made.run.class_weights.clone()
    scans.write_label_map("scan3", np.zeros((18, 20, 16), np.uint8), author="me")
    made.run.labels_changed(("scan3",))
    assert rare.tolist() == [False, False, False]
    assert made.run.has_bar.tolist() == [False, False, True]
    assert made.run.class_weights[0] < weights[0]


def test_what_was_learned_is_told(scans, trial):
    made = trial(scans, "action++", iterations=4, settings={"pretrain_share": 0.25})
    made.go(1)
    first = list(made.run.news(1))
    assert not [e for e in first if isinstance(e, Artifact)]
    made.go(3)
    events = list(made.run.news(4))
    told = {e.name for e in events if isinstance(e, Metric)}
    assert {"temperature", "anco_weight", "saacl_weight", "predicted_share"} <= told
    (picture,) = [e for e in events if isinstance(e, Artifact)]
    assert picture == Artifact("maps/step-0000004.npz", "map")
    with np.load(made.run.setup.folder / picture.path, allow_pickle=False) as arrays:
        assert int(arrays["step"]) == 4
        assert arrays["centres"].shape == (3, 2)
        assert arrays["points"].shape == (len(arrays["point_classes"]), 2)
    assert not [e for e in made.run.news(4) if isinstance(e, Artifact)]


def test_a_picture_shows_the_run_and_not_its_rehearsal(scans, trial):
    made = trial(scans, "action++", settings={"pretrain_share": 0.5})
    saved = made.saved()
    made.run.step(made.run.batch(4), Moment(4, 6))
    made.load(saved, 0)
    made.go(1)
    assert not [e for e in made.run.news(1) if isinstance(e, Artifact)]


def test_heads_learn_and_are_no_part_of_what_predicts(scans, trial):
    made = trial(scans, "action++", settings={"pretrain_share": 0.34})
    before = made.saved()[0]["method"]
    made.go(6)
    after = made.saved()[0]["method"]
    for part, name in (("contrast", "head"), ("pretraining", "heads")):
        weights = [key for key in before[part][name] if key.endswith("first.weight")]
        assert weights
        for key in weights:
            assert not torch.equal(before[part][name][key], after[part][name][key]), key
            teacher = after[part][f"teacher_{name}"][key]
            assert not torch.equal(teacher, after[part][name][key])
    names = {name for name, _ in made.run.network.named_parameters()}
    assert not [name for name in names if "head" in name]


class Context:
    """What the engine sees of a backend; it may stop after some safe points."""

    device, threads = "cpu", 1

    def __init__(self, left=10**6):
        self.left = left

    @property
    def stop_asked(self):
        return self.left <= 0

    def safe_point(self):
        self.left -= 1
        return iter(())

    def changes(self):
        return []


def test_the_engine_goes_on_exactly_and_the_network_can_be_read(
    scans, plan, tmp_path, bit_equal, finished
):
    settings = {"network": "vnet", "dropout": 0.3, "pretrain_share": 0.5, "contrast_every": 2}
    spec = plan(scans, "action++", settings=settings)
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    for folder in (whole, parted):
        write_spec(folder, spec)
    finished(train(spec, scans, whole, Context()))
    reading = 12  # safe points before the first step, more or less
    stopped = finished(train(spec, scans, parted, Context(reading)))
    assert 0 < stopped["iterations"] < 6
    assert finished(train(spec, scans, parted, Context(), resume=True))["iterations"] == 6
    first, second = (load(each / "checkpoints" / "last.pt") for each in (whole, parted))
    bit_equal(first["weights"], second["weights"])
    for each in (first, second):  # pictures follow the clock
        del each["training"]["method"]["map"]
    for name in ("network", "optimizer", "method"):
        bit_equal(first["training"][name], second["training"][name])
    network = load_network(whole).network
    assert network(torch.zeros(1, 1, 16, 16, 16)).shape == (1, 3, 16, 16, 16)
