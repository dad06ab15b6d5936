"""One project from one table of files, labels and split; imports no torch."""

from collections.abc import Sequence
from pathlib import Path

from ..errors import LongtailError
from ..io.importers import plan_import
from ..project.folder import SUFFIX
from ..project.importing import apply_plan
from ..project.records import ImportResult, Status, Task
from ..project.store import Project
from .aside import made_aside
from .plan import Draw
from .planning import file_digest

FOLDER = "projects"
AUTHOR = "import"


def make_draw_project(
    table: Path, target: Path, *, task: Task, classes: Sequence[str]
) -> ImportResult:
    """Make a project from a table of the contract's form, whole or not at all.

    Parameters
    ----------
    table
        Names files, their labels and their part (`split`).
    target
        The project's folder, which must not be there yet; ends in `.longtail`.
    classes
        Names in the order of their ids.

    Raises
    ------
    LongtailError
        The table cannot be read, gives no split, or nothing can be imported.
    """
    plan = plan_import(table, format="csv", task=task.value, classes=list(classes))
    if not any(case.split for case in plan.cases):
        raise LongtailError(
            f"The table {table.name} does not say which cases are for training and for test.",
            "Add a column split with train, val and test.",
        )
    with made_aside(target) as aside, Project.create(aside, task=task, classes=classes) as project:
        return apply_plan(project, plan, split="split", status=Status.REVIEWED, author=AUTHOR)


def draw_project(folder: Path, draw: Draw, *, task: Task, classes: Sequence[str]) -> Path:
    """Give the project of a draw under a comparison's folder, made on first use.

    Raises
    ------
    LongtailError
        The table has changed since the comparison was planned, or cannot be imported.
    """
    target = folder / FOLDER / f"{draw.name}{SUFFIX}"
    if target.is_dir():
        return target
    table = Path(draw.table)
    if file_digest(table) != draw.sha256:
        raise LongtailError(
            f"The table {table.name} has changed since this comparison began.",
            "Start another comparison with --out.",
        )
    make_draw_project(table, target, task=task, classes=classes)
    return target
