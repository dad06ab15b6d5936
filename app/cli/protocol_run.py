"""Carry a published protocol out: its project, its runs, and published figures beside ours."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...core.compare.protocoldata import find_cases, make_project
from ...core.compare.protocols import Protocol, plan_protocol, read_protocol
from ...core.compare.published import OURS, published_beside_ours, write_published
from ...core.compare.tabulate import tabulate
from ...core.project.folder import SUFFIX
from ...core.project.store import Project
from .compare_run import carry_out
from .output import Output
from .training import default_out

SENTENCES_SHOWN = 20


def run_protocol(
    name: str,
    data: Path,
    out: Path | None,
    output: Output,
    *,
    short: bool = False,
    dry_run: bool = False,
    device: str = "auto",
) -> None:
    """Make the project of a protocol where it is not there yet, and carry the comparison out.

    Raises
    ------
    LongtailError
        The data are of another layout or too few, or every run failed.
    """
    protocol = read_protocol(name)
    folder = default_out(out, f"bench-{name}")
    with _project_folder(folder / f"{name}{SUFFIX}", dry_run=dry_run) as place:
        if not place.is_dir():
            _make(protocol, data, place, output)
        else:
            output.say(f"The project {place} is there already: its cases are taken.")
        with Project.open(place, write=False) as project:
            plan = plan_protocol(project, protocol, short=short, device=device)
        for note in plan.notes if dry_run else ():  # else they stand above the table
            output.say(note)
        results = folder / ("short" if short else "published")
        carry_out(plan, output, out=results, dry_run=dry_run)
        if not dry_run:
            _show_beside(protocol, place, results, output)


@contextmanager
def _project_folder(place: Path, *, dry_run: bool) -> Iterator[Path]:
    """Give the project's folder; a dry run that finds none makes one that does not stay."""
    if not dry_run or place.is_dir():
        yield place
        return
    with tempfile.TemporaryDirectory() as passing:
        yield Path(passing) / place.name


def _make(protocol: Protocol, data: Path, place: Path, output: Output) -> None:
    found = find_cases(protocol, data)
    for sentence in [*found.sentences(), *make_project(protocol, found, place)][:SENTENCES_SHOWN]:
        output.say(sentence)


def _show_beside(protocol: Protocol, place: Path, results: Path, output: Output) -> None:
    with Project.open(place, write=False) as project:
        lines = published_beside_ours(protocol, tabulate(results), project)
    output.table(("published", "labelled", "figure", f"ours: {OURS[protocol.task]}"), lines)
    output.say(f"Published figures beside ours: {write_published(results, protocol, lines)}.")
