"""Metric losses and how well features retrieve, against loops in double precision."""

import math
from typing import get_args

import numpy as np
import pytest
import torch

from longtail.core.methods.metric_learning import MetricLoss, retrieval
from longtail.core.methods.settings_contrast import TwoStageSettings

BATCH, CLASSES, WIDTH = 8, 4, 5
NAMES = [
    name for name in get_args(TwoStageSettings.model_fields["metric"].annotation) if name != "none"
]
each_loss = pytest.mark.parametrize("name", NAMES)


def example(seed=0):
    random = np.random.default_rng(seed)
    h = random.normal(size=(BATCH, WIDTH))
    proxies = random.normal(size=(CLASSES, WIDTH))
    h, proxies = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (h, proxies))
    # The last class is absent, the one before has one image.
    return h, np.array([0, 0, 0, 1, 1, 0, 2, 1]), proxies


def loss_of(name, proxies=None, classes=CLASSES):
    loss = MetricLoss(TwoStageSettings(metric=name), WIDTH, classes).double()
    if proxies is not None:
        for own in loss.parameters():
            own.data = torch.tensor(proxies if name == "proxy-anchor" else proxies.T.copy())
    return loss


def pairs(labels, i):
    own = [j for j in range(BATCH) if labels[j] == labels[i] and j != i]
    return own, [j for j in range(BATCH) if labels[j] != labels[i]]


def anchors(labels):
    return [i for i in range(BATCH) if all(pairs(labels, i))]


def by_triplets(h, labels, proxies):
    total = []
    for i in anchors(labels):
        own, others = pairs(labels, i)
        far = max(np.linalg.norm(h[i] - h[j]) for j in own)
        near = min(np.linalg.norm(h[i] - h[j]) for j in others)
        total.append(max(0, 0.3 + far - near))
    return np.mean(total)


def by_centres(h, labels, proxies):
    centres = {c: h[labels == c].mean(0) for c in set(labels.tolist())}
    total = []
    for i, label in enumerate(labels):
        apart = {c: np.linalg.norm(h[i] - centre) for c, centre in centres.items()}
        total.append(max(0, 0.3 + apart.pop(label) - min(apart.values())))
    return np.mean(total)


def by_multi_similarity(h, labels, proxies):
    total = 0.0
    for i in range(BATCH):
        own, others = pairs(labels, i)
        total += math.log(1 + sum(math.exp(-2 * (h[i] @ h[j] - 0.5)) for j in own)) / 2
        total += math.log(1 + sum(math.exp(50 * (h[i] @ h[j] - 0.5)) for j in others)) / 50
    return total / BATCH


def by_proxies(h, labels, proxies):
    near, far = [], []
    for c, proxy in enumerate(proxies):
        own = [math.exp(-32 * (h[i] @ proxy - 0.1)) for i in range(BATCH) if labels[i] == c]
        others = [math.exp(32 * (h[i] @ proxy + 0.1)) for i in range(BATCH) if labels[i] != c]
        if own:
            near.append(math.log(1 + sum(own)))
        far.append(math.log(1 + sum(others)))
    return np.mean(near) + np.mean(far)


def by_circle(h, labels, proxies):
    total = []
    for i in anchors(labels):
        own, others = pairs(labels, i)
        near = sum(math.exp(-80 * max(0, 1.4 - h[i] @ h[j]) * (h[i] @ h[j] - 0.6)) for j in own)
        far = sum(math.exp(80 * max(0, h[i] @ h[j] + 0.4) * (h[i] @ h[j] - 0.4)) for j in others)
        total.append(math.log(1 + near * far))
    return np.mean(total)


def by_arcface(h, labels, proxies):
    total = 0.0
    for i, label in enumerate(labels):
        cosines = [float(h[i] @ proxy) for proxy in proxies]
        angle = math.acos(cosines[label])
        if angle + 0.5 < math.pi:
            cosines[label] = math.cos(angle + 0.5)
        else:
            cosines[label] -= 0.5 * math.sin(0.5)
        logits = 30 * np.array(cosines)
        total += np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[label]
    return total / BATCH


def by_contrast(h, labels, proxies):
    total = []
    for i in range(BATCH):
        own, others = pairs(labels, i)
        if not own:
            continue
        whole = math.log(sum(math.exp(h[i] @ h[j] / 0.1) for j in [*own, *others]))
        total.append(-np.mean([h[i] @ h[j] / 0.1 - whole for j in own]))
    return np.mean(total)


REFERENCES = {
    "triplet": by_triplets,
    "centre-triplet": by_centres,
    "multi-similarity": by_multi_similarity,
    "proxy-anchor": by_proxies,
    "circle": by_circle,
    "arcface": by_arcface,
    "contrastive": by_contrast,
}


@each_loss
@pytest.mark.parametrize("seed", [0, 1])
def test_values(name, seed):
    h, labels, proxies = example(seed)
    found = loss_of(name, proxies)(torch.tensor(7 * h), torch.tensor(labels))
    assert found.item() == pytest.approx(REFERENCES[name](h, labels, proxies), rel=1e-9)


@pytest.mark.parametrize("name", ["triplet", "centre-triplet"])
def test_the_margin_is_the_one_that_is_set(name):
    h, labels, _ = example()
    near, far = (
        MetricLoss(TwoStageSettings(metric=name, margin=margin), WIDTH, CLASSES)
        for margin in (1.5, 2.0)
    )
    values, target = torch.tensor(h), torch.tensor(labels)
    assert (far(values, target) - near(values, target)).item() == pytest.approx(0.5)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"circle"}))
def test_gradients_are_right(name):
    h, labels, proxies = example(2)
    loss, target = loss_of(name, proxies), torch.tensor(labels)
    learned = tuple(loss.parameters())
    assert len(learned) == (name in ("proxy-anchor", "arcface"))
    inputs = (torch.tensor(h, requires_grad=True), *learned)
    assert torch.autograd.gradcheck(lambda values, *_: loss(values, target), inputs)


def test_the_weights_of_circle_have_no_gradient():
    h, labels, _ = example(3)
    free = torch.tensor(h, requires_grad=True)
    target = torch.tensor(labels)
    loss_of("circle")(free, target).backward()
    fixed = torch.tensor(h) @ torch.tensor(h).T
    same = target[:, None] == target[None]
    positive = same & ~torch.eye(BATCH, dtype=torch.bool)

    def with_fixed_weights(values):
        values = torch.nn.functional.normalize(values)
        alike = values @ values.T
        near = -80 * (1.4 - fixed).clamp_min(0) * (alike - 0.6)
        far = 80 * (fixed + 0.4).clamp_min(0) * (alike - 0.4)
        near = near.masked_fill(~positive, -1e9).logsumexp(1)
        far = far.masked_fill(same, -1e9).logsumexp(1)
        kept = torch.tensor(anchors(labels))
        return torch.nn.functional.softplus(near + far)[kept].mean()

    step, numeric = 1e-6, np.zeros_like(h)
    for place in np.ndindex(*h.shape):
        up, down = torch.tensor(h), torch.tensor(h)
        up[place] += step
        down[place] -= step
        numeric[place] = (with_fixed_weights(up) - with_fixed_weights(down)).item() / (2 * step)
    np.testing.assert_allclose(free.grad.numpy(), numeric, rtol=1e-5, atol=1e-6)


@each_loss
@pytest.mark.parametrize("labels", [[0] * BATCH, list(range(BATCH)), [1]])
def test_poor_batches_are_finite(name, labels):
    h = torch.tensor(example()[0])[: len(labels)].requires_grad_()
    loss = loss_of(name, classes=BATCH)(h, torch.tensor(labels))
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(h.grad).all()


@pytest.mark.parametrize("name", ["triplet", "centre-triplet", "circle", "contrastive"])
def test_batches_without_pairs_give_nothing(name):
    h = torch.tensor(example()[0], requires_grad=True)
    loss = loss_of(name)(h, torch.zeros(BATCH, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0
    assert not h.grad.any()


@each_loss
def test_equal_images_are_finite(name):
    h = torch.ones(6, WIDTH, requires_grad=True)
    loss = loss_of(name, np.ones((CLASSES, WIDTH))).float()
    loss(h, torch.tensor([0, 0, 1, 1, 2, 2])).backward()
    assert all(torch.isfinite(each.grad).all() for each in (h, *loss.parameters()))


@each_loss
def test_a_gradient_that_mixed_precision_leaves_alone(name):
    h, labels, proxies = example(4)
    loss, target = loss_of(name, proxies).float(), torch.tensor(labels)
    features = torch.tensor(h, dtype=torch.bfloat16, requires_grad=True)
    plain = loss(features.detach().float(), target)
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(features, target)
    value.backward()
    assert value.dtype == torch.float32
    assert value.item() == plain.item()
    assert (features.grad != 0).any()


def test_none_is_nothing():
    features = torch.randn(4, WIDTH, requires_grad=True)
    loss = MetricLoss(TwoStageSettings(metric="none"), WIDTH, CLASSES)
    value = loss(features, torch.tensor([0, 0, 1, 1]))
    value.backward()
    assert value.item() == 0
    assert not features.grad.any()


def test_retrieval_by_loops():
    random = np.random.default_rng(0)
    features = random.normal(size=(12, 4))
    classes = np.array([0] * 6 + [1] * 3 + [2] * 2 + [3])
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    first, at_r = {}, {}
    for i in range(12):
        order = sorted((j for j in range(12) if j != i), key=lambda j: -float(unit[i] @ unit[j]))
        hits = [classes[j] == classes[i] for j in order]
        wanted = int((classes == classes[i]).sum()) - 1
        if not wanted:
            continue
        score = sum(np.mean(hits[: k + 1]) for k in range(wanted) if hits[k]) / wanted
        first.setdefault(classes[i], []).append(hits[0])
        at_r.setdefault(classes[i], []).append(score)
    found = retrieval(torch.tensor(features), torch.tensor(classes), 5)
    for values, expected in zip(found, (first, at_r), strict=True):
        for each in range(3):
            assert values[each].item() == pytest.approx(np.mean(expected[each]))
        assert math.isnan(values[3])
        assert math.isnan(values[4])


def test_retrieval_of_one_image():
    recall, _ = retrieval(torch.ones(1, 3), torch.tensor([0]), 2)
    assert torch.isnan(recall).all()
