"""Commands that look a run over: which cases deserve eyes, and where it looks."""

from typing import Annotated, Any

import typer

from ...core.errors import LongtailError
from ...core.jobs.auditing import AuditJob
from ...core.jobs.reviewing import ReviewJob
from ...core.project.records import Split
from ...core.project.store import Project
from ...core.review.audit_file import Audit, read_audit
from ...core.review.audit_words import sentence
from ...core.review.queue_file import Queue, read_queue
from .jobs import run_job
from .options import AsJson, Device, ProjectPath, Seed, Weights
from .output import Output
from .training import find_run, take_hold

SHOWN = 20
KIND_WORDS = {
    "label": "label in doubt",
    "tail": "rare class missed",
    "rare": "perhaps a rare class",
    "unsure": "undecided",
}


def review(
    project: ProjectPath,
    run: Annotated[
        str, typer.Option("--run", help="A run's id, `last`, or `none`: the pretrained encoder.")
    ] = "last",
    weights: Weights = "best",
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """List the cases that deserve eyes first: labels in doubt, rare classes, the undecided."""
    output = Output(as_json)
    with Project.open(project) as opened:
        take_hold(opened)
        chosen = "" if run == "none" else find_run(opened, run).id
        job = ReviewJob(opened.path.as_posix(), chosen, weights, seed=seed)
        finished = run_job(job, output, project=opened, device=device)
        queue = _queue(opened, finished.result or {})
        names = {one.id: one.name for one in opened.all_classes}
    told = queue.to_json()
    for entry in told["entries"]:
        entry["given"] = [names.get(i, str(i)) for i in entry["given"]]
        entry["suggested"] = names.get(entry["suggested"])
    first = [f"{each.score:.2f}  {each.case}: {each.why}" for each in queue.entries[:SHOWN]]
    output.result(told, _headline(queue), *queue.notes, *first)


def audit(
    project: ProjectPath,
    run: Annotated[str, typer.Option("--run", help="A run's id, or `last`.")] = "last",
    split: Annotated[Split, typer.Option("--split", help="train, val or test.")] = Split.TEST,
    variant: Annotated[
        str, typer.Option("--map", help="Kind of heat map, such as grad-cam or layercam.")
    ] = "grad-cam",
    most: Annotated[int, typer.Option("--most", help="Cases of each class at most.")] = 200,
    weights: Weights = "best",
    seed: Seed = 0,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Tell how much of each heat map lies inside the box, the label or the body."""
    output = Output(as_json)
    with Project.open(project, write=False) as opened:
        chosen = find_run(opened, run).id
        where = opened.path.as_posix()
        job = AuditJob(where, chosen, split.value, weights, variant, most=most, seed=seed)
        run_job(job, output, project=None, device=device)
        found = read_audit(opened.run_folder(chosen))
        names = {one.id: one.name for one in opened.all_classes}
    if found is None:
        raise LongtailError("The audit left nothing behind.", "Run it again.")
    output.result(_named(found, names), *_told(found, names))


def _queue(opened: Project, result: dict[str, Any]) -> Queue:
    queue = read_queue(opened.path / str(result.get("file", "")))
    if queue is None:
        raise LongtailError("The review was stopped before it came to a list.", "Run it again.")
    return queue


def _headline(queue: Queue) -> str:
    counts = queue.to_json()["counts"]
    parts = [f"{count} {KIND_WORDS[kind]}" for kind, count in counts.items() if count]
    looked = queue.looked_at.get("cases", 0)
    return f"{len(queue.entries)} of {looked} cases deserve a look: {', '.join(parts) or 'none'}."


def _named(found: Audit, names: dict[int, str]) -> dict[str, Any]:
    document = found.to_json()
    for each in (*document["classes"], *document["maps"]):
        each["class"] = names.get(each.pop("class_id"), "")
    return document


def _told(found: Audit, names: dict[int, str]) -> list[str]:
    lines = [sentence(one, names.get(one.class_id, "")) for one in found.classes]
    return [*lines, *found.notes]
