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


def result(
    measure: str,
    value: float | None,
    unit: str,
    *,
    reference: str = "",
    ratio: float | None = None,
    at_most: float | None = None,
    judged: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Give one line of a benchmark in the contract's form.

    `at_most` is the target of `judged`: the ratio where there is one, else the value. `reference`
    says in words what the ratio is to; `note` says why a measure could not be taken.
    """
    weighed = judged if judged is not None else (value if ratio is None else ratio)
    known = at_most is not None and weighed is not None
    document = {
        "measure": measure,
        "value": value,
        "unit": unit,
        "reference": reference or None,
        "ratio": ratio,
        "target": at_most,
        "ok": bool(weighed <= at_most) if known else None,  # type: ignore[operator]
    }
    return {**document, "note": note} if note else document


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
