"""What deserves eyes first, and why, in a sentence each; arrays in, entries out, no torch."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from .confident import Columns, Shares

MOST = 2_000
"""Entries of a queue: nobody looks at more before training again."""


class Kind(StrEnum):
    """Why a case deserves eyes."""

    LABEL = "label"
    """Its label is likely wrong."""
    TAIL = "tail"
    """It carries a rare class, and the run takes it for another."""
    RARE = "rare"
    """It has no label and may be of a rare class."""
    UNSURE = "unsure"
    """The run cannot decide."""


@dataclass(frozen=True, slots=True)
class ReviewClass:
    """A class as the queue knows it: its tier, and how many labelled cases it trains on."""

    id: int
    name: str
    tier: str
    training: int

    @property
    def is_rare(self) -> bool:
        """Whether it is of the tail."""
        return self.tier == "tail"


@dataclass(frozen=True, slots=True)
class Entry:
    """One case that deserves eyes.

    Attributes
    ----------
    case
        Its id.
    kinds
        Why, the strongest reason first.
    why
        The same in a sentence.
    score
        1 look at once to 0.
    given
        The classes that it is labelled with.
    suggested
        The class that is spoken for, None where none is; of several labels the one in doubt.
    present
        Whether the suggested class is there; False says that a label should go.
    share
        The probability of the suggested class, None for scans.
    """

    case: str
    kinds: tuple[Kind, ...]
    why: str
    score: float
    given: tuple[int, ...] = ()
    suggested: int | None = None
    present: bool = True
    share: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "case": self.case,
            "kinds": [str(kind) for kind in self.kinds],
            "why": self.why,
            "score": round(self.score, 4),
            "given": list(self.given),
            "suggested": self.suggested,
            "present": self.present,
            "share": None if self.share is None else round(self.share, 4),
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """What one source of out-of-sample probabilities says of some images.

    Attributes
    ----------
    cases
        Their ids.
    answers
        What they are labelled with: (case,) a column or -1 where classes exclude each other, else
        (case, class) 1 yes, 0 no, -1 unknown.
    shares
        (case, class) probabilities.
    uncertainty
        (case,) 0 sure to 1 undecided.
    doubting
        (case, class) probabilities that labels are doubted by; None takes `shares`.
    """

    cases: Sequence[str]
    answers: Columns
    shares: Shares
    uncertainty: Shares
    doubting: Shares | None = None

    @property
    def judging(self) -> Shares:
        """What labels are doubted by, (case, class)."""
        return self.shares if self.doubting is None else self.doubting


def ordered(entries: Iterable[Entry], most: int = MOST) -> tuple[Entry, ...]:
    """Put the most urgent first; a case with several reasons stays one entry with all of them."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.case, []).append(entry)
    merged = [_merged(sorted(each, key=lambda one: -one.score)) for each in found.values()]
    merged.sort(key=lambda one: (-one.score, one.case))
    return tuple(merged[:most])


def counted(entries: Iterable[Entry]) -> dict[str, int]:
    """Count the entries of each kind; one with several reasons counts with each."""
    counts = {str(kind): 0 for kind in Kind}
    for entry in entries:
        for kind in entry.kinds:
            counts[kind] += 1
    return counts


def read_entries(document: Any, known: Collection[str] | None = None) -> tuple[Entry, ...]:
    """Read the entries of a queue's JSON document; those of cases not in `known` are left out.

    Raises
    ------
    ValueError, KeyError, TypeError
        The document is no queue.
    """
    entries = (_entry(each) for each in document["entries"])
    return tuple(each for each in entries if known is None or each.case in known)


def percent(share: float) -> str:
    """Write a probability as people do; never 0 % or 100 % of what is only nearly so."""
    return f"{min(max(round(100 * share), 1), 99)} %"


def rarity(one: ReviewClass) -> str:
    """Say how little there is of a rare class: `a rare class, 5 labelled`."""
    return f"a rare class, {one.training:,} labelled"


def unsure_from(uncertainty: Shares, least: float, share: float) -> float:
    """Give from where on a case counts as unsure: `least`, or the highest `share` of them."""
    if not len(uncertainty):
        return least
    return max(least, float(np.quantile(uncertainty, 1 - share)))


def _merged(same: Sequence[Entry]) -> Entry:
    first = same[0]
    kinds = tuple(dict.fromkeys(kind for one in same for kind in one.kinds))
    return Entry(
        first.case,
        kinds,
        first.why,
        first.score,
        first.given,
        first.suggested,
        first.present,
        first.share,
    )


def _entry(document: Any) -> Entry:
    share, suggested = document["share"], document["suggested"]
    return Entry(
        case=str(document["case"]),
        kinds=tuple(Kind(kind) for kind in document["kinds"]),
        why=str(document["why"]),
        score=float(document["score"]),
        given=tuple(int(each) for each in document["given"]),
        suggested=None if suggested is None else int(suggested),
        present=bool(document["present"]),
        share=None if share is None else float(share),
    )
