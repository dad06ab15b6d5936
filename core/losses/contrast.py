"""Contrast between the features of classes: what is drawn from an image, and two losses on it.

AnCo and SAACL of You et al., "ACTION++", MICCAI 2023 (arXiv 2304.02689). Nothing here loops over
pixels, queries or classes. Every loss is finite, with a gradient of 0, when nothing is given.
"""

import torch
from torch import Generator, Tensor
from torch.nn import functional

from .precision import finest, full, in_full_precision, unit

SPARE = 50
"""How many more than twice the wanted entries a class keeps before they are put in order."""


@torch.no_grad()
def draw_per_class(classes: Tensor, count_classes: int, most: int, generator: Generator) -> Tensor:
    """Positions of up to `most` random entries of each class, (m,), in order of class.

    Parameters
    ----------
    classes
        (n,), any integer type; numbers outside 0 ... count_classes - 1, such as 255, are never
        drawn.
    """
    row = _row(classes, count_classes)
    share = (2 * most + SPARE) / torch.bincount(row, minlength=count_classes + 1).clamp_min(1)
    share[count_classes] = 0
    # Thinning first makes the sorting cheap; that fewer than `most` are left does not happen
    # within the life of a computer (1e-16 a class), and would only make a class a little smaller.
    chance = torch.rand(len(row), generator=generator, device=generator.device).to(row.device)
    near = (chance < share[row]).nonzero().squeeze(1)
    near = near[chance[near].argsort()]
    near = near[row[near].argsort(stable=True)]
    return near[_rank_in_class(row[near], count_classes) < most]


def _row(classes: Tensor, count_classes: int) -> Tensor:
    """Classes as row numbers, (n,): what is no class goes to one more row at the end."""
    inside = (classes >= 0) & (classes < count_classes)
    return torch.where(inside, classes.long(), count_classes)


def _rank_in_class(ordered: Tensor, count_classes: int) -> Tensor:
    """How many of the same class come before each entry, (n,), of classes in order."""
    counts = torch.bincount(ordered, minlength=count_classes)
    first = counts.cumsum(0) - counts
    return torch.arange(len(ordered), device=ordered.device) - first[ordered]


def class_sums(features: Tensor, classes: Tensor, count_classes: int) -> tuple[Tensor, Tensor]:
    """Sum of the features (class, d) and number (class,) of each class.

    Entries with numbers outside 0 ... count_classes - 1, such as 255, are left out.
    """
    values = full(features)
    row = _row(classes, count_classes)
    sums = values.new_zeros(count_classes + 1, values.shape[1]).index_add(0, row, values)
    counts = torch.bincount(row, minlength=count_classes + 1)
    return sums[:count_classes], counts[:count_classes]


def class_means(features: Tensor, classes: Tensor, count_classes: int) -> tuple[Tensor, Tensor]:
    """Mean of the features (class, d) and number (class,) of each class; 0 where there is none.

    Parameters
    ----------
    features
        (n, d).
    classes
        (n,); numbers outside 0 ... count_classes - 1 are left out.
    """
    sums, counts = class_sums(features, classes, count_classes)
    return sums / counts.clamp_min(1).unsqueeze(1), counts


@torch.no_grad()
@in_full_precision
def negative_choices(
    means: Tensor,
    query_classes: Tensor,
    pool_classes: Tensor,
    count: int,
    temperature: float,
    generator: Generator,
) -> Tensor:
    """Positions in the pool of the negatives of each query, (q, count).

    The class of each is drawn with softmax over cosine / temperature of the class means, among
    the other classes that are in the pool: classes that look alike are told apart more often.
    Then an entry of that class is drawn evenly, with replacement.

    Parameters
    ----------
    means
        (class, d).
    query_classes, pool_classes
        (q,) within the classes, and (m,), where numbers outside them are never drawn.

    Returns
    -------
    Tensor
        (q, count), -1 for a query whose class is alone in the pool; (q, 0) when all are.
    """
    order, offset, counts = _by_class(pool_classes, len(means))
    reach, possible = _reach(means, counts, temperature)
    possible = possible[query_classes]
    if not bool(possible.any()):
        return query_classes.new_zeros((len(query_classes), 0))
    # Drawn where the generator is, so that a seed means the same on every device.
    drawn = torch.rand(
        len(query_classes), count, generator=generator, device=generator.device, dtype=reach.dtype
    ).to(reach.device)
    upper = reach[query_classes].contiguous()
    chosen = torch.searchsorted(upper, drawn, right=True).clamp(max=len(means) - 1)
    place = _place(drawn, upper, chosen, counts)
    return order[(offset[chosen] + place).clamp_min(0)].where(possible.unsqueeze(1), -1)


def _place(drawn: Tensor, upper: Tensor, chosen: Tensor, counts: Tensor) -> Tensor:
    """Which entry of its chosen class each draw means, (q, count).

    What is left of a draw within its class is even again: one draw does for both choices.
    """
    below = functional.pad(upper, (1, 0))[:, :-1].gather(1, chosen)
    inside = (drawn - below) / (upper.gather(1, chosen) - below)
    return (inside * counts[chosen]).long().clamp_min(0).minimum(counts[chosen] - 1)


def _by_class(classes: Tensor, count_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Positions in order of class (m,), where each class begins (class,) and its number."""
    row = _row(classes, count_classes)
    counts = torch.bincount(row, minlength=count_classes + 1)[:count_classes]
    return row.argsort(stable=True), counts.cumsum(0) - counts, counts


def _reach(means: Tensor, counts: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Up to where of 0 ... 1 each other class is drawn, (class, class), and whether any can be."""
    direction = unit(means).to(finest(means.device))
    own = torch.eye(len(means), dtype=torch.bool, device=means.device)
    barred = own | (counts == 0)
    alike = (direction @ direction.T / temperature).masked_fill(barred, -torch.inf)
    upper = alike.softmax(1).nan_to_num().cumsum(1)
    # Ends at exactly 1, so that rounding never reaches a class that cannot be drawn.
    return upper / upper[:, -1:].clamp_min(torch.finfo(upper.dtype).tiny), ~barred.all(1)


@in_full_precision
def anatomical_contrast(
    queries: Tensor,
    query_classes: Tensor,
    positives: Tensor,
    negatives: Tensor,
    temperature: float,
) -> Tensor:
    """InfoNCE of each query with its class's mean against its negatives, a scalar.

    -log(exp(s+) / (exp(s+) + sum exp(s-))), s the cosines / temperature; the mean over the
    classes among the queries of the mean within each. No gradient reaches `positives`.

    Parameters
    ----------
    queries
        (q, d).
    query_classes
        (q,).
    positives
        (class, d).
    negatives
        (q, n, d); with n or q of 0 the loss is 0.
    """
    own = _own_positive(queries, query_classes, positives)
    others = torch.einsum("qd,qnd->qn", unit(queries), unit(negatives))
    return _class_balanced_nce(own, others, query_classes, len(positives), temperature)


@in_full_precision
def anatomical_contrast_indexed(
    queries: Tensor,
    query_classes: Tensor,
    positives: Tensor,
    pool: Tensor,
    choices: Tensor,
    temperature: float,
) -> Tensor:
    """Give `anatomical_contrast` with `pool[choices]` as negatives, without the copies.

    Parameters
    ----------
    pool
        (m, d).
    choices
        (q, n), from `negative_choices`; -1 is no negative.
    """
    own = _own_positive(queries, query_classes, positives)
    products = unit(queries) @ unit(pool).T
    others = products.gather(1, choices.clamp_min(0)).masked_fill(choices < 0, -torch.inf)
    return _class_balanced_nce(own, others, query_classes, len(positives), temperature)


def _own_positive(queries: Tensor, query_classes: Tensor, positives: Tensor) -> Tensor:
    """Cosine of each query to its class's mean, (q, 1)."""
    target = unit(positives.detach())[query_classes]
    return (unit(queries) * target).sum(1, keepdim=True)


def _class_balanced_nce(
    own: Tensor, others: Tensor, classes: Tensor, count_classes: int, temperature: float
) -> Tensor:
    """Mean over the present classes of the mean InfoNCE within each."""
    scaled = torch.cat([own, others], 1) / temperature
    losses = scaled.logsumexp(1) - scaled[:, 0]
    means, counts = class_means(losses.unsqueeze(1), classes, count_classes)
    return means.sum() / (counts > 0).sum().clamp_min(1)


@in_full_precision
def class_contrast(
    features: Tensor,
    keys: Tensor,
    classes: Tensor,
    queue: Tensor,
    queue_classes: Tensor,
    centres: Tensor,
    temperature: float,
    divide_centre: bool = False,
) -> tuple[Tensor, Tensor]:
    """Supervised contrast with a queue and with class centres (SAACL): two scalars.

    z = [feature . own key, feature . queue, feature . centres] / temperature, l = log softmax(z),
    P = 2 + number of entries of the same class in the queue.
    Of the class: -mean (l[own key] + sum of l[same class in the queue]) / P.
    Of the centre: -mean l[own centre], as the paper has it.

    Parameters
    ----------
    features, classes
        (n, d) and (n,), of the student; with n of 0 both losses are 0.
    keys
        (n, d), of the teacher at the same places; no gradient reaches them.
    queue, queue_classes
        (m, d) and (m,), earlier keys; m may be 0.
    centres
        (class, d), in the order of the classes.
    divide_centre
        Divide the second loss by P too, as the authors' code does.
    """
    anchors, earlier, fixed = unit(features), unit(queue.detach()), unit(centres.detach())
    own = (anchors * unit(keys.detach())).sum(1)
    to_centre = anchors @ fixed.T
    scaled = torch.cat([own.unsqueeze(1), anchors @ earlier.T, to_centre], 1) / temperature
    whole = scaled.logsumexp(1)
    # The sum of the products with a class is the product with its sum.
    sums, counts = class_sums(earlier, queue_classes, len(centres))
    same, pairs = (anchors * sums[classes]).sum(1), counts[classes] + 2
    near = ((1 + counts[classes]) * whole - (own + same) / temperature) / pairs
    centre = whole - to_centre.gather(1, classes.unsqueeze(1)).squeeze(1) / temperature
    return _mean(near), _mean(centre / pairs if divide_centre else centre)


def _mean(values: Tensor) -> Tensor:
    """Mean, and 0 of nothing."""
    return values.sum() / max(len(values), 1)
