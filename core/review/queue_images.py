"""The queue of images: labels in doubt, rare classes missed or perhaps found, and the undecided."""

from collections.abc import Iterator, Sequence

import numpy as np

from .confident import LabelDoubts, label_doubts, several_label_doubts
from .queue import Entry, Kind, ReviewClass, Seen, percent, rarity, unsure_from

UNSURE_FROM = 0.5
UNSURE_SHARE = 0.1
"""Unsure is who is more so than this, and among the most unsure tenth."""

MAY_BE_FROM = 0.3
"""A rare class is worth a look from this probability on, the likeliest or not."""


def queue_of(
    parts: Sequence[Seen], classes: Sequence[ReviewClass], *, exclusive: bool
) -> Iterator[Entry]:
    """Give the entries of images; each part is doubted by its own thresholds.

    Parameters
    ----------
    parts
        What each source of probabilities says; no label in it was seen by its source.
    classes
        The classes, in the order of the columns.
    exclusive
        Classes exclude each other.
    """
    for part in parts:
        yield from (_of_one if exclusive else _of_several)(part, classes)


# --- one class an image ---


def _of_one(part: Seen, classes: Sequence[ReviewClass]) -> Iterator[Entry]:
    labelled = np.flatnonzero(part.answers >= 0)
    doubts = label_doubts(part.answers[labelled], part.judging[labelled])
    said = part.shares.argmax(axis=1)
    cut = unsure_from(part.uncertainty, UNSURE_FROM, UNSURE_SHARE)
    for place, row in enumerate(labelled.tolist()):
        yield from _labelled(part, classes, row, int(said[row]), doubts, place, cut)
    for row in np.flatnonzero(part.answers < 0).tolist():
        yield from _unlabelled(part, classes, row, int(said[row]), cut)


def _labelled(
    part: Seen,
    classes: Sequence[ReviewClass],
    row: int,
    said: int,
    doubts: LabelDoubts,
    place: int,
    cut: float,
) -> Iterator[Entry]:
    label = int(part.answers[row])
    given, own = classes[label], float(doubts.confidence[place])
    if doubts.suspect[place]:
        column = int(doubts.suggested[place])
        other, share = classes[column], float(part.judging[row, column])
        rare = f" {given.name} is {rarity(given)}." if given.is_rare else ""
        why = f"Labelled {given.name}, but looks like {other.name} ({percent(share)}).{rare}"
        score = 1 - own / 2
        yield Entry(part.cases[row], (Kind.LABEL,), why, score, (given.id,), other.id, share=share)
    if said == label:
        return
    other, share = classes[said], float(part.shares[row, said])
    if given.is_rare:
        why = f"{given.name} is {rarity(given)}; this one is taken for {other.name}."
        score = 0.75 - own / 4
        yield Entry(part.cases[row], (Kind.TAIL,), why, score, (given.id,), other.id, share=share)
    if part.uncertainty[row] >= cut:
        why = f"Labelled {given.name}; {_between(part, classes, row).lower()}"
        score = 0.5 * float(part.uncertainty[row])
        yield Entry(part.cases[row], (Kind.UNSURE,), why, score, (given.id,), other.id, share=share)


def _unlabelled(
    part: Seen, classes: Sequence[ReviewClass], row: int, said: int, cut: float
) -> Iterator[Entry]:
    shares = part.shares[row]
    rare = [column for column, one in enumerate(classes) if one.is_rare]
    best = max(rare, key=lambda column: shares[column], default=-1)
    if best >= 0 and (best == said or shares[best] >= MAY_BE_FROM):
        one, share = classes[best], float(shares[best])
        why = f"May be {one.name} ({percent(share)}), {rarity(one)}."
        yield Entry(part.cases[row], (Kind.RARE,), why, 0.4 + 0.35 * share, (), one.id, share=share)
    if part.uncertainty[row] >= cut:
        why, score = _between(part, classes, row), 0.6 * float(part.uncertainty[row])
        share, suggested = float(shares[said]), classes[said].id
        yield Entry(part.cases[row], (Kind.UNSURE,), why, score, (), suggested, share=share)


def _between(part: Seen, classes: Sequence[ReviewClass], row: int) -> str:
    shares = part.shares[row]
    first, second = np.argsort(-shares, kind="stable")[:2].tolist()
    told = [f"{classes[c].name} ({percent(float(shares[c]))})" for c in (first, second)]
    return f"Undecided between {told[0]} and {told[1]}."


# --- several classes an image ---


def _of_several(part: Seen, classes: Sequence[ReviewClass]) -> Iterator[Entry]:
    doubts = several_label_doubts(part.answers, part.judging)
    nearest = np.abs(part.shares - 0.5).argmin(axis=1)
    cut = unsure_from(part.uncertainty, UNSURE_FROM, UNSURE_SHARE)
    for row in range(len(part.cases)):
        for column in range(len(classes)):
            yield from _answer(part, classes, row, column, doubts)
        if part.uncertainty[row] >= cut and (part.answers[row] < 0).any():
            yield _undecided(part, classes, row, int(nearest[row]))


def _answer(
    part: Seen, classes: Sequence[ReviewClass], row: int, column: int, doubts: LabelDoubts
) -> Iterator[Entry]:
    one, share = classes[column], float(part.shares[row, column])
    said, own = int(part.answers[row, column]), float(doubts.confidence[row, column])
    given = _yes(part, classes, row)
    if doubts.suspect[row, column]:
        present = said == 0
        head = (
            f"Labelled without {one.name}, but it looks present"
            if present
            else f"Labelled {one.name}, but it does not show"
        )
        rare = f" It is {rarity(one)}." if one.is_rare else ""
        judged = float(part.judging[row, column])
        why, score = f"{head} ({percent(judged)}).{rare}", 1 - own / 2
        yield Entry(part.cases[row], (Kind.LABEL,), why, score, given, one.id, present, judged)
    if one.is_rare and said == 1 and share < MAY_BE_FROM:
        why = f"{one.name} is {rarity(one)}, and it is missed here ({percent(share)})."
        score = 0.75 - own / 4
        yield Entry(part.cases[row], (Kind.TAIL,), why, score, given, one.id, False, share)
    if one.is_rare and said < 0 and share >= MAY_BE_FROM:
        why = f"May show {one.name} ({percent(share)}), {rarity(one)}."
        yield Entry(
            part.cases[row], (Kind.RARE,), why, 0.4 + 0.35 * share, given, one.id, True, share
        )


def _undecided(part: Seen, classes: Sequence[ReviewClass], row: int, column: int) -> Entry:
    one, share = classes[column], float(part.shares[row, column])
    why = f"Undecided about {one.name} ({percent(share)})."
    score, given = 0.6 * float(part.uncertainty[row]), _yes(part, classes, row)
    return Entry(part.cases[row], (Kind.UNSURE,), why, score, given, one.id, share >= 0.5, share)


def _yes(part: Seen, classes: Sequence[ReviewClass], row: int) -> tuple[int, ...]:
    return tuple(one.id for one, said in zip(classes, part.answers[row], strict=True) if said == 1)
