"""What came of a run and what to do next; knows neither Qt nor torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.backend.events import Finished, Outcome
from ...core.project.records import RunRecord
from .train_live import Headline
from .train_words import clock, difference, plural, run_number

KEPT = ("completed", "stopped")


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run in words, with what can be done now."""

    title: str
    text: str
    tone: str = ""
    headline: Headline | None = None
    change: float | None = None
    versus: str = ""
    has_results: bool = False
    can_resume: bool = False

    @property
    def change_text(self) -> str:
        """The change against the run before, with its sign."""
        return difference(self.change)

    @property
    def better(self) -> bool | None:
        """Whether the change is for the better; None when it does not show."""
        if self.change is None or self.change_text in ("", "0.00"):
            return None
        return (self.change > 0) == (self.headline is None or self.headline.name != "loss")


def ending(
    finished: Finished,
    headline: Headline | None,
    run: RunRecord | None,
    runs: Sequence[RunRecord],
    *,
    has_checkpoint: bool,
) -> Ending:
    """Tell how a run ended.

    Parameters
    ----------
    headline
        The one number as last told by the run.
    run
        The run itself, None if it is gone from the project.
    runs
        All runs of the project, oldest first; the last kept one before `run` is compared with.
    has_checkpoint
        Whether the run has saved where it was.
    """
    title, text, tone = _words(finished, has_checkpoint)
    kept = finished.outcome in (Outcome.COMPLETED, Outcome.STOPPED)
    before, change = _change(headline, run, runs) if kept else ("", None)
    return Ending(
        title,
        text,
        tone,
        headline if kept else None,
        change,
        before,
        has_results=kept,
        can_resume=has_checkpoint and finished.outcome in (Outcome.STOPPED, Outcome.FAILED),
    )


def value_in(result: Mapping[str, Any], name: str) -> float | None:
    """Find the number called `name` that a finished run has left in its result.

    Validation leaves a mean a measure; without one there are the classes' training figures.
    """
    if name.startswith("train_"):
        by_class = result.get("train")
        values = [_number(value) for value in by_class.values()] if by_class else []
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None
    measured = (result.get("validation") or {}).get(name) or {}
    return _number(measured.get("mean"))


def _words(finished: Finished, has_checkpoint: bool) -> tuple[str, str, str]:
    result = finished.result or {}
    steps = result.get("iterations")
    took = clock(_number(result.get("seconds")))
    done = f"{plural(steps, 'step')}" if isinstance(steps, int) else "it"
    took = f" in {took}" if took else ""
    match finished.outcome:
        case Outcome.COMPLETED:
            return (
                "Trained.",
                f"It learned for {done}{took}. See how it does on the test cases.",
                "",
            )
        case Outcome.STOPPED:
            return (
                "Stopped, and kept.",
                f"It learned for {done}{took}. It can be used as it is, or go on from here.",
                "",
            )
        case Outcome.CANCELLED:
            return "Thrown away.", "Nothing of this run was kept. Labels are as they were.", ""
        case Outcome.FAILED:
            safe = "Labels are as they were."
            if has_checkpoint and "resume" not in finished.remedy.lower():
                safe += " The run can be resumed from its last checkpoint."
            reason = finished.reason or "The training ended early."
            return reason, f"{finished.remedy} {safe}".strip(), "bad"


def _change(
    headline: Headline | None, run: RunRecord | None, runs: Sequence[RunRecord]
) -> tuple[str, float | None]:
    if headline is None or run is None:
        return "", None
    ids = [each.id for each in runs]
    earlier = runs[: ids.index(run.id)] if run.id in ids else runs
    for before in reversed(earlier):
        value = value_in(before.result, headline.name)
        if before.state in KEPT and value is not None:
            return run_number(before.id), headline.value - value
    return "", None


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None
