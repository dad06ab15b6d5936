"""Measure a run on a part of its project, and write the report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..backend.events import Artifact
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..evaluate.setting import AS_TRAINED, Setting, read_setting
from ..methods.spec import read_spec
from ..project.records import Case, Split, Task
from ..project.store import Project
from .opening import opened
from .predicting import CasePredictor, load_run, open_shelf_of

if TYPE_CHECKING:
    from ..predict.shelf import Shelf


@dataclass(frozen=True)
class EvaluateJob(Job):
    """Measure a run on the labelled cases of one part; what is not predicted is predicted first.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run.
    split
        test, val or train.
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    graded
        The classes are grades in their order: kappa weighs errors by their squared distance.
    head, tail
        Where head ends and tail begins, in labelled training images or as a share of the labelled
        foreground volume; None takes the usual thresholds.
    target_prior
        For image-level classes: the prior to move the predictions to, one value a class of the
        run; None takes the setting that is kept with the run.
    as_trained
        Measure without the setting that is kept with the run.
    boxes
        For image-level classes, where the cases have boxes: how many boxes a finding may have;
        published figures are made with one.
    """

    project: str
    run_id: str
    split: str = "test"
    which: str = "best"
    graded: bool = False
    head: float | None = None
    tail: float | None = None
    target_prior: tuple[float, ...] | None = None
    as_trained: bool = False
    boxes: int = 1

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Evaluate {self.run_id}"

    def run(self, context: JobContext) -> Steps:
        """Predict, measure, write `evaluation-<split>.json` and `report.html` in the run's folder.

        The result is the document of `longtail evaluate --json`.
        """
        from ..evaluate.html import write_html
        from ..evaluate.report import write_report
        from ..evaluate.slices import slices_path, write_slices
        from .boxing import BoxMeasuring
        from .evaluating import Evaluation
        from .measuring_images import tuning_cases

        with opened(self.project) as project:
            cases = self._labelled_cases(project)
            network = load_run(project, self.run_id, self.which, context.device)
            shelf = open_shelf_of(project, self.run_id, network)
            tuning = tuning_cases(project, read_spec(project.run_folder(self.run_id)), self.split)
            needed = list({case.id: case for case in [*cases, *tuning]}.values())
            missing = [case for case in needed if case.id not in shelf.cases]
            if missing:
                predictor = CasePredictor(project, self.run_id, network, context)
                yield from predictor.predict(missing, shelf)
                if len(missing) == len(needed):
                    predictor.tally.check_any()
            _check_not_stopped(needed, shelf, context)
            setting = self._setting(project, shelf.class_ids)
            evaluation = Evaluation(self, project, shelf, network.card.prior, setting)
            report = yield from evaluation.measure(cases, context)
            if project.task is not Task.SEGMENTATION:
                boxing = BoxMeasuring(project, network, context, self.boxes)
                report = yield from boxing.measure(report, cases)
            folder = project.run_folder(self.run_id)
        if evaluation.slices:
            write_slices(slices_path(folder, self.split), evaluation.slices)
        write_report(folder / f"evaluation-{self.split}.json", report)
        write_html(folder / "report.html", report)
        yield Artifact((folder / f"evaluation-{self.split}.json").as_posix(), "table")
        yield Artifact((folder / "report.html").as_posix(), "report")
        return report.to_contract()

    def _setting(self, project: Project, class_ids: Sequence[int]) -> Setting:
        if self.target_prior is not None:
            return Setting(self.target_prior)
        if self.as_trained or project.task is Task.SEGMENTATION:
            return AS_TRAINED
        return read_setting(project.run(self.run_id).settings, class_ids)

    def _labelled_cases(self, project: Project) -> list[Case]:
        if self.split not in set(Split):
            raise LongtailError(
                f"There is no part named {self.split!r}.", "Parts: train, val and test."
            )
        cases = project.cases(split=Split(self.split), labelled=True)
        if not cases:
            raise LongtailError(
                f"The project {project.name} has no labelled {self.split} case to measure on.",
                f"Put labelled cases into the part {self.split}, or measure on another part.",
            )
        return cases


def _check_not_stopped(cases: Sequence[Case], shelf: "Shelf", context: JobContext) -> None:
    """Refuse to give figures of a part of the cases because somebody stopped halfway.

    Raises
    ------
    LongtailError
        Predicting was stopped; what was predicted is kept.
    """
    missing = sum(case.id not in shelf.cases for case in cases)
    if context.stop_asked and missing:
        raise LongtailError(
            f"Stopped with {missing} of {len(cases)} cases not predicted, so nothing was measured.",
            "Evaluate again: what has been predicted is kept.",
        )
