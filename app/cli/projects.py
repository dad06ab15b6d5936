"""Commands that make, fill and describe a project."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ...core.errors import LongtailError
from ...core.io.importers import ImportPlan, plan_import
from ...core.io.importers.patients import with_patients
from ...core.project.importing import apply_plan, brings_boxes, limit_boxes
from ...core.project.records import ImportResult, Split, Status, Task
from ...core.project.store import Project
from .options import AsJson, ProjectPath, Seed
from .output import Output

SENTENCES_SHOWN = 40


def init(
    project: ProjectPath,
    classes: Annotated[
        str, typer.Option("--classes", help="Class names joined by commas; background is implied.")
    ],
    task: Annotated[Task, typer.Option("--task", help="What the classes are given to.")] = (
        Task.SEGMENTATION
    ),
    as_json: AsJson = False,
) -> None:
    """Make an empty project."""
    names = [name.strip() for name in classes.split(",") if name.strip()]
    with Project.create(project, task=task, classes=names) as made:
        document = {"project": made.path.as_posix(), "task": task.value, "classes": names}
    Output(as_json).result(document, f"Made {made.path} with {len(names)} classes.")


def import_(
    project: ProjectPath,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="A folder, table or .npz file.")],
    labels: Annotated[
        Path | None, typer.Option("--labels", help="A folder of masks or a table of labels.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", help="auto, msd, nnunet, folders, ...")] = (
        "auto"
    ),
    as_: Annotated[
        Status, typer.Option("--as", help="draft for labels that a model made, else reviewed.")
    ] = Status.REVIEWED,
    split: Annotated[
        str | None,
        typer.Option("--split", help="150/10/40, or shares, a table's column, or a file."),
    ] = None,
    patient: Annotated[
        str | None,
        typer.Option(
            "--patient",
            help="A table's column that tells which images belong together, such as slide; else "
            "one called patient or subject.",
        ),
    ] = None,
    seed: Seed = 0,
    boxes_of: Annotated[
        Split | None,
        typer.Option("--boxes-of", help="Only the boxes of this part: train, val or test."),
    ] = None,
    uncertain: Annotated[
        str,
        typer.Option(
            "--uncertain", help="A finding a reader was unsure of: unknown, positive or negative."
        ),
    ] = "unknown",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring images, and labels where there are any, into a project; no file is moved."""
    output = Output(as_json)
    if as_ is Status.UNLABELLED:
        raise LongtailError("Labels are imported as reviewed or as draft.", "Use --as draft.")
    with Project.open(project, write=not dry_run) as opened:
        plan = plan_import(
            source,
            format=format_,
            labels=labels,
            task=opened.task.value,
            classes=[one.name for one in opened.classes],
            uncertain=uncertain,
        )
        if patient is not None:
            plan = with_patients(plan, patient)
        plan = limit_boxes(opened, plan, boxes_of)
        _tell_plan(plan, output)
        if dry_run:
            output.result(_plan_document(plan) | {"dry_run": True})
            return
        result = apply_plan(
            opened, plan, split=split, seed=seed, status=as_, boxes_of=boxes_of, author="import"
        )
        skipped = [{"file": item.path, "reason": item.reason} for item in plan.skipped]
        skipped += [{"file": case, "reason": reason} for case, reason in result.skipped]
        for case, reason in result.skipped[:SENTENCES_SHOWN]:
            output.warn(f"{case}: {reason}")
        document = _plan_document(plan) | {
            "dry_run": False,
            "added": result.added,
            "updated": result.updated,
            "boxed": result.boxed,
            "skipped": skipped,
        }
        if not result.added and not result.updated and not brings_boxes(opened, plan):
            raise LongtailError(f"Nothing could be imported from {source}.", "See --dry-run.")
        output.result(document, _result_words(result))


def info(project: ProjectPath, as_json: AsJson = False) -> None:
    """Describe a project: cases, classes, what is labelled, splits, runs."""
    output = Output(as_json)
    with Project.open(project, write=False) as opened:
        document = _describe(opened)
    output.result(
        document,
        f"{document['name']}: {document['cases']} cases, {document['labelled']} labelled, "
        f"{_box_words(document)}{document['runs']} runs; {document['task']}.",
        "Splits: " + ", ".join(f"{name} {n}" for name, n in document["splits"].items()),
        f"Tiers: {document['tiers']}.",
    )
    output.table(
        ("class", "id", "labelled cases", "tier", *(["boxes"] if document["boxed"] else [])),
        [_class_line(one, boxed=bool(document["boxed"])) for one in document["classes"]],
    )


def _class_line(one: dict[str, Any], *, boxed: bool) -> tuple[str, ...]:
    boxes = (str(one["boxes"]),) if boxed else ()
    return (one["name"], str(one["id"]), str(one["labelled"]), one["tier"], *boxes)


def _describe(project: Project) -> dict[str, Any]:
    catalogue = project.catalogue()
    tiers, counts, boxes = catalogue.tiers(), catalogue.class_counts(), catalogue.class_boxes()
    segmentation = project.task is Task.SEGMENTATION
    return {
        "project": project.path.as_posix(),
        "name": project.name,
        "task": project.task.value,
        "cases": len(catalogue.ids),
        "labelled": int(catalogue.labelled.sum()),
        "splits": {
            split.value: int((catalogue.split == number).sum())
            for number, split in enumerate(Split)
        },
        "classes": [
            {
                "id": one.id,
                "name": one.name,
                "colour": one.colour,
                "labelled": int(counts.get(one.id, 0)),
                "boxes": int(boxes.get(one.id, 0)),
                "tier": tiers.get(one.id, "tail"),
            }
            for one in project.classes
        ],
        "tiers": "head at least 20 %, tail below 5 % of the labelled foreground volume"
        if segmentation
        else "head above 100, tail below 20 labelled training images",
        "boxes": int(catalogue.box_counts[catalogue.boxed].sum()),
        "boxed": int(catalogue.boxed.sum()),
        "runs": len(project.runs()),
        "lock_holder": project.lock_holder,
    }


def _result_words(result: ImportResult) -> str:
    cases = f"Imported {result.added} new and {result.updated} known cases"
    return f"{cases}, and new boxes for {result.boxed}." if result.boxed else f"{cases}."


def _box_words(document: dict[str, Any]) -> str:
    return f"{document['boxed']} with boxes, " if document["boxed"] else ""


def _plan_document(plan: ImportPlan) -> dict[str, Any]:
    return {
        "format": plan.format,
        "found": len(plan.cases),
        "boxes": sum(len(case.boxes or ()) for case in plan.cases),
        "skipped": [{"file": item.path, "reason": item.reason} for item in plan.skipped],
        "notes": list(plan.notes),
    }


def _tell_plan(plan: ImportPlan, output: Output) -> None:
    sentences = plan.sentences()
    for sentence in sentences[:SENTENCES_SHOWN]:
        output.say(sentence)
    if len(sentences) > SENTENCES_SHOWN:
        output.say(f"... and {len(sentences) - SENTENCES_SHOWN} more; --json lists all of them.")
