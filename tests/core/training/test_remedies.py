"""Both remedies change what is learned, and not how large the loss is."""

import math

import numpy as np
import pytest
import torch

from longtail.core.data.volumes import box_start
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.pieces import piece_centres
from longtail.core.methods.run import Setup
from longtail.core.training.plan import plan_run

SMALL = {
    "supervised": {"width": 4, "patch": "16x16x16"},
    "cross-entropy": {"size": 32, "batch": 8, "loss": "ce"},
}


def prepared(project, method, **settings):
    settings = {**SMALL[method], **settings}
    spec = plan_run(project, method=method, settings=settings, iterations=2)
    run = METHODS.get(method).load()(Setup(spec, project, "cpu"))
    for _ in run.prepare():
        pass
    return run


def test_weighing_a_class_keeps_the_scale_of_the_loss_on_scans(volumes):
    run = prepared(volumes, "supervised")
    labels = torch.zeros(2, 4, 4, 4, dtype=torch.uint8)
    labels[:, 0], labels[0, 1, 0], labels[1, 3] = 1, 2, 255
    run.weigh_more(2, 3.0)
    even = run.supervised_loss(torch.zeros(2, 3, 4, 4, 4), labels)
    assert even.parts["cross_entropy"] == pytest.approx(math.log(3), rel=1e-5)
    # Dice of each class at even shares: 2 n/3 / (N/3 + n), weighed 1 and 3.
    known = int((labels != 255).sum())
    losses = [
        1 - 2 * n / 3 / (known / 3 + n)
        for n in (int((labels == 1).sum()), int((labels == 2).sum()))
    ]
    assert even.parts["dice_loss"] == pytest.approx((losses[0] + 3 * losses[1]) / 4, rel=1e-5)


def test_weighing_a_class_turns_the_gradient_to_it_on_scans(volumes):
    run = prepared(volumes, "supervised")
    labels = torch.randint(0, 3, (2, 4, 4, 4), generator=torch.manual_seed(0)).byte()
    shares = []
    for _ in range(2):
        logits = torch.zeros(2, 3, 4, 4, 4, requires_grad=True)
        run.supervised_loss(logits, labels).loss.backward()
        force = logits.grad.abs().sum(1)
        shares.append(float(force[labels == 2].sum() / force.sum()))
        run.weigh_more(2, 3.0)
    assert shares[1] > 1.3 * shares[0]


def test_weighing_a_class_of_images(pictures):
    run = prepared(pictures, "cross-entropy")
    target = torch.tensor([0, 0, 0, 2])
    run.weigh_more(3, 3.0)
    np.testing.assert_allclose(run.weighed(torch.full((4,), 0.7), target).mean(), 0.7, rtol=1e-6)
    weighed = run.weighed(torch.tensor([1.0, 1.0, 1.0, 1.0]), target)
    np.testing.assert_allclose(weighed, torch.tensor([1.0, 1.0, 1.0, 3.0]) * 4 / 6)
    before = np.array([16, 8, 4]) / 28
    np.testing.assert_allclose(run.prior(), before * [1, 1, 3] / (before * [1, 1, 3]).sum())


def test_weighing_a_finding_of_images(findings):
    run = prepared(findings, "cross-entropy", loss="bce")
    plain = run.prior()
    run.weigh_more(2, 3.0)
    odds, before = (prior / (1 - prior) for prior in (run.prior(), plain))
    np.testing.assert_allclose(odds, before * [1, 3])
    target = torch.tensor([[1, 1], [0, -1]])
    weighed = run.weighed(torch.ones(2, 2), target)
    assert weighed[0, 1] == pytest.approx(3 * float(weighed[0, 0]))
    run.weigh_more(99, 3.0)
    np.testing.assert_allclose(run.prior(), odds / (1 + odds))


def test_images_that_sit_out_are_measured(pictures):
    run = prepared(pictures, "cross-entropy")
    shown = run.train_ids[:7]
    run.sit_out(shown)
    rows = np.concatenate([run.sampler.draw(step, 8) for step in range(20)])
    assert not {run.train_ids[row] for row in rows} & set(shown)
    values = finish(run.measure_cases(run.network.eval(), shown))["recall"]
    assert 0 <= values[0] <= 1
    assert all(math.isnan(value) for value in values[1:])


def test_pieces_of_a_scan_are_measured_where_they_are_labelled(volumes):
    run = prepared(volumes, "supervised")

    class AllBall(torch.nn.Module):
        """Answers `ball` everywhere."""

        def forward(self, images):
            scores = torch.zeros(len(images), 3, *images.shape[2:])
            scores[:, 1] = 1
            return scores

    cases = run.sampler.case_ids[:2]
    measured = finish(run.measure_cases(AllBall(), cases))["dice"]
    known = balls = peas = 0
    for case_id in cases:
        labels = run.store.get(case_id).labels.numpy()
        for centre in piece_centres(run.store.places(case_id)):
            starts = [box_start(at, 16, n) for at, n in zip(centre, labels.shape, strict=True)]
            piece = labels[tuple(slice(max(at, 0), at + 16) for at in starts)]
            known += piece.size
            balls += int((piece == 1).sum())
            peas += int((piece == 2).sum())
    assert peas > 0
    assert measured == pytest.approx([2 * balls / (known + balls), 0.0])
    assert run.labelled_shares() == pytest.approx([0.066, 0.011], abs=0.01)


def finish(measuring):
    while True:
        try:
            next(measuring)
        except StopIteration as end:
            return end.value
