"""What the prior slider does: positions, shifts, counts and words; knows neither Qt nor torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...core.evaluate.operating import Answers, Count, change_sentence
from ...core.evaluate.prior import blend, log_odds, shift_between
from ...core.evaluate.setting import AS_TRAINED, Setting

POSITION_SETTING = "prior_position"
"""The run setting under which the slider keeps where it stands; the target itself is apart."""

EVEN_WITHIN = 1.05
"""A prior whose classes differ by less than this factor has nothing between it and all equal."""

MOST_FACTOR = 8.0


@dataclass(frozen=True, slots=True)
class PriorClass:
    """A class of the run and how many labelled images it was learned from."""

    id: int
    name: str
    tier: str
    training: int


@dataclass(frozen=True, slots=True)
class Position:
    """Where the controls stand.

    `amount` goes from the beginning of the slider (0) to all classes equal (1); `factors` say how
    many times as frequent a class is taken for besides, `thresholds` from which probability it
    counts as found; both by class id, and only where they differ from 1 and 0.5.
    """

    amount: float
    factors: Mapping[int, float] = field(default_factory=dict)
    thresholds: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PriorRow:
    """One class of the live table: counts as trained and at the setting."""

    name: str
    tier: str
    training: int
    before: Count
    now: Count
    few: bool

    @property
    def sentence(self) -> str:
        """The row in words."""
        count = self.now
        text = f"{self.name}: {count.found:,} of {count.there:,} found"
        if count.interval is not None:
            low, high = count.interval
            text += f" (95 % interval {low:.0%} to {high:.0%})"
        text += f", {count.alarms:,} false alarms"
        if count.precision is not None and not self.few:
            text += f", precision {count.precision:.2f}"
        if self.before != count:
            text += f"; as trained {self.before.found:,} found, {self.before.alarms:,} false alarms"
        return f"{text}. {self.training:,} labelled in training."


class PriorModel:
    """The slider of one run on the answers of one part.

    Parameters
    ----------
    classes
        The classes of the run, in the order of its outputs.
    shown
        The classes of now, in the order of the answers' classes.
    prior
        What the run was effectively trained under, one value a class of the run.
    answers
        Its stored outputs beside the truth.
    kept
        The setting that is kept with the run, and where its slider stood.
    """

    def __init__(
        self,
        classes: Sequence[PriorClass],
        shown: Sequence[PriorClass],
        prior: Sequence[float],
        answers: Answers,
        kept: Setting = AS_TRAINED,
        stood: Mapping[str, Any] | None = None,
    ) -> None:
        self.classes, self.shown = tuple(classes), tuple(shown)
        self._prior, self._answers = tuple(prior), answers
        self.exclusive = answers.exclusive
        self.start = self._beginning()
        self.trained_at = 0.0 if self.start == self._prior else 1.0
        self._before = answers.counts(np.zeros(len(self._prior)))
        self.kept = kept
        self.position = self._position_of(kept, stood or {})

    # --- where it stands ---

    @property
    def as_trained(self) -> Position:
        """Where nothing is changed."""
        return Position(self.trained_at)

    @property
    def is_as_trained(self) -> bool:
        """Whether nothing is changed now."""
        return self.position == self.as_trained

    @property
    def is_kept(self) -> bool:
        """Whether this very setting is kept with the run."""
        return _same(self.setting, self.kept)

    @property
    def setting(self) -> Setting:
        """The setting at this position."""
        if self.is_as_trained:
            return AS_TRAINED
        # Thresholds alone leave the prior as it is.
        moved = self.position.amount != self.trained_at or self.position.factors
        return Setting(tuple(self.target) if moved else None, dict(self.position.thresholds))

    @property
    def target(self) -> list[float]:
        """The prior that is wanted, one value a class of the run."""
        factors = [self.position.factors.get(one.id, 1.0) for one in self.classes]
        return blend(self.start, self.position.amount, factors, exclusive=self.exclusive)

    def move(self, amount: float) -> None:
        """Move the slider to `amount`, 0 to 1."""
        self.position = replace(self.position, amount=min(max(amount, 0.0), 1.0))

    def weigh(self, class_id: int, factor: float) -> None:
        """Take a class for `factor` times as frequent besides."""
        factors = {**self.position.factors, class_id: factor}
        told = {key: value for key, value in factors.items() if abs(math.log(value)) > 1e-6}
        self.position = replace(self.position, factors=told)

    def cut(self, class_id: int, threshold: float) -> None:
        """Let a class count as found from a probability on."""
        cuts = {**self.position.thresholds, class_id: threshold}
        told = {key: value for key, value in cuts.items() if abs(value - 0.5) > 1e-9}
        self.position = replace(self.position, thresholds=told)

    def cut_all(self, thresholds: Mapping[int, float]) -> None:
        """Take over thresholds that were chosen elsewhere."""
        self.position = replace(self.position, thresholds={})
        for class_id, value in thresholds.items():
            self.cut(class_id, value)

    def reset(self) -> None:
        """Go back to as trained."""
        self.position = self.as_trained

    def keep(self) -> dict[str, Any]:
        """Give what is to be kept with the run, by the name of the run setting."""
        self.kept = self.setting
        place = self.position
        stood = None if self.is_as_trained else {
            "amount": place.amount,
            "factors": {str(key): value for key, value in place.factors.items()},
        }  # fmt: skip
        return {**self.kept.to_settings(), POSITION_SETTING: stood}

    # --- what comes of it ---

    def rows(self) -> list[PriorRow]:
        """Count each class at this position, the most frequent in training first."""
        setting = self.setting
        cuts = [setting.threshold(one.id) for one in self.shown]
        now = self._answers.counts(self._shift(setting), cuts)
        rows = [
            PriorRow(one.name, one.tier, one.training, before, count, count.there < 5)
            for one, before, count in zip(self.shown, self._before, now, strict=True)
        ]
        return sorted(rows, key=lambda row: -row.training)

    def cost(self, rows: Sequence[PriorRow]) -> str:
        """Say in words what the position brings and costs."""
        if self.is_as_trained:
            return ""
        before, now = [row.before for row in rows], [row.now for row in rows]
        told = change_sentence(before, now, [row.tier for row in rows])
        return f"{told} Counted among {len(self._answers):,} images."

    def share_text(self, class_id: int) -> str:
        """Tell how frequent a class of the run is taken for."""
        place = next(i for i, one in enumerate(self.classes) if one.id == class_id)
        share = self.target[place]
        return f"{share:.0%}" if share >= 0.0995 else f"{share:.1%}"

    @property
    def ends(self) -> tuple[str, str]:
        """What stands under the two ends of the slider."""
        far = "all classes equal" if self.exclusive else "as likely as not"
        return ("as in training", f"{far}, as trained") if self.trained_at else ("as trained", far)

    # --- inside ---

    def _shift(self, setting: Setting) -> Any:
        return shift_between(self._prior, setting.target, exclusive=self.exclusive)

    def _beginning(self) -> tuple[float, ...]:
        """Give where the slider begins: the run's own prior, or its images' where that is even."""
        if not _is_even(self._prior, exclusive=self.exclusive):
            return self._prior
        counts = [max(one.training, 0.5) for one in self.classes]
        total = sum(counts) if self.exclusive else 2 * max(counts)
        return tuple(count / total for count in counts)

    def _position_of(self, kept: Setting, stood: Mapping[str, Any]) -> Position:
        if kept.is_as_trained:
            return self.as_trained
        if kept.target is None:
            return Position(self.trained_at, {}, dict(kept.thresholds))
        told = self._told_position(kept, stood) or self._fitted_position(kept.target)
        return replace(told, thresholds=dict(kept.thresholds))

    def _told_position(self, kept: Setting, stood: Mapping[str, Any]) -> Position | None:
        """Read where the slider stood, if that is what the target came from."""
        try:
            factors = {int(k): float(v) for k, v in dict(stood["factors"]).items()}
            place = Position(min(max(float(stood["amount"]), 0.0), 1.0), factors)
            times = [factors.get(one.id, 1.0) for one in self.classes]
            target = blend(self.start, place.amount, times, exclusive=self.exclusive)
        except (KeyError, TypeError, ValueError):
            return None
        return place if np.allclose(target, kept.target or (), rtol=1e-6, atol=1e-9) else None

    def _fitted_position(self, target: Sequence[float]) -> Position:
        """Find the position whose target is nearest: a target may have been set by a script."""
        begin, wanted = self._log(self.start), self._log(target)
        if self.exclusive:
            begin, wanted = begin - begin.mean(), wanted - wanted.mean()
        slope = float(begin @ wanted / max(float(begin @ begin), 1e-12))
        amount = min(max(1.0 - slope, 0.0), 1.0)
        rest = np.exp(np.clip(wanted - (1 - amount) * begin, -math.log(8), math.log(8)))
        factors = {
            one.id: float(value)
            for one, value in zip(self.classes, rest, strict=True)
            if abs(math.log(value)) > 0.01
        }
        return Position(round(amount, 3), factors)

    def _log(self, prior: Sequence[float]) -> "np.ndarray[Any, np.dtype[np.float64]]":
        if not self.exclusive:
            return np.asarray(log_odds(prior), dtype=np.float64)
        return np.log(np.maximum(np.asarray(prior, dtype=np.float64), 1e-7))


def _is_even(prior: Sequence[float], *, exclusive: bool) -> bool:
    values = [max(value, 1e-7) for value in prior]
    if exclusive:
        return max(values) / min(values) < EVEN_WITHIN
    return all(abs(value - 0.5) < 0.01 for value in values)


def _same(one: Setting, other: Setting) -> bool:
    if (one.target is None) != (other.target is None):
        return False
    if dict(one.thresholds) != dict(other.thresholds):
        return False
    return one.target is None or bool(np.allclose(one.target, other.target or ()))
