"""`longtail bench`: comparisons of methods, and measuring beside a named peer or limit."""

import ast
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from ...core.errors import LongtailError
from . import compare, protocols
from .options import AsJson
from .output import Output

BENCHMARKS = Path(__file__).resolve().parents[2] / "tests" / "benchmarks"

COMPARISONS: dict[str, Callable[..., None]] = {
    "segmentation": compare.segmentation,
    "classification": compare.classification,
    "label-efficiency": compare.label_efficiency,
    **protocols.PROTOCOL_COMMANDS,
}
"""Shipped: comparisons on a user's data."""


class _Benches(TyperGroup):
    """Says in a sentence which names there are, also where the source code is absent."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find what a name stands for.

        Raises
        ------
        LongtailError
            There is nothing of that name here.
        """
        found = super().get_command(ctx, cmd_name)
        if found is None:
            _refuse(cmd_name)
        return found


app = typer.Typer(
    name="bench",
    help="Compare methods on your data, or run one of the developers' benchmarks, which "
    "generate theirs.",
    cls=_Benches,
    no_args_is_help=True,
    rich_markup_mode=None,
)


def bench(name: str, as_json: bool = False) -> None:
    """Run one of the developers' benchmarks on data that it generates."""
    output = Output(as_json)
    script = BENCHMARKS / f"{name}.py"
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
    at_least: float | None = None,
    judged: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """Give one line of a benchmark in the contract's form.

    `at_most` or `at_least` is the target of `judged`: the ratio where there is one, else the value.
    `reference` says in words what the ratio is to; `note` says why a measure could not be taken.
    """
    weighed = judged if judged is not None else (value if ratio is None else ratio)
    document = {
        "measure": measure,
        "value": value,
        "unit": unit,
        "reference": reference or None,
        "ratio": ratio,
        "target": at_most if at_least is None else at_least,
        "ok": _is_met(weighed, at_most, at_least),
    }
    return {**document, "note": note} if note else document


def _is_met(weighed: float | None, at_most: float | None, at_least: float | None) -> bool | None:
    if weighed is None or (at_most is None and at_least is None):
        return None
    return bool(weighed <= at_most) if at_most is not None else bool(weighed >= (at_least or 0.0))


def developer_benchmarks() -> dict[str, str]:
    """Give the benchmarks of a source checkout with their first sentence; none in a wheel."""
    scripts = sorted(BENCHMARKS.glob("[a-z]*.py")) if BENCHMARKS.is_dir() else []
    return {path.stem: _sentence(path) for path in scripts}


def _sentence(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stem
    return said.splitlines()[0]


def _refuse(name: str) -> None:
    known = developer_benchmarks()
    if known:
        there = ", ".join([*COMPARISONS, *known])
        raise LongtailError(f"There is no benchmark {name}.", f"There are: {there}.")
    raise LongtailError(
        f"There is no comparison {name}; the developers' benchmarks are part of the source code, "
        "not of an installed package.",
        f"Compare with {', '.join(COMPARISONS)}, or run this from a source checkout.",
    )


def _row(result: dict[str, Any]) -> tuple[str, ...]:
    verdict = {True: "ok", False: "MISSED", None: result.get("note", "")}[result["ok"]]
    figures = [result["value"], result["unit"], result["reference"], result["ratio"]]
    cells = [_cell(figure) for figure in (*figures, result["target"])]
    return (str(result["measure"]), *cells, str(verdict))


def _cell(figure: Any) -> str:
    if figure is None:
        return "-"
    return f"{figure:.3g}" if isinstance(figure, float) else str(figure)


def _command(name: str) -> Callable[[bool], None]:
    def run(as_json: AsJson = False) -> None:
        bench(name, as_json)

    return run


for _name, _compare in COMPARISONS.items():
    app.command(_name)(_compare)
for _name, _sentence_of in developer_benchmarks().items():
    app.command(_name, help=f"For developers: {_sentence_of}")(_command(_name))
