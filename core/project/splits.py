"""Drawing the parts of a study and its labelled subset, by seed: pure functions on arrays."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import LongtailError
from .records import Split

SHARES = re.compile(r"\s*([\d.]+)\s*/\s*([\d.]+)\s*/\s*([\d.]+)\s*")
_PATIENTS = re.compile(r"\s*patients?\s*$")

_WORDS = {
    Split.TRAIN: ("train", "training", "tr"),
    Split.VAL: ("val", "valid", "validation", "dev", "tune"),
    Split.TEST: ("test", "testing", "ts", "holdout"),
}
SPLIT_WORDS = {word: split for split, words in _WORDS.items() for word in words}

Presence = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.intp]]


def is_shares(text: str) -> bool:
    """Tell whether a text is `a/b/c`."""
    return SHARES.fullmatch(text) is not None


def parse_split(text: str, count: int) -> tuple[int, int, int]:
    """Turn `a/b/c` into numbers of train, val and test cases that add up to `count`.

    They are counts when they add up to the number of cases, else shares.

    Raises
    ------
    LongtailError
        The text is not of that form, or all shares are zero.
    """
    match = SHARES.fullmatch(text)
    try:
        shares = [float(part) for part in match.groups()] if match else []
    except ValueError:
        shares = []
    if not shares or sum(shares) <= 0:
        raise LongtailError(
            f"{text!r} is no split.",
            "Give train/val/test as counts or shares, such as 150/10/40 or 70/10/20.",
        )
    return share_out(shares, count)


def share_out(shares: Sequence[float], count: int) -> tuple[int, int, int]:
    """Divide `count` in proportion, whole and exact; the largest remainders round up."""
    exact = np.array(shares, float) * count / sum(shares)
    whole = np.floor(exact + 1e-9).astype(int)
    by_remainder = np.argsort(whole - exact, kind="stable")
    whole[by_remainder[: count - int(whole.sum())]] += 1
    train, val, test = whole.tolist()
    return train, val, test


def draw_split(
    groups: Sequence[int],
    presence: Presence,
    counts: Sequence[int],
    seed: int,
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Draw the part of each case.

    Cases of one group stay together; rare classes are dealt out first, in proportion. Without
    groups the parts have exactly the numbers wanted, with groups as near as they fit.

    Parameters
    ----------
    groups
        A number a case, equal for the cases of one patient; 0 to number of groups - 1.
    presence
        (case, class) whether the class is known to be there.
    counts
        Wanted number of cases of each part.
    seed
        Draws with one seed are equal.

    Returns
    -------
    uint8, (case,)
        Place of the part in `Split`.
    """
    if not len(groups):
        return np.zeros(0, np.uint8)
    of_case = np.asarray(groups, np.intp)
    dealer = _Dealer(of_case, presence, counts)
    return np.array(dealer.deal(seed), np.uint8)[of_case]


def labelled_order(presence: Presence, seed: int) -> Rows:
    """Give the order in which labelled cases are taken into a subset.

    Every beginning of it is a subset, so 4 lie inside 8. First come cases that together hold
    every class, then all others as drawn.

    Parameters
    ----------
    presence
        (case, class), the cases in the order of their sorted ids.
    seed
        Draws with one seed are equal.
    """
    drawn = np.random.default_rng(seed).permutation(len(presence))
    missing = presence.any(axis=0)
    first: list[int] = []
    while missing.any():
        gains = presence[drawn][:, missing].sum(axis=1)
        chosen = int(drawn[int(np.argmax(gains))])
        first.append(chosen)
        missing &= ~presence[chosen]
    taken = set(first)
    return np.array([*first, *(row for row in drawn.tolist() if row not in taken)], np.intp)


def counts_patients(wish: str) -> bool:
    """Tell whether a size of the labelled subset is a number of patients, such as `3 patients`."""
    return _PATIENTS.search(wish) is not None


def subset_size(wish: str, available: int) -> int:
    """Turn `10`, `5%` or `3 patients` into a number of labelled cases or patients.

    Raises
    ------
    LongtailError
        The text is neither, or asks for more than there are.
    """
    wish, by_patients = _PATIENTS.subn("", wish)
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", wish)
    number = float(match.group(1)) if match else 0.0
    percent = match is not None and match.group(2) == "%"
    size = max(1, round(available * number / 100)) if percent else int(number)
    if number <= 0 or (not percent and not number.is_integer()) or (percent and number > 100):
        raise LongtailError(
            f"{wish!r} is no number of labelled cases.",
            "Give a number such as 10, 5%, or 3 patients.",
        )
    if size > available:
        what = "patients" if by_patients else "cases"
        raise LongtailError(
            f"{size} labelled training {what} were asked for, and there are {available}.",
            "Ask for fewer, or label more.",
        )
    return size


class _Dealer:
    """Deals groups of cases out to the parts, the rarest class first (iterative stratification)."""

    def __init__(self, of_case: Rows, presence: Presence, counts: Sequence[int]) -> None:
        sizes = np.bincount(of_case)
        content = np.zeros((len(sizes), presence.shape[1]), np.int64)
        np.add.at(content, of_case, presence)
        share = np.array(counts, float)[:, None] / max(sum(counts), 1)
        # Plain lists: a hundred thousand small steps are ten times faster than with arrays.
        self._sizes: list[int] = sizes.tolist()
        self._content = content
        self._classes = [np.flatnonzero(row).tolist() for row in content]
        self._amounts: list[list[int]] = content.tolist()
        self._wish: list[list[float]] = (content.sum(axis=0) * share).tolist()
        self._room: list[int] = list(counts)
        self._part = [-1] * len(sizes)

    def deal(self, seed: int) -> list[int]:
        """Give the part of each group."""
        order = np.random.default_rng(seed).permutation(len(self._sizes))
        # Large groups while there is room for them, in random order among equals.
        order = order[np.argsort(-np.array(self._sizes)[order], kind="stable")]
        waiting = np.ones(len(order), bool)
        for rarest in iter(lambda: self._rarest(waiting), None):
            chosen = order[waiting[order] & (self._content[order, rarest] > 0)]
            for group in chosen.tolist():
                self._give(group, rarest)
            waiting[chosen] = False
        for group in order[waiting[order]].tolist():
            self._give(group, None)
        return self._part

    def _rarest(self, waiting: Presence) -> int | None:
        left = self._content[waiting].sum(axis=0)
        present = np.flatnonzero(left)
        return int(present[np.argmin(left[present])]) if len(present) else None

    def _give(self, group: int, rarest: int | None) -> None:
        size, room, wish = self._sizes[group], self._room, self._wish
        fitting = [part for part in range(len(room)) if room[part] >= size]
        if not fitting:
            part = max(range(len(room)), key=room.__getitem__)
        elif rarest is None:
            part = max(fitting, key=room.__getitem__)
        else:
            part = max(fitting, key=lambda p: (wish[p][rarest], room[p]))
        self._part[group] = part
        room[part] -= size
        for key in self._classes[group]:
            wish[part][key] -= self._amounts[group][key]
