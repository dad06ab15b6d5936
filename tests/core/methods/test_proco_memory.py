"""What `proco` remembers, and that it is PaCo without its parts."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses import proco as losses
from longtail.core.methods.proco_memory import ProcoMemory
from longtail.core.methods.settings_contrast import ProcoSettings

PACO = {"prototypes": False, "proto_instances": False, "recalibration": "fixed"}


def memory(**settings):
    return ProcoMemory(ProcoSettings(width=8, queue=12, **settings), 3, "cpu")


def batch(seed, size=5):
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(2, size, 8, generator=generator)
    q, k = torch.nn.functional.normalize(draw, dim=2)
    return q, k, torch.randint(0, 2, (size,), generator=generator)


def test_without_its_parts_it_compares_like_paco():
    """The contrast set after three batches against PaCo's queue, written anew."""
    paco = memory(**PACO, alpha=0.05)
    earlier = []
    for step in range(4):
        q, k, target = batch(step)
        prior = torch.tensor([0.6, 0.3, 0.1])
        contrast = paco.contrast(q, k, target, prior)
        logits = torch.randn(5, 3, generator=torch.Generator().manual_seed(9))
        found = losses.joint_loss(logits + prior.log(), q, target, contrast, 0.07).mean()
        assert found.item() == pytest.approx(by_loops(logits, q, k, target, earlier, prior), 1e-5)
        paco.take(q, k, target)
        earlier = [*earlier, *zip(k, target.tolist(), strict=True)][-12:]


def by_loops(logits, q, k, target, earlier, prior):
    entries = [*zip(q, target.tolist(), strict=True), *zip(k, target.tolist(), strict=True)]
    total = 0.0
    for i, y in enumerate(target.tolist()):
        terms = [float(z) for z in (logits[i] + prior.log())]
        marks = [1.0 * (c == y) for c in range(3)]
        for j, (vector, label) in enumerate([*entries, *earlier]):
            if j != i:
                terms.append(float(q[i] @ vector) / 0.07)
                marks.append(0.05 * (label == y))
        z = max(terms) + math.log(sum(math.exp(t - max(terms)) for t in terms))
        total -= sum(m * (t - z) for m, t in zip(marks, terms, strict=True)) / sum(marks)
    return total / len(target)


def test_a_class_that_never_came_is_left_out():
    kept = memory()
    for step in range(3):
        kept.take(*batch(step))
    assert kept.known.tolist() == [True, True, False]
    contrast = kept.contrast(*batch(3), torch.tensor([0.5, 0.5, 0.0]))
    assert 2 not in contrast.classes.tolist()
    assert torch.isfinite(contrast.shifts).all()
    assert kept.weights[2] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("settings", "shifted"),
    [
        ({"recalibration": "none"}, [0, 0, 0]),
        ({"recalibration": "fixed"}, [math.log(0.5), math.log(0.3), math.log(0.2)]),
        ({"recalibration": "learned"}, [math.log(1 / 3)] * 3),
        ({"recalibration": "learned", "apply_to": "classifier"}, [0, 0, 0]),
    ],
)
def test_where_weights_count(settings, shifted):
    contrast = memory(**settings).contrast(*batch(0), torch.tensor([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(contrast.shifts[10:13], shifted, rtol=1e-6)
