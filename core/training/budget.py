"""How many steps a run has: given, or found by timing the first steps and then fixed for good."""

import statistics

SKIPPED_STEPS = 3
LEAST_TIMED = 3
TIMED_SHARE = 0.05
TIMED_AT_MOST_S = 30.0
VALIDATION_RESERVE = 0.08
GUARD = 1.1
UNKNOWN_TOTAL = 100_000


class Budget:
    """The budget of a run.

    Parameters
    ----------
    minutes
        How long to train, without reading data and the last evaluation; None with `planned`.
    planned
        The number of steps, where it is fixed already.
    validates
        Whether a part of the time goes into validation.
    seconds
        What an interrupted run has used before.
    """

    def __init__(
        self,
        minutes: float | None,
        planned: int | None,
        *,
        validates: bool = False,
        seconds: float = 0.0,
    ) -> None:
        self.planned = planned
        self.seconds = seconds
        self._limit_s = None if minutes is None else minutes * 60
        self._reserve = VALIDATION_RESERVE if validates else 0.0
        self._seen = 0
        self._timed: list[float] = []

    @property
    def total(self) -> int:
        """The number of steps; a large one until it is known."""
        return self.planned if self.planned is not None else UNKNOWN_TOTAL

    @property
    def is_over(self) -> bool:
        """Whether the clock has passed 110 % of the minutes."""
        return self._limit_s is not None and self.seconds > GUARD * self._limit_s

    def plan(self, step_s: float, done: int = 0) -> None:
        """Fix the number of steps from the mean time of one, when `done` are done."""
        if self._limit_s is None or step_s <= 0:
            return
        left = max(0.0, self._limit_s - self.seconds) * (1 - self._reserve)
        self.planned = done + max(1, int(left / step_s))

    def spend(self, seconds: float) -> None:
        """Count time that was not a step, such as validation."""
        self.seconds += seconds

    def count_step(self, seconds: float, done: int) -> bool:
        """Count a step of which `done` are done now; tell whether it fixed the number of steps."""
        self.seconds += seconds
        self._seen += 1
        if self.planned is not None or self._limit_s is None:
            return False
        if self._seen > SKIPPED_STEPS or seconds > TIMED_SHARE * self._limit_s:
            self._timed.append(seconds)
        if not self._knows_enough(self._limit_s):
            return False
        self.plan(self.step_s, done)
        return True

    @property
    def step_s(self) -> float:
        """Median time of the timed steps, or 0: a moment's load must not decide a whole run."""
        return statistics.median(self._timed) if self._timed else 0.0

    def _knows_enough(self, limit_s: float) -> bool:
        enough_s = min(TIMED_SHARE * limit_s, TIMED_AT_MOST_S)
        timed = sum(self._timed) >= enough_s and len(self._timed) >= LEAST_TIMED
        return timed or self.seconds >= limit_s
