"""The weights that a run keeps since they were best for one class, and a menu to measure them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QMenu, QWidget

from ...core.project.records import RunRecord

if TYPE_CHECKING:
    from ...core.project.store import Project

OWN = "best"
"""What a run predicts with unless told otherwise."""

Kept = Sequence[tuple[str, str]]
"""Name of a checkpoint, as `checkpoint_path` knows it, and of the class that it was best for."""


def kept_for_classes(project: "Project", run: RunRecord) -> Kept:
    """List the checkpoints that a run has kept for single classes."""
    folder = project.run_folder(run.id) / "checkpoints"
    return [
        (f"class-{one.id}", one.name)
        for one in project.classes
        if (folder / f"best-class-{one.id}.pt").is_file()
    ]


def weights_menu(kept: Kept, take: Callable[[str], None], parent: QWidget) -> QMenu:
    """Offer to evaluate again with the run's own weights or with those of a class."""
    menu = QMenu(parent)
    menu.addAction("With the run's own weights", lambda: take(OWN))
    for which, name in kept:
        menu.addAction(f"With the weights that were best for {name}", lambda w=which: take(w))
    return menu
