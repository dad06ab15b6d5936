"""The loop: budget, resume, retreat, faults, changes, validation."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact, Log, Metric, Progress, Told, Warned
from longtail.core.backend.job import Cancelled
from longtail.core.checkpoints.store import load, load_network, weights_hash
from longtail.core.errors import LongtailError
from longtail.core.methods.cross_entropy import CrossEntropyRun
from longtail.core.methods.spec import read_spec, write_spec
from longtail.core.methods.supervised import SupervisedRun
from longtail.core.training.changes import LabelsChanged, SampleMore
from longtail.core.training.engine import train
from longtail.core.training.plan import plan_run

SMALL = {"width": 4, "patch": "16x16x16"}
SMALL_IMAGES = {"size": 32, "batch": 8}


def weights(folder):
    return load(folder / "checkpoints" / "last.pt")["weights"]


def metrics(events, name):
    return [event for event in events if isinstance(event, Metric) and event.name == name]


@pytest.mark.parametrize("kind", ["volumes", "pictures"])
def test_resuming_is_exact(request, start, kind):
    project = request.getfixturevalue(kind)
    method = "supervised" if kind == "volumes" else "cross-entropy"
    wishes = {"iterations": 6, "settings": {"dropout": 0.1} if kind == "volumes" else {}}
    _, _, whole = start(project, method, name="whole", **wishes)
    _, stopped, parted = start(project, method, name="parted", stop_after=3 + 4, **wishes)
    assert 0 < stopped["iterations"] < 6
    _, result, _ = start(project, method, name="parted", resume=True)
    assert result["iterations"] == 6
    first, second = load(whole / "checkpoints/last.pt"), load(parted / "checkpoints/last.pt")
    torch.testing.assert_close(first["weights"], second["weights"], rtol=0, atol=0)
    for key in ("network", "tally"):
        torch.testing.assert_close(first["training"][key], second["training"][key], rtol=0, atol=0)
    assert weights_hash(whole / "checkpoints/last.pt") == weights_hash(
        parted / "checkpoints/last.pt"
    )


def test_one_seed_one_result_and_others_differ(volumes, start):
    _, _, one = start(volumes, "supervised", name="one", iterations=2)
    _, _, same = start(volumes, "supervised", name="same", iterations=2)
    _, _, other = start(volumes, "supervised", name="other", iterations=2, seed=1)
    hashes = [weights_hash(folder / "checkpoints/last.pt") for folder in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_volumes_are_learned(volumes, start):
    events, result, folder = start(volumes, "supervised", iterations=60, validation="split")
    dice = metrics(events, "dice")
    assert {metric.class_name for metric in dice} == {"ball", "pea", None}
    assert result["validation"]["dice"]["classes"]["ball"] > 0.8
    assert result["best"] == max(m.value for m in dice if m.class_name is None)
    assert metrics(events, "train_dice")
    assert any(isinstance(event, Progress) and event.what == "Training" for event in events)
    assert Artifact("checkpoints/best.pt", "checkpoint") in events
    for name in ("best", "last", "class-1", "class-2"):
        network, card, preprocessing = load_network(folder, name)
        assert card.class_names == ("ball", "pea")
        assert preprocessing.spatial_dims == 3
        assert not network.training


def test_pictures_are_learned(pictures, start):
    events, result, folder = start(
        pictures,
        "cross-entropy",
        iterations=30,
        validation="split",
        settings={"learning_rate": 3e-3, "augmentation": "light"},
    )
    assert result["validation"]["recall"]["mean"] > 0.6
    assert result["prior"] == pytest.approx([1 / 3] * 3)
    assert metrics(events, "train_recall")
    _, card, _ = load_network(folder)
    assert card.prior == pytest.approx([1 / 3] * 3)
    assert card.network.options["pretrained"] == "none"


def test_findings_are_learned(findings, start):
    _, result, _ = start(findings, "cross-entropy", iterations=3)
    assert all(0 < share < 1 for share in result["prior"])


@pytest.mark.parametrize(
    "settings",
    [
        {"loss": "ldam"},
        {"loss": "focal", "sampler": "square-root"},
        {"loss": "class-balanced", "label_smoothing": 0.1},
        {"loss": "weighted"},
        {"loss": "logit-adjustment", "adjustment_tau": 0.5, "sampler": "class-balanced"},
        {"loss": "ce", "mixup": "balanced"},
        {"loss": "ldam", "mixup": "balanced"},
    ],
)
def test_every_choice_runs(pictures, start, settings):
    events, result, _ = start(pictures, "cross-entropy", iterations=2, settings=settings)
    assert all(math.isfinite(metric.value) for metric in metrics(events, "loss"))
    assert sum(result["prior"]) == pytest.approx(1)


def test_slices_are_learned(volumes, start):
    _, result, folder = start(
        volumes,
        "supervised",
        iterations=2,
        validation="split",
        settings={"dimensions": "2d", "patch": "16x16", "class_weights": "balanced"},
    )
    assert result["validation"]["dice"]["mean"] >= 0
    assert load_network(folder).card.patch_size == (16, 16)


def test_memory_running_out_halves_the_portions(volumes, start, monkeypatch):
    plain = SupervisedRun.step
    sizes = []

    def short_of_memory(self, batch, moment):
        sizes.append(len(batch["image"]))
        if len(batch["image"]) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(self, batch, moment)

    monkeypatch.setattr(SupervisedRun, "step", short_of_memory)
    events, result, _ = start(volumes, "supervised", iterations=2)
    assert result["iterations"] == 2
    assert sizes == [2, 1, 1, 1, 1]
    warned = [event for event in events if isinstance(event, Warned) and event.kind == "memory"]
    assert len(warned) == 1
    assert "2 portions" in warned[0].text


def test_portions_give_the_gradient_of_the_whole(pictures, start, monkeypatch):
    frozen = {"iterations": 1, "settings": {"gradient_clip": 0, "ema": 0.0}}

    # Without batch norms that look at the portion, both must agree.
    def step(self, batch, moment):
        self.network.body.eval()
        return plain(self, batch, moment)

    plain = CrossEntropyRun.step
    monkeypatch.setattr(CrossEntropyRun, "step", step)
    _, _, whole = start(pictures, "cross-entropy", name="whole", **frozen)

    def short_of_memory(self, batch, moment):
        if len(batch["image"]) > 4:
            raise MemoryError
        return step(self, batch, moment)

    monkeypatch.setattr(CrossEntropyRun, "step", short_of_memory)
    _, _, parts = start(pictures, "cross-entropy", name="parts", **frozen)
    torch.testing.assert_close(
        weights(whole)["head.weight"], weights(parts)["head.weight"], rtol=1e-3, atol=1e-5
    )


def test_no_memory_at_all_is_said(volumes, start, monkeypatch):
    def never(self, batch, moment):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(SupervisedRun, "step", never)
    with pytest.raises(LongtailError, match="not enough memory") as error:
        start(volumes, "supervised", iterations=2)
    assert "smaller patch" in error.value.remedy


def test_other_errors_are_not_swallowed(volumes, start, monkeypatch):
    def broken(self, batch, moment):
        raise RuntimeError("a bug")

    monkeypatch.setattr(SupervisedRun, "step", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        start(volumes, "supervised", iterations=2)


def spoil(monkeypatch, bad):
    plain = SupervisedRun.step

    def step(self, batch, moment):
        result = plain(self, batch, moment)
        return replace(result, loss=result.loss * math.nan) if bad(moment.step) else result

    monkeypatch.setattr(SupervisedRun, "step", step)


def test_a_bad_step_is_skipped(volumes, start, monkeypatch):
    spoil(monkeypatch, lambda step: step == 1)
    events, result, folder = start(volumes, "supervised", iterations=3)
    assert result["iterations"] == 3
    assert [e.kind for e in events if isinstance(e, Warned)].count("unstable") == 1
    assert all(torch.isfinite(value).all() for value in weights(folder).values())


def test_many_bad_steps_end_the_run(volumes, start, monkeypatch):
    spoil(monkeypatch, lambda step: True)
    with pytest.raises(LongtailError, match="not a number any more"):
        start(volumes, "supervised", iterations=20)


def test_minutes_become_a_number_that_is_kept(volumes, start):
    events, result, folder = start(volumes, "supervised", minutes=0.02)
    planned = read_spec(folder).iterations_planned
    assert planned is not None
    assert any(isinstance(event, Log) and f"{planned} steps" in event.text for event in events)
    assert result["iterations"] <= planned
    assert result["seconds"] < 0.02 * 60 * 3


def test_stopping_keeps_what_was_learned(volumes, start):
    _, result, folder = start(volumes, "supervised", iterations=500, stop_after=8)
    assert 0 < result["iterations"] < 10
    assert load_network(folder).card.task == "segmentation"


def test_cancelling_goes_through(volumes, tmp_path, context):
    spec = plan_run(volumes, method="supervised", settings=SMALL, iterations=5)

    class Thrown(context):
        def safe_point(self):
            raise Cancelled

    with pytest.raises(Cancelled):
        list(train(spec, volumes, tmp_path, Thrown()))


def test_resuming_without_a_checkpoint_starts_anew(volumes, start, tmp_path):
    spec = plan_run(volumes, method="supervised", settings=SMALL, iterations=2)
    write_spec(tmp_path / "run", spec)
    _, result, _ = start(volumes, "supervised", resume=True)
    assert result["iterations"] == 2


def test_a_cut_checkpoint_is_said(volumes, start):
    _, _, folder = start(volumes, "supervised", iterations=1)
    path = folder / "checkpoints" / "last.pt"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(LongtailError, match="damaged or cut short"):
        start(volumes, "supervised", resume=True)


def test_a_new_start_forgets_old_checkpoints(volumes, start):
    _, _, folder = start(volumes, "supervised", iterations=1, validation="split")
    assert (folder / "checkpoints" / "best.pt").exists()
    start(volumes, "supervised", iterations=1, validation="none")
    assert not (folder / "checkpoints" / "best.pt").exists()


def test_more_of_a_class(pictures, start):
    events, result, folder = start(
        pictures,
        "cross-entropy",
        iterations=2,
        changes=[SampleMore(3, 4.0)],
        settings={"loss": "ce"},
    )
    assert Told("SampleMore", {"class_id": 3, "factor": 4.0}) in events
    assert result["prior"] == pytest.approx([16 / 40, 8 / 40, 16 / 40])
    saved = load(folder / "checkpoints" / "last.pt")
    assert saved["training"]["method"]["factors"] == [1.0, 1.0, 4.0]


def test_new_labels_are_taken_up(volumes, start):
    spec = plan_run(volumes, method="supervised", settings=SMALL, iterations=3)
    drawn = np.full((18, 20, 16), 255, np.uint8)
    drawn[5] = 0
    drawn[5, 5:9, 5:9] = 1
    volumes.write_label_map("case4", drawn, author="me")
    events, _, folder = start(volumes, "supervised", spec=spec, changes=[LabelsChanged(("case4",))])
    assert Told("LabelsChanged", {"case_ids": ("case4",)}) in events
    after = read_spec(folder)
    assert "case4" in after.train_labelled
    assert after.train_unlabelled == ()
    assert after.label_version > spec.label_version
    assert load_network(folder).card.label_version == after.label_version


def test_warnings_of_the_plan_are_told(volumes, start):
    volumes.add_class("ghost")
    events, result, _ = start(volumes, "supervised", iterations=1)
    assert any(isinstance(event, Warned) and "ghost" in event.text for event in events)
    assert result["train"]["ghost"] is None
    json.dumps(result, allow_nan=False)


def test_a_validation_that_says_nothing_is_no_number(volumes, start):
    spec = plan_run(volumes, method="supervised", settings=SMALL, iterations=1, validation="split")
    for case_id in spec.val:
        volumes.write_label_map(case_id, np.full((18, 20, 16), 255, np.uint8), author="me")
    _, result, folder = start(volumes, "supervised", spec=spec)
    json.dumps(result, allow_nan=False)
    assert result["best"] is None
    assert load_network(folder).card.class_ids == (1, 2)


@pytest.fixture
def pea_is_missed(monkeypatch):
    """Nothing of `pea` is ever found on the training scans."""
    plain = SupervisedRun.step

    def step(self, batch, moment):
        result = plain(self, batch, moment)
        result.tally[0, 1] = 0
        return result

    monkeypatch.setattr(SupervisedRun, "step", step)


def test_a_class_that_is_not_learned_is_told(volumes, start, pea_is_missed):
    events, _, _ = start(volumes, "supervised", iterations=150, settings={"learning_rate": 0.01})
    lost = [event for event in events if isinstance(event, Warned) and event.kind == "tail-guard"]
    assert [event.class_name for event in lost] == ["pea"]
    assert lost[0].remedies == ("Sample it more", "Weigh it more")
    assert lost[0].measure == "train_dice"
    assert "pea is not being learned. Its Dice on the training scans is 0.00" in lost[0].text


def test_the_guard_can_be_switched_off(volumes, start, pea_is_missed):
    settings = {"tail_guard": False, "learning_rate": 0.01}
    events, _, folder = start(volumes, "supervised", iterations=150, settings=settings)
    assert not [e for e in events if isinstance(e, Warned) and e.kind == "tail-guard"]
    assert not list((folder / "checkpoints").glob("best-class-*"))


def test_a_broken_image_is_left_out(volumes, start, tmp_path):
    path = volumes.case("case1").channels[0]
    spec = plan_run(volumes, method="supervised", settings=SMALL, iterations=1)
    whole = open(path, "rb").read()
    try:
        with open(path, "wb") as file:
            file.write(whole[:500])
        events, result, _ = start(volumes, "supervised", spec=spec)
    finally:
        with open(path, "wb") as file:
            file.write(whole)
    told = [event.text for event in events if isinstance(event, Warned)]
    assert any(text.startswith("case1") and "goes on without it" in text for text in told)
    assert result["iterations"] == 1


def test_a_picture_that_is_gone_is_left_out(pictures, start, tmp_path):
    spec = plan_run(pictures, method="cross-entropy", settings=SMALL_IMAGES, iterations=1)
    (tmp_path / "p0.npy").unlink()
    events, result, _ = start(pictures, "cross-entropy", spec=spec)
    assert any(isinstance(e, Warned) and e.text.startswith("p0:") for e in events)
    assert result["iterations"] == 1


def test_no_image_at_all_is_an_error(pictures, start, tmp_path):
    spec = plan_run(pictures, method="cross-entropy", settings=SMALL_IMAGES, iterations=1)
    for path in tmp_path.glob("[pv]*.npy"):
        path.unlink()
    with pytest.raises(LongtailError, match="is not there"):
        start(pictures, "cross-entropy", spec=spec)


def test_a_run_that_is_too_large_is_told(volumes, start, monkeypatch):
    monkeypatch.setattr(
        "psutil.virtual_memory",
        lambda: type("Memory", (), {"available": 10_000_000, "total": 64e9}),
    )
    events, _, _ = start(volumes, "supervised", iterations=1)
    assert any(isinstance(e, Warned) and "more than is free" in e.text for e in events)
