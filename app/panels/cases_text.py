"""What a row of the case list says. Free of Qt."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...core.project.records import Case, ClassRecord, Split, Status
from .cases_predicted import Guess

_VIEWS = ("view", "viewposition", "view_position", "view position", "projection")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The words of one row; `status` is unlabelled, draft, reviewed or predicted."""

    name: str
    detail: str
    status: str
    chip: str = ""
    tier: str = ""
    guessed: bool = False


def row_of(
    case: Case,
    classes: Mapping[int, ClassRecord],
    tiers: Mapping[int, str],
    guess: Guess | None = None,
) -> CaseRow:
    """Put a case into words."""
    status = case.status.value
    if case.status is Status.UNLABELLED and guess is not None:
        found = guess.class_ids if guess.probability is not None else _rare(guess.class_ids, tiers)
        chip, tier = _chip(found, classes, tiers)
        return CaseRow(short_name(case), _detail(case, guess), "predicted", chip, tier, True)
    given = sorted(case.labels.yes) if case.labels is not None else _drawn(case, tiers)
    chip, tier = _chip(given, classes, tiers)
    if not chip and case.labels is not None and case.status is not Status.UNLABELLED:
        chip = "no finding"
    return CaseRow(short_name(case), _detail(case, None), status, chip, tier)


def with_doubt(row: CaseRow, guess: Guess | None) -> CaseRow:
    """Say how unsure the run is in place of the details: what a list is ordered by is to be read.

    Labelled cases are ordered by it too, where a run has predicted them.
    """
    if guess is None or guess.uncertainty is None or not math.isfinite(guess.uncertainty):
        return row
    doubt = guess.uncertainty
    return replace(row, detail=f"unsure {doubt:.3f}" if doubt >= 0.001 else "unsure < 0.001")


def short_name(case: Case) -> str:
    """Give the last part of the case's path, which is what a person knows it by."""
    return case.id.rsplit("/", 1)[-1] or case.id


def size_words(case: Case) -> str:
    """Write the size as x, y, z and the spacing where there is one: `35x51x35 · 1 mm`."""
    if not case.shape:
        return ""
    size = "×".join(str(n) for n in reversed(case.shape))  # noqa: RUF001 - the sign for sizes
    spacing = spacing_words(case.spacing_mm)
    return f"{size} · {spacing}" if spacing else f"{size} px"


def spacing_words(spacing_mm: Sequence[float] | None) -> str:
    """Write a spacing as x, y, z; one number where all are the same."""
    if not spacing_mm or not all(math.isfinite(s) and s > 0 for s in spacing_mm):
        return ""
    texts = [f"{s:.3g}" for s in reversed(spacing_mm)]
    same = len(set(texts)) == 1
    return f"{texts[0] if same else '×'.join(texts)} mm"  # noqa: RUF001


def aspect_of(case: Case) -> float:
    """Give width over height of a slice as it lies in space; 1 where it is not known."""
    if len(case.shape) < 2:
        return 1.0
    height, width = (float(n) for n in case.shape[-2:])
    if case.spacing_mm and len(case.spacing_mm) >= 2:
        height, width = height * case.spacing_mm[-2], width * case.spacing_mm[-1]
    if not (math.isfinite(height) and math.isfinite(width)) or height <= 0 or width <= 0:
        return 1.0
    return width / height


def view_words(metadata: Mapping[str, str]) -> str:
    """Give the view of a radiograph, such as PA, where the table named it."""
    for key, value in metadata.items():
        if key.strip().lower() in _VIEWS and value:
            return str(value)
    return ""


def _detail(case: Case, guess: Guess | None) -> str:
    parts = []
    if case.split is not Split.TRAIN:
        parts.append(case.split.value)
    if guess is not None and guess.probability is not None and math.isfinite(guess.probability):
        parts.append(f"p = {guess.probability:.2f}")
    elif case.patient and len(case.shape) != 3:
        parts.extend(
            word for word in (f"patient {case.patient}", view_words(case.metadata)) if word
        )
    else:
        parts.append(size_words(case))
    return " · ".join(part for part in parts if part)


def _drawn(case: Case, tiers: Mapping[int, str]) -> list[int]:
    """Give the rare classes that are drawn in a scan; the common ones are in nearly all."""
    return _rare([key for key, volume in case.volumes_mm3.items() if volume > 0], tiers)


def _rare(class_ids: Sequence[int], tiers: Mapping[int, str]) -> list[int]:
    return [class_id for class_id in class_ids if tiers.get(class_id) == "tail"]


def _chip(
    given: Sequence[int], classes: Mapping[int, ClassRecord], tiers: Mapping[int, str]
) -> tuple[str, str]:
    """Name the rarest of the given classes, and how many there are besides."""
    known = [classes[i] for i in given if i in classes]
    if not known:
        return "", ""
    rank = {"tail": 0, "medium": 1, "head": 2}
    rarest = min(known, key=lambda c: rank.get(tiers.get(c.id, ""), 3))
    more = f" +{len(known) - 1}" if len(known) > 1 else ""
    return rarest.name + more, tiers.get(rarest.id, "")
