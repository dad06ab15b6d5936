"""The setting of a run: the prior that is wanted of it, and thresholds; empty as it was trained.

It is kept with the run, written into an exported model, and told wherever figures made with it
appear.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import LongtailError
from .bootstrap import FloatArray
from .prior import DEFAULT_THRESHOLD, TARGET_SETTING, Array, probabilities_of, shifted

THRESHOLD_SETTING = "thresholds"
"""The run setting of the thresholds: a value a class id, as text since it is kept as JSON."""

MOST_TOLD = 4
# A change of a tenth cannot be seen in the percentages.
_TOLD_FROM = math.log(1.1)


@dataclass(frozen=True, slots=True)
class Setting:
    """How outputs become answers.

    Parameters
    ----------
    target
        The prior that is wanted, one value a class of the run; None leaves it as it was trained.
    thresholds
        From which probability a class counts as found, by class id; 0.5 where none is given.
        Only for classes that are each yes or no.
    """

    target: tuple[float, ...] | None = None
    thresholds: Mapping[int, float] = field(default_factory=dict)

    @property
    def is_as_trained(self) -> bool:
        """Whether it changes nothing."""
        return self.target is None and not self.thresholds

    def to_settings(self) -> dict[str, Any]:
        """Give what is kept with the run, by the name of the run setting."""
        stored = {str(class_id): value for class_id, value in self.thresholds.items()}
        return {
            TARGET_SETTING: None if self.target is None else list(self.target),
            THRESHOLD_SETTING: stored or None,
        }

    def threshold(self, class_id: int) -> float:
        """Give the threshold of a class."""
        return self.thresholds.get(class_id, DEFAULT_THRESHOLD)

    def moved(
        self, logits: Array, effective: Sequence[float] | None, *, exclusive: bool
    ) -> FloatArray:
        """Give (case, column) logits under the prior that is wanted."""
        values = np.asarray(logits, dtype=np.float64)
        return shifted(values, effective, self.target, exclusive=exclusive)

    def probabilities(
        self, logits: Array, effective: Sequence[float] | None, *, exclusive: bool
    ) -> FloatArray:
        """Give (case, column) probabilities under the prior that is wanted."""
        moved = self.moved(logits, effective, exclusive=exclusive)
        return probabilities_of(moved, exclusive=exclusive)


AS_TRAINED = Setting()


def read_setting(stored: Mapping[str, Any], class_ids: Sequence[int]) -> Setting:
    """Read the setting out of a run's settings.

    Parameters
    ----------
    stored
        `RunRecord.settings`.
    class_ids
        The classes as the run knows them.

    Raises
    ------
    LongtailError
        It is damaged or of other classes.
    """
    try:
        target = _target(stored.get(TARGET_SETTING), len(class_ids))
        thresholds = _thresholds(stored.get(THRESHOLD_SETTING), class_ids)
    except (TypeError, ValueError, AttributeError) as error:
        raise LongtailError(
            f"The setting of the prior slider kept with this run is damaged: {error}.",
            "Move the slider again, or set it back to as trained.",
        ) from error
    return Setting(target, thresholds)


def setting_sentence(
    setting: Setting,
    effective: Sequence[float] | None,
    classes: Sequence[tuple[int, str]],
    *,
    exclusive: bool,
) -> str:
    """Tell a setting in words, as it stands beside figures; empty as trained.

    Parameters
    ----------
    effective
        The prior that the run was effectively trained under.
    classes
        (id, name) of the run's classes.
    """
    parts = []
    if setting.target is not None and effective is not None:
        parts.append(_told_prior(effective, setting.target, [name for _, name in classes]))
    cuts = [
        f"{name} from {setting.thresholds[class_id]:.2f}"
        for class_id, name in classes
        if class_id in setting.thresholds
    ]
    if cuts and not exclusive:
        parts.append(f"Found when the probability is at least: {_shortened(cuts)}.")
    return " ".join(parts)


def _told_prior(effective: Sequence[float], target: Sequence[float], names: Sequence[str]) -> str:
    pairs = enumerate(zip(effective, target, strict=True))
    changes = [(abs(math.log(_safe(t) / _safe(p))), i) for i, (p, t) in pairs]
    told = [i for change, i in sorted(changes, reverse=True) if change >= _TOLD_FROM]
    if not told:
        return "The classes are taken to be as frequent as the run has learned."
    words = [f"{names[i]} {_percent(target[i])} (learned {_percent(effective[i])})" for i in told]
    if max(target) - min(target) < 1e-6:
        return f"All classes are taken to be equally frequent: {_shortened(words)}."
    return f"Classes are taken to be as frequent as: {_shortened(words)}."


def _shortened(words: Sequence[str]) -> str:
    rest = len(words) - MOST_TOLD
    return ", ".join(words[:MOST_TOLD]) + (f" and {rest} more" if rest > 0 else "")


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}" if share >= 0.001 else "below 0.1%"


def _safe(share: float) -> float:
    return max(share, 1e-7)


def _target(stored: Any, count: int) -> tuple[float, ...] | None:
    if stored is None:
        return None
    values = tuple(float(value) for value in stored)
    if len(values) != count:
        raise ValueError(f"it has {len(values)} classes and the run {count}")
    if not all(math.isfinite(value) and 0.0 <= value <= 1.0 for value in values):
        raise ValueError("a share does not lie between 0 and 1")
    return values


def _thresholds(stored: Any, class_ids: Sequence[int]) -> dict[int, float]:
    values = {int(key): float(value) for key, value in (stored or {}).items()}
    if not set(values) <= set(class_ids):
        raise ValueError("it names a class that the run does not know")
    if not all(0.0 <= value <= 1.0 for value in values.values()):
        raise ValueError("a threshold does not lie between 0 and 1")
    return values
