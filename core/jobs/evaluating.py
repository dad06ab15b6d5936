"""Compare what is on a run's shelf with the labels, and put the report together."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..evaluate.report import EvaluatedClass, Provenance, Report, few_case_notes
from ..evaluate.segmentation import MEASURES, ClassScore, score_case
from ..evaluate.setting import AS_TRAINED, Setting, setting_sentence
from ..evaluate.slices import score_slices
from ..evaluate.summary import segmentation_figures
from ..evaluate.tiers import BY_IMAGES, BY_SHARE, Tiering
from ..io.labelmap import read_label_map
from ..methods.catalogue import METHODS
from ..methods.spec import RunSpec, read_spec
from ..predict.shelf import FOLDER, Shelf
from ..project.records import Case, Task
from ..project.store import Project
from .measuring_images import ImageMeasuring, Measured, line_of, tuning_cases
from .predicting import Clock, current_ids

if TYPE_CHECKING:
    from .evaluation import EvaluateJob


class Evaluation:
    """One evaluation of one run.

    Parameters
    ----------
    job
        What was asked for.
    project
        The project, open for reading.
    shelf
        The predictions of the run's weights.
    prior
        The effective training prior, for image-level classes.
    setting
        The prior and the thresholds that the figures are made with.

    Attributes
    ----------
    slices
        (slice, class id, Dice) of each measured scan, by its id.
    """

    def __init__(
        self,
        job: "EvaluateJob",
        project: Project,
        shelf: Shelf,
        prior: Sequence[float] | None,
        setting: Setting = AS_TRAINED,
    ) -> None:
        self._job, self._project, self._shelf, self._prior = job, project, shelf, prior
        self._setting = setting
        self._folder = project.run_folder(job.run_id)
        self._spec: RunSpec = read_spec(self._folder)
        self._now = current_ids(project, shelf.class_ids)
        self._ids = tuple(dict.fromkeys(i for i in self._now if i))
        self._tiering = self._thresholds()
        self.slices: dict[str, list[tuple[int, int, float]]] = {}
        if not self._ids:
            raise LongtailError(
                f"None of the classes of {job.run_id} is in use any more.", "Train a new run."
            )

    def measure(self, cases: Sequence[Case], context: JobContext) -> Generator[Event, None, Report]:
        """Measure all of `cases` that have a prediction, and give the report."""
        predicted = [case for case in cases if case.id in self._shelf.cases]
        if self._project.task is Task.SEGMENTATION:
            measured = yield from self._segmentation(predicted, context)
        else:
            measured = self._images(predicted)
        return self._report(cases, measured)

    def _segmentation(
        self, cases: Sequence[Case], context: JobContext
    ) -> Generator[Event, None, Measured]:
        scores: list[dict[int, ClassScore]] = []
        clock = Clock(len(cases), "measuring")
        yield clock.progress(0)
        for done, case in enumerate(cases, start=1):
            yield from context.safe_point()
            scores.append(self._score(case))
            yield clock.progress(done)
        test = {i: sum(s[i].in_reference for s in scores if i in s) for i in self._ids}
        classes = self._classes(test)
        patients = [case.patient or case.id for case in cases]
        summary = segmentation_figures(scores, classes, patients)
        lines = tuple(
            self._segmentation_line(case, score, classes)
            for case, score in zip(cases, scores, strict=True)
        )
        return Measured(classes, summary, lines, None, len(set(patients)))

    def _score(self, case: Case) -> dict[int, ClassScore]:
        file = self._shelf.cases[case.id].file
        predicted = read_label_map(self._folder / FOLDER / str(file)).array
        table = np.zeros(max(int(predicted.max()), *self._shelf.class_ids) + 1, dtype=np.int64)
        # A file may be older than a change of the classes.
        table[list(self._now)] = self._now
        table[list(self._shelf.class_ids)] = self._now
        reference = self._project.read_label_map(case.id)
        moved = table[predicted.astype(np.int64)].reshape(_same_slice(predicted, reference))
        self.slices[case.id] = score_slices(reference, moved, self._ids)
        return score_case(reference, moved, self._ids, case.spacing_mm)

    def _segmentation_line(
        self, case: Case, score: Mapping[int, ClassScore], classes: Sequence[EvaluatedClass]
    ) -> dict[str, Any]:
        names = {each.id: each.name for each in classes}
        values = {
            measure: {names[i]: getattr(one, measure) for i, one in score.items()}
            for measure in MEASURES
        }
        return {**line_of(case, self._shelf), **values}

    def _images(self, cases: Sequence[Case]) -> Measured:
        measuring = ImageMeasuring(
            self._project,
            self._shelf,
            self._prior,
            self._setting,
            self._classes,
            tuning_cases(self._project, self._spec, self._job.split),
        )
        measured = measuring.measure(cases, graded=self._job.graded)
        if measured is None:
            raise _nothing_usable(self._job.split)
        return measured

    def _classes(self, test: Mapping[int, int]) -> tuple[EvaluatedClass, ...]:
        """Describe the classes; those that were merged since add up."""
        known = {record.id: record for record in self._project.classes}
        examples, volume = dict.fromkeys(self._ids, 0), dict.fromkeys(self._ids, 0.0)
        for now, learned in zip(self._now, self._spec.classes, strict=True):
            if now:
                examples[now] += learned.examples
                volume[now] += learned.volume
        by_share = self._tiering.by == "share"
        return tuple(
            EvaluatedClass(
                id=i,
                name=known[i].name,
                colour=known[i].colour,
                tier=self._tiering.tier(volume[i] if by_share else examples[i]),
                training=examples[i],
                share=volume[i] if by_share else None,
                test=int(test[i]),
            )
            for i in self._ids
        )

    def _thresholds(self) -> Tiering:
        usual = BY_SHARE if self._project.task is Task.SEGMENTATION else BY_IMAGES
        head = usual.head if self._job.head is None else self._job.head
        tail = usual.tail if self._job.tail is None else self._job.tail
        return Tiering(usual.by, head, tail)

    def _report(self, cases: Sequence[Case], measured: Measured) -> Report:
        return Report(
            run=self._job.run_id,
            split=self._job.split,
            summary=measured.summary,
            cases=measured.lines,
            provenance=self._provenance(len(cases), measured),
            classes=measured.classes,
            thresholds=self._tiering.sentence(),
            confusion=measured.confusion,
            images=measured.images,
            setting=self._told_setting(),
            tuned=measured.tuned,
            notes=tuple(self._notes(cases, measured)),
        )

    def _told_setting(self) -> str:
        known = {record.id: record.name for record in self._project.all_classes}
        classes = [(i, known[i]) for i in self._shelf.class_ids]
        exclusive = self._project.task is Task.CLASSIFICATION
        return setting_sentence(self._setting, self._prior, classes, exclusive=exclusive)

    def _weights_note(self) -> Iterator[str]:
        """Say it where other weights were measured than those that the run predicts with."""
        names = {f"class-{one.id}": one.name for one in self._project.classes}
        if name := names.get(self._job.which):
            yield (
                f"Measured with the weights that were best for {name} while the run learned, not "
                "with those that it predicts with."
            )

    def _provenance(self, total: int, measured: Measured) -> Provenance:
        spec, run = self._spec, self._project.run(self._job.run_id)
        return Provenance(
            project=self._project.name,
            task=str(self._project.task),
            method=spec.method,
            method_title=METHODS.get(spec.method).title,
            settings=spec.settings,
            seeds=(spec.seed,),
            labelled=len(spec.train_labelled),
            unlabelled=len(spec.train_unlabelled),
            validation=spec.validation,
            validation_labelled=len(spec.val),
            iterations=run.result.get("iterations") or spec.iterations_planned or spec.iterations,
            trained_label_version=spec.label_version,
            label_version=self._project.label_version,
            weights_hash=self._shelf.weights_hash,
            evaluated=len(measured.lines),
            patients=measured.patients,
            left_out=total - len(measured.lines),
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            versions=spec.versions,
        )

    def _notes(self, cases: Sequence[Case], measured: Measured) -> list[str]:
        notes = [*self._weights_note(), *few_case_notes(measured.classes)]
        learned = set(self._spec.train_labelled) & {case.id for case in cases}
        if learned:
            notes.append(
                f"{len(learned)} of these cases were learned from, so the figures are too good."
            )
        new = [one.name for one in self._project.classes if one.id not in self._ids]
        if new:
            notes.append(f"The run does not know {', '.join(new)}: not measured.")
        missing = sum(case.id not in self._shelf.cases for case in cases)
        if missing:
            notes.append(f"{missing} cases could not be predicted and are left out.")
        if self._project.task is Task.SEGMENTATION and not any(c.spacing_mm for c in cases):
            notes.append("The images have no spacing, so there are no distances in mm.")
        if self._told_setting():
            notes.append(
                "All figures are made with the setting of the prior slider, not as the run was "
                f"trained. {self._told_setting()}"
            )
        if self._project.task is Task.CLASSIFICATION:
            kind = "quadratic, for grades" if self._job.graded else "unweighted"
            notes.append(f"Kappa is {kind}.")
        return notes


def _same_slice(predicted: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> Any:
    """Give the reference's shape where both hold as many voxels: a picture has one slice."""
    return reference.shape if predicted.size == reference.size else predicted.shape


def _nothing_usable(split: str) -> LongtailError:
    return LongtailError(
        f"No {split} case is labelled with a class that the run knows.",
        "Label some, or train a new run with the classes of now.",
    )
