"""Reads what the prior slider needs of a run; for a thread, since a project may be large."""

from typing import TYPE_CHECKING

from ...core.evaluate.setting import read_setting
from ...core.evaluate.tiers import BY_IMAGES
from ...core.project.records import RunRecord, Split, Task
from .results_prior_model import POSITION_SETTING, PriorClass, PriorModel

if TYPE_CHECKING:
    from ...core.jobs.answers import StoredAnswers
    from ...core.project.store import Project


def read_prior_model(project: "Project", run: RunRecord, split: Split) -> PriorModel | None:
    """Give the slider of a run on one part; None where there is nothing to move.

    Raises
    ------
    LongtailError
        The setting that is kept with the run is damaged.
    """
    from ...core.jobs.answers import read_answers

    prior = run.result.get("prior")
    learned = learned_classes(run)
    if project.task is Task.SEGMENTATION or not prior or len(prior) != len(learned):
        return None
    answers = read_answers(project, run, split)
    if answers is None or answers.logits.shape[1] != len(prior):
        return None
    return PriorModel(
        learned,
        _shown(project, learned, answers),
        [float(value) for value in prior],
        answers.operating(),
        read_setting(run.settings, [one.id for one in learned]),
        run.settings.get(POSITION_SETTING),
    )


def learned_classes(run: RunRecord) -> list[PriorClass]:
    """List the classes that a run knows, in the order of its outputs."""
    return [
        PriorClass(
            int(one["id"]),
            str(one["name"]),
            BY_IMAGES.tier(int(one.get("examples", 0))),
            int(one.get("examples", 0)),
        )
        for one in run.spec.get("classes", ())
    ]


def _shown(
    project: "Project", learned: list[PriorClass], answers: "StoredAnswers"
) -> list[PriorClass]:
    """List the classes of now; those that were merged since add up."""
    names = {record.id: record.name for record in project.classes}
    training = dict.fromkeys(answers.class_ids, 0)
    for one, now in zip(learned, answers.now, strict=True):
        if now:
            training[now] += one.training
    return [PriorClass(i, names[i], BY_IMAGES.tier(count), count) for i, count in training.items()]
