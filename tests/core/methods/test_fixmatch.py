"""Learning from sure answers alone."""

import math

import pytest
import torch

from longtail.core.methods.fixmatch import sure_cross_entropy
from longtail.core.methods.run import Moment


def test_the_loss_is_that_of_sure_pixels_over_all_inside():
    logits = torch.zeros(1, 2, 4)
    logits[0, 1] = torch.tensor([0.0, 1.0, 2.0, 3.0])
    pseudo = torch.tensor([[0, 1, 1, 1]])
    confidence = torch.tensor([[0.99, 0.5, 0.95, 0.99]])
    inside = torch.tensor([[True, True, True, False]])
    loss = sure_cross_entropy(logits, pseudo, confidence, inside, 0.95)
    first = math.log(2)
    third = math.log(1 + math.exp(-2))
    assert float(loss) == pytest.approx((first + third) / 3, rel=1e-6)


def test_nothing_sure_is_zero_with_a_gradient():
    logits = torch.zeros(1, 2, 4, requires_grad=True)
    nothing = torch.zeros(1, 4)
    for inside in (nothing.bool(), nothing.bool() | True):
        loss = sure_cross_entropy(logits, nothing.long(), nothing, inside, 0.95)
        assert float(loss.detach()) == 0
        loss.backward()


def test_labels_of_a_pool_patch_are_learned_even_where_the_teacher_is_unsure(scans, trial):
    settings = {"augmentation": "none", "ramp_share": 0.0, "cutmix": False, "confidence": 0.999}
    made = trial(scans, "fixmatch", settings=settings)
    batch = made.run.batch(0)
    batch["known"] = torch.full_like(batch["known"], 254)
    assert made.run.step(batch, Moment(1, 6)).parts["pseudo"] == 0
    batch["known"][:, 3] = 1
    assert made.run.step(batch, Moment(1, 6)).parts["pseudo"] > 0


def test_only_unlabelled_pixels_are_counted(scans, trial):
    made = trial(scans, "fixmatch")
    batch = made.run.batch(0)
    batch["known"] = torch.full_like(batch["known"], 254)
    batch["known"][:, :4] = 1
    batch["known"][:, 4:6] = 255
    made.run.step(batch, Moment(1, 6))
    assert float(made.run.predicted.sum()) == 2 * 10 * 16 * 16
