"""The queue of scans: outlines that disagree, rare classes missed or perhaps found, the unsure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .queue import Entry, Kind, ReviewClass, rarity

UNSURE_SHARE = 0.1
FEWEST_TO_RANK = 10
FAR_BELOW = 3.0
"""A Dice this many spreads (1.4826 x median deviation) below the usual one stands out."""

LEAST_SPREAD = 0.02


@dataclass(frozen=True, slots=True)
class SeenScan:
    """What a run that did not train on it says of one scan.

    Attributes
    ----------
    case
        Its id.
    uncertainty
        0 sure to 1 undecided, None where it was not kept.
    predicted, labelled
        Voxels a class id; `labelled` None where the scan has no labels.
    dice
        Of each class that is labelled or predicted; empty without labels.
    """

    case: str
    uncertainty: float | None
    predicted: Mapping[int, int]
    labelled: Mapping[int, int] | None
    dice: Mapping[int, float]


def queue_of_scans(scans: Sequence[SeenScan], classes: Sequence[ReviewClass]) -> Iterator[Entry]:
    """Give the entries of scans."""
    usual = {
        one.id: usual_dice([s.dice[one.id] for s in scans if one.id in s.dice]) for one in classes
    }
    for scan in scans:
        given = tuple(i for i, count in (scan.labelled or {}).items() if count)
        if scan.labelled is not None:
            yield from _labelled(scan, classes, given, usual)
        else:
            yield from _unlabelled(scan, classes)
    yield from _unsure(scans)


def usual_dice(values: Sequence[float]) -> tuple[float, float]:
    """Give the usual Dice and from where down one stands out; nothing does among few."""
    if len(values) < FEWEST_TO_RANK:
        return float(np.median(values)) if len(values) else 0.0, 0.5
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(np.asarray(values) - middle)))
    return middle, middle - FAR_BELOW * max(spread, LEAST_SPREAD)


def _labelled(
    scan: SeenScan,
    classes: Sequence[ReviewClass],
    given: tuple[int, ...],
    usual: Mapping[int, tuple[float, float]],
) -> Iterator[Entry]:
    labelled = scan.labelled or {}
    for one in classes:
        if one.id not in scan.dice:
            continue
        dice, (middle, cut) = scan.dice[one.id], usual[one.id]
        there, found = labelled.get(one.id, 0), scan.predicted.get(one.id, 0)
        if one.is_rare and there and not found:
            why = f"{one.name} is {rarity(one)}, and the run finds none of it here."
            yield Entry(scan.case, (Kind.TAIL,), why, 0.75, given, one.id, False)
        elif dice < cut:
            why = _differs(one, dice, middle, there, found)
            yield Entry(scan.case, (Kind.LABEL,), why, 1 - dice / 2, given, one.id, found > 0)


def _differs(one: ReviewClass, dice: float, middle: float, there: int, found: int) -> str:
    if not there:
        return f"The run outlines {one.name}, the labels have none."
    if not found:
        return f"The labels outline {one.name}, the run finds none."
    return f"Labels and run differ on {one.name}: Dice {dice:.2f}, usually {middle:.2f}."


def _unlabelled(scan: SeenScan, classes: Sequence[ReviewClass]) -> Iterator[Entry]:
    for one in classes:
        if one.is_rare and scan.predicted.get(one.id, 0):
            why = f"May hold {one.name}, {rarity(one)}."
            yield Entry(scan.case, (Kind.RARE,), why, 0.6, (), one.id)


def _unsure(scans: Sequence[SeenScan]) -> Iterator[Entry]:
    known = [scan for scan in scans if scan.uncertainty is not None]
    if len(known) < FEWEST_TO_RANK:
        return
    values = np.array([scan.uncertainty for scan in known], dtype=np.float64)
    cut = float(np.quantile(values, 1 - UNSURE_SHARE))
    for scan, value in zip(known, values.tolist(), strict=True):
        if value >= cut:
            below = 100 * float((values < value).mean())
            given = tuple(i for i, count in (scan.labelled or {}).items() if count)
            why = f"The run is less sure of this scan than of {below:.0f} % of the others."
            yield Entry(scan.case, (Kind.UNSURE,), why, 0.4 + 0.2 * below / 100, given)
