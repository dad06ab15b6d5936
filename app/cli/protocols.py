"""`longtail bench acdc|la|isic|aptos`: published protocols on data that the user has."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson, Device
from .output import Output

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
        from .protocol_run import run_protocol  # late: other commands do not wait for it

        output = Output(as_json)
        run_protocol(name, data, out, output, short=short, dry_run=dry_run, device=device)

    run.__doc__ = SENTENCES[name]
    return run


PROTOCOL_COMMANDS = {name: _command(name) for name in SENTENCES}
"""What `bench` offers beside its comparisons."""
