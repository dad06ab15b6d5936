"""What all methods have in common that also learn from scans without labels."""

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Metric, Warned
from longtail.core.errors import LongtailError
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.run import Moment
from longtail.core.methods.semi_supervised import (
    UNKNOWN,
    SemiSupervisedRun,
    as_guesses,
    mix_all,
    neighbours,
    partners,
    with_known,
)
from longtail.core.project.records import NOT_LABELLED, Task

ALL = ("mean-teacher", "ua-mt", "fixmatch", "bcp", "action", "action++")
FAST = {"augmentation": "none", "ramp_share": 0.0, "learning_rate": 0.01}


def kinds_of(made):
    """Values among the labels of pool patches."""
    found = [made.run.batch(step)["known"].unique() for step in range(6)]
    return set(torch.cat(found).tolist())


every = pytest.mark.parametrize("method", ALL)


def test_these_are_all_methods_that_use_scans_without_labels():
    scans = [each for each in METHODS if Task.SEGMENTATION in each.tasks]
    assert tuple(each.name for each in scans if each.uses_unlabelled) == ALL


@every
def test_scans_are_learned(scans, trial, method):
    made = trial(scans, method, iterations=25, settings=FAST)
    losses = made.go(25)
    assert np.isfinite(losses).all()
    batch = made.run.batch(0)
    logits = made.run.network(batch["image"]).float()
    end = float(made.run.supervised_loss(logits, batch["label"]).loss.detach())
    fresh = trial(scans, method, settings=FAST)
    first = fresh.run.network(batch["image"]).float()
    start = float(fresh.run.supervised_loss(first, batch["label"]).loss.detach())
    assert end < 0.7 * start


@every
def test_half_precision_and_balanced_classes_work(scans, trial, method):
    settings = {"precision": "bfloat16", "class_weights": "balanced", "ramp_share": 0.0}
    made = trial(scans, method, iterations=3, settings=settings)
    assert made.stepper._dtype is torch.bfloat16
    assert np.isfinite(made.go(3)).all()
    assert all(torch.isfinite(each).all() for each in made.run.trained_parameters())


@every
@pytest.mark.parametrize("kind", ["slices", "one_class"])
def test_images_and_a_lone_class_are_learned(request, trial, method, kind):
    made = trial(request.getfixturevalue(kind), method, iterations=4)
    assert np.isfinite(made.go(4)).all()


@every
def test_labels_of_unlabelled_scans_are_never_read(project_of, plan, trial, bit_equal, method):
    def keep(mask):
        return mask

    project = project_of(keep, keep, keep, keep)
    spec = plan(project, method, labelled="2", iterations=3)
    assert len(spec.train_labelled) == len(spec.train_unlabelled) == 2
    before = trial(project, method, spec=spec)
    before.go(3)
    for case_id in spec.train_unlabelled:
        project.label_map_path(case_id).write_bytes(b"poison")
    after = trial(project, method, spec=spec)
    after.go(3)
    bit_equal(before.saved(), after.saved())


@every
def test_a_batch_is_a_function_of_seed_and_step(scans, trial, bit_equal, method):
    made, again = trial(scans, method), trial(scans, method)
    later = made.run.batch(5)
    made.go(2)
    bit_equal(dict(later), dict(made.run.batch(5)))
    bit_equal(dict(later), dict(again.run.batch(5)))
    assert not torch.equal(later["weak"], made.run.batch(4)["weak"])
    other = trial(scans, method, seed=1).run.batch(5)
    assert not torch.equal(later["weak"], other["weak"])


@every
def test_going_on_is_exact(scans, trial, bit_equal, method):
    settings = {"dropout": 0.2, "pretrain_share": 0.5} if "action" in method else {"dropout": 0.2}
    # The break is in the middle of pre-training, at its end, and in the middle of what follows.
    for middle in (2, 3, 5) if method == "action++" else (3,):
        straight = trial(scans, method, settings=settings)
        straight.go(middle)
        saved = straight.saved()
        straight.go(6 - middle)
        resumed = trial(scans, method, settings=settings)
        resumed.load(saved, middle)
        resumed.go(6 - middle)
        bit_equal(straight.saved(), resumed.saved())


@every
def test_smaller_portions_work(scans, trial, method):
    made = trial(scans, method, iterations=3)
    made.go(1)
    batch = made.run.batch(1)
    made.stepper.retreat(batch)
    assert made.stepper.parts == 2
    assert np.isfinite(made.go(2)).all()
    with pytest.raises(LongtailError, match="not enough memory"):
        made.stepper.retreat(batch)


@every
def test_scans_that_are_labelled_in_part_are_in_the_pool(scans, trial, method):
    made = trial(scans, method)
    assert made.run.pool.case_ids == ("scan2", "scan3", "scan4")
    assert made.run.sampler.case_ids == ("scan0", "scan1", "scan2")
    assert {0, UNKNOWN} <= kinds_of(made)


def test_labels_of_a_pool_patch_stand_where_they_were_drawn(scans, trial):
    made = trial(scans, "fixmatch", settings={"augmentation": "none", "patch": "20x20x20"})
    for step in range(9):
        patches = made.run.pool.draw(step, 2)
        known = made.run.batch(step)["known"]
        for row, patch in zip(known, patches, strict=True):
            labels = made.run.store.get(patch.case_id).labels
            # The patch is larger than the scan: all around it is outside.
            assert int((row != NOT_LABELLED).sum()) == 18 * 20 * 16
            unlabelled = 18 * 20 * 16 if labels is None else int((labels == NOT_LABELLED).sum())
            assert int((row == UNKNOWN).sum()) == unlabelled


def test_the_supervised_loss_leaves_out_what_is_not_labelled(scans, trial):
    made = trial(scans, "fixmatch")
    logits = torch.randn(2, 3, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 3, (2, 8, 8, 8), generator=torch.Generator().manual_seed(1))
    labels = labels.to(torch.uint8)
    labels[:, 4:] = NOT_LABELLED
    before = made.run.supervised_loss(logits, labels).loss
    logits[:, :, 4:] += 100 * torch.randn(2, 3, 4, 8, 8)
    assert torch.equal(before, made.run.supervised_loss(logits, labels).loss)


@pytest.mark.parametrize("method", ["mean-teacher", "ua-mt", "fixmatch", "bcp", "action++"])
def test_what_is_outside_of_a_scan_never_takes_part(scans, trial, method):
    settings = {"augmentation": "none", "patch": "20x20x24", "pretrain_share": 0.0}
    if method != "action++":
        del settings["pretrain_share"]
    made = trial(scans, method, settings={**settings, "ramp_share": 0.0})
    batch = made.run.batch(0)
    outside = (batch["known"] == NOT_LABELLED) & (batch["label"] == NOT_LABELLED)
    assert outside.any()
    seen = []

    def listen(logits):
        logits.register_hook(lambda gradient: seen.append(gradient.detach().clone()))

    plain = made.run.network.maps

    def maps(images):
        found = plain(images)
        listen(found[-1])
        return found

    made.run.network.maps = maps
    result = made.run.step(batch, Moment(3, 6))
    weighs = made.run.choice.model_copy(update={"anco": False, "saacl": False})
    if method == "action++":
        made.run.choice = weighs
        seen.clear()
        result = made.run.step(batch, Moment(3, 6))
    result.loss.backward()
    (gradient,) = seen
    assert gradient.abs().sum() > 0
    for part in gradient.split(len(outside)):
        assert part.abs().sum(1)[outside].max() == 0


def test_known_voxels_take_the_place_of_guesses():
    pseudo, confidence = torch.tensor([[1, 1, 2]]), torch.tensor([[0.5, 0.6, 0.7]])
    known = torch.tensor([[UNKNOWN, 0, NOT_LABELLED]], dtype=torch.uint8)
    guessed, sure = with_known(pseudo, confidence, known)
    assert guessed.tolist() == [[1, 0, 2]]
    torch.testing.assert_close(sure, torch.tensor([[0.5, 1.0, 0.7]]))


def test_a_patch_is_mixed_with_another_or_with_a_labelled_one():
    two, one = torch.arange(2.0).view(2, 1), torch.ones(1, 1)
    labelled = (torch.full((1, 1), 9.0),)
    assert neighbours((one,), labelled) == labelled
    (other,) = neighbours((two,), labelled)
    assert torch.equal(other, partners(two))
    mask = torch.tensor([[True], [False]])
    assert mix_all((two,), (other,), mask)[0].tolist() == [[1.0], [1.0]]


def test_labelled_patches_as_guesses_are_sure_where_they_are_labelled():
    labels = torch.tensor([[0, 2, NOT_LABELLED]], dtype=torch.uint8)
    images, answers, confidence, inside = as_guesses(torch.zeros(1, 1, 3), labels)
    assert answers.tolist() == [[0, 2, 0]]
    assert inside.tolist() == [[True, True, False]]
    assert (confidence == 1).all()
    assert images.shape == (1, 1, 3)


@every
def test_without_unlabelled_scans_there_is_a_sentence(project_of, trial, method):
    project = project_of(lambda mask: mask, lambda mask: mask)
    with pytest.raises(LongtailError, match="labelled in full") as caught:
        trial(project, method)
    assert "supervised" in caught.value.remedy


def test_one_scan_without_labels_is_enough_and_told(project_of, trial):
    made = trial(project_of(lambda mask: mask, None), "fixmatch")
    assert np.isfinite(made.go(3)).all()
    assert [e.kind for e in made.events if isinstance(e, Warned)] == ["few-unlabelled"]


def test_unlabelled_scans_that_cannot_be_read_are_left_out(project_of, trial, tmp_path):
    project = project_of(lambda mask: mask, None, None)
    (tmp_path / "made0" / "scan1.npy").write_bytes(b"nothing")
    made = trial(project, "fixmatch")
    assert made.run.pool.case_ids == ("scan2",)
    told = [e for e in made.events if isinstance(e, Warned) and e.kind == "unreadable"]
    assert len(told) == 1
    assert "scan1" in told[0].text
    assert np.isfinite(made.go(2)).all()
    (tmp_path / "made0" / "scan2.npy").write_bytes(b"nothing")
    with pytest.raises(LongtailError, match="scan"):
        trial(project, "fixmatch")


def test_labels_that_come_later_move_a_scan_into_training(scans, trial):
    made = trial(scans, "bcp")
    drawn = np.zeros((18, 20, 16), np.uint8)
    drawn[5, 5:9, 5:9] = 1
    scans.write_label_map("scan3", drawn, author="me")
    assert made.run.labels_changed(("scan3",)) == ("scan0", "scan1", "scan2", "scan3")
    assert made.run.pool.case_ids == ("scan2", "scan4")
    drawn[9:] = NOT_LABELLED
    scans.write_label_map("scan0", drawn, author="me")
    made.run.labels_changed(("scan0",))
    assert made.run.pool.case_ids == ("scan0", "scan2", "scan4")
    assert np.isfinite(made.go(2)).all()


def test_nothing_is_learned_from_labels_of_a_case_that_sits_out(scans, trial):
    made = trial(scans, "fixmatch")
    made.run.sit_out(("scan2",))
    kinds = set()
    for step in range(6):
        kinds |= set(made.run.batch(step)["known"].unique().tolist())
    assert kinds <= {UNKNOWN, NOT_LABELLED}
    made.run.sit_out(())
    kinds = {
        value for step in range(6) for value in made.run.batch(step)["known"].unique().tolist()
    }
    assert kinds - {UNKNOWN, NOT_LABELLED}


def test_changes_take_effect(scans, trial):
    made = trial(scans, "action++")
    plain = made.run.batch(1)
    before = float(made.run.step(plain, Moment(5, 6)).parts["cross_entropy"])
    made.run.weigh_more(2, 50.0)
    assert float(made.run.step(plain, Moment(5, 6)).parts["cross_entropy"]) != before
    made.run.sample_more(2, 1000.0)
    assert all((made.run.batch(step)["label"] == 2).any() for step in range(4))


@every
def test_the_pool_is_counted_and_told(scans, trial, method):
    settings = {"ramp_share": 0.0}
    if "action" in method:
        settings["pretrain_share"] = 0.0
    made = trial(scans, method, settings=settings)
    made.go(6)
    told = [e for e in made.run.news(6) if isinstance(e, Metric)]
    shares = {e.class_name: e.value for e in told if e.name == "predicted_share"}
    assert set(shares) == {"ball", "pea"}
    assert all(0 <= value <= 1 for value in shares.values())
    assert all(0 <= e.value <= 1 for e in told if e.name == "pseudo_share")


def test_too_many_classes_are_refused(project_of, trial, plan):
    project = project_of(lambda mask: mask, None)
    spec = plan(project, "fixmatch")
    spec = spec.replace(classes=tuple(spec.classes) * 127)
    with pytest.raises(LongtailError, match="at most 252 classes"):
        trial(project, "fixmatch", spec=spec)


@pytest.mark.parametrize("preset", ["acdc", "la"])
@pytest.mark.parametrize("method", [*ALL, "supervised"])
def test_published_presets_run(request, trial, method, preset):
    project = request.getfixturevalue("slices" if preset == "acdc" else "scans")
    patch = "32x32" if preset == "acdc" else "16x16x16"
    small = {"patch": patch, "levels": 4, "width": 4}
    if "action" in method:
        small |= {"queue": 12288, "queries": 256, "negatives": 512, "mean_pixels": 4096}
    batch = METHODS.get(method).presets[preset]["batch"]
    made = trial(project, method, preset=preset, iterations=2, settings={**small, "batch": batch})
    assert made.run.recipe.kind == ("plain-unet" if preset == "acdc" else "vnet")
    assert made.run.settings.optimizer == "sgd"
    assert isinstance(made.stepper._optimizer, torch.optim.SGD)
    assert np.isfinite(made.go(2)).all()


def test_published_presets_bring_their_iterations(slices, plan):
    for method in METHODS.names(Task.SEGMENTATION):
        assert dict(METHODS.get(method).preset_iterations) == {"acdc": 30_000, "la": 20_000}
    spec = plan(slices, "action++", preset="acdc", iterations=None)
    assert (spec.iterations, spec.minutes) == (30_000, None)
    timed = plan(slices, "action++", preset="acdc", iterations=None, minutes=2)
    assert (timed.iterations, timed.minutes) == (None, 2)


def test_the_shared_run_is_abstract_in_its_step():
    assert "step" in SemiSupervisedRun.__abstractmethods__
