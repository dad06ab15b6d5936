"""Carry a planned comparison out from the terminal: progress, then the table."""

import shutil
from pathlib import Path

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ...core.backend.client import ProcessBackend
from ...core.backend.events import Event, Log, Warned
from ...core.backend.events import Progress as Done
from ...core.compare.forecast import forecast, words_of
from ...core.compare.plan import Plan
from ...core.compare.planning import default_folder
from ...core.compare.results import SHOWN, Comparison, Row
from ...core.compare.running import CellBegan, CellEnded
from ...core.compare.tables import PLOT, TABLE, difference_text, introduction, spread_text
from ...core.errors import LongtailError
from ...core.evaluate.wording import MEASURES
from ...core.jobs.comparing import compare
from .output import Output

TELLING = ("dice", "hd95_mm", "balanced_accuracy", "recall_tail", "recall_head")
COLUMN, COLUMN_WITH_INTERVAL = 16, 24
NAMES_BESIDE = 14


def carry_out(plan: Plan, output: Output, *, out: Path | None, dry_run: bool = False) -> None:
    """Say what a plan will do, do it, and show the table; also for published protocols.

    Raises
    ------
    LongtailError
        The folder holds another comparison, or every run failed.
    """
    folder = (out or default_folder(plan)).resolve()
    for sentence in forecast(plan, folder):
        output.say(sentence)
    if dry_run:
        document = {"dry_run": True, "folder": folder.as_posix(), "plan": plan.model_dump()}
        output.result({**document, "cells": [cell._asdict() for cell in plan.cells()]})
        return
    with ProcessBackend(device=plan.device) as backend, _Bar(output) as bar:
        found = compare(plan, backend, bar.tell, folder=folder)
    document = {"folder": folder.as_posix(), **found.to_json()}
    output.result(document, *introduction(found))
    _show(found, output)
    output.say(f"All measures, classes and differences: {folder / TABLE}, {folder / PLOT}.")
    _check_any(found)
    if found.waiting:
        output.warn("Stopped. The same command goes on from here.")


class _Bar:
    """Progress of the whole comparison and of the run under way, on standard error."""

    def __init__(self, output: Output) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=output.aside, transient=True)
        self._whole = self._bar.add_task("runs", total=None)
        self._step: TaskID = self._bar.add_task("", total=None)

    def __enter__(self) -> "_Bar":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def tell(self, event: Event | CellBegan | CellEnded) -> None:
        """Show one event."""
        if isinstance(event, CellBegan):
            left = "" if event.eta_s is None else f", about {words_of(event.eta_s)} left"
            self._say(f"{event.number} of {event.total}: {event.cell.words}{left}")
            self._bar.update(self._whole, completed=event.number - 1, total=event.total)
        elif isinstance(event, CellEnded):
            if event.record.state == "failed":
                self._say(f"{event.record.cell.words} failed: {event.record.reason}", "yellow")
        elif isinstance(event, Done):
            what = event.what.casefold() or "working"
            self._bar.update(self._step, completed=event.done, total=event.total, description=what)
        elif isinstance(event, Warned):
            self._say(event.text, "yellow")
        elif isinstance(event, Log):
            self._say(event.text, "dim")

    def _say(self, words: str, style: str | None = None) -> None:
        """Write above the bars, through their console, which moves them down."""
        self._bar.console.print(words, style=style, markup=False)


def _show(found: Comparison, output: Output) -> None:
    if not found.rows:
        return
    names = _fitting(found, shutil.get_terminal_size().columns)
    heads = ("method", "labelled", "n", *(MEASURES[name].title for name in names))
    rows = [
        (row.name, row.labels, str(len(row.replicates)), *_spreads(row, names))
        for row in found.rows
    ]
    output.table(heads, rows)
    first = SHOWN[found.plan.task][0]
    for row in found.rows:
        if row.pairs:
            told = difference_text(first, row.differences.get(first))
            output.say(
                f"{row.name}, {row.labels} labelled, minus {found.plan.reference}: "
                f"{MEASURES[first].title} {told}"
            )


def _fitting(found: Comparison, width: int) -> list[str]:
    """Choose as many measures as the terminal is wide, the telling ones before the others."""
    shown = SHOWN[found.plan.task]
    known = [
        name for name in shown if any(row.overall[name].mean is not None for row in found.rows)
    ]
    names = max(len(row.name) for row in found.rows) + NAMES_BESIDE
    single = any(len(row.replicates) == 1 for row in found.rows)
    count = max(1, (width - names) // (COLUMN_WITH_INTERVAL if single else COLUMN))
    first = [name for name in (*known[:1], *TELLING, *known) if name in known]
    chosen = set(list(dict.fromkeys(first))[:count])
    return [name for name in known if name in chosen]


def _spreads(row: Row, names: list[str]) -> list[str]:
    return [spread_text(name, row.overall.get(name)) for name in names]


def _check_any(found: Comparison) -> None:
    if found.failed and not found.rows:
        raise LongtailError(f"Every run failed; the first: {found.failed[0].reason}")
