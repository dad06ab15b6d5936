"""Labelled cases sit out in turn, and are measured just before they learn again."""

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from torch import nn

from ..methods.run import MethodRun

ROTATIONS = 6
FROM_SHARE, TO_SHARE = 0.1, 0.7
"""Stretch of the run in which cases sit out; in the rest of it all of them are learned from."""

FEWEST_STEPS = 120
COST_SHARE = 0.03
FIRST_GUESS = 1.0


class Rotation:
    """Who sits out at a step: a function of the step, so that a run can be resumed.

    Parameters
    ----------
    wanted
        Whether cases may sit out at all.
    """

    def __init__(self, run: MethodRun, wanted: bool) -> None:
        self._run = run
        self._wanted = wanted
        self._groups = run.aside_groups(ROTATIONS) if wanted else ()
        self._now = -1
        self._since = 0
        self._spent_s = 0.0
        self._case_s: float | None = None

    def works(self, total: int | None) -> bool:
        """Tell whether there are cases and steps enough for it."""
        return bool(self._groups) and total is not None and total >= FEWEST_STEPS

    def is_due(self, done: int, total: int | None) -> bool:
        """Tell whether others are to sit out from here on."""
        return self._turn_at(done, total) != self._now

    def turn(
        self, done: int, total: int | None, network: nn.Module, seconds: float, step_s: float
    ) -> Generator[None, None, Sequence[float] | None]:
        """Measure who sat out, and let the next sit out; yields now and then.

        Parameters
        ----------
        seconds
            How long the run has trained; measuring takes at most 3 % of it.
        step_s
            How long a step takes: the first guess at the price of a case.

        Returns
        -------
        sequence of float, or None
            One value a class, or nothing where there was no time to measure.
        """
        values = None
        cases = self._affordable(done, total, seconds, step_s)
        if cases:
            scores = yield from self._run.measure_cases(network, cases)
            values = scores.get(self._run.decisive)
        self._now, self._since = self._turn_at(done, total), done
        self._run.sit_out(self._sitting)
        return values

    def spend(self, seconds: float) -> None:
        """Count what the last turn has cost."""
        if self._measured:
            self._spent_s += seconds
            self._case_s = seconds / self._measured

    def come_back(self) -> None:
        """Let all learn: the labels are about to change."""
        self._run.sit_out(())

    def deal_anew(self) -> None:
        """Make groups of the cases that are labelled now; the turn goes on."""
        self._groups = self._run.aside_groups(ROTATIONS) if self._wanted else ()
        self._run.sit_out(self._sitting)

    def state(self) -> dict[str, Any]:
        """Give what a resume needs."""
        return {
            "now": self._now,
            "since": self._since,
            "spent_s": self._spent_s,
            "case_s": self._case_s,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self._now, self._since = int(state["now"]), int(state["since"])
        self._spent_s, self._case_s = float(state["spent_s"]), state["case_s"]
        self._run.sit_out(self._sitting)

    @property
    def _sitting(self) -> tuple[str, ...]:
        return self._groups[self._now] if 0 <= self._now < len(self._groups) else ()

    def _turn_at(self, done: int, total: int | None) -> int:
        if total is None or not self.works(total):
            return -1
        share = (done / total - FROM_SHARE) / (TO_SHARE - FROM_SHARE)
        return int(share * len(self._groups)) if 0 <= share < 1 else -1

    def _affordable(
        self, done: int, total: int | None, seconds: float, step_s: float
    ) -> tuple[str, ...]:
        """Choose whom to measure: as many as the time allows, if they sat out long enough."""
        cases, self._measured = self._sitting, 0
        if not cases or total is None:
            return ()
        stretch = (TO_SHARE - FROM_SHARE) * total / len(self._groups)
        if done - self._since < stretch / 2:
            return ()
        price = self._case_s or FIRST_GUESS * step_s
        self._measured = min(len(cases), int((COST_SHARE * seconds - self._spent_s) / price))
        self._measured = max(self._measured, 0)
        return cases[: self._measured]
