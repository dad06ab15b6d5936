"""Look into the files of a plan without reading their pixels."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ...errors import LongtailError
from ..image import read_header
from ..image_paths import split_source
from ..image_types import Header
from .plan import FoundCase, Skipped

LOOKED_INTO_AT_MOST = 5000
"""Above this many cases files are not opened to plan: 112,120 X-rays would take minutes."""

THREADS = 4


@dataclass(frozen=True, slots=True)
class Looked:
    """Cases with their shapes, the headers by case id, and what could not be opened."""

    cases: tuple[FoundCase, ...]
    headers: dict[str, Header]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def look_into(cases: Sequence[FoundCase]) -> Looked:
    """Read the header of every case, or of none where they are too many."""
    if len(cases) > LOOKED_INTO_AT_MOST:
        note = f"The {len(cases):,} files are opened on use, not now: broken ones show then."
        return Looked(tuple(cases), {}, (), (note,))
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(_look, cases))
    good: list[FoundCase] = []
    headers: dict[str, Header] = {}
    skipped: list[Skipped] = []
    for case, answer in zip(cases, answers, strict=True):
        if isinstance(answer, LongtailError):
            skipped.append(Skipped(_shown(case.channels[0]), answer.reason))
            continue
        headers[case.id] = answer
        good.append(_with_header(case, answer))
    return Looked(tuple(good), headers, tuple(skipped), ())


def header_of_channels(paths: Sequence[str]) -> Header:
    """Read the headers of all channels of a case and check that they share one grid.

    Raises
    ------
    LongtailError
        One cannot be read, or the grids differ.
    """
    first, *others = [read_header(path) for path in paths]
    for path, other in zip(paths[1:], others, strict=True):
        apart = first.geometry and other.geometry and not first.geometry.matches(other.geometry)
        if other.shape != first.shape or apart:
            raise LongtailError(
                f"{_shown(path)} does not lie on the grid of {_shown(paths[0])}, so that they "
                "cannot be channels of one case.",
                "Resample them to one grid.",
            )
    count = first.channel_count + sum(other.channel_count for other in others)
    return replace(first, channel_count=count, colour=first.colour and not others)


def _look(case: FoundCase) -> Header | LongtailError:
    try:
        return header_of_channels(case.channels)
    except LongtailError as error:
        return error


def _with_header(case: FoundCase, header: Header) -> FoundCase:
    spacing = header.geometry.spacing_mm if header.geometry else None
    return replace(case, shape=header.shape, channel_count=header.channel_count, spacing_mm=spacing)


def _shown(path: str) -> str:
    return split_source(path).path.name
