"""Findings about images unlike the rest: size, channels, grey values, nothing on them."""

from typing import Any

import numpy as np

from .doctor_geometry import leaving_out
from .doctor_looks import Looks
from .doctor_records import Finding, Kind, Severity
from .doctor_robust import BoolArray, far_off
from .doctor_study import Study
from .doctor_words import listed, number_of, singular

OTHER_SIZE = 1.8
"""Sides that are so many times longer or shorter than usual are told."""

OTHER_RANGE = 8.0
"""The same of the range of grey values, where files have a range of their own."""

OTHER_GREY = 60.0
"""Grey levels of 256 by which a picture is darker or brighter than usual."""

EMPTY = 1.5
"""Standard deviation in grey levels of 256 below which there is nothing to be seen."""


_BE = ("is", "are")


def find_outliers(study: Study, looks: Looks) -> list[Finding]:
    """Find cases that differ from most in what they are, by the rows of `looks`."""
    empty = _empty(looks)
    tried = (
        _told(study, empty, ("shows", "show"), "nothing", "All pixels are alike: leave them out."),
        _sizes(study, looks),
        _channels(study, looks),
        _brightness(study, looks, ~empty),
        _ranges(study, looks, ~empty),
    )
    return [finding for finding in tried if finding is not None]


def _told(
    study: Study, rows: BoolArray, verbs: tuple[str, str], what: str, then: str
) -> Finding | None:
    if not rows.any():
        return None
    cases = study.cases_at(rows)
    count = number_of(len(cases), singular(study.noun), study.noun)
    names = listed([case.rpartition("/")[2] for case in cases])
    sentence = f"{count} {verbs[len(cases) > 1]} {what} ({names}). {then}"
    return Finding(Kind.OUTLIER, Severity.WARNING, sentence, cases, leaving_out(study, cases))


def _empty(looks: Looks) -> BoolArray:
    low, _, high, deviation = looks.levels.T
    flat = np.where(looks.whole_range, deviation < EMPTY, (high <= low) & (deviation <= 0))
    return np.asarray(flat, bool)


def _sizes(study: Study, looks: Looks) -> Finding | None:
    off = np.zeros(len(looks), bool)
    for volumes in (False, True):
        rows = np.flatnonzero(looks.is_volume == volumes)
        if len(rows) > 2:
            sides = np.log(np.maximum(looks.shape[rows], 1).astype(np.float64))
            off[rows] = far_off(sides, np.log(OTHER_SIZE)).any(axis=1)
    if not off.any():
        return None
    example = looks.shape[np.flatnonzero(off)[0]]
    usual = np.median(looks.shape[~off], axis=0).astype(int)
    then = f"Such as {_times(example)} instead of {_times(usual)} pixels: check what they show."
    return _told(study, off, _BE, "of another size than the rest", then)


def _channels(study: Study, looks: Looks) -> Finding | None:
    counts = np.bincount(looks.channels)
    usual = int(np.argmax(counts))
    off = looks.channels != usual
    then = "Training takes images of one kind: convert them, or leave them out."
    kinds = {1: "grey", 3: "colour"}
    have = sorted(set(looks.channels[off].tolist()))
    other = listed([kinds.get(count, f"{count} channels") for count in have])
    most = kinds.get(usual, f"{usual} channels")
    return _told(study, off, _BE, f"in {other}, the rest in {most}", then)


def _brightness(study: Study, looks: Looks, seen: BoolArray) -> Finding | None:
    """Compare files of 8 bits, whose grey values mean the same in all of them."""
    rows = np.flatnonzero(looks.whole_range & seen)
    if len(rows) < 3:
        return None
    off = np.zeros(len(looks), bool)
    off[rows] = far_off(looks.levels[rows, 1], OTHER_GREY)
    return _told(study, off, _BE, "far darker or brighter than the rest", "Look at them.")


def _ranges(study: Study, looks: Looks, seen: BoolArray) -> Finding | None:
    """Compare the range of grey values between files, in orders of magnitude."""
    rows = np.flatnonzero(~(looks.whole_range & ~looks.is_volume) & seen)
    if len(rows) < 3:
        return None
    width = np.maximum(looks.levels[rows, 2] - looks.levels[rows, 0], 1e-9)
    off = np.zeros(len(looks), bool)
    off[rows] = far_off(np.log(width), np.log(OTHER_RANGE), deviations=3.0)
    if not off.any():
        return None
    usual = float(np.median(width[~off[rows]])) if (~off[rows]).any() else float(np.median(width))
    most = float(np.max(width[off[rows]]))
    least = float(np.min(width[off[rows]]))
    other = _level(least) if least == most else f"{_level(least)} to {_level(most)}"
    then = (
        f"It is {other} wide where the rest have about {_level(usual)}: another device, or "
        "another export."
    )
    return _told(study, off, ("has", "have"), "grey values over another range", then)


def _level(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _times(sides: Any) -> str:
    return " x ".join(str(int(side)) for side in sides if side > 0)
