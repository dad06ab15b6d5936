"""Put two runs of a project beside each other on the cases that both were measured on; no torch."""

from collections.abc import Sequence

from ..errors import LongtailError
from ..evaluate.report import Report
from ..evaluate.setting import read_setting
from ..evaluate.tiers import TIERS
from ..evaluate.versus import ImageAnswers, Versus, compare_images, compare_maps
from ..project.records import RunRecord, Split, Task
from ..project.store import Project
from .answers import StoredAnswers, read_answers


def versus(
    project: Project, run: RunRecord, report: Report, other: RunRecord, other_report: Report
) -> Versus:
    """Give `run` minus `other`, with 95 % intervals over patients, and the cases that changed.

    With many images this takes seconds, so ask in a thread.

    Raises
    ------
    LongtailError
        The two were measured on different parts, know no class together, or what they said
        cannot be read.
    """
    if report.split != other_report.split:
        raise LongtailError(
            f"{run.id} was measured on the part {report.split}, {other.id} on "
            f"{other_report.split}.",
            "Evaluate both on the same part.",
        )
    if project.task is Task.SEGMENTATION:
        theirs = {each.name for each in other_report.classes}
        names = [each.name for each in report.classes if each.name in theirs]
        _check_any(names, run, other)
        return compare_maps(report.cases, other_report.cases, names)
    return _of_images(project, run, report, other)


def _of_images(project: Project, run: RunRecord, report: Report, other: RunRecord) -> Versus:
    split = Split(report.split)
    mine, theirs = (_stored(project, one, split) for one in (run, other))
    shared = [i for i in mine.class_ids if i in theirs.class_ids]
    _check_any(shared, run, other)
    if set(shared) != set(mine.class_ids) or set(shared) != set(theirs.class_ids):
        raise LongtailError(
            f"{run.id} and {other.id} tell different classes apart, so their answers cannot be "
            "compared case by case.",
            "Train both with the classes of now.",
        )
    known = {record.id: record.name for record in project.all_classes}
    tier_of = {each.id: each.tier for each in report.classes}
    columns = {
        tier: [column for column, i in enumerate(shared) if tier_of.get(i) == tier]
        for tier in TIERS
    }
    return compare_images(
        _answers(mine, run, shared),
        _answers(theirs, other, shared),
        [known[i] for i in shared],
        {tier: places for tier, places in columns.items() if places},
        exclusive=mine.exclusive,
    )


def _stored(project: Project, run: RunRecord, split: Split) -> StoredAnswers:
    found = read_answers(project, run, split)
    if found is None:
        raise LongtailError(
            f"What {run.id} said of the {split.value} images is not kept any more.",
            "Evaluate it again.",
        )
    return found


def _answers(stored: StoredAnswers, run: RunRecord, order: Sequence[int]) -> ImageAnswers:
    """Bring what a run says into the order of the classes `order`."""
    learned = [int(each["id"]) for each in run.spec.get("classes", ())]
    setting = read_setting(run.settings, learned)
    prior = run.result.get("prior")
    logits = stored.joined(setting.moved(stored.logits, prior, exclusive=stored.exclusive))
    place = {class_id: column for column, class_id in enumerate(stored.class_ids)}
    columns = [place[class_id] for class_id in order]
    if stored.exclusive:
        rank = {column: new for new, column in enumerate(columns)}
        truth = stored.truth.copy()
        truth[:] = [rank[int(column)] for column in stored.truth]
    else:
        truth = stored.truth[:, columns]
    return ImageAnswers(
        [case.id for case in stored.cases],
        stored.patients,
        truth,
        logits[:, columns],
        [setting.threshold(class_id) for class_id in order],
    )


def _check_any(shared: Sequence[object], run: RunRecord, other: RunRecord) -> None:
    if not shared:
        raise LongtailError(
            f"{run.id} and {other.id} know no class together.",
            "Choose another run to compare with.",
        )
