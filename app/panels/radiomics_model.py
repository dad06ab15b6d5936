"""The table of a region's features: what stands in it, in which order; free of Qt."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...core.radiomics.unusual import Compared
from .radiomics_words import (
    change_words,
    compared_sentence,
    family_words,
    short_name,
    value_words,
    z_words,
)

HEADS = ("Feature", "Value", "Mean", "z", "Rank", "Kept", "Change")
NAME, VALUE, MEAN, Z, RANK, KEPT, DIFFERENCE = range(len(HEADS))
HEAD_TIPS = {
    NAME: "Name as PyRadiomics gives it",
    VALUE: "Of the region that is chosen",
    MEAN: "Mean of this class's regions in the training cases",
    Z: "Standard deviations above (+) or below (-) that mean; beyond 2 is unusual",
    RANK: "Of how many of these regions the value is higher",
    KEPT: "Of the region that you keep beside it",
    DIFFERENCE: "Chosen region minus kept region",
}


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One feature of a region, beside the training regions and beside a kept region."""

    name: str
    value: float | None
    reason: str = ""
    compared: Compared | None = None
    kept: float | None = None

    @property
    def z(self) -> float | None:
        """Deviations from the mean of the training regions."""
        return self.compared.z if self.compared is not None else None

    @property
    def difference(self) -> float | None:
        """The region minus the kept one."""
        if self.value is None or self.kept is None:
            return None
        return self.value - self.kept

    @property
    def texts(self) -> tuple[str, ...]:
        """What stands in its columns."""
        one = self.compared
        change = self.difference
        return (
            short_name(self.name),
            value_words(self.value),
            value_words(one.mean) if one is not None else "",
            z_words(self.z) if one is not None else "",
            f"{one.below:,} of {one.count:,}" if one is not None else "",
            value_words(self.kept) if self.kept is not None else "",
            "" if change is None else change_words(change),
        )

    @property
    def tip(self) -> str:
        """What the tooltip says."""
        if self.value is None:
            return f"{short_name(self.name)}: {self.reason}".strip()
        if self.compared is not None:
            return compared_sentence(self.name, self.compared)
        return f"{short_name(self.name)} {value_words(self.value)}.\n{family_words(self.name)}."

    def sort_key(self, column: int) -> tuple[int, float, str]:
        """Give what the table is sorted by; the most unusual first, and what has no value last."""
        numbers = {
            VALUE: self.value,
            MEAN: self.compared.mean if self.compared is not None else None,
            Z: None if self.z is None else abs(self.z),
            RANK: None if self.compared is None else self.compared.below / self.compared.count,
            KEPT: self.kept,
            DIFFERENCE: None if self.difference is None else abs(self.difference),
        }
        number = numbers.get(column)
        if column == NAME or number is None or not math.isfinite(number):
            return (int(column != NAME), 0.0, self.name)
        return (0, -number, self.name)


def feature_rows(
    features: Mapping[str, float | None],
    reasons: Mapping[str, str],
    compared: Mapping[str, Compared],
    kept: Mapping[str, float | None],
) -> tuple[FeatureRow, ...]:
    """Put what is known of a region side by side, in the order of its features."""
    return tuple(
        FeatureRow(name, value, reasons.get(name, ""), compared.get(name), kept.get(name))
        for name, value in features.items()
    )


def arranged(
    rows: Sequence[FeatureRow], text: str = "", column: int = Z, *, turned: bool = False
) -> tuple[FeatureRow, ...]:
    """Give the rows whose name holds `text`, sorted by a column."""
    wanted = text.strip().casefold()
    kept = [row for row in rows if wanted in short_name(row.name).casefold()]
    ordered = sorted(kept, key=lambda row: row.sort_key(column))
    return tuple(reversed(ordered) if turned else ordered)


def shown_columns(rows: Sequence[FeatureRow]) -> tuple[int, ...]:
    """Give the columns that have something in them."""
    compared = any(row.compared is not None for row in rows)
    kept = any(row.kept is not None for row in rows)
    return (
        NAME,
        VALUE,
        # A kept region needs room; the mean is in the tooltip.
        *((MEAN,) if compared and not kept else ()),
        *((Z, RANK) if compared else ()),
        *((KEPT, DIFFERENCE) if kept else ()),
    )


def as_csv(rows: Sequence[FeatureRow]) -> str:
    """Write the table with all digits, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("feature", "value", "class_mean", "z", "below", "of", "kept_region"))
    for row in rows:
        one = row.compared
        parts = (one.mean, one.z, one.below, one.count) if one is not None else ("",) * 4
        cells = (row.name, row.value, *parts, row.kept)
        writer.writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue()
