"""What a run finds and wrongly calls at one setting of prior and thresholds; imports no torch.

Made for a slider: the answers are prepared once, each setting is then a few milliseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .bootstrap import FloatArray
from .intervals import wilson

Truth: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Logits: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Join: TypeAlias = Callable[[Logits], Logits]
"""Turns (case, column of the run) into (case, class of now)."""


@dataclass(frozen=True, slots=True)
class Count:
    """One class at one setting, counted in images.

    `there` have it, `found` of them were called so, `alarms` were called so and have it not.
    """

    there: int
    found: int
    alarms: int

    @property
    def sensitivity(self) -> float | None:
        """The share that was found; None of nothing."""
        return self.found / self.there if self.there else None

    @property
    def precision(self) -> float | None:
        """The share of the called that have it; None where nothing was called so."""
        called = self.found + self.alarms
        return self.found / called if called else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the sensitivity."""
        return wilson(self.found, self.there)


class Answers:
    """The stored outputs of a run beside the truth.

    Parameters
    ----------
    truth
        (case,) the class that is true, where classes exclude each other; else (case, class) with
        1 yes, 0 no and -1 unknown.
    logits
        (case, column of the run), as the network gave them.
    join
        From columns of the run to classes of now; None where they are the same.
    """

    def __init__(self, truth: Truth, logits: FloatArray, join: Join | None = None) -> None:
        self.exclusive = truth.ndim == 1
        self.truth, self._join = truth, join
        # Half the memory to go through each time; seven digits are more than logits mean.
        self.logits = np.ascontiguousarray(logits, dtype=np.float32)

    def __len__(self) -> int:
        return len(self.truth)

    def joined(self, shift: FloatArray) -> Logits:
        """Give (case, class) logits after adding `shift` (column,)."""
        moved = self.logits + shift.astype(np.float32)
        return moved if self._join is None else self._join(moved)

    def counts(self, shift: FloatArray, thresholds: Sequence[float] | None = None) -> list[Count]:
        """Count each class after adding `shift` (column,) to the logits.

        Parameters
        ----------
        thresholds
            From which probability each class counts as found, where classes are each yes or no;
            None takes 0.5. Where classes exclude each other the likeliest is called.
        """
        moved = self.joined(shift)
        return self._single(moved) if self.exclusive else self._several(moved, thresholds)

    def _single(self, logits: Logits) -> list[Count]:
        classes, said = logits.shape[1], logits.argmax(axis=1)
        there = np.bincount(self.truth, minlength=classes)
        called = np.bincount(said, minlength=classes)
        found = np.bincount(self.truth[said == self.truth], minlength=classes)
        return _listed(there, found, called - found)

    def _several(self, logits: Logits, thresholds: Sequence[float] | None) -> list[Count]:
        lines = np.zeros(logits.shape[1]) if thresholds is None else odds_of(thresholds)
        called, yes = logits >= lines.astype(np.float32), self.truth == 1
        found, alarms = (called & yes).sum(axis=0), (called & (self.truth == 0)).sum(axis=0)
        return _listed(yes.sum(axis=0), found, alarms)


def odds_of(thresholds: Sequence[float]) -> FloatArray:
    """Give the logit of each threshold; 0 lets everything pass, 1 nothing."""
    values = np.asarray(thresholds, dtype=np.float64)
    with np.errstate(divide="ignore"):
        odds: FloatArray = np.log(values) - np.log1p(-values)
    return odds


def change_sentence(
    before: Sequence[Count], after: Sequence[Count], tiers: Sequence[str], noun: str = "image"
) -> str:
    """Say what a setting brings and what it costs, in words and counts.

    Parameters
    ----------
    before, after
        Each class as trained, and at the setting.
    tiers
        The tier of each class; without rare classes all are told together.
    noun
        What a case is called.
    """
    if all(a == b for a, b in zip(after, before, strict=True)):
        return "Nothing changes: every answer stays as it was trained."
    rare = [i for i, tier in enumerate(tiers) if tier == "tail"]
    rest = [i for i in range(len(tiers)) if i not in rare]
    parts = []
    if _differs(before, after, rare):
        parts.append(_both(before, after, rare, f"rare {noun}"))
    if _differs(before, after, rest):
        lead = "Other classes: " if parts else "Rare classes as before; others: " if rare else ""
        parts.append(lead + _both(before, after, rest, noun))
    told = " ".join(f"{part}." for part in parts)
    return told[:1].upper() + told[1:]


def _differs(before: Sequence[Count], after: Sequence[Count], rows: Sequence[int]) -> bool:
    return any(before[i] != after[i] for i in rows)


def _both(before: Sequence[Count], after: Sequence[Count], rows: Sequence[int], noun: str) -> str:
    return f"{_found(before, after, rows, noun)}, {_alarms(before, after, rows)}"


def _found(before: Sequence[Count], after: Sequence[Count], rows: Sequence[int], noun: str) -> str:
    change = _change(before, after, rows, "found")
    return f"{_more(change, noun)} found" if change else f"as many {noun}s found"


def _alarms(before: Sequence[Count], after: Sequence[Count], rows: Sequence[int]) -> str:
    change = _change(before, after, rows, "alarms")
    return _more(change, "false alarm") if change else "as many false alarms"


def _change(before: Sequence[Count], after: Sequence[Count], rows: Sequence[int], what: str) -> int:
    return sum(getattr(after[i], what) - getattr(before[i], what) for i in rows)


def _more(change: int, noun: str) -> str:
    plural = "" if abs(change) == 1 else "s"
    return f"{abs(change):,} {'more' if change > 0 else 'fewer'} {noun}{plural}"


def _listed(there: Truth, found: Truth, alarms: Truth) -> list[Count]:
    return [
        Count(*numbers)
        for numbers in zip(there.tolist(), found.tolist(), alarms.tolist(), strict=True)
    ]
