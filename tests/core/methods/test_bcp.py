"""Both mixtures, and what each part of them learns from."""

import pytest
import torch

from longtail.core.methods.run import Moment
from longtail.core.project.records import NOT_LABELLED

PLAIN = {"augmentation": "none", "ramp_share": 0.25}


def watched(made):
    """Keep what the network sees and what the loss is given."""
    images, labels = [], []
    forward, loss = made.run.network.forward, made.run.supervised_loss

    def see(inputs):
        images.append(inputs)
        return forward(inputs)

    def learn(logits, targets):
        labels.append(targets)
        return loss(logits, targets)

    made.run.network.forward, made.run.supervised_loss = see, learn
    return images, labels


def test_the_box_is_as_published(scans, trial):
    made = trial(scans, "bcp", settings=PLAIN)
    for step in range(4):
        mask = made.run.batch(step)["mask"]
        assert mask.shape == (2, 16, 16, 16)
        assert mask.flatten(1).sum(1).tolist() == [11**3, 11**3]


def test_at_first_labelled_scans_are_mixed_with_each_other(scans, trial):
    made = trial(scans, "bcp", settings=PLAIN)
    assert made.run.phases == (0.0, 0.25)
    images, labels = watched(made)
    batch = made.run.batch(0)
    result = made.run.step(batch, Moment(0, 8))
    assert "pseudo" not in result.parts
    (seen,), (learned,) = images, labels
    assert torch.equal(seen[:2], batch["image"])
    mask = batch["mask"][0]
    assert torch.equal(seen[2][:, mask], batch["image"][1][:, mask])
    assert torch.equal(learned[2][mask], batch["label"][1][mask])
    assert torch.equal(learned[2][~mask], batch["label"][0][~mask])


def test_then_every_part_learns_from_its_own_source(scans, trial):
    made = trial(scans, "bcp", settings=PLAIN)
    images, labels = watched(made)
    batch = made.run.batch(0)
    made.run.step(batch, Moment(4, 8))
    (seen,), (mine, theirs) = images, labels
    mask = batch["mask"]
    for row in range(2):
        box, around = mask[row], ~mask[row]
        outer, inner = seen[row], seen[2 + row]
        image, other = batch["image"][row], batch["strong"][row]
        assert torch.equal(outer[:, around], image[:, around])
        assert torch.equal(outer[:, box], other[:, box])
        assert torch.equal(inner[:, box], image[:, box])
        assert torch.equal(inner[:, around], other[:, around])
        label = batch["label"][row]
        assert torch.equal(mine[row][around], label[around])
        assert torch.equal(mine[2 + row][box], label[box])
        for part in (mine[row][box], mine[2 + row][around]):
            assert (part == NOT_LABELLED).all()
        for part in (theirs[row][around], theirs[2 + row][box]):
            assert (part == NOT_LABELLED).all()
        known = batch["known"][row]
        taught = torch.where(known < 254, known, theirs[row])
        assert torch.equal(theirs[row][box], taught[box])
        assert (theirs[row][box & (known == 254)] < 3).all()


def test_pseudo_labels_count_by_their_weight(scans, trial):
    made = trial(scans, "bcp", settings={**PLAIN, "unlabelled_weight": 0.25})
    result = made.run.step(made.run.batch(0), Moment(4, 8))
    supervised = result.parts["cross_entropy"] + result.parts["dice_loss"]
    wanted = supervised + 0.25 * result.parts["pseudo"]
    assert float(result.loss.detach()) == pytest.approx(wanted, rel=1e-5)


def test_it_may_begin_with_both(scans, trial):
    made = trial(scans, "bcp", settings={"ramp_share": 0.0})
    assert made.run.phases == (0.0,)
    assert "pseudo" in made.run.step(made.run.batch(0), Moment(0, 8)).parts
