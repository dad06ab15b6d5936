"""What an audit of heat maps and the check by forgetting came to, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .audit import INSIDE_WORDS, ClassLooked

BY_CHANCE = 1.1
"""A share inside of no more than this many times the region's area is what chance gives."""

ANOTHER, ALIKE = 0.3, 0.6
"""Rank correlation below which a map is another one, and from which it is much the same."""


@dataclass(frozen=True, slots=True)
class SanityStep:
    """How alike the maps are when all parts from the output down to `part` are random."""

    part: str
    correlation: float | None
    maps: int

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {"part": self.part, "correlation": self.correlation, "maps": self.maps}


def sentence(one: ClassLooked, name: str) -> str:
    """Say where the maps of a class lie."""
    if one.inside is None or not one.area:
        return f"{name}: no map could be compared."
    times = one.inside / one.area
    told = "no more than by chance" if times < BY_CHANCE else f"{times:.1f} times chance"
    maps = "1 map" if one.maps == 1 else f"{one.maps:,} maps"
    where = INSIDE_WORDS[one.of]
    return (
        f"{name}: {one.inside:.0%} of the energy of {maps} lies in {where} ({told}), "
        f"the highest place in {one.pointing or 0:.0%}."
    )


def sanity_sentence(steps: Sequence[SanityStep]) -> tuple[str, bool | None]:
    """Say what came of forgetting, and whether the maps depend on what was learned."""
    told = [one.correlation for one in steps if one.correlation is not None]
    if not told:
        return (
            "With random weights the network gives no map at all, so nothing can be compared: "
            "the maps need what was learned.",
            None,
        )
    last = told[-1]
    figure = f"rank correlation {last:.2f}; 1 would be the same map"
    if last < ANOTHER:
        return (
            "Passed: with random weights the heat maps are others "
            f"({figure}). They depend on what this run has learned.",
            True,
        )
    if last < ALIKE:
        return (
            "Undecided: with random weights the heat maps keep some likeness "
            f"({figure}). Part of them is the picture itself, not what was learned.",
            None,
        )
    return (
        "Failed: with random weights the heat maps stay much the same "
        f"({figure}). They show the picture, not what was learned: do not rely on them.",
        False,
    )
