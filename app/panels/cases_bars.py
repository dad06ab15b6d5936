"""The class bars at the head of the case list. Free of Qt."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...core.project.records import ClassRecord, Status
from ..widgets.bars import Bar
from .cases_filter import status_counts

if TYPE_CHECKING:
    from ...core.project.catalogue import Catalogue

UNLABELLED_KEY = 0
"""The key of the row of cases that nobody has labelled; class ids begin at 1."""


def class_bars(
    catalogue: "Catalogue", classes: Sequence[ClassRecord], predicted: Mapping[int, int]
) -> list[Bar]:
    """Give a bar a class, most labelled first, then one for the unlabelled cases."""
    counts = catalogue.class_counts()
    tiers = catalogue.tiers()
    bars = [
        Bar(
            key=c.id,
            name=c.name,
            solid=float(counts.get(c.id, 0)),
            predicted=float(predicted[c.id]) if predicted.get(c.id) else None,
            tier=tiers.get(c.id, ""),
        )
        for c in classes
    ]
    bars.sort(key=lambda b: (-b.solid, -(b.predicted or 0.0)))
    waiting = status_counts(catalogue)[Status.UNLABELLED]
    return [*bars, Bar(UNLABELLED_KEY, "unlabelled", float(waiting))]
