"""How well features retrieve, against loops; every metric loss by its name."""

import math
from typing import get_args

import numpy as np
import pytest
import torch

from longtail.core.methods.metric_learning import MetricLoss, retrieval
from longtail.core.methods.settings_contrast import TwoStageSettings

NAMES = get_args(TwoStageSettings.model_fields["metric"].annotation)


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


@pytest.mark.parametrize("name", NAMES)
def test_each_metric_loss_has_a_gradient(name):
    torch.manual_seed(0)
    loss = MetricLoss(TwoStageSettings(metric=name), 6, 3)
    features = torch.randn(8, 6, requires_grad=True)
    value = loss(features, torch.tensor([0, 0, 1, 1, 2, 2, 0, 1]))
    value.backward()
    assert torch.isfinite(features.grad).all()
    assert bool((features.grad != 0).any()) == (name != "none")
