"""Agreement with the teacher, and what it is unsure of."""

import math

import pytest
import torch

from longtail.core.methods.run import Moment
from longtail.core.project.records import NOT_LABELLED

PLAIN = {"augmentation": "none", "ramp_share": 0.0}


def test_there_is_nothing_to_learn_where_both_agree(scans, trial):
    made = trial(scans, "mean-teacher", settings={**PLAIN, "cutmix": False})
    batch = made.run.batch(0)
    batch["strong"] = batch["weak"]
    # The teacher is a copy of the network, and neither has dropout.
    result = made.run.step(batch, Moment(1, 6))
    assert result.parts["consistency"] == pytest.approx(0, abs=1e-10)


def test_scans_without_labels_count_by_their_weight_and_the_ramp(scans, trial):
    made = trial(scans, "mean-teacher", settings={"unlabelled_weight": 7.0, "ramp_share": 0.5})
    batch = made.run.batch(0)
    for step, ramp in ((0, math.exp(-5)), (6, math.exp(-5 / 4)), (12, 1.0), (20, 1.0)):
        result = made.run.step(batch, Moment(step, 24))
        supervised = result.parts["cross_entropy"] + result.parts["dice_loss"]
        wanted = supervised + 7 * ramp * result.parts["consistency"]
        assert float(result.loss.detach()) == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("method", ["mean-teacher", "fixmatch"])
def test_a_lone_patch_is_mixed_with_the_labelled_one(scans, trial, method):
    made = trial(scans, method, settings={**PLAIN, "batch": 1})
    batch = made.run.batch(0)
    seen = []
    plain = made.run.network.forward
    made.run.network.forward = lambda images: (seen.append(images), plain(images))[1]
    made.run.step(batch, Moment(1, 6))
    mixed, mask = seen[0][1], batch["mask"][0]
    assert torch.equal(mixed[:, mask], batch["image"][0][:, mask])
    assert torch.equal(mixed[:, ~mask], batch["strong"][0][:, ~mask])


def test_labelled_patches_are_given_as_shares(scans, trial):
    made = trial(scans, "mean-teacher")
    batch = made.run.batch(0)
    batch["label"][0, :4] = NOT_LABELLED
    images, shares, weight = made.run._labelled(batch)
    assert images is batch["image"]
    assert shares.shape == (2, 3, 16, 16, 16)
    assert torch.equal(shares.sum(1), torch.ones(2, 16, 16, 16))
    known = batch["label"] != NOT_LABELLED
    assert torch.equal(shares.argmax(1)[known], batch["label"][known].long())
    assert torch.equal(weight > 0, known)


def test_pixels_of_which_looks_disagree_are_left_out(scans, trial):
    made = trial(scans, "ua-mt", settings=PLAIN)
    batch = made.run.batch(0)
    shares = torch.full((2, 3, 16, 16, 16), 1 / 3)
    sure = torch.tensor([0.9, 0.05, 0.05]).view(3, 1, 1, 1)
    shares[:, :, :8] = sure
    made.run.teach = lambda images: shares
    trusted = made.run.trusted(shares, batch, Moment(1, 6))
    assert trusted[:, :8].min() == 1
    assert trusted[:, 8:].max() == 0


def test_the_bar_for_doubt_rises_with_the_ramp(scans, trial):
    made = trial(scans, "ua-mt", settings={"ramp_share": 1.0})
    batch = made.run.batch(0)
    # An entropy of 0.9 of the largest: refused in the beginning, accepted in the end.
    low, high = 0.34, 0.9
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) / 2
        entropy = -middle * math.log(middle) - 2 * rest * math.log(rest)
        low, high = (middle, high) if entropy > 0.9 * math.log(3) else (low, middle)
    shares = torch.tensor([low, (1 - low) / 2, (1 - low) / 2]).view(1, 3, 1, 1, 1)
    shares = shares.expand(2, 3, 16, 16, 16)
    made.run.teach = lambda images: shares
    assert made.run.trusted(shares, batch, Moment(0, 10)).max() == 0
    assert made.run.trusted(shares, batch, Moment(10, 10)).min() == 1
