"""Stage 1: whole scans and parts of them, and what is remembered."""

import pytest
import torch

from longtail.core.methods.pretraining import Pretraining
from longtail.core.methods.settings_semi import ActionSettings

WIDTHS = (8, 4)


def pretraining(dims=2, **changes):
    torch.manual_seed(0)
    settings = ActionSettings(**{"width_contrast": 16, "bank": 5, **changes})
    return Pretraining(settings, WIDTHS, dims, "cpu")


def maps(batch=2, seed=0, space=(128, 96)):
    random = torch.Generator().manual_seed(seed)
    return [
        torch.randn(batch, 8, *[side // 8 for side in space], generator=random),
        torch.randn(batch, 4, *[side // 2 for side in space], generator=random),
    ]


def test_there_is_nothing_to_learn_before_two_scans_are_remembered():
    made = pretraining()
    assert float(made.loss(maps(), maps(seed=1), (128, 96), 0.1, 0.04)) == 0
    made.after_step(0, 0.99)
    assert len(made.bank["global"]) == 2
    loss = made.loss(maps(seed=2), maps(seed=3), (128, 96), 0.1, 0.04)
    assert float(loss.detach()) > 0
    assert made.spread is not None
    assert made.spread > 0


def test_parts_overlap_by_half_and_reach_the_border():
    made = pretraining(pretrain_global=False)
    made.loss(maps(), maps(), (128, 96), 0.1, 0.04)
    made.after_step(0, 0.99)
    # 64 x 64 with a stride of 32: three positions along 128, two along 96.
    assert made.bank["local"].shape == (2, 6, 16)
    assert set(made.bank) == {"local"}


def test_parts_of_volumes_larger_than_the_patch_are_the_whole():
    made = pretraining(3)
    made.loss(maps(space=(16, 16, 16)), maps(space=(16, 16, 16)), (16, 16, 16), 0.1, 0.04)
    made.after_step(0, 0.99)
    assert made.bank["local"].shape == (2, 1, 16)


def test_the_oldest_scans_leave_first():
    made = pretraining()
    for step in range(4):
        made.loss(maps(seed=step), maps(seed=step), (128, 96), 0.1, 0.04)
        newest = made._waiting["global"][0]
        made.after_step(step, 0.99)
    assert len(made.bank["global"]) == 5
    assert torch.equal(made.bank["global"][-2:], newest)


def test_a_step_that_came_to_nothing_is_forgotten():
    made = pretraining()
    made.loss(maps(), maps(), (128, 96), 0.1, 0.04)
    made.forget()
    made.after_step(0, 0.99)
    assert made.bank == {}


def test_the_student_learns_and_the_teacher_does_not():
    made = pretraining()
    made.loss(maps(), maps(), (128, 96), 0.1, 0.04)
    made.after_step(0, 0.99)
    made.loss(maps(seed=2), maps(seed=3), (128, 96), 0.1, 0.04).backward()
    assert all(each.grad is not None for each in made.heads.parameters())
    assert all(each.grad is None for each in made.teacher_heads.parameters())


@pytest.mark.parametrize("part", ["global", "local"])
def test_either_may_be_left_out(part):
    made = pretraining(**{f"pretrain_{part}": False})
    assert made.names == tuple({"global", "local"} - {part})
    assert part not in made.heads


def test_state_goes_through():
    made, other = pretraining(), pretraining()
    for step in range(2):
        made.loss(maps(seed=step), maps(seed=step), (128, 96), 0.1, 0.04)
        made.after_step(step, 0.5)
    other.load_state(made.state())
    first = made.loss(maps(seed=7), maps(seed=8), (128, 96), 0.1, 0.04)
    second = other.loss(maps(seed=7), maps(seed=8), (128, 96), 0.1, 0.04)
    # The heads are in training mode, so batch norm takes the batch's own figures.
    assert torch.equal(first, second)
