"""`longtail bench acdc|la|isic|aptos`: published protocols on data that the user has."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ...core.compare.protocoldata import find_cases, make_project
from ...core.compare.protocols import (
    PROTOCOLS,
    Protocol,
    beside_published,
    plan_protocol,
    read_protocol,
)
from ...core.compare.tabulate import tabulate
from ...core.project.folder import SUFFIX
from ...core.project.store import Project
from .compare_run import carry_out
from .options import AsJson, Device
from .output import Output
from .training import default_out

SENTENCES_SHOWN = 20

Data = Annotated[Path, typer.Option("--data", help="The folder of the data set.")]
Short = Annotated[
    bool, typer.Option("--short", help="Small images, 30 minutes a run, one seed; no GPU needed.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be run, and leave nothing.")
]
Out = Annotated[
    Path | None, typer.Option("--out", help="Folder of project and tables; else bench-NAME here.")
]


SENTENCES = {
    "acdc": "The published protocol of ACDC: 3 and 7 labelled patients of 70, three seeds.",
    "la": "The published protocol of the left atrium: 4 and 8 labelled scans of 80, three seeds.",
    "isic": "The methods for rare classes on ISIC's skin lesions, divided by lesion.",
    "aptos": "The methods for rare classes on APTOS's grades of retinopathy.",
}


def _command(name: str) -> Callable[..., None]:
    def run(
        data: Data,
        short: Short = False,
        dry_run: DryRun = False,
        out: Out = None,
        device: Device = "auto",
        as_json: AsJson = False,
    ) -> None:
        _run(name, data, short, dry_run, out, device, Output(as_json))

    run.__doc__ = SENTENCES[name]
    return run


PROTOCOL_COMMANDS = {name: _command(name) for name in PROTOCOLS}
"""What `bench` offers beside its comparisons."""


def _run(
    name: str, data: Path, short: bool, dry_run: bool, out: Path | None, device: str, output: Output
) -> None:
    protocol = read_protocol(name)
    folder = default_out(out, f"bench-{name}")
    with _project_folder(folder / f"{name}{SUFFIX}", dry_run=dry_run) as place:
        if not place.is_dir():
            _make(protocol, data, place, output)
        else:
            output.say(f"The project {place} is there already: its cases are taken.")
        with Project.open(place, write=False) as project:
            plan = plan_protocol(project, protocol, short=short, device=device)
        for note in plan.notes:
            output.say(note)
        results = folder / ("short" if short else "published")
        carry_out(plan, output, out=results, dry_run=dry_run)
        if not dry_run:
            _show_beside(protocol, results, output)


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


def _show_beside(protocol: Protocol, results: Path, output: Output) -> None:
    output.say(f"Published figures are {protocol.reported.measure}; ours beside them in mm.")
    output.table(
        ("published", "labelled", "figure", "ours"), beside_published(protocol, tabulate(results))
    )
