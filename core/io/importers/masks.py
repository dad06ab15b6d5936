"""What the masks of a plan hold, and which of them do not fit their image."""

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ...errors import LongtailError
from ..image import read_header
from ..image_types import Header
from ..labelmap import check_mask_grid, is_zero_and_255, read_label_map, values_in
from .headers import THREADS
from .plan import FoundCase, Skipped
from .request import Request

IGNORED = 255
READ_AT_LEAST, READ_AT_MOST = 20, 1000
VOXELS_IF_KNOWN = 150_000_000
"""Voxels of masks read where the classes are known: a second or two; all are checked on import."""

VOXELS_IF_UNKNOWN = 1_500_000_000
"""Voxels read where the masks are all that tells which classes there are."""

CLASSES_AT_MOST = 254


@dataclass(frozen=True, slots=True)
class Settled:
    """Cases whose misfit masks are taken off, and what the values of the masks mean."""

    cases: tuple[FoundCase, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    class_names: tuple[str, ...]
    mask_values: Mapping[int, str]
    ignore_values: tuple[int, ...]


def settle_masks(
    cases: Sequence[FoundCase],
    headers: Mapping[str, Header],
    request: Request,
    named: Mapping[int, str] | None = None,
    ignore: tuple[int, ...] = (IGNORED,),
) -> Settled:
    """Check masks against their images and find what their values mean.

    Parameters
    ----------
    cases
        With `mask` where there is one.
    headers
        Of the images by case id; a case without one is not checked now.
    request
        Its classes name the values 1, 2, ... where `named` is not given.
    named
        Names of the values as the source gives them.
    ignore
        Values that mean *not labelled*.
    """
    fitting, misfits = _without_misfits(cases, headers)
    seen, unread = _sample_values(fitting, known=bool(request.classes or named))
    meaning = _meaning_of(seen, request, named, ignore)
    foreign = _foreign(seen, {0, *meaning.ignore, *meaning.names})
    lost = {item.path for item in (*unread, *foreign)}
    kept = [replace(case, mask=None) if case.mask in lost else case for case in fitting]
    ordered = (meaning.names[value] for value in sorted(meaning.names))
    return Settled(
        cases=tuple(kept),
        skipped=tuple(_by_name(item) for item in (*misfits, *unread, *foreign)),
        notes=(*meaning.notes, *_sample_words(len(seen) + len(unread), fitting)),
        class_names=tuple(dict.fromkeys(ordered)),
        mask_values=meaning.names,
        ignore_values=meaning.ignore,
    )


class _Meaning(NamedTuple):
    names: Mapping[int, str]
    ignore: tuple[int, ...]
    notes: tuple[str, ...]


def _meaning_of(
    seen: Mapping[str, tuple[int, ...]],
    request: Request,
    named: Mapping[int, str] | None,
    ignore: tuple[int, ...],
) -> _Meaning:
    found = {value for values in seen.values() for value in values}
    if is_zero_and_255(found) and IGNORED not in (named or {}):
        first = request.classes[0] if request.classes else "class 1"
        note = f"The masks hold only 0 and 255, so 255 is taken as {first}."
        return _Meaning({IGNORED: first}, (), (note,))
    names, notes = _name_values(found - {0, *ignore}, request, named)
    return _Meaning(names, ignore, tuple(notes))


def _sample_words(read: int, cases: Sequence[FoundCase]) -> list[str]:
    total = sum(case.mask is not None for case in cases)
    if read == total:
        return []
    return [f"The values of {read} of {total} masks were looked at; all are checked on import."]


def _without_misfits(
    cases: Sequence[FoundCase], headers: Mapping[str, Header]
) -> tuple[list[FoundCase], list[Skipped]]:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda case: _misfit(case, headers.get(case.id)), cases))
    kept = [
        replace(case, mask=None) if reason else case
        for case, reason in zip(cases, answers, strict=True)
    ]
    misfits = [
        Skipped(case.mask or "", f"{reason} The image is imported unlabelled.")
        for case, reason in zip(cases, answers, strict=True)
        if reason
    ]
    return kept, misfits


def _misfit(case: FoundCase, image: Header | None) -> str:
    """Say why the mask of a case does not fit; empty where it does or cannot be told yet."""
    if case.mask is None or image is None:
        return ""
    try:
        mask = read_header(case.mask)
        name = Path(case.mask).name
        check_mask_grid(name, mask.shape, mask.geometry, image.shape, image.geometry)
    except LongtailError as error:
        return error.reason
    return ""


def _sample_values(
    cases: Sequence[FoundCase], *, known: bool
) -> tuple[dict[str, tuple[int, ...]], list[Skipped]]:
    """Read the values of some masks, evenly spread; by mask path."""
    masks = [case.mask for case in cases if case.mask is not None]
    budget = VOXELS_IF_KNOWN if known else VOXELS_IF_UNKNOWN
    step = max(1, -(-len(masks) // _affordable(cases, budget)))
    chosen = masks[::step]
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(_values_of, chosen))
    seen: dict[str, tuple[int, ...]] = {}
    unread: list[Skipped] = []
    for path, answer in zip(chosen, answers, strict=True):
        if isinstance(answer, LongtailError):
            unread.append(Skipped(path, f"{answer.reason} The image is imported unlabelled."))
        else:
            seen[path] = answer
    return seen, unread


def _affordable(cases: Sequence[FoundCase], budget: int) -> int:
    """Give the number of masks to read, fewer where they are large."""
    voxels = [math.prod(case.shape) for case in cases if case.mask is not None and case.shape]
    mean = sum(voxels) / len(voxels) if voxels else 1 << 20
    return min(READ_AT_MOST, max(READ_AT_LEAST, int(budget / max(mean, 1))))


def _values_of(path: str) -> tuple[int, ...] | LongtailError:
    try:
        return values_in(read_label_map(path).array)
    except LongtailError as error:
        return error


def _name_values(
    found: set[int], request: Request, named: Mapping[int, str] | None
) -> tuple[dict[int, str], list[str]]:
    """Give a class name to each value of the masks, and say what was guessed."""
    if named and request.classes:
        return _match_names(named, request)
    if named:
        return dict(named), []
    if request.classes:
        return dict(enumerate(request.classes, start=1)), []
    values = sorted(value for value in found if 0 < value)[:CLASSES_AT_MOST]
    return {value: f"class {value}" for value in values}, []


def _match_names(named: Mapping[int, str], request: Request) -> tuple[dict[int, str], list[str]]:
    """Match the names of the source with the project's, else their order."""
    matched = {value: request.class_like(name) for value, name in named.items()}
    if any(matched.values()):
        missing = [f"{value} ({named[value]})" for value, name in matched.items() if name is None]
        notes = [_missing_words(missing)] if missing else []
        return {value: name for value, name in matched.items() if name is not None}, notes
    pairs = dict(zip(sorted(named), request.classes, strict=False))
    told = ", ".join(f"{value} ({named[value]}) is {name}" for value, name in pairs.items())
    return pairs, [f"The source names its classes otherwise; they are taken in order: {told}."]


def _missing_words(missing: Sequence[str]) -> str:
    return (
        f"The project has no class for the mask values {', '.join(missing)}: masks that hold them "
        "are left out until the class is added."
    )


def _foreign(seen: Mapping[str, tuple[int, ...]], known: set[int]) -> list[Skipped]:
    found = []
    for path, values in seen.items():
        unknown = [str(value) for value in values if value not in known]
        if unknown:
            noun = "the value" if len(unknown) == 1 else "the values"
            told = ", ".join(unknown[:5]) + (" and more" if len(unknown) > 5 else "")
            reason = f"The mask holds {noun} {told}, which no class has."
            found.append(Skipped(path, f"{reason} The image is imported unlabelled."))
    return found


def _by_name(item: Skipped) -> Skipped:
    return Skipped(Path(item.path).name, item.reason)
