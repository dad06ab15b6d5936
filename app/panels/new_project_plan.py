"""What a new project will be, before it is made. Free of Qt."""

import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import LongtailError
from ...core.project.records import Split, Status, Task
from ..loading import Loaded

if TYPE_CHECKING:
    from ...core.io.importers.plan import ImportPlan
    from ...core.project.store import Project

TASK_WORDS: Mapping[Task, tuple[str, str]] = {
    Task.SEGMENTATION: ("Outlines", "Classes are drawn voxel by voxel in scans."),
    Task.CLASSIFICATION: ("One class", "Each image has exactly one class."),
    Task.MULTILABEL: ("Several classes", "An image may have several findings, or none."),
}
DEFAULT_SHARES = "70/10/20"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user has chosen. `split` is None for what is written, or shares such as 70/10/20.

    `boxes_of` is the part whose boxes are brought, None for all. `patient` is the column that
    tells which images belong together, None for what the source says.
    """

    source: Path
    task: Task
    classes: tuple[str, ...]
    place: Path
    split: str | None
    seed: int = 0
    status: Status = Status.REVIEWED
    boxes_of: Split | None = None
    patient: str | None = None


def class_names(text: str) -> tuple[str, ...]:
    """Read names that are separated by commas or lines; each once, in order."""
    names = (name.strip() for name in re.split(r"[,;\n]", text))
    return tuple(dict.fromkeys(name for name in names if name))


def suggested_place(source: Path, home: Path | None = None) -> Path:
    """Give a free folder beside the images, named after them; in the home folder if need be."""
    folder = source.parent if source.is_file() else source
    beside = folder.parent if os.access(folder.parent, os.W_OK) else home or Path.home()
    stem = folder.name or "project"
    wanted = beside / f"{stem}.longtail"
    number = 2
    while wanted.exists():
        wanted = beside / f"{stem}-{number}.longtail"
        number += 1
    return wanted


def columns_of_patients(plan: "ImportPlan") -> tuple[str, ...]:
    """Give the columns that could tell the patients; none where the source has told them.

    Nor where it brings boxes alone: known cases keep their patients then.
    """
    from ...core.io.importers.patients import patient_columns

    told = plan.boxes_only or any(case.patient for case in plan.cases)
    return () if told else patient_columns(plan)


def has_split(plan: "ImportPlan") -> bool:
    """Whether the source says which case is for testing."""
    return any(case.split for case in plan.cases)


def problem(wish: Wish, plan: "ImportPlan") -> str:
    """Say what is still missing, or nothing."""
    if not plan.cases:
        return "Nothing was found that can be imported. Choose another folder or table."
    if not wish.classes:
        return "Name at least one class, separated by commas."
    if wish.place.exists():
        return f"{wish.place.name} is there already. Choose another name."
    if wish.split is not None and not re.fullmatch(r"\s*\d+\s*/\s*\d+\s*/\s*\d+\s*", wish.split):
        return "Write the split as train/val/test, such as 70/10/20."
    return ""


def renamed(wish: Wish, plan: "ImportPlan") -> dict[str, str]:
    """Give the found classes that the user calls otherwise, by their place in the line."""
    pairs = zip(plan.class_names, wish.classes, strict=False)
    return {
        found: wished
        for found, wished in pairs
        if found not in wish.classes and wished not in plan.class_names
    }


def left_out(wish: Wish, plan: "ImportPlan") -> tuple[str, ...]:
    """Give the classes that were found but are neither wished for nor called otherwise."""
    known = {*wish.classes, *renamed(wish, plan)}
    return tuple(name for name in plan.class_names if name not in known)


def look_through(
    source: Path,
    labels: Path | None,
    task: Task | None,
    classes: Sequence[str] = (),
    uncertain: str = "unknown",
) -> "ImportPlan":
    """Do the dry run; takes long for large folders, so ask in a thread.

    Parameters
    ----------
    uncertain
        What findings are taken for that a reader was not sure of: unknown, positive or negative.

    Raises
    ------
    LongtailError
        There is nothing to import, or it is not understood.
    """
    from ...core.io.importers import plan_import

    wanted = task.value if task else None
    return plan_import(source, labels=labels, task=wanted, classes=classes, uncertain=uncertain)


def create(wish: Wish, plan: "ImportPlan", tell: Callable[[int, int], None]) -> Loaded:
    """Make the project and bring the cases in; takes long, so ask in a thread.

    Raises
    ------
    LongtailError
        It could not be made; nothing is left behind.
    """
    from ...core.project.store import Project

    names = renamed(wish, plan)
    found = {wished: name for name, wished in names.items()}
    first = [found.get(name, name) for name in wish.classes]
    project = Project.create(wish.place, task=wish.task, classes=first)
    try:
        bring_in(project, wish, plan, tell)
        for name, wished in names.items():
            project.rename_class(project.class_named(name).id, wished)
        return Loaded(project, project.catalogue())
    except BaseException:
        project.close()
        shutil.rmtree(project.path, ignore_errors=True)
        raise


def bring_in(
    project: "Project", wish: Wish, plan: "ImportPlan", tell: Callable[[int, int], None]
) -> None:
    """Import what was found into a project.

    Raises
    ------
    LongtailError
        Nothing could be imported.
    """
    from ...core.io.importers.patients import with_patients
    from ...core.project.importing import apply_plan, brings_boxes

    if wish.patient is not None:
        plan = with_patients(plan, wish.patient)
    result = apply_plan(
        project,
        plan,
        split=wish.split,
        seed=wish.seed,
        status=wish.status,
        boxes_of=wish.boxes_of,
        author="import",
        tell=tell,
    )
    if not result.added and not result.updated and not brings_boxes(project, plan):
        reason = result.skipped[0][1] if result.skipped else "No case was found."
        raise LongtailError(f"Nothing could be imported. {reason}", "Choose another source.")
