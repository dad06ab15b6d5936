"""Metric losses against loops in double precision."""

import importlib.util
import math

import numpy as np
import pytest
import torch

from longtail.core.losses import metric

BATCH, CLASSES, WIDTH = 8, 4, 5
PACKAGE = importlib.util.find_spec("pytorch_metric_learning") is not None


def example(seed=0):
    random = np.random.default_rng(seed)
    h = random.normal(size=(BATCH, WIDTH))
    proxies = random.normal(size=(CLASSES, WIDTH))
    h, proxies = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (h, proxies))
    # The last class is absent, the one before has one image.
    return h, np.array([0, 0, 0, 1, 1, 0, 2, 1]), proxies


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


LOSSES = {
    "triplet": (lambda h, y, p: metric.triplet(h, y), by_triplets),
    "centre-triplet": (lambda h, y, p: metric.centre_triplet(h, y, CLASSES), by_centres),
    "multi-similarity": (lambda h, y, p: metric.multi_similarity(h, y), by_multi_similarity),
    "proxy-anchor": (metric.proxy_anchor, by_proxies),
    "circle": (lambda h, y, p: metric.circle(h, y), by_circle),
    "arcface": (metric.arcface, by_arcface),
    "contrastive": (lambda h, y, p: metric.contrastive(h, y), by_contrast),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


@each_loss
@pytest.mark.parametrize("seed", [0, 1])
def test_values(name, seed):
    h, labels, proxies = example(seed)
    loss, reference = LOSSES[name]
    found = loss(torch.tensor(h), torch.tensor(labels), torch.tensor(proxies))
    assert found.item() == pytest.approx(reference(h, labels, proxies), rel=1e-9)


@pytest.mark.parametrize("name", sorted(LOSSES.keys() - {"circle"}))
def test_gradients_are_right(name):
    h, labels, proxies = example(2)
    inputs = (torch.tensor(h, requires_grad=True), torch.tensor(proxies, requires_grad=True))
    target = torch.tensor(labels)

    def loss(embeddings, learned):
        return LOSSES[name][0](embeddings, target, learned) + 0 * learned.sum()

    assert torch.autograd.gradcheck(loss, inputs)


def test_the_weights_of_circle_have_no_gradient():
    h, labels, _ = example(3)
    free = torch.tensor(h, requires_grad=True)
    target = torch.tensor(labels)
    metric.circle(free, target).backward()
    fixed = torch.tensor(h) @ torch.tensor(h).T
    same = target[:, None] == target[None]
    positive = same & ~torch.eye(BATCH, dtype=torch.bool)

    def with_fixed_weights(values):
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
    proxies = torch.tensor(example()[2]).repeat(2, 1).requires_grad_()
    loss = metric.centre_triplet(h, torch.tensor(labels), 8) if name == "centre-triplet" else None
    loss = LOSSES[name][0](h, torch.tensor(labels), proxies) if loss is None else loss
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(h.grad).all()


def test_equal_images_are_finite():
    h = torch.ones(6, WIDTH, dtype=torch.double) / WIDTH**0.5
    h.requires_grad_()
    labels = torch.tensor([0, 0, 1, 1, 2, 2])
    for name in ("triplet", "centre-triplet", "arcface"):
        proxies = torch.ones(CLASSES, WIDTH, dtype=torch.double)
        loss = LOSSES[name][0](h, labels, proxies)
        (gradient,) = torch.autograd.grad(loss, h)
        assert torch.isfinite(gradient).all()


@pytest.mark.skipif(not PACKAGE, reason="pytorch-metric-learning is not installed")
def test_as_in_the_package():
    from pytorch_metric_learning import losses

    h, labels, _ = example(4)
    values, target = torch.tensor(h), torch.tensor(labels)
    theirs = {
        "multi-similarity": losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5),
        "contrastive": losses.SupConLoss(temperature=0.1),
    }
    for name, loss in theirs.items():
        found = LOSSES[name][0](values, target, None)
        assert loss(values, target).item() == pytest.approx(found.item(), rel=1e-5)
