"""`longtail bench`: measure against a named peer or limit in the same run."""

import runpy
from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.errors import LongtailError
from .options import AsJson
from .output import Output

BENCHMARKS = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"


def bench(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which benchmark to run.")],
    as_json: AsJson = False,
) -> None:
    """Run one of the developers' benchmarks on data that it generates."""
    output = Output(as_json)
    script = _script(name)
    output.say(f"Measuring {name}; this may take some minutes.")
    results: list[dict[str, Any]] = runpy.run_path(str(script))["measure"]()
    output.result({"name": name, "results": results})
    output.table(
        ("measure", "value", "unit", "reference", "ratio", "target", ""),
        [_row(result) for result in results],
    )


def _script(name: str) -> Path:
    if not BENCHMARKS.is_dir():
        raise LongtailError(
            "The benchmarks are part of the source code, not of an installed package.",
            "Run this from a source checkout.",
        )
    known = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py"))
    if name not in known:
        raise LongtailError(f"There is no benchmark {name}.", f"There are: {', '.join(known)}.")
    return BENCHMARKS / f"{name}.py"


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    verdict = {True: "ok", False: "MISSED", None: result.get("note", "")}[result["ok"]]
    figures = [result["value"], result["unit"], result["reference"], result["ratio"]]
    cells = [_cell(figure) for figure in (*figures, result["target"])]
    return (str(result["measure"]), *cells, str(verdict))


def _cell(figure: Any) -> str:
    if figure is None:
        return "-"
    return f"{figure:.3g}" if isinstance(figure, float) else str(figure)
