"""ProCo's reconstructed loss against loops in double precision, and against PaCo's own."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from longtail.core.losses import proco

BATCH, CLASSES, WIDTH, QUEUE, T = 6, 4, 5, 9, 0.07
PRIOR = np.array([0.6, 0.25, 0.1, 0.05])


def units(random, *shape):
    drawn = random.normal(size=shape)
    return drawn / np.linalg.norm(drawn, axis=-1, keepdims=True)


def example(seed=0):
    random = np.random.default_rng(seed)
    return {
        "logits": random.normal(size=(BATCH, CLASSES)) * 2,
        "q": units(random, BATCH, WIDTH),
        "k": units(random, BATCH, WIDTH),
        "queue": units(random, QUEUE, WIDTH),
        "target": random.integers(0, CLASSES, BATCH),
        "queue_classes": random.integers(0, CLASSES, QUEUE),
        "prototypes": units(random, CLASSES, WIDTH),
        "weights": random.uniform(0.1, 0.9, CLASSES),
    }


def tensors(values):
    return {name: torch.tensor(value) for name, value in values.items()}


def both_views(t, alpha):
    target = t["target"]
    return [
        proco.entries(t["q"], target, alpha),
        proco.entries(t["k"], target, alpha),
        proco.entries(t["queue"], t["queue_classes"], alpha),
    ]


def paco(e, alpha, beta=1.0):
    """PaCo's loss, written anew from its formula with loops."""
    features = np.concatenate([e["q"], e["k"], e["queue"]])
    classes = np.concatenate([e["target"], e["target"], e["queue_classes"]])
    total = 0.0
    for i in range(BATCH):
        s = e["logits"][i] + np.log(PRIOR)
        terms, marks = list(s), [beta * (c == e["target"][i]) for c in range(CLASSES)]
        for j, feature in enumerate(features):
            if j == i:
                continue
            terms.append(e["q"][i] @ feature / T)
            marks.append(alpha * (classes[j] == e["target"][i]))
        terms, marks = np.array(terms), np.array(marks)
        z = terms.max() + np.log(np.exp(terms - terms.max()).sum())
        total -= (marks * (terms - z)).sum() / marks.sum()
    return total / BATCH


def test_without_prototypes_it_is_paco():
    e = example()
    t = tensors(e)
    scores = t["logits"] + torch.tensor(np.log(PRIOR))
    found = proco.joint_loss(scores, t["q"], t["target"], proco.joined(*both_views(t, 0.05)), T)
    assert found.mean().item() == pytest.approx(paco(e, 0.05), abs=1e-10)


def whole_loss(e, instances, instance_classes, alpha, separate, spare_own=False):
    """The reconstruction with every part, by loops."""
    features = [*e["q"], *e["k"], *e["queue"], *e["prototypes"], *instances]
    classes = [*e["target"], *e["target"], *e["queue_classes"], *range(CLASSES), *instance_classes]
    first_prototype = 2 * BATCH + QUEUE
    losses = []
    for i in range(BATCH):
        y = e["target"][i]
        s = e["logits"][i] + np.log(e["weights"])
        u, m, other = [], [], []
        for j, (feature, label) in enumerate(zip(features, classes, strict=True)):
            if j == i or label == -1:
                continue
            prototype = first_prototype <= j < first_prototype + CLASSES
            u.append(e["q"][i] @ feature / T + (math.log(e["weights"][label]) if prototype else 0))
            m.append((1.0 if prototype else alpha) * (label == y))
            other.append(label != y)
        u, m, other = np.array(u), np.array(m), np.array(other)
        if separate:
            losses.append(np.log(np.exp(s).sum()) - s[y])
        if spare_own:
            against = np.log(np.exp(u) + np.exp(u[other]).sum())
            losses[-1] -= (m * (u - against)).sum() / m.sum()
        elif separate:
            losses[-1] -= (m * (u - np.log(np.exp(u).sum()))).sum() / m.sum()
        else:
            z = np.log(np.exp(s).sum() + np.exp(u).sum())
            losses.append(-(s[y] - z + (m * (u - z)).sum()) / (1 + m.sum()))
    return losses


def separate_loss(*given, spare_own=False):
    """Both parts of the separate normaliser, as they are added with a weight of 1."""
    return sum(proco.separate_losses(*given, spare_own))


sparing_loss = partial(separate_loss, spare_own=True)


def full_set(t, alpha=0.02):
    known = torch.ones(CLASSES, dtype=torch.bool)
    made = proco.proto_instances(t["prototypes"], known, t["queue"], t["queue_classes"])
    return made, proco.joined(
        *both_views(t, alpha),
        proco.entries(t["prototypes"], torch.arange(CLASSES), 1.0, t["weights"].log()),
        proco.entries(*made, alpha),
    )


@pytest.mark.parametrize(
    ("loss", "separate", "spare_own"),
    [(proco.joint_loss, False, False), (separate_loss, True, False), (sparing_loss, True, True)],
)
def test_every_part_together(loss, separate, spare_own):
    e = example(1)
    t = tensors(e)
    (instances, classes), contrast = full_set(t)
    found = loss(t["logits"] + t["weights"].log(), t["q"], t["target"], contrast, T)
    expected = whole_loss(e, instances.numpy(), classes.numpy(), 0.02, separate, spare_own)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


@pytest.mark.parametrize("loss", [proco.joint_loss, separate_loss, sparing_loss])
def test_gradients_are_right(loss):
    t = tensors(example(2))
    _, contrast = full_set(t)
    rest = [part[BATCH:] for part in contrast]

    def of(logits, queries):
        first = proco.entries(queries, t["target"], 0.02)
        return loss(logits, queries, t["target"], proco.joined(first, proco.Contrast(*rest)), T)

    inputs = (t["logits"].requires_grad_(), t["q"].requires_grad_())
    assert torch.autograd.gradcheck(of, inputs)


def test_instances_are_nearer_to_their_prototype():
    t = tensors(example(3))
    known = torch.ones(CLASSES, dtype=torch.bool)
    made, classes = proco.proto_instances(
        t["prototypes"], known, t["queue"], t["queue_classes"], hardest=2
    )
    assert made.shape == (2 * CLASSES, WIDTH)
    torch.testing.assert_close(made.norm(dim=1), torch.ones(2 * CLASSES, dtype=made.dtype))
    for instance, label in zip(made, classes.tolist(), strict=True):
        prototype = t["prototypes"][label]
        hard = [
            (float(prototype @ entry), entry)
            for entry, other in zip(t["queue"], t["queue_classes"].tolist(), strict=True)
            if other != label
        ]
        hard.sort(key=lambda pair: -pair[0])
        made_of = [
            torch.nn.functional.normalize(0.75 * prototype + 0.25 * entry, dim=0)
            for _, entry in hard[:2]
        ]
        assert any(torch.allclose(instance, each) for each in made_of)
        assert all(instance @ prototype > instance @ entry for _, entry in hard)


def test_instances_of_nothing():
    t = tensors(example())
    known = torch.tensor([True, False, True, True])
    _, classes = proco.proto_instances(t["prototypes"], known, t["queue"], t["queue_classes"])
    assert classes[1] == proco.MASKED
    alone = torch.zeros(QUEUE, dtype=torch.long)
    _, classes = proco.proto_instances(t["prototypes"], ~known | known, t["queue"], alone)
    assert classes.tolist() == [proco.MASKED, 1, 2, 3]
    made, classes = proco.proto_instances(
        t["prototypes"], known, t["queue"][:0], t["queue_classes"][:0]
    )
    assert made.shape == (0, WIDTH)
    assert classes.shape == (0,)


@pytest.mark.parametrize("loss", [proco.joint_loss, separate_loss, sparing_loss])
@pytest.mark.parametrize("case", ["one class", "absent", "alone", "single"])
def test_poor_batches_are_finite(loss, case):
    t = tensors(example(4))
    count = 1 if case in ("alone", "single") else BATCH
    q = t["q"][:count].requires_grad_()
    logits = t["logits"][:count].requires_grad_()
    target = {"one class": torch.zeros(count).long()}.get(case, t["target"][:count])
    parts = [proco.entries(q, target, 0.05)]
    if case != "alone":
        classes = torch.full((QUEUE,), 0 if case == "one class" else proco.MASKED)
        parts.append(proco.entries(t["queue"], classes, 0.05))
        known = torch.where(torch.tensor([True, False, False, True]), torch.arange(4), proco.MASKED)
        parts.append(proco.entries(t["prototypes"], known, 1.0, t["weights"].log()))
    value = loss(logits, q, target, proco.joined(*parts), T)
    value.sum().backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad != 0).any()
    assert q.grad is None or torch.isfinite(q.grad).all()


def test_prototypes_follow_their_keys():
    e = example(5)
    t = tensors(e)
    known = torch.tensor([True, False, True, False])
    classes = torch.tensor([0, 0, 1, 1, 1, 0, 0, 0, 1])
    found, now = proco.moved_prototypes(t["prototypes"], known, t["queue"], classes, 0.9)
    assert now.tolist() == [True, True, True, False]
    for c in (0, 1):
        mean = e["queue"][classes.numpy() == c].mean(0)
        moved = 0.9 * e["prototypes"][c] + 0.1 * mean if c == 0 else mean
        np.testing.assert_allclose(found[c], moved / np.linalg.norm(moved), rtol=1e-9)
    torch.testing.assert_close(found[2:], t["prototypes"][2:])


def test_weights_follow_the_posterior():
    e = example(6)
    t = tensors(e)
    known = torch.tensor([True, True, False, True])
    target = torch.tensor([0, 0, 1, 2, 1, 0])
    found = proco.recalibrated(t["weights"], t["q"], target, t["prototypes"], known, T)
    expected = e["weights"].copy()
    for c in (0, 1):
        own = []
        for i in np.flatnonzero(target.numpy() == c):
            likely = np.exp(e["q"][i] @ e["prototypes"].T / T) * known.numpy()
            own.append(likely[c] / likely.sum())
        expected[c] = 0.95 * expected[c] + 0.05 * np.mean(own)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert ((found > 0) & (found < 1)).all()


def test_weights_stay_inside_when_all_is_sure():
    prototypes = torch.eye(3)
    weights = torch.full((3,), 1 / 3)
    for _ in range(2000):
        weights = proco.recalibrated(
            weights, prototypes, torch.arange(3), prototypes, torch.ones(3).bool(), 0.01
        )
    assert ((weights > 0) & (weights < 1)).all()


def test_no_prototype_leaves_the_weights():
    t = tensors(example())
    known = torch.zeros(CLASSES, dtype=torch.bool)
    found = proco.recalibrated(t["weights"], t["q"], t["target"], t["prototypes"], known, T)
    torch.testing.assert_close(found, t["weights"])


def test_alpha_fits_the_largest_class():
    assert proco.automatic_alpha(0.49, 1024) == pytest.approx(0.004, abs=2e-4)
    assert proco.automatic_alpha(0.01, 1024) == 0.05
    assert proco.automatic_alpha(0.5, 0) == 0.05


def test_keys_catch_up_in_a_short_run():
    assert proco.key_momentum(0, 450, 0.999) == 0
    assert proco.key_momentum(9, 450, 0.999) == pytest.approx(0.9)
    assert (1 - proco.key_momentum(400, 450, 0.999)) * 450 >= 10 - 1e-9
    assert proco.key_momentum(50_000, 100_000, 0.999) == 0.999
    left = math.prod(proco.key_momentum(step, 450, 0.999) for step in range(1, 450))
    assert left < 1e-3
