"""Commands that use a run: predict, evaluate, export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.backend.events import Finished
from ...core.errors import LongtailError
from ...core.evaluate.box_words import box_lines
from ...core.evaluate.report import read_report
from ...core.jobs.evaluation import EvaluateJob
from ...core.jobs.exporting import ExportModelJob, export_run_predictions
from ...core.jobs.prediction import PredictFilesJob, PredictJob
from ...core.project.exporting import export_labels
from ...core.project.records import Split
from ...core.project.store import Project
from .jobs import run_job
from .options import AsJson, Device, ProjectPath, RunId, Weights
from .output import Output
from .training import default_out, find_run, take_hold


class What(StrEnum):
    """What `export` writes."""

    LABELS = "labels"
    PREDICTIONS = "predictions"
    MODEL = "model"


def predict(
    project: Annotated[
        Path, typer.Argument(metavar="PROJECT|MODEL", help="A project, or an exported model.")
    ],
    run: RunId = "last",
    cases: Annotated[
        str | None, typer.Option("--cases", help="train, val or test, or case ids with commas.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option("--source", help="Files outside the project.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for what is written.")] = None,
    weights: Weights = "best",
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Predict cases of a project, or files outside it, also by an exported model."""
    output = Output(as_json)
    if (project / "model.json").is_file():
        if source is None:
            raise LongtailError("An exported model needs to know which files.", "Add --source.")
        job = PredictFilesJob(
            project.resolve().as_posix(), None, _sources(source), _place(out, "predictions")
        )
        _tell(output, run_job(job, output, project=None, device=device))
        return
    with Project.open(project, write=source is None) as opened:
        chosen = find_run(opened, run)
        where = opened.path.as_posix()
        if source is not None:
            files = PredictFilesJob(
                where,
                chosen.id,
                _sources(source),
                _place(out, f"{chosen.id}-predictions"),
                which=weights,
            )
            _tell(output, run_job(files, output, project=None, device=device))
            return
        take_hold(opened)
        finished = run_job(_case_job(where, chosen.id, cases, weights), output, project=opened)
        if out is not None:
            export_run_predictions(opened, chosen.id, out)
    _tell(output, finished)


def evaluate(
    project: ProjectPath,
    run: RunId = "last",
    split: Annotated[Split, typer.Option("--split", help="train, val or test.")] = Split.TEST,
    weights: Weights = "best",
    boxes: Annotated[
        int, typer.Option("--boxes", min=1, help="How many boxes a finding may have.")
    ] = 1,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure a run on a split; cases not yet predicted are predicted first."""
    output = Output(as_json)
    with Project.open(project) as opened:
        take_hold(opened)
        chosen = find_run(opened, run)
        job = EvaluateJob(opened.path.as_posix(), chosen.id, split.value, weights, boxes=boxes)
        finished = run_job(job, output, project=opened, device=device)
        folder = opened.run_folder(chosen.id)
        report = read_report(folder / f"evaluation-{split.value}.json")
    document = finished.result or {}
    told = f"{chosen.id} on {split.value}; report: {folder / 'report.html'}"
    output.result(document, f"{told}\n{report.setting}".strip())
    for line in box_lines(report):
        output.say(line)
    output.table(("measure", "mean", "95 % interval", "n"), _summary_rows(document))


def export(
    project: ProjectPath,
    what: Annotated[What, typer.Option("--what", help="labels, predictions or model.")],
    out: Annotated[Path, typer.Option("--out", help="An empty or new folder.")],
    run: RunId = "last",
    as_json: AsJson = False,
) -> None:
    """Write labels, predictions or a model that predicts without the project."""
    output = Output(as_json)
    with Project.open(project, write=False) as opened:
        if what is What.LABELS:
            count = export_labels(opened, out)
        elif what is What.PREDICTIONS:
            count = export_run_predictions(opened, find_run(opened, run).id, out)
        else:
            chosen = find_run(opened, run)
            job = ExportModelJob(opened.path.as_posix(), chosen.id, out.resolve().as_posix())
            run_job(job, output, project=None)
            count = 1
    document = {"what": what.value, "out": out.resolve().as_posix(), "count": count}
    output.result(document, f"Wrote {count} {what.value} to {out}.")


def _case_job(project: str, run: str, cases: str | None, weights: str) -> PredictJob:
    wish = cases or Split.TEST.value
    if wish in set(Split):
        return PredictJob(project, run, None, wish, which=weights)
    ids = tuple(part.strip() for part in wish.split(","))
    return PredictJob(project, run, ids, None, which=weights)


def _sources(source: Path) -> tuple[str, ...]:
    if not source.exists():
        raise LongtailError(f"There is no {source}.", "Name a file or a folder that exists.")
    return (source.resolve().as_posix(),)


def _place(out: Path | None, name: str) -> str:
    return default_out(out, name).as_posix()


def _tell(output: Output, finished: Finished) -> None:
    document = finished.result or {}
    output.result(document, f"Predicted {document.get('count', 0)} cases.")


def _summary_rows(document: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    rows = []
    for measure, value in document.get("summary", {}).items():
        rows.append((measure, *_figures(value)))
        rows += [(f"  {name}", *_figures(one)) for name, one in value.get("classes", {}).items()]
    return rows


def _figures(value: dict[str, Any]) -> tuple[str, str, str]:
    def number(key: str) -> str:
        return "-" if value.get(key) is None else f"{value[key]:.3f}"

    return number("mean"), f"{number('low')} to {number('high')}", str(value.get("n", ""))
