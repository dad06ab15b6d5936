"""Colour and shape of points: by class, prediction, error, part, confidence, tier or a column.

Every kind has a shape beside its colour, so that kinds can be told apart without seeing red and
green; what runs from low to high goes from a dark blue to a light yellow.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ...core.project.catalogue import Catalogue
from ...core.project.records import CLASS_PALETTE, ClassRecord, Split, Status, Task
from ..theme import HEAD, MEDIUM, RED, TAIL
from .embedding_facts import NOTHING, RIGHT, UNKNOWN, WRONG, Facts
from .embedding_points import Codes, Kind
from .embedding_raster import SHAPES

CLASS, PREDICTION, ERROR, PART, STATUS, CONFIDENCE, TIER = (
    "class",
    "prediction",
    "error",
    "part",
    "status",
    "confidence",
    "tier",
)
WORDS = {
    CLASS: "Class",
    PREDICTION: "Prediction",
    ERROR: "Right or wrong",
    CONFIDENCE: "Confidence",
    TIER: "Tier",
    PART: "Part",
    STATUS: "Status",
}
COLUMN = "column:"
"""What stands before the name of a column of the table that the cases came with."""

FADED, GREY = "#8a929b", "#b9bfc6"
MOST_VALUES, STEPS = 10, 6
_NUMBERS_FROM = 12
_RISING = ("#4763a8", "#5f86ad", "#80a39b", "#a8b884", "#d4cb68", "#fbe250")
_CUTS = (0.4, 0.6, 0.8, 0.9, 0.99)
_CUT_WORDS = ("below .40", ".40 to .60", ".60 to .80", ".80 to .90", ".90 to .99", ".99 and more")
_OPEN = SHAPES[-1]
_FILLED = SHAPES[:-1]


@dataclass(frozen=True)
class Colouring:
    """The kind of each point, how kinds look, and the kinds whose centres get a star."""

    codes: Codes
    kinds: tuple[Kind, ...]
    starred: tuple[int, ...] = ()

    @property
    def counts(self) -> list[int]:
        """How many points are of each kind."""
        return np.bincount(self.codes, minlength=len(self.kinds)).tolist()


def coloured(
    by: str, facts: Facts, catalogue: Catalogue, classes: Sequence[ClassRecord], values: Any = None
) -> Colouring:
    """Colour points by one of `WORDS`, or by a column, whose `values` are one text a case.

    Raises
    ------
    ValueError
        There is no such way, or a column without its values.
    """
    if by.startswith(COLUMN) and values is not None:
        return by_column(facts, values)
    if by not in WORDS:
        raise ValueError(f"points cannot be coloured by {by!r}")
    if by == CLASS:
        return by_class(facts.true, classes, catalogue.task, "not labelled")
    if by == PREDICTION:
        return by_class(facts.said, classes, catalogue.task, "not predicted")
    if by == ERROR:
        return _by_error(facts)
    if by == CONFIDENCE:
        return _by_confidence(facts)
    if by == TIER:
        return _by_tier(facts, catalogue)
    return _by_state(facts, catalogue, Split if by == PART else Status)


def kinds_of(classes: Sequence[ClassRecord]) -> tuple[Kind, ...]:
    """Give the looks of classes; a class keeps its colour and shape wherever it is drawn."""
    return tuple(
        Kind(record.name, record.colour, _FILLED[place % len(_FILLED)])
        for place, record in enumerate(classes)
    )


def by_class(ids: Any, classes: Sequence[ClassRecord], task: Task, unknown: str) -> Colouring:
    """Colour points by a class id each."""
    nothing = "background" if task is Task.SEGMENTATION else "no class"
    kinds = [*kinds_of(classes)]
    table = {record.id: place for place, record in enumerate(classes)}
    codes = _coded(ids, table, len(kinds), len(kinds) + 1)
    kinds += [Kind(nothing, GREY, _OPEN), Kind(unknown, FADED, _OPEN)]
    return _only_used(Colouring(codes, tuple(kinds), tuple(range(len(classes)))))


def by_column(facts: Facts, values: Sequence[str | None]) -> Colouring:
    """Colour points by a column of the table: numbers from low to high, else its values."""
    numbers = as_numbers(values)
    if numbers is not None:
        return _by_number(facts, numbers)
    counts = Counter(value for value in values if value)
    shown = [value for value, _ in counts.most_common(MOST_VALUES)]
    kinds = [
        Kind(value, CLASS_PALETTE[place % len(CLASS_PALETTE)], _FILLED[place % len(_FILLED)])
        for place, value in enumerate(shown)
    ]
    rest, empty = len(kinds), len(kinds) + 1
    places = {value: place for place, value in enumerate(shown)}
    of_case = [places.get(value, rest) if value else empty for value in values]
    codes = np.array([*of_case, empty], np.int16)[facts.case]
    others = len(counts) - len(shown)
    kinds += [Kind(f"{others:,} others", GREY, _OPEN), Kind("empty", FADED, _OPEN)]
    return _only_used(Colouring(codes, tuple(kinds)))


def as_numbers(values: Sequence[str | None]) -> Any | None:
    """Read a column as numbers, nan where it is empty; None where it holds words or few values."""
    different = {value for value in values if value}
    if len(different) < _NUMBERS_FROM:
        return None
    try:
        numbers = {value: float(value) for value in different}
    except ValueError:
        return None
    return np.array([numbers.get(value, np.nan) if value else np.nan for value in values])


def _by_number(facts: Facts, numbers: Any) -> Colouring:
    finite = numbers[np.isfinite(numbers)]
    cuts = np.unique(np.percentile(finite, np.linspace(0, 100, STEPS + 1)[1:-1]))
    edges = [finite.min(), *cuts.tolist(), finite.max()]
    words = [f"{_short(a)} to {_short(b)}" for a, b in pairwise(edges)]
    own = np.append(numbers, np.nan)[facts.case]
    return _rising(own, cuts, words, "empty")


def _by_confidence(facts: Facts) -> Colouring:
    return _rising(facts.share, np.array(_CUTS), _CUT_WORDS, "not predicted")


def _rising(values: Any, cuts: Any, words: Sequence[str], unknown: str) -> Colouring:
    count = len(cuts) + 1
    picked = np.linspace(0, len(_RISING) - 1, count).round().astype(int)
    kinds = [Kind(words[i], _RISING[picked[i]], "disc") for i in range(count)]
    known = np.isfinite(values)
    codes = np.searchsorted(cuts, np.where(known, values, 0), side="right").astype(np.int16)
    codes[~known] = count
    return _only_used(Colouring(codes, (*kinds, Kind(unknown, FADED, _OPEN))))


def _by_error(facts: Facts) -> Colouring:
    kinds = (
        Kind("right", HEAD, "disc"),
        Kind("wrong", RED, "cross"),
        Kind("not known", FADED, _OPEN),
    )
    return _only_used(Colouring(_coded(facts.right, {RIGHT: 0, WRONG: 1}, 2, 2), kinds))


def _by_tier(facts: Facts, catalogue: Catalogue) -> Colouring:
    names = ("head", "medium", "tail")
    table = {class_id: names.index(tier) for class_id, tier in catalogue.tiers().items()}
    looks = zip(names, (HEAD, MEDIUM, TAIL), ("disc", "square", "triangle"), strict=True)
    kinds = [Kind(name, colour, shape) for name, colour, shape in looks]
    kinds += [Kind("no class", GREY, _OPEN), Kind("not labelled", FADED, _OPEN)]
    return _only_used(Colouring(_coded(facts.true, table, 3, 4), tuple(kinds)))


def _by_state(facts: Facts, catalogue: Catalogue, states: Any) -> Colouring:
    column = catalogue.split if states is Split else catalogue.status
    kinds = [
        Kind(str(state), CLASS_PALETTE[place], _FILLED[place]) for place, state in enumerate(states)
    ]
    gone = len(kinds)
    codes = np.append(column.astype(np.int16), gone)[facts.case]
    return _only_used(Colouring(codes, (*kinds, Kind("deleted", FADED, _OPEN))))


def _coded(ids: Any, table: dict[int, int], nothing: int, unknown: int) -> Codes:
    """Turn ids into places of kinds; an id that is not in the table is as unknown as none."""
    top = max([*table, NOTHING, 0]) + 1
    lookup = np.full(top + 2, unknown, np.int16)
    lookup[NOTHING] = nothing
    for key, place in table.items():
        lookup[key] = place
    known = np.where((ids >= UNKNOWN) & (ids <= top), ids, UNKNOWN)
    # -1 looks at the last entry, which stays unknown.
    return np.asarray(lookup[known])


def _only_used(colouring: Colouring) -> Colouring:
    """Leave out the kinds that no point is of."""
    used = [kind for kind, count in enumerate(colouring.counts) if count]
    places = np.zeros(len(colouring.kinds), np.int16)
    places[used] = np.arange(len(used))
    return Colouring(
        places[colouring.codes],
        tuple(colouring.kinds[kind] for kind in used),
        tuple(used.index(kind) for kind in colouring.starred if kind in used),
    )


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e5 else f"{value:.0f}"
