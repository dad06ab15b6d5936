"""Boxes of a plan: brought to the pixels of the files on disk, and those dropped that cannot be."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

from ...errors import LongtailError
from ..boxes import XYWH, BoxFault, box_fault, cut_box
from .headers import THREADS, header_of_channels
from .plan import FoundBox, FoundCase, Skipped

OUTSIDE_AT_MOST = 0.1
"""Above this share of boxes outside of their images they were drawn on pictures of another size."""

SAME_SHAPE = 0.02
"""Relative difference of the two scales up to which a picture was merely made smaller."""

NO_SLICE = "it names no slice of its volume"
OTHER_SHAPE = "its boxes were drawn on a picture of another shape."

ClassOf = Callable[[str], str | None]


class RawBoxes(NamedTuple):
    """The boxes of a file as a table has them.

    `size` is the width and height of the picture that they were drawn on, None for the file
    itself; without boxes somebody looked and found nothing.
    """

    boxes: tuple[FoundBox, ...]
    size: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class SettledBoxes:
    """Cases with the boxes that can be kept, and what is to be said of the others."""

    cases: tuple[FoundCase, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def settle_boxes(
    cases: Sequence[FoundCase],
    raw: Mapping[str, RawBoxes],
    class_of: ClassOf,
    *,
    whole: bool,
) -> SettledBoxes:
    """Give cases their boxes; drop, count and name those that cannot be kept.

    Parameters
    ----------
    cases
        Where `raw` has boxes of their first channel, these are added.
    class_of
        Gives the project's class for a name, None where it lacks one.
    whole
        Whoever drew looked for all classes, so that an image without a box of ours has none.

    Raises
    ------
    LongtailError
        So many boxes lie outside that they belong to pictures of another size.
    """
    work = _Settling(raw, class_of, whole)
    boxed = [case for case in cases if case.channels[0] in raw]
    with ThreadPoolExecutor(THREADS) as pool:
        seen = dict(zip((case.id for case in boxed), pool.map(_with_shape, boxed), strict=True))
    settled = tuple(work.settle(one, seen[one.id]) if one.id in seen else one for one in cases)
    work.check_scale()
    return SettledBoxes(settled, tuple(work.skipped), tuple(work.notes()))


class _Settling:
    """Settles the boxes of one case after the other, and counts."""

    def __init__(self, raw: Mapping[str, RawBoxes], class_of: ClassOf, whole: bool) -> None:
        self.skipped: list[Skipped] = []
        self._raw, self._class_of, self._whole = raw, class_of, whole
        self._faults: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._total = self._scaled = 0

    def settle(self, bare: FoundCase, case: FoundCase | LongtailError) -> FoundCase:
        """Give a case its boxes; `case` is the bare one with its shape, or why it has none."""
        if isinstance(case, LongtailError):
            self.skipped.append(Skipped(bare.id, case.reason))
            return bare
        raw = self._raw[case.channels[0]]
        self._total += len(raw.boxes)
        scale = _scale(raw.size, case.shape)
        if scale is None:
            self.skipped.append(Skipped(case.id, OTHER_SHAPE))
            self._faults[OTHER_SHAPE] += len(raw.boxes)
            return case
        self._scaled += scale != (1.0, 1.0) and bool(raw.boxes)
        kept = [box for one in raw.boxes if (box := self._kept(one, case, scale)) is not None]
        looked = bool(kept) or not raw.boxes or self._whole
        return replace(case, boxes=tuple(kept)) if looked else case

    def check_scale(self) -> None:
        """Refuse boxes that were drawn on pictures of another size."""
        outside = self._faults[BoxFault.OUTSIDE]
        if outside > 1 and outside > OUTSIDE_AT_MOST * self._total:
            raise LongtailError(
                f"{outside:,} of {self._total:,} boxes lie outside of their images, so they were "
                "drawn on pictures of another size.",
                "Import them beside the pictures that they were drawn on, or scale the table.",
            )

    def notes(self) -> list[str]:
        """Say what was dropped, with its number."""
        notes = []
        if self._unknown:
            told = ", ".join(f"{name} ({n:,})" for name, n in self._unknown.most_common())
            notes.append(f"Dropped boxes that are no class of the project: {told}.")
        lost = sum(self._faults.values())
        if lost:
            told = ", ".join(f"{n:,} since {_clause(why)}" for why, n in self._faults.items())
            notes.append(f"Dropped {lost:,} of {self._total:,} boxes: {told}.")
        if self._scaled:
            notes.append(
                f"The boxes of {self._scaled:,} images were drawn on a larger or smaller picture "
                "and are scaled to the file."
            )
        return notes

    def _kept(self, box: FoundBox, case: FoundCase, scale: tuple[float, float]) -> FoundBox | None:
        name = self._class_of(box.class_name)
        if name is None:
            self._unknown[box.class_name] += 1
            return None
        size = case.shape[-1], case.shape[-2]
        x, y, w, h = box.xywh
        moved: XYWH = x * scale[0], y * scale[1], w * scale[0], h * scale[1]
        fault = box_fault(moved, size) or _slice_fault(box, case.shape)
        if fault:
            self._faults[fault] += 1
            self.skipped.append(Skipped(case.id, f"a box of {name}: {fault}."))
            return None
        x, y, w, h = cut_box(moved, size)
        place = None if len(case.shape) < 3 else box.slice or 0
        return replace(box, class_name=name, x=x, y=y, width=w, height=h, slice=place)


def _with_shape(case: FoundCase) -> FoundCase | LongtailError:
    """Look into a file that the plan had no time for: the boxes need its size."""
    if case.shape:
        return case
    try:
        header = header_of_channels(case.channels)
    except LongtailError as error:
        return error
    return replace(case, shape=header.shape, channel_count=header.channel_count)


def _scale(
    drawn_on: tuple[float, float] | None, shape: tuple[int, ...]
) -> tuple[float, float] | None:
    """Give the factors along x and y; None where the picture was cut or turned meanwhile."""
    if drawn_on is None or not min(drawn_on) > 0:
        return 1.0, 1.0
    across, down = shape[-1] / drawn_on[0], shape[-2] / drawn_on[1]
    return (across, down) if abs(across / down - 1) <= SAME_SHAPE else None


def _slice_fault(box: FoundBox, shape: tuple[int, ...]) -> str:
    """Say that a box names no slice of its volume; a volume of one slice needs no name."""
    if len(shape) < 3 or (shape[0] == 1 and box.slice is None):
        return ""
    there = box.slice is not None and 0 <= box.slice < shape[0]
    return "" if there else NO_SLICE


def _clause(why: str) -> str:
    return why.rstrip(".")
