"""Carry a comparison out: one run after the other, resumed where it was interrupted."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Protocol

from ..backend.event_log import is_still_written
from ..backend.events import Event, Finished, Log, Outcome
from ..backend.job import Job
from ..backend.protocol import Backend
from ..errors import LongtailError
from ..project.store import Project
from .cells import (
    CellRecord,
    append_cell,
    current_run,
    forget_current,
    read_cells,
    write_current,
)
from .collect import collect
from .draws import draw_project
from .folds import fold_project
from .plan import Cell, Plan, read_plan, write_plan
from .planning import default_folder, plan_cell
from .results import Comparison
from .shared_encoder import standing_on_run
from .tables import write_results
from .tabulate import tabulate

LONGEST_WAIT_S = 60.0
RUN_SETTING = "comparison"
"""The setting of a run that says of which comparison it is, and which cell."""


@dataclass(frozen=True, slots=True)
class CellBegan:
    """The `number`th of `total` runs begins; `eta_s` is for this one and all after it."""

    cell: Cell
    number: int
    total: int
    eta_s: float | None


@dataclass(frozen=True, slots=True)
class CellEnded:
    """A run has been measured, or has failed."""

    record: CellRecord


Tell = Callable[[Event | CellBegan | CellEnded], None]


class Work(Protocol):
    """The jobs that a comparison is made of; `core.jobs` lies above and hands them in."""

    def train(self, project: str, run_id: str, *, resume: bool) -> Job:
        """Train a run, or go on with it from its last checkpoint."""

    def evaluate(self, project: str, run_id: str, which: str) -> Job:
        """Measure one checkpoint of a run on the test part."""

    def slim(self, project: str, run_id: str, which: str) -> Job:
        """Keep of a run's checkpoints the weights of one alone."""

    def record(self, project: Project, job: Job, finished: Finished) -> None:
        """Write into the project what a job has done."""


class _Stopped(Exception):
    """A person asked to stop; what was learned is kept."""


def run_comparison(
    plan: Plan,
    backend: Backend,
    work: Work,
    *,
    folder: Path | None = None,
    on_event: Tell | None = None,
) -> Comparison:
    """Train and measure what is not finished yet, and write the tables.

    Ctrl+C stops at the next step; the tables then tell of what is there, and the same call goes
    on later. A run that fails is a row with its reason, and is tried again by the next call.

    Parameters
    ----------
    work
        `core.jobs.comparing.JOBS`; `core.jobs.comparing.compare` hands it in.
    folder
        Where the comparison is kept; by default in the project, see `default_folder`.
    on_event
        Told of every run that begins and ends, and of the events of its jobs.

    Raises
    ------
    LongtailError
        The folder holds another comparison, or a project cannot be written.
    """
    place = (folder or default_folder(plan)).resolve()
    begin(plan, place)
    runner = _Runner(plan, place, backend, work, on_event or _tell_nobody)
    with suppress(_Stopped, KeyboardInterrupt):
        runner.go()
    runner.say("Working out means, differences and intervals ...")
    comparison = tabulate(place)
    write_results(place, comparison)
    return comparison


def begin(plan: Plan, folder: Path) -> None:
    """Write the plan into its folder, or make sure that it is the one that is there.

    Raises
    ------
    LongtailError
        Another comparison lives there; the sentence names what differs.
    """
    there = read_plan(folder)
    if there is not None and (changed := plan.changed_from(there)):
        raise LongtailError(
            f"The comparison in {folder} was begun otherwise: {_listed(changed)} "
            f"{'differs' if len(changed) == 1 else 'differ'}.",
            "Ask for the same again to go on with it, or choose another folder with --out.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    write_plan(folder, plan)


class _Runner:
    """One call's work on a comparison."""

    def __init__(self, plan: Plan, folder: Path, backend: Backend, work: Work, tell: Tell) -> None:
        self._plan, self._folder = plan, folder
        self._backend, self._work, self._tell = backend, work, tell
        self._records = read_cells(folder)
        self._spent: list[float] = []

    def go(self) -> None:
        """Run all cells that are not finished, in the plan's order."""
        waiting = [cell for cell in self._plan.cells() if not _is_done(self._records, cell)]
        number = 0
        for draw, cells in groupby(waiting, lambda cell: cell.draw):
            group = list(cells)
            try:
                with self._opened(draw) as project:
                    for cell in group:
                        number += 1
                        self._tell(CellBegan(cell, number, len(waiting), self._eta(waiting, cell)))
                        self._end(self._cell(project, cell))
            except _NoProject as error:
                number += len(group)
                for cell in group:
                    self._end(_failed(cell, str(error)))

    def say(self, sentence: str) -> None:
        """Tell a sentence that belongs to no run."""
        self._tell(Log(sentence))

    def _end(self, record: CellRecord) -> None:
        append_cell(self._folder, record)
        self._records[record.cell] = record
        forget_current(self._folder)
        self._tell(CellEnded(record))

    def _opened(self, draw: str | None) -> Project:
        """Open the project of a draw, or the one that is compared on."""
        source = Path(self._plan.project)
        if draw is None:
            return _writable(source)
        if draw in self._plan.fold_names:
            return self._whole(lambda: fold_project(self._folder, self._plan, draw))
        with Project.open(source, write=False) as project:
            task, classes = project.task, [record.name for record in project.classes]
        one = next(each for each in self._plan.draws if each.name == draw)
        return self._whole(lambda: draw_project(self._folder, one, task=task, classes=classes))

    def _whole(self, make: Callable[[], Path]) -> Project:
        try:
            return _writable(make())
        except LongtailError as error:
            raise _NoProject(str(error)) from error

    def _cell(self, project: Project, cell: Cell) -> CellRecord:
        began = time.monotonic()
        try:
            run_id = self._run_of(project, cell)
            self._train(project, run_id)
            evaluation = self._evaluate(project, run_id)
            spent = time.monotonic() - began
            record = collect(project, cell, run_id, evaluation, spent)
        except LongtailError as error:
            return _failed(cell, str(error), current_run(self._folder, cell))
        self._spent.append(spent)
        if self._plan.keep == "weights":
            self._follow(self._work.slim(*self._names(project, run_id), self._plan.which))
        return record

    def _run_of(self, project: Project, cell: Cell) -> str:
        """Give the run that was interrupted or has failed, or a new one."""
        earlier = self._records.get(cell)
        begun = current_run(self._folder, cell) or (earlier.run if earlier else None)
        if begun is not None and any(run.id == begun for run in project.runs()):
            return begun
        contender = standing_on_run(cell, self._plan, self._records)
        spec = plan_cell(project, self._plan, contender, cell.labelled, cell.seed)
        run_id = project.new_run(spec.to_mapping()).id
        write_current(self._folder, cell, run_id)
        project.set_run_setting(run_id, RUN_SETTING, [self._folder.name, *cell])
        return run_id

    def _train(self, project: Project, run_id: str) -> None:
        if project.run(run_id).state == Outcome.COMPLETED:
            return
        folder = project.run_folder(run_id)
        self._wait_for_others(folder / "events.jsonl")
        resume = (folder / "checkpoints" / "last.pt").is_file()
        try:
            self._finish_training(project, run_id, resume)
        except LongtailError:
            if not resume:
                raise
            # Its checkpoint may be damaged: nothing is lost by starting anew.
            self._finish_training(project, run_id, False)

    def _wait_for_others(self, log: Path) -> None:
        """Wait for a compute process that an earlier call, killed, has left behind.

        It ends by itself, since nobody listens to it any more.
        """
        deadline = time.monotonic() + LONGEST_WAIT_S
        while is_still_written(log, elsewhere=True):
            if time.monotonic() > deadline:
                raise LongtailError(
                    f"{log.parent.name} is still being trained by another process.",
                    "Wait for its end, or end it, and ask for the comparison again.",
                )
            time.sleep(0.5)

    def _finish_training(self, project: Project, run_id: str, resume: bool) -> None:
        job = self._work.train(*self._names(project, run_id), resume=resume)
        self._finish(project, job)

    def _evaluate(self, project: Project, run_id: str) -> Mapping[str, object]:
        job = self._work.evaluate(*self._names(project, run_id), self._plan.which)
        return self._finish(project, job).result or {}

    def _finish(self, project: Project, job: Job) -> Finished:
        """Run a job to its end and record it.

        Raises
        ------
        LongtailError
            It failed.
        """
        finished, asked_to_stop = self._follow(job)
        self._work.record(project, job, finished)
        if asked_to_stop or finished.outcome in (Outcome.STOPPED, Outcome.CANCELLED):
            raise _Stopped
        if finished.outcome is Outcome.FAILED:
            raise LongtailError(finished.reason, finished.remedy)
        return finished

    def _follow(self, job: Job) -> tuple[Finished, bool]:
        """Tell a job's events; the first Ctrl+C stops it, the second leaves at once."""
        handle = self._backend.submit(job)
        shown, asked_to_stop = 0, False
        while True:
            try:
                for number, event in enumerate(handle):
                    if number >= shown:  # after Ctrl+C the events come from the first one again
                        shown = number + 1
                        self._tell(event)
                return handle.wait(), asked_to_stop
            except KeyboardInterrupt:
                if asked_to_stop:
                    raise
                asked_to_stop = True
                handle.stop()

    def _names(self, project: Project, run_id: str) -> tuple[str, str]:
        return project.path.as_posix(), run_id

    def _eta(self, waiting: list[Cell], cell: Cell) -> float | None:
        left = len(waiting) - waiting.index(cell)
        return left * sum(self._spent) / len(self._spent) if self._spent else None


class _NoProject(Exception):
    """The project of a draw cannot be made."""


def _writable(path: Path) -> Project:
    project = Project.open(path)
    try:
        project.require_writable()
        project.recover_runs()
    except BaseException:
        project.close()
        raise
    return project


def _failed(cell: Cell, reason: str, run: str | None = None) -> CellRecord:
    return CellRecord(**cell._asdict(), state="failed", reason=reason, run=run)


def _is_done(records: Mapping[Cell, CellRecord], cell: Cell) -> bool:
    return cell in records and records[cell].state == "done"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tell_nobody(event: Event | CellBegan | CellEnded) -> None:
    """Nobody listens."""
