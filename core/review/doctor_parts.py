"""Findings about the parts: patients on both sides, classes that a part lacks or has too few of."""

from typing import Any

import numpy as np

from ..evaluate.report import FEW_CASES
from ..project.records import Split
from .doctor_records import Finding, Fix, Kind, Severity
from .doctor_study import NO_CLASS_ID, PARTS, Study
from .doctor_words import PART_WORDS, listed, number_of, singular

TRAIN, VAL, TEST = (PARTS.index(part) for part in (Split.TRAIN, Split.VAL, Split.TEST))

KEPT_IN_TRAIN = 4
"""No more than a part of so many of a class leaves train for test."""

Rows = np.ndarray[Any, np.dtype[np.intp]]


def find_leaks(study: Study) -> list[Finding]:
    """Find patients whose cases lie in more than one part."""
    known = np.array([patient is not None for patient in study.patients], bool)
    sides = np.zeros((int(study.groups.max(initial=-1)) + 1, len(PARTS)), np.int64)
    np.add.at(sides, (study.groups[known], study.split[known]), 1)
    torn = np.flatnonzero((sides > 0).sum(axis=1) > 1)
    if not len(torn):
        return []
    rows = np.flatnonzero(np.isin(study.groups, torn))
    goal = {int(group): _home(sides[group]) for group in torn.tolist()}
    moves = {
        study.ids[row]: PARTS[goal[int(study.groups[row])]].value
        for row in rows.tolist()
        if study.split[row] != goal[int(study.groups[row])]
    }
    trained = bool((sides[torn, TRAIN] > 0).any())
    return [
        Finding(
            Kind.LEAK,
            Severity.ERROR if trained else Severity.WARNING,
            _leak_sentence(study, rows, torn, sides),
            study.cases_at(rows),
            Fix(
                f"Move {number_of(len(moves), *_nouns(study))} so that each patient is in the "
                "part that has most of the patient already.",
                parts=moves,
            ),
        )
    ]


def _home(sides: np.ndarray[Any, Any]) -> int:
    # Of equal parts the first, train: what a run may have learned never comes into its test.
    return int(np.argmax(sides))


def _leak_sentence(study: Study, rows: Rows, torn: Rows, sides: np.ndarray[Any, Any]) -> str:
    names = list(dict.fromkeys(study.patients[row] or "" for row in rows.tolist()))
    parts = [PART_WORDS[PARTS[part].value] for part in np.flatnonzero(sides[torn].sum(axis=0) > 0)]
    who = f"Patient {names[0]} has" if len(names) == 1 else f"{len(names):,} patients have"
    also = "" if len(names) == 1 else f" ({listed(names)})"
    plural = study.noun
    return (
        f"{who} {plural} in more than one part, {listed(parts)}{also}. A network may recognise "
        "the patient, and the figures come out too good."
    )


def find_missing(study: Study) -> list[Finding]:
    """Find classes that no labelled case has, or none of a part that has labelled cases."""
    found = []
    used = [bool((study.labelled & (study.split == place)).any()) for place in range(len(PARTS))]
    for column, class_id in enumerate(study.class_ids):
        if class_id == NO_CLASS_ID:
            continue
        rows = np.flatnonzero(study.has(column))
        held = np.bincount(study.split[rows], minlength=len(PARTS))
        lacking = [place for place, use in enumerate(used) if use and not held[place]]
        if lacking:
            found.append(_missing(study, column, rows, lacking))
    return found


def _missing(study: Study, column: int, rows: Rows, lacking: list[int]) -> Finding:
    name = study.names[column]
    if not len(rows):
        sentence = f"No {singular(study.noun)} is labelled {name}. It can be neither learned nor "
        return Finding(Kind.MISSING_CLASS, Severity.ERROR, f"{sentence}measured.")
    where = listed([PART_WORDS[PARTS[place].value] for place in lacking])
    meaning = "It cannot be learned" if TRAIN in lacking else "Nothing can be said of it there"
    patients = len(np.unique(study.groups[rows]))
    of = f" of {number_of(patients, 'patient', 'patients')}" if study.knows_patients else ""
    severity = Severity.WARNING if lacking == [VAL] else Severity.ERROR
    return Finding(
        Kind.MISSING_CLASS,
        severity,
        f"{name} has no {singular(study.noun)} in {where}. {meaning}; there "
        f"{'is' if len(rows) == 1 else 'are'} {number_of(len(rows), *_nouns(study))} of it{of}.",
        study.cases_at(rows),
        _spread(study, column, rows, lacking),
    )


def _spread(study: Study, column: int, rows: Rows, lacking: list[int]) -> Fix | None:
    """Move whole patients of the class into the parts that lack it; every part keeps some."""
    owners: dict[int, int] = {}
    for row in rows.tolist():
        owners.setdefault(int(study.groups[row]), int(study.split[row]))
    free: dict[int, list[int]] = {place: [] for place in range(len(PARTS))}
    # The smallest patients first: a part that lacks a class needs few of its images.
    sizes = np.bincount(study.groups[np.isin(study.groups, list(owners))])
    for group in sorted(owners, key=lambda one: (sizes[one], one)):
        free[owners[group]].append(group)
    moves: dict[str, str] = {}
    for place in lacking:
        giver = max(free, key=lambda part: len(free[part]))
        wish = max(1, len(free[giver]) // 5)
        if len(free[giver]) < 2:
            break
        for group in free[giver][:wish]:
            whole = np.flatnonzero(study.groups == group)
            moves |= {study.ids[row]: PARTS[place].value for row in whole.tolist()}
        free[giver] = free[giver][wish:]
    if not moves:
        return None
    where = listed([PART_WORDS[one] for one in dict.fromkeys(moves.values())])
    return Fix(
        f"Move {number_of(len(moves), *_nouns(study))} with {study.names[column]} into {where}.",
        parts=moves,
    )


def find_too_few(study: Study) -> list[Finding]:
    """Find classes of which the test part has so few cases that a figure says nothing."""
    found, columns, rows = [], [], np.zeros(len(study), bool)
    for column, class_id in enumerate(study.class_ids):
        there = study.has(column) & (study.split == TEST)
        count = int(there.sum())
        if 0 < count < FEW_CASES and class_id != NO_CLASS_ID:
            found.append(f"{study.names[column]} ({count})")
            columns.append(column)
            rows |= there
    if not found:
        return []
    return [
        Finding(
            Kind.TOO_FEW,
            Severity.WARNING,
            f"Too few test {study.noun} to measure {listed(found, 8)}. With fewer than "
            f"{FEW_CASES} the 95 % interval is wider than half the scale: put more of them into "
            "test, or read only the interval.",
            study.cases_at(rows),
            _more_for_test(study, columns),
        )
    ]


def _more_for_test(study: Study, columns: list[int]) -> Fix | None:
    """Move whole patients from train into test, where train keeps most of the class."""
    split, names = study.split.copy(), []
    for column in columns:
        chosen = _spare(study, split, column)
        if len(chosen):
            split[chosen] = TEST
            names.append(study.names[column])
    moved = np.flatnonzero(split != study.split)
    if not len(moved):
        return None
    count = number_of(len(moved), *_nouns(study))
    return Fix(
        f"Move {count} from train into test: {FEW_CASES} there of {listed(names, 8)}.",
        parts={study.ids[row]: Split.TEST.value for row in moved.tolist()},
    )


def _spare(study: Study, split: np.ndarray[Any, Any], column: int) -> Rows:
    """Give the rows of the smallest patients that bring a class to enough test cases, if any."""
    there = study.has(column)
    need = FEW_CASES - int((there & (split == TEST)).sum())
    have = int((there & (split == TRAIN)).sum())
    elsewhere = np.unique(study.groups[split != TRAIN])
    groups = np.setdiff1d(study.groups[there & (split == TRAIN)], elsewhere)
    sizes = np.bincount(study.groups, minlength=int(groups.max(initial=0)) + 1)
    chosen = np.zeros(len(study), bool)
    for group in sorted(groups.tolist(), key=lambda one: (sizes[one], one)):
        if (there & chosen).sum() >= need:
            break
        chosen |= study.groups == group
    brought = int((there & chosen).sum())
    enough = brought >= need and brought * KEPT_IN_TRAIN <= have
    return np.flatnonzero(chosen & enough)


def _nouns(study: Study) -> tuple[str, str]:
    return singular(study.noun), study.noun
