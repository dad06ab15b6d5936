"""`longtail demo`: two generated projects, trained, measured, and shown."""

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.backend.client import ProcessBackend
from ...core.jobs.evaluation import EvaluateJob
from ...core.jobs.training import TrainJob
from ...core.project.records import Split
from ...core.project.store import Project
from ...core.training.plan import plan_run
from .demo_pictures import write_pictures
from .jobs import run_job
from .options import AsJson
from .output import Output

MINUTES = 1.8
HEART_SHARE = 2 / 3
SHOWN_BY_DEFAULT = "heart"


def demo(
    out: Annotated[
        Path, typer.Option("--out", help="Folder for the sample; a new one beside it if taken.")
    ] = Path("longtail-demo"),
    window: Annotated[
        bool, typer.Option("--window/--no-window", help="Open the window on the result.")
    ] = True,
    minutes: Annotated[
        float, typer.Option("--minutes", help="Training time of both samples together.")
    ] = MINUTES,
    as_json: AsJson = False,
) -> None:
    """Build two samples without a download, train, evaluate, and open the window on the result."""
    # Late, like all that only one command needs: `longtail --help` answers without it.
    from ...core.project.sample import build_chest_sample, build_heart_sample

    output = Output(as_json)
    begun = time.monotonic()
    folder = _free_folder(out.resolve())
    output.say(f"Building two sample projects in {folder} ...")
    with ProcessBackend() as backend:
        backend.warm_up()  # while the samples are built
        heart, chest = build_heart_sample(folder), build_chest_sample(folder)
        results = {
            "heart": _work(heart, "supervised", minutes * HEART_SHARE, output, backend),
            "chest": _work(chest, "cross-entropy", minutes * (1 - HEART_SHARE), output, backend),
        }
    document: dict[str, Any] = {"folder": folder.as_posix(), "projects": results}
    document["seconds"] = round(time.monotonic() - begun, 1)
    shown = window and has_display()
    if not shown:
        document["pictures"] = _draw(heart, results["heart"]["run"], folder, output)
        reason = "as asked" if not window else "since there is no display here"
        output.say(f"The window is not opened, {reason}; reports and pictures are in {folder}.")
    output.result(document, *_lines(results), f"Done in {document['seconds']:.0f} s.")
    if shown:
        from ..launch import launch

        raise typer.Exit(launch(heart))


def has_display() -> bool:
    """Tell whether a window could be shown here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _work(
    path: Path, method: str, minutes: float, output: Output, backend: ProcessBackend
) -> dict[str, Any]:
    with Project.open(path) as project:
        output.say(f"{project.name}: training {method} for {minutes * 60:.0f} s ...")
        spec = plan_run(project, method=method, minutes=minutes)
        run = project.new_run(spec.to_mapping())
        where = project.path.as_posix()
        train = TrainJob(where, run.id)
        trained = run_job(train, output, project=project, backend=backend)
        output.say(f"{project.name}: measuring on the test cases ...")
        evaluate = EvaluateJob(where, run.id, Split.TEST.value)
        measured = run_job(evaluate, output, project=project, backend=backend)
        report = project.run_folder(run.id) / "report.html"
    return {
        "project": where,
        "run": run.id,
        "iterations": (trained.result or {}).get("iterations"),
        "report": report.as_posix(),
        "summary": (measured.result or {}).get("summary", {}),
    }


def _draw(path: Path, run: str, folder: Path, output: Output) -> list[str]:
    with Project.open(path, write=False) as project:
        return [one.as_posix() for one in write_pictures(project, run, folder / "pictures")]


def _lines(results: dict[str, dict[str, Any]]) -> list[str]:
    lines = []
    for name, result in results.items():
        for measure in ("dice", "auc", "average_precision"):
            figure = result["summary"].get(measure, {})
            if figure.get("mean") is not None:
                interval = f"{figure['low']:.2f} to {figure['high']:.2f}"
                lines.append(f"{name}: {measure} {figure['mean']:.2f} (95 % interval {interval})")
        lines.append(f"{name}: report {result['report']}")
    return lines


def _free_folder(wish: Path) -> Path:
    """Give `wish`, or a name beside it that is not taken: an earlier demo is never overwritten."""
    folder, number = wish, 2
    while folder.exists():
        folder = wish.with_name(f"{wish.name}-{number}")
        number += 1
    folder.mkdir(parents=True)
    return folder
