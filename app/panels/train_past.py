"""A run that ended before, as the Train panel shows it again; knows neither Qt nor torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...core.backend.event_log import recorded_end
from ...core.backend.events import Finished, Outcome, Progress, Warned
from ...core.methods.catalogue import METHODS
from ...core.project.records import RunRecord
from .train_record import Metrics, Record, read_record
from .train_words import plural, run_number

EVENTS = "events.jsonl"
ENDED = tuple(str(outcome) for outcome in Outcome if outcome is not Outcome.CANCELLED)


@dataclass(frozen=True)
class PastJob:
    """What is read of a job, of one that ended in an earlier session."""

    finished: Finished
    metrics: Metrics = field(default_factory=dict)
    maps: Sequence[str] = ()
    progress: Progress | None = None
    warnings: Sequence[Warned] = ()
    strips: Sequence[str] = ()

    @property
    def state(self) -> str:
        """How it ended."""
        return str(self.finished.outcome)


def read_past(run: RunRecord, folder: Path) -> PastJob:
    """Read a run that has ended from its `folder`; a long one takes a while, so ask in a thread."""
    log = folder / EVENTS
    record: Record = read_record(log)
    finished = recorded_end(log) or _end_of(run)
    steps = _steps(run, finished)
    progress = Progress(steps, steps) if steps else None
    return PastJob(finished, record.metrics, record.maps, progress, record.warnings, record.strips)


def past_runs(runs: Sequence[RunRecord]) -> tuple[tuple[str, str], ...]:
    """Give (id, words) of the runs that can be looked at again, the newest first."""
    return tuple((run.id, _title(run)) for run in reversed(runs) if run.state in ENDED)


def count_words(runs: Sequence[RunRecord]) -> str:
    """Say how many runs there are."""
    return plural(len(runs), "run") if runs else "no run yet"


def _title(run: RunRecord) -> str:
    known = run.method in METHODS.names()
    return f"{run_number(run.id)} · {METHODS.get(run.method).title if known else run.method}"


def _end_of(run: RunRecord) -> Finished:
    """Tell the end as the project knows it: a process that was killed wrote none."""
    outcome = Outcome(run.state) if run.state in ENDED else Outcome.FAILED
    result = dict(run.result)
    return Finished(outcome, result, str(result.get("reason", "")), str(result.get("remedy", "")))


def _steps(run: RunRecord, finished: Finished) -> int:
    told = (finished.result or {}).get("iterations"), run.spec.get("iterations_planned")
    return next((each for each in told if isinstance(each, int) and each > 0), 0)
