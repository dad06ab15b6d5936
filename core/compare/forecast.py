"""What a comparison will run and how long it will take, in sentences before it begins."""

from collections.abc import Iterable
from pathlib import Path
from statistics import mean

from .cells import CellRecord, read_cells
from .plan import Cell, Plan

OVERHEAD_S = 20.0
"""Setting up and measuring one run, where no finished run tells better."""


def forecast(plan: Plan, folder: Path) -> list[str]:
    """Say what will be run, what is finished already, and how long the rest will take."""
    cells, known = list(plan.cells()), read_cells(folder)
    measured = [known[cell] for cell in cells if cell in known and known[cell].state == "done"]
    left = [cell for cell in cells if cell not in known or known[cell].state != "done"]
    sentences = [_shape(plan, len(cells)), *_settings(plan)]
    if measured:
        sentences.append(f"{len(measured)} of them are finished and are not run again.")
    sentences.append(f"Kept in {folder}.")
    if left:
        sentences.append(_duration(plan, left, measured))
    return sentences


def words_of(seconds: float) -> str:
    """Write a time for a person: seconds, minutes, or hours and minutes."""
    whole = round(seconds / 60)
    if whole < 2:
        return f"{seconds:.0f} seconds"
    return f"{whole} minutes" if whole < 90 else f"{whole // 60} h {whole % 60:02d} min"


def _shape(plan: Plan, count: int) -> str:
    parts = [_counted(len(plan.contenders), "method")]
    if len(plan.labelled) > 1:
        parts.append(_counted(len(plan.labelled), "number of labelled cases"))
    parts.append(_counted(len(plan.seeds), "seed"))
    if plan.folds:
        parts.append(_counted(plan.folds, "fold"))
    if plan.draws:
        parts.append(_counted(len(plan.draws), "draw"))
    own = plan.minutes is None and plan.iterations is None
    budget = f"with {plan.budget}" if own else f"of {plan.budget} each"
    return f"{_counted(count, 'run')} {budget}: {', '.join(parts)}."


def _settings(plan: Plan) -> list[str]:
    lines = []
    for one in plan.contenders:
        chosen = ", ".join(f"{key} {value}" for key, value in one.settings.items())
        what = f"{one.method}, preset {one.preset}" + (f", {chosen}" if chosen else "")
        lines.append(f"{one.name}: {what}.")
    return lines


def _duration(plan: Plan, left: list[Cell], measured: list[CellRecord]) -> str:
    if measured:
        told = [_expected(cell, measured) for cell in left]
        return f"About {words_of(sum(told))}, judged by the runs that are finished."
    if plan.minutes is not None:
        seconds = len(left) * (plan.minutes * 60 + OVERHEAD_S)
        return f"About {words_of(seconds)} in all, with setting up and measuring."
    return "How long the iterations take shows when the first run has ended."


def _expected(cell: Cell, measured: Iterable[CellRecord]) -> float:
    """Take the mean of the same method where it has run, else of all."""
    known = [(one.contender, one.total_s or one.seconds or 0.0) for one in measured]
    same = [seconds for name, seconds in known if name == cell.contender]
    return mean(same or [seconds for _, seconds in known])


def _counted(number: int, noun: str) -> str:
    if noun.startswith("number "):
        return f"{number} numbers{noun.removeprefix('number')}"
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
