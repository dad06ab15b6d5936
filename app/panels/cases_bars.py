"""The class bars at the head of the case list. Free of Qt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...core.project.records import ClassRecord, Split, Status
from ..widgets.bars import Bar
from .cases_filter import status_counts

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue

UNLABELLED_KEY = 0
"""The key of the row of cases that nobody has labelled; class ids begin at 1."""


def class_bars(
    catalogue: "Catalogue", classes: Sequence[ClassRecord], predicted: Mapping[int, int]
) -> list[Bar]:
    """Give a bar a class, most labelled first; counts and tiers are those of the training part."""
    counts, in_all = catalogue.class_counts(Split.TRAIN), catalogue.class_counts()
    tiers = catalogue.tiers()
    bars = [
        Bar(
            key=c.id,
            name=c.name,
            solid=float(counts.get(c.id, 0)),
            predicted=float(predicted[c.id]) if predicted.get(c.id) else None,
            tier=tiers.get(c.id, ""),
            note=f"{in_all.get(c.id, 0):,} with val and test. Click to show them.",
        )
        for c in classes
    ]
    return sorted(bars, key=lambda b: (-b.solid, -(b.predicted or 0.0)))


def unlabelled_bar(catalogue: "Catalogue") -> Bar:
    """Give the bar of the cases that nobody has labelled."""
    waiting = status_counts(catalogue)[Status.UNLABELLED]
    return Bar(UNLABELLED_KEY, "unlabelled", float(waiting), note="Click to show them.")
