"""Commands about methods and runs: methods, train, runs."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from ...core.backend.events import Finished
from ...core.errors import LongtailError
from ...core.jobs.training import TrainJob
from ...core.methods.catalogue import METHODS
from ...core.methods.spec import RunSpec
from ...core.project.records import RunRecord, Task
from ...core.project.store import Project
from ...core.training.plan import plan_run
from .jobs import run_job
from .options import AsJson, Device, ProjectPath, Seed
from .output import Output

DEFAULT_MINUTES = 6.0


def methods(as_json: AsJson = False) -> None:
    """List the methods, when to use each, its presets and settings."""
    output = Output(as_json)
    listed = [METHODS.get(name) for name in METHODS.names()]
    output.result(
        [
            {
                "name": method.name,
                "title": method.title,
                "sentence": method.sentence,
                "when": method.when,
                "tasks": [Task(task).value for task in method.tasks],
                "presets": sorted(method.presets),
                "settings": method.settings.model_json_schema()["properties"],
            }
            for method in listed
        ]
    )
    output.table(
        ("method", "for", "what it does"),
        [
            (method.name, ", ".join(Task(task).value for task in method.tasks), method.sentence)
            for method in listed
        ],
    )


def train(
    project: ProjectPath,
    method: Annotated[str, typer.Option("--method", help="A name that `methods` lists.")],
    labelled: Annotated[
        str | None, typer.Option("--labelled", help="Keep N or P% labelled training cases.")
    ] = None,
    validation: Annotated[
        str | None, typer.Option("--validation", help="none or split; chosen if not given.")
    ] = None,
    preset: Annotated[str | None, typer.Option("--preset", help="A preset of the method.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting as key=value; may be repeated.")
    ] = None,
    seed: Seed = 0,
    minutes: Annotated[float | None, typer.Option("--minutes", help="Budget in minutes.")] = None,
    iterations: Annotated[
        int | None, typer.Option("--iterations", help="Budget in iterations instead of minutes.")
    ] = None,
    device: Device = "auto",
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with this run from its last checkpoint.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a method on a project's labelled cases; Ctrl+C stops and keeps what was learned."""
    output = Output(as_json)
    if minutes is not None and iterations is not None:
        raise LongtailError("A budget is given in minutes or in iterations, not in both.")
    with Project.open(project) as opened:
        take_hold(opened)
        if resume is not None:
            run = find_run(opened, resume)
        else:
            spec = plan_run(
                opened,
                method=method,
                preset=preset,
                settings=parse_settings(settings or []),
                labelled=labelled,
                validation=validation,
                seed=seed,
                minutes=minutes if iterations is not None or minutes else DEFAULT_MINUTES,
                iterations=iterations,
                device=device,
            )
            _tell_spec(spec, output)
            run = opened.new_run(spec.to_mapping())
        job = TrainJob(opened.path.as_posix(), run.id, resume=resume is not None)
        finished = run_job(job, output, project=opened, device=device)
        document = {"run": run.id, "outcome": finished.outcome.value, **(finished.result or {})}
    output.result(document, _ending(run.id, finished))


def runs(project: ProjectPath, as_json: AsJson = False) -> None:
    """List the runs of a project, oldest first."""
    output = Output(as_json)
    with Project.open(project, write=False) as opened:
        records = opened.runs()
    output.result(
        [
            {
                "run": run.id,
                "method": run.method,
                "state": run.state,
                "created": run.created.isoformat(),
                "result": dict(run.result),
            }
            for run in records
        ]
    )
    output.table(
        ("run", "method", "state", "made"),
        [(run.id, run.method, run.state, f"{run.created:%Y-%m-%d %H:%M}") for run in records],
    )


def parse_settings(pairs: list[str]) -> dict[str, Any]:
    """Read `key=value` pairs; values are YAML scalars, so that `true` and `0.5` are what they say.

    Raises
    ------
    LongtailError
        A pair has no equals sign, or its value is no scalar.
    """
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise LongtailError(f"--set {pair} is not of the form key=value.")
        value = yaml.safe_load(text) if text else ""
        if isinstance(value, dict | list):
            raise LongtailError(f"--set {key} takes one value, not {text}.")
        settings[key.strip()] = value
    return settings


def find_run(project: Project, wish: str) -> RunRecord:
    """Find a run by id, by its number, or as `last`.

    Raises
    ------
    LongtailError
        There is none of that name; the sentence lists those there are.
    """
    records = project.runs()
    if wish == "last" and records:
        return records[-1]
    for run in records:
        if run.id == wish or run.id.startswith(f"run-{wish.zfill(3)}-"):
            return run
    known = ", ".join(run.id for run in records) or "none yet"
    raise LongtailError(f"{project.name} has no run {wish}.", f"Its runs: {known}.")


def take_hold(project: Project) -> None:
    """Make sure that this command may write, and record runs that ended without a witness.

    Raises
    ------
    LongtailError
        The project is open elsewhere, or its folder cannot be written.
    """
    if project.writable:
        project.recover_runs()
        return
    if project.lock_holder:
        raise LongtailError(
            f"{project.name} is open in {project.lock_holder}.", "Close it there and try again."
        )
    raise LongtailError(
        f"The folder of {project.name} cannot be written.", "Copy it to a folder of your own."
    )


def _tell_spec(spec: RunSpec, output: Output) -> None:
    output.say(
        f"{spec.method}: {len(spec.train_labelled)} labelled and {len(spec.train_unlabelled)} "
        f"unlabelled cases, validation {spec.validation} ({len(spec.val)} cases), seed {spec.seed}."
    )
    for warning in spec.warnings:
        output.warn(warning)


def _ending(run: str, finished: Finished) -> str:
    result = finished.result or {}
    seconds, iterations = result.get("seconds"), result.get("iterations")
    return f"{run} {finished.outcome.value}: {iterations} iterations in {seconds} s."


def default_out(out: Path | None, name: str) -> Path:
    """Give the folder to write to: the one asked for, else `name` in the current folder."""
    return (out or Path.cwd() / name).resolve()
