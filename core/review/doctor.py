"""The imbalance doctor: what will go wrong, told before any training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .doctor_copies import find_copies
from .doctor_counts import class_counts
from .doctor_geometry import find_geometry
from .doctor_looks import Looks
from .doctor_outliers import find_outliers
from .doctor_parts import find_leaks, find_missing, find_too_few
from .doctor_records import Finding, Kind, Probe, Report, Severity
from .doctor_shortcuts import find_shortcuts
from .doctor_study import Study
from .doctor_words import listed, number_of, singular

_WORST_FIRST = tuple(Severity)
_KINDS = tuple(Kind)


def diagnose(
    study: Study,
    looks: Looks,
    embedded: np.ndarray[Any, np.dtype[np.float32]] | None = None,
    unread: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """Find what is wrong with a project; the same data give the same report.

    Parameters
    ----------
    study
        All cases.
    looks
        Of the cases that could be read, in the order of the study.
    embedded
        (look, feature) of a pretrained encoder, NaN rows where it saw nothing; None without one:
        no shortcut can be told then.
    unread
        Why the other cases could not be read.
    notes
        Sentences on what could not be looked at.
    """
    found = [*find_leaks(study), *find_missing(study), *find_too_few(study)]
    found += _unread(study, unread or {})
    probes: tuple[Probe, ...] = ()
    if len(looks):
        seen = _seen(study, looks)
        found += find_copies(seen, looks, embedded)
        found += find_geometry(seen, looks)
        found += find_outliers(seen, looks)
        if embedded is not None:
            shortcuts, probes = find_shortcuts(seen, looks, embedded)
            found += shortcuts
    return Report(tuple(_sorted(found)), class_counts(study), probes, tuple(notes), len(study))


def _sorted(found: Sequence[Finding]) -> list[Finding]:
    return sorted(found, key=lambda one: (_WORST_FIRST.index(one.severity), _KINDS.index(one.kind)))


def _seen(study: Study, looks: Looks) -> Study:
    places = {case: row for row, case in enumerate(study.ids)}
    return study.only(np.array([places[case] for case in looks.ids], np.intp))


def _unread(study: Study, unread: Mapping[str, str]) -> list[Finding]:
    if not unread:
        return []
    cases = tuple(case for case in study.ids if case in unread)
    count = number_of(len(cases), singular(study.noun), study.noun)
    reasons = list(dict.fromkeys(unread[case] for case in cases))
    return [
        Finding(
            Kind.OUTLIER,
            Severity.ERROR,
            f"{count} cannot be read. Training would leave them out: {listed(reasons, 2)}",
            cases,
        )
    ]
