"""How a run stands and what can be done about it; knows neither Qt nor torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from ...core.backend.events import Finished
from ...core.errors import LongtailError
from ...core.evaluate.report import Report
from ...core.evaluate.setting import read_setting, setting_sentence
from ...core.methods.catalogue import METHODS
from ...core.project.records import PredictionRecord, RunRecord, Split, Task
from .train_words import plural, run_number

if TYPE_CHECKING:
    from ...core.project.store import Project

Act = Literal["", "evaluate", "report", "cases"]
LEARNING = "running"
PARTS = (Split.TEST, Split.VAL)
PART_WORDS = {Split.TEST: "Test", Split.VAL: "Validation", Split.TRAIN: "Training"}


@dataclass(frozen=True, slots=True)
class Stand:
    """What is said of a run where there are no figures to show, and the one thing to do."""

    title: str = ""
    text: str = ""
    tone: str = ""
    primary: str = ""
    act: Act = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides how a run stands.

    `held` counts the labelled cases of the part, `noun` is a scan or an image.
    """

    run: RunRecord
    split: Split
    held: int
    noun: str
    writable: bool
    label_version: int
    report: Report | None = None
    failed: Finished | None = None
    working: bool = False
    reading: bool = False
    setting: str = ""
    """The setting that is kept with the run, in words; empty as trained."""


def stand(facts: Facts) -> Stand:
    """Decide what to say and to offer."""
    if facts.working:
        return Stand()
    if facts.run.state == LEARNING:
        return Stand(
            "Still training",
            f"It can predict this {facts.noun} with what it has learned so far. How good it is "
            "can be measured when it has ended.",
        )
    if facts.reading:
        return Stand("Reading the results", "There are many cases, so this takes a moment.")
    if facts.failed is not None:
        return _failed(facts, facts.failed)
    if facts.report is None:
        return _not_evaluated(facts)
    labels, setting = stale_sentence(facts), setting_sentence_of(facts)
    trained = facts.run.label_version < facts.label_version
    told = ["Train again to learn from them." if trained else "", setting if labels else ""]
    return Stand(
        labels or setting,
        " ".join(part for part in told if part),
        "",
        "Report",
        "report",
        again=bool(labels or setting) and facts.writable,
    )


def stale_sentence(facts: Facts) -> str:
    """Say that labels have changed since the run or its evaluation; empty if they have not."""
    now, report = facts.label_version, facts.report
    trained = facts.run.label_version < now
    evaluated = report is not None and report.provenance.label_version < now
    if trained and evaluated:
        return "Labels have changed since this run was trained and evaluated."
    if trained:
        return "Labels have changed since this run was trained."
    return "Labels have changed since this run was evaluated." if evaluated else ""


def setting_sentence_of(facts: Facts) -> str:
    """Say that the figures were made at another setting than the run has now; else empty."""
    report = facts.report
    if report is None or report.setting == facts.setting:
        return ""
    if not report.setting:
        return "These figures are as trained; predictions follow the prior slider."
    if not facts.setting:
        return "These figures follow a prior slider that was set back since."
    return "These figures were made before the prior slider was moved again."


def kept_setting(project: "Project", run: RunRecord) -> str:
    """Tell the setting that is kept with a run in words; empty as trained, or of label maps."""
    if project.task is Task.SEGMENTATION:
        return ""
    named = {one.id: one.name for one in project.all_classes}
    classes = [(class_id, named.get(class_id, name)) for class_id, name in predicted_classes(run)]
    try:
        setting = read_setting(run.settings, [class_id for class_id, _ in classes])
    except LongtailError:
        # The slider says what is wrong with it.
        return ""
    exclusive = project.task is Task.CLASSIFICATION
    return setting_sentence(setting, run.result.get("prior"), classes, exclusive=exclusive)


def moved_logits(task: Task, run: RunRecord, logits: tuple[float, ...]) -> tuple[float, ...]:
    """Move an image's logits to the prior that is kept with the run; those of no run as they are.

    A damaged setting moves nothing: the slider says what is wrong with it.
    """
    prior, ids = run.result.get("prior"), [class_id for class_id, _ in predicted_classes(run)]
    if not prior or len(prior) != len(logits) or len(ids) != len(logits):
        return logits
    try:
        setting = read_setting(run.settings, ids)
    except LongtailError:
        return logits
    moved = setting.moved(np.asarray([logits]), prior, exclusive=task is Task.CLASSIFICATION)
    return tuple(float(value) for value in moved[0])


def run_title(run: RunRecord) -> str:
    """Name a run for the chooser: `run 5 · Supervised`, or `training · Supervised`."""
    known = run.method in METHODS.names()
    title = METHODS.get(run.method).title if known else run.method
    number = "training" if run.state == LEARNING else run_number(run.id)
    return f"{number} · {title}"


def is_learning(project: "Project", run: RunRecord) -> bool:
    """Tell whether a run is being trained and can predict already."""
    last = project.run_folder(run.id) / "checkpoints" / "last.pt"
    return run.state == LEARNING and last.is_file()


def evaluate_words(held: int, noun: str, split: Split) -> str:
    """Say what the button does: `Evaluate on 40 test scans`."""
    return f"Evaluate on {plural(held, f'{_KIND[split]} {noun}')}"


def predicted_classes(run: RunRecord) -> tuple[tuple[int, str], ...]:
    """Give the (id, name) of each class that a run knows, in the order of its logits."""
    classes = run.spec.get("classes", ())
    return tuple((int(each["id"]), str(each["name"])) for each in classes)


@dataclass(frozen=True)
class Predictions:
    """What a run has predicted, by case; empty before it was read."""

    run_id: str = ""
    by_case: Mapping[str, PredictionRecord] = field(default_factory=dict)

    def logits(self, case_id: str) -> tuple[float, ...]:
        """Give the logits of an image, one a class of the run; empty where there are none."""
        record = self.by_case.get(case_id)
        if record is None or record.logits is None:
            return ()
        return tuple(float(value) for value in np.asarray(record.logits).ravel())


def read_predictions(project: "Project", run_id: str) -> Predictions:
    """Read all that a run has predicted; with many cases this takes a while, so ask in a thread."""
    return Predictions(run_id, {each.case: each for each in project.predictions(run_id)})


_KIND = {Split.TEST: "test", Split.VAL: "validation", Split.TRAIN: "training"}


def _failed(facts: Facts, failed: Finished) -> Stand:
    words = evaluate_words(facts.held, facts.noun, facts.split)
    can = facts.writable and facts.held > 0
    return Stand(
        failed.reason or "The evaluation ended early.",
        failed.remedy,
        "bad",
        words if can else "",
        "evaluate" if can else "",
    )


def _not_evaluated(facts: Facts) -> Stand:
    kind = _KIND[facts.split]
    if facts.held == 0:
        return Stand(
            f"No labelled {kind} {facts.noun}",
            f"To measure this run, keep some labelled {facts.noun}s for the test: select them in "
            "Cases and put them into the test part.",
            "",
            "Go to Cases",
            "cases",
        )
    if not facts.writable:
        return Stand(
            "Not evaluated yet",
            "This project can only be looked at here, so nothing new is measured.",
        )
    use = (
        "Nothing of them was used to train."
        if facts.split is Split.TEST
        else "They chose the best moment of the training, so expect a little less on new ones."
    )
    return Stand(
        "Not evaluated yet",
        f"{plural(facts.held, f'{kind} {facts.noun}').capitalize()} "
        f"{'has' if facts.held == 1 else 'have'} labels to compare with. {use}",
        "",
        evaluate_words(facts.held, facts.noun, facts.split),
        "evaluate",
    )
