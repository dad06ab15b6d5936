"""Contrastive losses and what is drawn for them, against plain loops in double precision."""

import math

import numpy as np
import pytest
import torch

from longtail.core.losses.contrast import (
    anatomical_contrast,
    anatomical_contrast_indexed,
    class_contrast,
    class_means,
    draw_per_class,
    negative_choices,
)
from longtail.core.losses.simplex import simplex_centres


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def cosine(first, second):
    return first @ second / (np.linalg.norm(first) * np.linalg.norm(second))


# Drawing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 7, 50, 400])
def test_each_class_gives_as_many_as_it_can(most):
    random = np.random.default_rng(0)
    classes = torch.tensor(random.choice([0, 1, 2, 4, 255], 3000, p=[0.8, 0.1, 0.05, 0.03, 0.02]))
    found = draw_per_class(classes, 5, most, seeded())
    counts = torch.bincount(classes[classes < 255], minlength=5)
    assert len(found.unique()) == len(found)
    assert torch.bincount(classes[found], minlength=5).tolist() == counts.clamp(max=most).tolist()


def test_what_is_not_labelled_is_never_drawn():
    classes = torch.tensor([255, 0, -1, 3, 255, 2], dtype=torch.int16)
    assert draw_per_class(classes, 3, 10, seeded()).tolist() == [1, 5]


@pytest.mark.parametrize("classes", [[], [255, 255]])
def test_nothing_to_draw(classes):
    assert draw_per_class(torch.tensor(classes, dtype=torch.uint8), 3, 4, seeded()).shape == (0,)


def test_every_entry_is_drawn_equally_often():
    classes = torch.tensor([0] * 400 + [1] * 4)
    drawn = torch.zeros(404)
    for seed in range(400):
        drawn[draw_per_class(classes, 2, 20, seeded(seed))] += 1
    assert (drawn[400:] == 400).all()
    # 400 draws of 20 of 400: 20 each, with a deviation of 4.4.
    assert float(drawn[:400].mean()) == 20
    assert float(drawn[:400].std()) == pytest.approx(math.sqrt(400 * 0.05 * 0.95), rel=0.15)
    assert float(drawn[:200].sum()) == pytest.approx(4000, abs=4 * math.sqrt(4000 * 0.5))


def test_draws_repeat_with_their_seed():
    classes = torch.arange(5000) % 3
    first, second, other = (draw_per_class(classes, 3, 9, seeded(s)) for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_class_means_equal_a_loop():
    random = np.random.default_rng(0)
    features, classes = random.normal(size=(30, 4)), random.choice([0, 2, 255, -1], 30)
    means, counts = class_means(torch.tensor(features), torch.tensor(classes), 3)
    assert counts.tolist() == [(classes == number).sum() for number in range(3)]
    for number in (0, 2):
        np.testing.assert_allclose(means[number], features[classes == number].mean(0), atol=1e-12)
    assert (means[1] == 0).all()


def test_class_means_of_nothing_keep_a_gradient_path():
    features = torch.zeros(0, 4, requires_grad=True)
    means, _ = class_means(features, torch.zeros(0, dtype=torch.long), 3)
    means.sum().backward()
    assert (means == 0).all()


# Negatives ------------------------------------------------------------------------------------


def test_negatives_come_from_other_classes_in_the_pool():
    means = torch.randn(5, 6, generator=seeded())
    queries, pool = torch.tensor([0, 1, 4] * 20), torch.tensor([3, 0, 1, 255, 1, 0, 3, -1])
    found = negative_choices(means, queries, pool, 50, 0.5, seeded())
    assert found.shape == (60, 50)
    drawn = pool[found]
    assert ((drawn >= 0) & (drawn < 5)).all()
    assert (drawn != queries.unsqueeze(1)).all()


def test_classes_that_look_alike_are_drawn_more_often():
    random = np.random.default_rng(0)
    means = random.normal(size=(4, 3))
    pool = np.array([0] * 7 + [1] * 50 + [3] * 3)
    raised = np.exp([cosine(means[1], row) / 0.7 for row in means]) * [1, 0, 0, 1]
    chances = raised / raised.sum()
    found = negative_choices(
        torch.tensor(means), torch.tensor([1]), torch.tensor(pool), 200_000, 0.7, seeded()
    )
    drawn = np.bincount(pool[found[0]], minlength=4) / 200_000
    np.testing.assert_allclose(drawn, chances, atol=0.006)
    # Within a class, evenly.
    entries = np.bincount(found[0], minlength=60)
    np.testing.assert_allclose(entries[:7] / entries[:7].sum(), 1 / 7, rtol=0.05)
    np.testing.assert_allclose(entries[57:] / entries[57:].sum(), 1 / 3, rtol=0.05)


def test_negatives_follow_the_order_of_the_pool():
    means = torch.randn(3, 6, generator=seeded())
    pool = torch.tensor([2, 0, 1, 0, 2, 1, 0, 0])
    found = negative_choices(means, torch.tensor([0, 1, 2]), pool, 3000, 1.0, seeded())
    for number in range(3):
        reached = set(found[number].tolist())
        assert reached == set((pool != number).nonzero().squeeze(1).tolist())


@pytest.mark.parametrize("pool", [[], [1, 1], [255]])
def test_without_another_class_there_is_no_negative(pool):
    queries = torch.tensor([1, 1, 1])
    pool = torch.tensor(pool, dtype=torch.long)
    found = negative_choices(torch.randn(3, 4), queries, pool, 8, 0.1, seeded())
    assert found.shape == (3, 0)


def test_a_class_alone_in_the_pool_has_no_negative_while_others_have():
    found = negative_choices(
        torch.randn(3, 4), torch.tensor([1, 0]), torch.tensor([1, 1]), 8, 0.1, seeded()
    )
    assert (found[0] == -1).all()
    assert (found[1] >= 0).all()


def test_no_negative_at_all_without_queries():
    none = torch.zeros(0, dtype=torch.long)
    found = negative_choices(torch.randn(3, 4), none, torch.tensor([0, 1]), 8, 0.1, seeded())
    assert found.shape == (0, 0)


def test_cold_draws_stay_finite():
    means = torch.tensor([[1.0, 0.0], [1.0, 0.01], [-1.0, 0.0]])
    pool = torch.tensor([0, 1, 2])
    found = negative_choices(means, torch.tensor([0]), pool, 100, 1e-3, seeded())
    assert (found == 1).all()


# AnCo -----------------------------------------------------------------------------------------


def anco_example(seed=0, count=9, others=6):
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(count, 5)),
        random.choice([0, 1, 3], count),
        random.normal(size=(4, 5)),
        random.normal(size=(20, 5)),
        random.integers(0, 20, (count, others)),
    )


def anco_by_loop(queries, classes, positives, negatives, temperature):
    means = []
    for number in sorted(set(classes)):
        losses = []
        for row in (classes == number).nonzero()[0]:
            near = math.exp(cosine(queries[row], positives[number]) / temperature)
            far = sum(math.exp(cosine(queries[row], n) / temperature) for n in negatives[row])
            losses.append(-math.log(near / (near + far)))
        means.append(np.mean(losses))
    return np.mean(means)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_anatomical_contrast_equals_a_loop(dtype):
    queries, classes, positives, pool, choices = anco_example()
    expected = anco_by_loop(queries, classes, positives, pool[choices], 0.3)
    query, positive, entries = (torch.tensor(x, dtype=dtype) for x in (queries, positives, pool))
    own, chosen = torch.tensor(classes), torch.tensor(choices)
    found = anatomical_contrast(query, own, positive, entries[chosen], 0.3)
    indexed = anatomical_contrast_indexed(query, own, positive, entries, chosen, 0.3)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(indexed) == pytest.approx(expected, rel=1e-5)


def test_both_ways_have_the_same_gradients():
    gradients = []
    for indexed in (False, True):
        queries, classes, positives, pool, choices = (torch.tensor(x) for x in anco_example())
        queries.requires_grad_()
        pool.requires_grad_()
        if indexed:
            loss = anatomical_contrast_indexed(queries, classes, positives, pool, choices, 0.3)
        else:
            loss = anatomical_contrast(queries, classes, positives, pool[choices], 0.3)
        gradients.append(torch.autograd.grad(loss, (queries, pool)))
    torch.testing.assert_close(gradients[0], gradients[1])


def test_anatomical_contrast_gradients_are_right():
    queries, classes, positives, pool, choices = (torch.tensor(x) for x in anco_example(count=4))
    queries.requires_grad_()
    pool.requires_grad_()
    positives.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, y: anatomical_contrast_indexed(x, classes, positives.detach(), y, choices, 0.3),
        (queries, pool),
    )
    anatomical_contrast(queries, classes, positives, pool[choices], 0.3).backward()
    assert positives.grad is None


def test_a_missing_negative_counts_as_none():
    queries, classes, positives, pool, choices = anco_example()
    choices[classes == 1] = -1
    kept = [pool[row[row >= 0]] for row in choices]
    expected = anco_by_loop(queries, classes, positives, kept, 0.3)
    given = [torch.tensor(x) for x in (queries, classes, positives, pool, choices)]
    given[0].requires_grad_()
    loss = anatomical_contrast_indexed(*given, 0.3)
    loss.backward()
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    assert torch.isfinite(given[0].grad).all()


@pytest.mark.parametrize(("count", "others"), [(0, 6), (9, 0), (0, 0)])
def test_no_query_or_no_negative_is_zero_with_a_gradient_path(count, others):
    queries, classes, positives, pool, choices = (
        torch.tensor(x) for x in anco_example(count=count, others=others)
    )
    classes, choices = classes.long(), choices.long()
    for indexed in (False, True):
        leaf = queries.clone().requires_grad_()
        if indexed:
            loss = anatomical_contrast_indexed(leaf, classes, positives, pool, choices, 0.1)
        else:
            loss = anatomical_contrast(leaf, classes, positives, pool[choices], 0.1)
        loss.backward()
        assert loss.item() == 0
        assert torch.isfinite(leaf.grad).all()


def test_an_empty_pool_is_zero_with_a_gradient_path():
    queries = torch.randn(3, 5, requires_grad=True)
    classes, none = torch.tensor([0, 1, 1]), torch.zeros(3, 0, dtype=torch.long)
    loss = anatomical_contrast_indexed(
        queries, classes, torch.randn(2, 5), torch.zeros(0, 5), none, 0.1
    )
    loss.backward()
    assert loss.item() == 0


def test_cold_contrast_of_long_or_zero_vectors_is_finite():
    queries = torch.tensor([[1e4, 0.0], [0.0, 0.0]], requires_grad=True)
    loss = anatomical_contrast(
        queries, torch.tensor([0, 1]), -torch.eye(2), torch.ones(2, 3, 2), 0.01
    )
    loss.backward()
    assert math.isfinite(loss.item())
    assert torch.isfinite(queries.grad).all()


# SAACL ----------------------------------------------------------------------------------------


def saacl_example(seed=0, count=7, queued=11, classes=(0, 1, 2)):
    random = np.random.default_rng(seed)
    return (
        random.normal(size=(count, 5)),
        random.normal(size=(count, 5)),
        random.choice(classes, count),
        random.normal(size=(queued, 5)),
        random.integers(0, 3, queued),
        simplex_centres(3, 5).double().numpy(),
    )


def saacl_by_loop(features, keys, classes, queue, queue_classes, centres, temperature, divide):
    near, centre = [], []
    for feature, key, label in zip(features, keys, classes, strict=True):
        scores = [cosine(feature, other) / temperature for other in (key, *queue, *centres)]
        top = max(scores)
        whole = top + math.log(sum(math.exp(score - top) for score in scores))
        log_shares = [score - whole for score in scores]
        same = [log_shares[1 + k] for k, other in enumerate(queue_classes) if other == label]
        pairs = 2 + len(same)
        near.append(-(log_shares[0] + sum(same)) / pairs)
        own = -log_shares[1 + len(queue) + label]
        centre.append(own / pairs if divide else own)
    return np.mean(near), np.mean(centre)


@pytest.mark.parametrize("divide", [False, True])
@pytest.mark.parametrize("queued", [0, 11])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_class_contrast_equals_a_loop(divide, queued, dtype):
    given = saacl_example(queued=queued)
    expected = saacl_by_loop(*given, 0.2, divide)
    parts = [torch.tensor(x, dtype=dtype if x.dtype == float else torch.long) for x in given]
    found = class_contrast(*parts, 0.2, divide_centre=divide)
    np.testing.assert_allclose([float(x) for x in found], expected, rtol=1e-5)


def test_a_full_queue_is_exact_in_single_precision():
    given = saacl_example(count=20, queued=3000)
    expected = saacl_by_loop(*given, 0.1, False)
    parts = [torch.tensor(x, dtype=torch.float if x.dtype == float else None) for x in given]
    found = class_contrast(*parts, 0.1)
    np.testing.assert_allclose([float(x) for x in found], expected, rtol=1e-5)


def test_class_contrast_gradients_are_right_and_reach_the_student_only():
    features, keys, classes, queue, queued, centres = (torch.tensor(x) for x in saacl_example())
    for part in (features, keys, queue, centres):
        part.requires_grad_()
    fixed = (keys.detach(), classes, queue.detach(), queued, centres.detach())
    assert torch.autograd.gradcheck(lambda x: class_contrast(x, *fixed, 0.2), (features,))
    sum(class_contrast(features, keys, classes, queue, queued, centres, 0.2)).backward()
    assert keys.grad is None
    assert queue.grad is None
    assert centres.grad is None


def test_class_contrast_does_not_change_with_the_order_of_the_classes():
    features, keys, classes, queue, queued, centres = (torch.tensor(x) for x in saacl_example())
    order = torch.tensor([2, 0, 1])
    inverse = order.argsort()
    plain = class_contrast(features, keys, classes, queue, queued, centres, 0.2)
    turned = class_contrast(
        features, keys, inverse[classes], queue, inverse[queued], centres[order], 0.2
    )
    torch.testing.assert_close(plain, turned)


@pytest.mark.parametrize(("count", "classes"), [(0, (0,)), (7, (1,)), (1, (2,))])
def test_no_labelled_pixel_and_one_class_only_are_finite(count, classes):
    parts = [torch.tensor(x) for x in saacl_example(count=count, classes=classes)]
    parts[0].requires_grad_()
    near, centre = class_contrast(*parts, 0.05)
    (near + centre).backward()
    assert math.isfinite(near.item())
    assert math.isfinite(centre.item())
    assert torch.isfinite(parts[0].grad).all()
    assert (near == 0) == (count == 0)


def test_a_class_missing_from_the_queue_is_finite():
    features, keys, _, queue, queued, centres = (torch.tensor(x) for x in saacl_example())
    rare = torch.full((7,), 2)
    near, centre = class_contrast(features, keys, rare, queue, queued.clamp(max=1), centres, 0.1)
    assert math.isfinite(near.item())
    assert math.isfinite(centre.item())


def test_autocast_does_not_reach_the_products():
    parts = [
        torch.tensor(x, dtype=torch.float if x.dtype == float else None) for x in saacl_example()
    ]
    plain = class_contrast(*parts, 0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = class_contrast(*parts, 0.1)
    assert torch.equal(plain[0], cast[0])
    assert torch.equal(plain[1], cast[1])
