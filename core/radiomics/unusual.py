"""What is unusual about a region beside the regions of its class in training cases; NumPy alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

FEWEST = 5
"""With fewer regions than this there is nothing to compare with."""

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Features = Mapping[str, float | None]


@dataclass(frozen=True)
class TrainingRegions:
    """The regions of a class in training cases, and what they look like.

    Parameters
    ----------
    names
        (feature,).
    values
        (region, feature); NaN where there is no value.
    source
        `drawn` by people, as boxes or label maps, or `found` by the run where too few are drawn.
    waiting
        How many are not measured yet.
    """

    names: tuple[str, ...] = ()
    values: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    source: Literal["drawn", "found"] = "drawn"
    waiting: int = 0

    @property
    def is_enough(self) -> bool:
        """Whether there are enough to compare with."""
        return len(self.values) >= FEWEST

    def compared(self, features: Features) -> dict[str, "Compared"]:
        """Compare a region with them, feature by feature; those without a value are left out."""
        told = {}
        for column, name in enumerate(self.names):
            value = features.get(name)
            known = self.values[:, column]
            known = known[np.isfinite(known)]
            if value is not None and len(known) >= FEWEST:
                told[name] = _compared(value, known)
        return told


@dataclass(frozen=True, slots=True)
class Compared:
    """A feature of a region beside the same of the class's training regions.

    Parameters
    ----------
    value
        The region's.
    mean, deviation
        Of the training regions; the deviation is that of a sample (n - 1).
    below
        How many of them have a smaller value.
    count
        How many there are.
    """

    value: float
    mean: float
    deviation: float
    below: int
    count: int

    @property
    def z(self) -> float | None:
        """How many deviations above the mean; None where all training regions are alike."""
        return (self.value - self.mean) / self.deviation if self.deviation > 0 else None


def most_unusual(compared: Mapping[str, Compared], most: int = 3) -> list[str]:
    """Name the most unusual features, at most one of each class of features.

    Features of one class tell much the same: three of them would be one finding told thrice.
    """
    by_family: dict[str, tuple[float, str]] = {}
    for name, one in compared.items():
        size = abs(one.z) if one.z is not None else 0.0
        family = name.split("_")[1]
        if size > by_family.get(family, (0.0, ""))[0]:
            by_family[family] = (size, name)
    ranked = sorted(by_family.values(), key=lambda pair: (-pair[0], pair[1]))
    return [name for _, name in ranked[:most]]


def _compared(value: float, known: FloatArray) -> Compared:
    spread = float(known.std(ddof=1))
    # Equal values differ by rounding alone.
    spread = spread if spread > 1e-12 * max(abs(float(known.mean())), 1e-300) else 0.0
    return Compared(value, float(known.mean()), spread, int((known < value).sum()), len(known))
