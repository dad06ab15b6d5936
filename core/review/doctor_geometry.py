"""Findings about how images lie: voxel size, orientation in the file, pictures that are turned."""

import math
from collections import Counter
from typing import Any

import numpy as np

from .doctor_looks import Looks
from .doctor_records import Finding, Fix, Kind, Severity
from .doctor_robust import far_off
from .doctor_study import Study
from .doctor_turned import turned
from .doctor_words import listed, number_of, singular

OTHER_SPACING = 1.4
"""Voxels that are so many times larger or smaller than usual along an axis are told."""

FAR_DEGREES = 60.0
"""An axis that points so far elsewhere than in most cases is told."""

COMPARED = 300
LETTERS = (("L", "R"), ("P", "A"), ("S", "I"))
LEFT_OUT_AT_MOST = 0.1

BoolArray = np.ndarray[Any, np.dtype[np.bool_]]


def find_geometry(study: Study, looks: Looks) -> list[Finding]:
    """Find cases that lie otherwise than most, by the rows of `looks`."""
    return [*_spacings(study, looks), *_orientations(study, looks), *_turned(study, looks)]


def orientation(direction: Any) -> str:
    """Give the three letters of where the axes x, y and z of the file point to, such as LPS.

    `direction` is SimpleITK's matrix, 9 numbers row by row, in LPS.
    """
    matrix = np.asarray(direction, np.float64).reshape(3, 3)
    letters = []
    for axis in range(3):
        along = matrix[:, axis]
        place = int(np.argmax(np.abs(along)))
        letters.append(LETTERS[place][int(along[place] < 0)])
    return "".join(letters)


def leaving_out(study: Study, cases: tuple[str, ...]) -> Fix | None:
    """Offer to leave cases out where they are few."""
    if not cases or len(cases) > max(1, LEFT_OUT_AT_MOST * len(study)):
        return None
    nouns = singular(study.noun), study.noun
    return Fix(f"Leave {number_of(len(cases), *nouns)} out.", leave_out=cases)


def _spacings(study: Study, looks: Looks) -> list[Finding]:
    known = np.asarray(np.isfinite(looks.spacing_mm[:, 1:]).all(axis=1))
    found = []
    if known.any() and 0 < (~known).sum() < known.sum():
        found.append(_without_spacing(study, ~known))
    if known.sum() < 2:
        return found
    spacing = np.nan_to_num(looks.spacing_mm, nan=1.0)
    off = np.zeros(len(looks), bool)
    off[known] = far_off(np.log(np.maximum(spacing[known], 1e-6)), np.log(OTHER_SPACING)).any(1)
    if off.any():
        usual = np.median(spacing[known & ~off], axis=0) if (known & ~off).any() else spacing[0]
        found.append(_other_spacing(study, off, spacing, usual))
    return found


def _without_spacing(study: Study, rows: BoolArray) -> Finding:
    count = number_of(int(rows.sum()), singular(study.noun), study.noun)
    return Finding(
        Kind.GEOMETRY,
        Severity.WARNING,
        f"{count} {'lacks' if rows.sum() == 1 else 'lack'} the size of the voxels, which the "
        "others have. Nothing can be measured in millimetres there: export them again with it.",
        study.cases_at(rows),
    )


def _other_spacing(study: Study, rows: BoolArray, spacing: Any, usual: Any) -> Finding:
    example = spacing[np.flatnonzero(rows)[0]]
    count = number_of(int(rows.sum()), singular(study.noun), study.noun)
    verb = "has" if rows.sum() == 1 else "have"
    cases = study.cases_at(rows)
    return Finding(
        Kind.GEOMETRY,
        Severity.WARNING,
        f"{count} {verb} another voxel size than the rest "
        f"({listed([_name(case) for case in cases])}). It is {_mm(example)} instead of "
        f"{_mm(usual)}: check the export.",
        cases,
        leaving_out(study, cases),
    )


def _orientations(study: Study, looks: Looks) -> list[Finding]:
    known = np.flatnonzero(np.isfinite(looks.direction).all(axis=1))
    if len(known) < 2:
        return []
    usual, other = _against_most(looks.direction[known])
    if not other.any():
        return []
    rows = known[other]
    counted = Counter(orientation(looks.direction[row]) for row in rows.tolist()).most_common()
    kinds = listed([f"{name} ({count})" for name, count in counted])
    count = number_of(len(rows), singular(study.noun), study.noun)
    cases = study.cases_at(rows)
    return [
        Finding(
            Kind.GEOMETRY,
            Severity.WARNING,
            f"{count} {'is' if len(rows) == 1 else 'are'} stored in another orientation than "
            f"the rest. It is {kinds} instead of {orientation(usual)}: networks see the voxels as "
            "they are stored, so these look mirrored or turned.",
            cases,
            leaving_out(study, cases),
        )
    ]


def _against_most(directions: Any) -> tuple[Any, BoolArray]:
    """Give the direction that most cases share, and which cases have an axis far off it.

    Oblique scans are turned a little each; only an angle tells those from a flipped axis.
    """
    matrices = np.asarray(directions, np.float64).reshape(-1, 3, 3)
    places = np.linspace(0, len(matrices) - 1, min(len(matrices), COMPARED)).astype(np.intp)
    cosines = np.einsum("nij,mij->nmj", matrices[places], matrices)
    near = (cosines > math.cos(math.radians(FAR_DEGREES))).all(axis=2)
    best = int(np.argmax(near.sum(axis=1)))
    return matrices[places[best]].ravel(), ~near[best]


def _turned(study: Study, looks: Looks) -> list[Finding]:
    found = []
    for way, rows in turned(looks).items():
        cases = study.cases_at(rows)
        names = listed([_name(case) for case in cases])
        count = number_of(len(rows), singular(study.noun), study.noun)
        seem = "seems" if len(rows) == 1 else "seem"
        found.append(
            Finding(
                Kind.GEOMETRY,
                Severity.WARNING,
                f"{count} {seem} to be {way} ({names}). The others lie otherwise, "
                "whatever the file says: look at "
                f"{'it' if len(rows) == 1 else 'them'}.",
                cases,
                leaving_out(study, cases),
            )
        )
    return found


def _mm(spacing: Any) -> str:
    return " x ".join(f"{value:.3g}" for value in spacing) + " mm"


def _name(case_id: str) -> str:
    return case_id.rpartition("/")[2]
