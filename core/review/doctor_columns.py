"""Columns of a table as numbers that a tiny classifier can take."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

MOST_WORDS = 40
NUMERIC_SHARE = 0.9
ABSENT = -1.0e9
"""Stands for an empty cell: a tree sets it apart from all numbers."""

_NAME = re.compile(r"(.*?)(\d+)\D*$")

Floats = np.ndarray[Any, np.dtype[np.float64]]


def numbers_of(texts: Sequence[str]) -> Floats | None:
    """Turn a column into features, (case, feature); None where it says too little.

    Numbers stay numbers; few different words become a feature each; of names such as `P0012` the
    number and what stands before it count.
    """
    for turn in (as_numbers, as_words, as_names):
        made = turn(texts)
        if made is not None:
            return made
    return None


def as_numbers(texts: Sequence[str]) -> Floats | None:
    """Give one feature where nearly all filled cells are numbers, not all the same."""
    values = np.array([_number(text) for text in texts])
    filled = np.array([bool(text) for text in texts])
    known = np.isfinite(values)
    if filled.sum() < 2 or known.sum() < NUMERIC_SHARE * filled.sum():
        return None
    if len(np.unique(values[known])) + (not known.all()) < 2:
        return None
    return np.where(known, values, ABSENT)[:, None]


def as_words(texts: Sequence[str]) -> Floats | None:
    """Give a feature for each of a few different texts."""
    words = sorted(set(texts))
    if not 2 <= len(words) <= MOST_WORDS:
        return None
    places = {word: place for place, word in enumerate(words)}
    return np.eye(len(words))[[places[text] for text in texts]]


def as_names(texts: Sequence[str]) -> Floats | None:
    """Give the number at the end of each name and the place of what stands before it."""
    parts = [_NAME.fullmatch(text) for text in texts]
    if sum(part is not None for part in parts) < NUMERIC_SHARE * len(texts):
        return None
    heads = sorted({part.group(1) for part in parts if part})
    places = {head: place for place, head in enumerate(heads)}
    rows = [
        (places[part.group(1)], float(part.group(2)[-15:])) if part else (ABSENT, ABSENT)
        for part in parts
    ]
    return np.array(rows, np.float64)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan
