"""Published figures and ours in one table."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..evaluate.report import NOTICE
from ..evaluate.wording import NO_VALUE
from ..files import write_text
from ..project.records import Task
from ..project.store import Project
from .protocols import Protocol
from .results import Comparison, Row
from .voxel_distance import mean_asd_voxels

FILE = "published.md"
ALL_LABELS = "all"
PER_CENT = 100
OURS = {
    Task.SEGMENTATION: "Dice in % / ASD in voxels",
    Task.CLASSIFICATION: "accuracy / macro F1, in %",
}
IN_PER_CENT = {Task.SEGMENTATION: ("dice",), Task.CLASSIFICATION: ("accuracy", "macro_f1")}


class Line(NamedTuple):
    """A published figure, and ours where we ran that method."""

    method: str
    labelled: str
    published: str
    ours: str


def published_beside_ours(
    protocol: Protocol, found: Comparison, project: Project
) -> tuple[Line, ...]:
    """Put every published figure beside ours.

    For label maps the surface distance is measured anew, in voxels and directed, as the published
    tables have it; this takes a while with many runs.
    """
    voxels: Mapping[tuple[str, str | None], float] = {}
    if protocol.task is Task.SEGMENTATION:
        voxels = mean_asd_voxels(project, found.records)
    ours = {
        (row.name, row.labelled or ALL_LABELS): _figures(row, protocol.task, voxels)
        for row in found.rows
    }
    return tuple(
        Line(row.method, labels, figure, ours.get((row.ours or "", labels), ""))
        for row in protocol.reported.rows
        for labels, figure in row.values.items()
    )


def write_published(folder: Path, protocol: Protocol, lines: tuple[Line, ...]) -> Path:
    """Write the table as a page into a comparison's folder, and give its path."""
    heads = ("published method", "labelled", "published", f"ours ({OURS[protocol.task]})")
    rows = [heads, ("---",) * len(heads), *lines]
    grid = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    source = f"Published: {protocol.reported.measure}. Source: {protocol.reported.source}."
    ours = "Ours are means over the runs on the test part."
    path = folder / FILE
    write_text(path, "\n\n".join((f"# {protocol.title}", NOTICE, source, ours, grid)) + "\n")
    return path


def _figures(row: Row, task: Task, voxels: Mapping[tuple[str, str | None], float]) -> str:
    means = [row.overall[name].mean if name in row.overall else None for name in IN_PER_CENT[task]]
    told = [NO_VALUE if mean is None else f"{PER_CENT * mean:.1f}" for mean in means]
    if task is Task.SEGMENTATION:
        distance = voxels.get((row.name, row.labelled))
        told.append(NO_VALUE if distance is None else f"{distance:.2f}")
    return " / ".join(told)
