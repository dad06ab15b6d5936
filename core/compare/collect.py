"""From an evaluated run to the line that a comparison keeps of it; imports no torch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import LongtailError
from ..evaluate.box_scores import COMPARED
from ..evaluate.report import read_report
from ..evaluate.segmentation import MEASURES
from ..evaluate.tiers import BY_IMAGES, BY_SHARE
from ..methods.spec import RunSpec, read_spec
from ..predict.shelf import Shelved, read_shelf
from ..project.records import Case, Split, Task
from ..project.store import Project
from .cells import CaseScores, CellClass, CellRecord
from .plan import Cell

ADJUSTED_LOSS = "ce"


def collect(
    project: Project, cell: Cell, run_id: str, evaluation: Mapping[str, Any], total_s: float
) -> CellRecord:
    """Describe a run that was trained and measured on the test part.

    Parameters
    ----------
    evaluation
        What the evaluation gave: `longtail evaluate --json`.
    total_s
        How long the run took with setting up and measuring, as far as is known.

    Raises
    ------
    LongtailError
        Its predictions cannot be read.
    """
    folder = project.run_folder(run_id)
    spec, result = read_spec(folder), project.run(run_id).result
    tiering = BY_SHARE if spec.task is Task.SEGMENTATION else BY_IMAGES
    prior = result.get("prior")
    return CellRecord(
        **cell._asdict(),
        state="done",
        run=run_id,
        seconds=result.get("seconds"),
        total_s=round(total_s, 1),
        iterations=result.get("iterations"),
        device=str(result.get("device") or ""),
        labels=len(spec.train_labelled),
        unlabelled=len(spec.train_unlabelled),
        val=len(spec.val),
        classes=_classes(spec),
        tiers=tiering.sentence(),
        prior=tuple(prior) if prior else None,
        adjustable=_is_adjustable(spec),
        versions=spec.versions,
        cases=_cases(project, spec, run_id, evaluation),
        controls=_controls(folder / f"evaluation-{Split.TEST}.json"),
    )


def _classes(spec: RunSpec) -> tuple[CellClass, ...]:
    by_share = spec.task is Task.SEGMENTATION
    tiering = BY_SHARE if by_share else BY_IMAGES
    return tuple(
        CellClass(
            name=each.name,
            tier=tiering.tier(each.volume if by_share else each.examples),
            training=each.examples,
        )
        for each in spec.classes
    )


def _is_adjustable(spec: RunSpec) -> bool:
    """Post-hoc adjustment is for plain cross-entropy of classes that exclude each other."""
    return spec.task is Task.CLASSIFICATION and spec.settings.get("loss") == ADJUSTED_LOSS


def _cases(
    project: Project, spec: RunSpec, run_id: str, evaluation: Mapping[str, Any]
) -> tuple[CaseScores, ...]:
    if spec.task is Task.SEGMENTATION:
        return tuple(_scored(line) for line in evaluation.get("cases", ()))
    shelf = read_shelf(project.run_folder(run_id))
    if shelf is None:
        raise LongtailError(f"The predictions of {run_id} cannot be read.", "Compare again.")
    cases = project.cases(split=Split.TEST, labelled=True)
    known = ((case, shelf.cases.get(case.id)) for case in cases)
    lines = {str(line["case"]): line for line in evaluation.get("cases", ())}
    answered = [
        _answered(case, one, spec, lines.get(case.id, {})) for case, one in known if one is not None
    ]
    return tuple(one for one in answered if _is_usable(one, spec.task))


def _scored(line: Mapping[str, Any]) -> CaseScores:
    scores = {name: dict(line[name]) for name in MEASURES if name in line}
    return CaseScores(case=str(line["case"]), patient=line.get("patient"), scores=scores)


def _controls(path: Path) -> dict[str, dict[str, float | None]]:
    """Read what chance reaches on the boxes of the test cases; nothing where there are none."""
    if not path.is_file():
        return {}
    boxes = read_report(path).boxes
    return {
        way: {name: row[name].mean for name in COMPARED if name in row}
        for way, row in (boxes.rows.items() if boxes else ())
        if way != "map"
    }


def _answered(case: Case, shelved: Shelved, spec: RunSpec, line: Mapping[str, Any]) -> CaseScores:
    logits = [] if shelved.logits is None else shelved.logits.tolist()
    return CaseScores(
        case=case.id,
        patient=case.patient,
        truth=tuple(_truth(case, spec.class_ids, spec.task)),
        logits=tuple(round(float(value), 5) for value in logits),
        boxes=line.get("boxes"),
    )


def _truth(case: Case, class_ids: Sequence[int], task: Task) -> list[int]:
    if case.labels is None:
        return [-1] * len(class_ids)
    yes, no = case.labels.yes, case.labels.no
    if task is Task.CLASSIFICATION:
        return [int(i in yes) for i in class_ids]
    return [1 if i in yes else 0 if i in no else -1 for i in class_ids]


def _is_usable(one: CaseScores, task: Task) -> bool:
    """Leave out, as the evaluation does, an image of no class or of several that exclude."""
    truth = one.truth or ()
    return sum(truth) == 1 if task is Task.CLASSIFICATION else any(t >= 0 for t in truth)
