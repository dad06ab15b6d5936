"""Arguments that several commands share, with their words."""

from pathlib import Path
from typing import Annotated

import typer

ProjectPath = Annotated[
    Path, typer.Argument(metavar="PROJECT", help="A project folder; its name ends in .longtail.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document; progress goes to standard error.")
]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything that is drawn by chance.")]
RunId = Annotated[str, typer.Option("--run", help="A run's id, or `last`.")]
Weights = Annotated[
    str,
    typer.Option(
        "--weights", help="best, last, or class-3: those that were best for the class with id 3."
    ),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or mps.")]
