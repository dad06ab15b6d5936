"""Which labelled cases sit out in turn, so that the tail guard can measure them unlearned."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

FEWEST_CASES = 6
FEWEST_GROUPS = 4
FEWEST_KEPT = 2
ASIDE_STREAM = 31

IMAGE_SHARE = 0.1
FEWEST_IMAGES = 20
"""Images of the same classes from which on a tenth of them sits out; fewer are too dear."""

Groups = tuple[tuple[str, ...], ...]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


def case_groups(held: Mapping[str, Collection[int]], count: int, seed: int) -> Groups:
    """Deal cases to groups such that each class keeps two cases while a group sits out.

    Parameters
    ----------
    held
        The outputs that each case holds. A class always keeps two cases: of a rare one that is
        labelled twice no case ever sits out.

    Returns
    -------
    tuple
        Up to `count` groups of about equal size; none where there are too few cases.
    """
    if len(held) < FEWEST_CASES:
        return ()
    order = np.random.default_rng([seed, ASIDE_STREAM]).permutation(len(held))
    ids = [list(held)[at] for at in order]
    sizes = [len(part) for part in np.array_split(np.arange(len(ids)), count)]
    groups: list[list[str]] = []
    for case_id in ids:
        room = bool(groups) and len(groups[-1]) < sizes[len(groups) - 1]
        if room and _can_rest([*groups[-1], case_id], held):
            groups[-1].append(case_id)
        elif len(groups) < count and _can_rest([case_id], held):
            groups.append([case_id])
    kept = tuple(tuple(group) for group in groups)
    return kept if len(kept) >= FEWEST_GROUPS else ()


def image_groups(presence: Flags, count: int, seed: int) -> tuple[Rows, ...]:
    """Deal a tenth of the images of each kind to each of `count` groups, rows of `presence`.

    Parameters
    ----------
    presence
        (image, class): images with equal rows are of one kind. Kinds with few images never sit
        out, since they would be missed.
    """
    kinds = np.unique(presence, axis=0, return_inverse=True)[1].reshape(-1)
    groups: list[list[int]] = [[] for _ in range(count)]
    for kind in range(int(kinds.max()) + 1 if len(kinds) else 0):
        rows = np.flatnonzero(kinds == kind)
        if len(rows) < FEWEST_IMAGES:
            continue
        order = np.random.default_rng([seed, kind, ASIDE_STREAM]).permutation(rows)
        size = int(IMAGE_SHARE * len(rows))
        for number, group in enumerate(groups):
            group += order[number * size : (number + 1) * size].tolist()
    return tuple(np.array(sorted(group), np.int64) for group in groups if group)


def _can_rest(case_ids: list[str], held: Mapping[str, Collection[int]]) -> bool:
    all_of = Counter(output for outputs in held.values() for output in outputs)
    theirs = Counter(output for case_id in case_ids for output in held[case_id])
    return all(all_of[output] - number >= FEWEST_KEPT for output, number in theirs.items())
