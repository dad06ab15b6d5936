"""Findings about copies: under two labels, in two parts, or merely there twice."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..project.catalogue import NO, UNKNOWN, YES
from ..project.records import Split, Task
from .doctor_alike import alike_pairs, identical_groups, joined
from .doctor_looks import Looks
from .doctor_records import Finding, Fix, Kind, Severity
from .doctor_study import NO_CLASS, PARTS, Study
from .doctor_words import PART_WORDS, listed, number_of, singular

ALONE = 12
"""So many label conflicts are told one by one; what comes after them is told together."""

_WORTH = {Split.TEST: 0, Split.VAL: 1, Split.TRAIN: 2}
"""Which copy is kept: a part that measures stays as it is."""

Group = tuple[int, ...]


def find_copies(study: Study, looks: Looks, embedded: Any = None) -> list[Finding]:
    """Find copies, exact and near, by the rows of `looks`, which are those of the study."""
    same = identical_groups(looks)
    near = alike_pairs(looks, embedded)
    near = near[[_matters(study, pair) for pair in near.tolist()]] if len(near) else near
    exact = {row for group in same for row in group}
    groups = joined(same, near, len(study))
    torn = [group for group in groups if _is_conflict(study, group)]
    rest = [group for group in groups if group not in set(torn)]
    across = [group for group in rest if len({int(study.split[row]) for row in group}) > 1]
    inside = [group for group in rest if group not in set(across)]
    return [
        *_conflicts(study, torn, exact),
        *_across(study, across, exact),
        *_inside(study, inside),
    ]


def _matters(study: Study, pair: Sequence[int]) -> bool:
    """Tell whether pictures that are nearly the same do harm: in two parts, or with two labels.

    Those of one patient look alike by right, and a patient on both sides is told as such.
    """
    if study.groups[pair[0]] == study.groups[pair[1]]:
        return False
    return study.split[pair[0]] != study.split[pair[1]] or _is_conflict(study, pair)


def _is_conflict(study: Study, rows: Sequence[int]) -> bool:
    if study.task is Task.SEGMENTATION:
        return False
    answers = study.presence[[row for row in rows if study.labelled[row]]]
    if len(answers) < 2:
        return False
    return bool(((answers == YES).any(axis=0) & (answers == NO).any(axis=0)).any())


def _conflicts(study: Study, groups: Sequence[Group], exact: set[int]) -> list[Finding]:
    found = [_conflict(study, [group], exact) for group in groups[:ALONE]]
    return found + ([_conflict(study, groups[ALONE:], exact)] if len(groups) > ALONE else [])


def _conflict(study: Study, groups: Sequence[Group], exact: set[int]) -> Finding:
    rows = [row for group in groups for row in group]
    cases = study.cases_at(np.array(rows))
    identical = all(row in exact for row in rows)
    how = "the same" if identical else "nearly the same"
    one = singular(study.noun)
    if len(groups) == 1:
        labels = [
            f"{_name(case)} as {_label(study, row)}" for case, row in zip(cases, rows, strict=True)
        ]
        sentence = f"The same {one} has two labels: {listed(labels)}. At least one is wrong."
        if not identical:
            sentence = f"Nearly the same {one} has two labels: {listed(labels)}. Look at them."
    else:
        sentence = f"{len(groups)} more groups of {study.noun} are {how} and have other labels."
    return Finding(
        Kind.LABEL_CONFLICT,
        Severity.ERROR if identical else Severity.WARNING,
        sentence,
        cases,
        Fix("Take their labels away until somebody has looked at them.", unlabel=cases),
    )


def _label(study: Study, row: int) -> str:
    names = [study.names[column] for column in np.flatnonzero(study.presence[row] == YES)]
    unknown = bool((study.presence[row] == UNKNOWN).all())
    return listed(names) or ("unlabelled" if unknown else NO_CLASS[study.task])


def _across(study: Study, groups: Sequence[Group], exact: set[int]) -> list[Finding]:
    found = []
    for identical in (True, False):
        chosen = [group for group in groups if all(row in exact for row in group) == identical]
        if chosen:
            found.append(_across_one(study, chosen, identical))
    return found


def _across_one(study: Study, groups: Sequence[Group], identical: bool) -> Finding:
    rows = np.array([row for group in groups for row in group])
    parts = listed([PART_WORDS[PARTS[part].value] for part in np.unique(study.split[rows])])
    count = number_of(len(groups), singular(study.noun), study.noun)
    verb = "is" if len(groups) == 1 else "are"
    how = "byte for byte the same" if identical else "nearly the same"
    cases = study.cases_at(rows)
    names = f" ({listed([_name(case) for case in cases])})" if len(groups) == 1 else ""
    return Finding(
        Kind.DUPLICATE,
        Severity.ERROR if identical else Severity.WARNING,
        f"{count} {verb} in more than one part, {parts}, {how}{names}. What was learned is "
        "measured again, and the figures come out too good.",
        cases,
        _leave_out(study, groups),
    )


def _inside(study: Study, groups: Sequence[Group]) -> list[Finding]:
    if not groups:
        return []
    rows = np.array([row for group in groups for row in group])
    spare = len(rows) - len(groups)
    count = number_of(spare, singular(study.noun), study.noun)
    return [
        Finding(
            Kind.DUPLICATE,
            Severity.INFO,
            f"{count} {'is' if spare == 1 else 'are'} there twice, byte for byte. They are in one "
            "part and with one label, so that each counts double.",
            study.cases_at(rows),
            _leave_out(study, groups),
        )
    ]


def _leave_out(study: Study, groups: Sequence[Group]) -> Fix:
    """Keep of each group one case: in the part that measures, and the first of equals."""
    spare: list[int] = []
    for group in groups:
        order = sorted(group, key=lambda row: (not study.labelled[row], _worth(study, row), row))
        spare += order[1:]
    cases = study.cases_at(np.array(sorted(spare)))
    count = number_of(len(cases), "copy", "copies")
    return Fix(
        f"Leave {count} out; one of each stays, in test where there is one.", leave_out=cases
    )


def _worth(study: Study, row: int) -> int:
    return _WORTH[PARTS[int(study.split[row])]]


def _name(case_id: str) -> str:
    return case_id.rpartition("/")[2]
