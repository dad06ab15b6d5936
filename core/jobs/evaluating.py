"""Compare what is on a run's shelf with the labels, and put the report together."""

from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..evaluate.bootstrap import FloatArray
from ..evaluate.confusion import IntArray, confusions
from ..evaluate.prior import probabilities_of, shifted
from ..evaluate.report import (
    Confusion,
    EvaluatedClass,
    Figure,
    Provenance,
    Report,
    few_case_notes,
)
from ..evaluate.segmentation import MEASURES, ClassScore, score_case
from ..evaluate.summary import multi_label_figures, segmentation_figures, single_label_figures
from ..evaluate.tiers import BY_IMAGES, BY_SHARE, Tiering
from ..io.labelmap import read_label_map
from ..methods.catalogue import METHODS
from ..methods.spec import RunSpec, read_spec
from ..predict.classids import merge_columns
from ..predict.shelf import FOLDER, Shelf
from ..project.records import Case, ImageLabels, Task
from ..project.store import Project
from .predicting import Clock, current_ids

if TYPE_CHECKING:
    from .evaluation import EvaluateJob


class _Measured(NamedTuple):
    """What measuring gives beside the classes: figures, a line a case, and the confusion."""

    classes: tuple[EvaluatedClass, ...]
    summary: Mapping[str, Figure]
    lines: tuple[Mapping[str, Any], ...]
    confusion: Confusion | None
    patients: int


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
    """

    def __init__(
        self, job: "EvaluateJob", project: Project, shelf: Shelf, prior: Sequence[float] | None
    ) -> None:
        self._job, self._project, self._shelf, self._prior = job, project, shelf, prior
        self._folder = project.run_folder(job.run_id)
        self._spec: RunSpec = read_spec(self._folder)
        self._now = current_ids(project, shelf.class_ids)
        self._ids = tuple(dict.fromkeys(i for i in self._now if i))
        self._tiering = self._thresholds()
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
    ) -> Generator[Event, None, _Measured]:
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
        return _Measured(classes, summary, lines, None, len(set(patients)))

    def _score(self, case: Case) -> dict[int, ClassScore]:
        file = self._shelf.cases[case.id].file
        predicted = read_label_map(self._folder / FOLDER / str(file)).array
        table = np.zeros(max(int(predicted.max()), *self._shelf.class_ids) + 1, dtype=np.int64)
        # A file may be older than a change of the classes.
        table[list(self._now)] = self._now
        table[list(self._shelf.class_ids)] = self._now
        reference = self._project.read_label_map(case.id)
        moved = table[predicted.astype(np.int64)].reshape(_same_slice(predicted, reference))
        return score_case(reference, moved, self._ids, case.spacing_mm)

    def _segmentation_line(
        self, case: Case, score: Mapping[int, ClassScore], classes: Sequence[EvaluatedClass]
    ) -> dict[str, Any]:
        names = {each.id: each.name for each in classes}
        values = {
            measure: {names[i]: getattr(one, measure) for i, one in score.items()}
            for measure in MEASURES
        }
        return {**self._line(case), **values}

    def _line(self, case: Case) -> dict[str, Any]:
        uncertainty = self._shelf.cases[case.id].uncertainty
        return {"case": case.id, "patient": case.patient, "uncertainty": uncertainty}

    def _images(self, cases: Sequence[Case]) -> _Measured:
        logits = np.stack([_logits_of(self._shelf, case) for case in cases])
        exclusive = self._project.task is Task.CLASSIFICATION
        moved = shifted(logits, self._prior, self._job.target_prior, exclusive=exclusive)
        joint = merge_columns(moved, self._now, self._ids, exclusive=exclusive)
        if exclusive:
            return self._single_label(cases, joint)
        return self._multi_label(cases, joint)

    def _single_label(self, cases: Sequence[Case], logits: FloatArray) -> _Measured:
        columns = {class_id: column for column, class_id in enumerate(self._ids)}
        answers = [_only_class(case.labels, columns) for case in cases]
        rows = [row for row, answer in enumerate(answers) if answer is not None]
        if not rows:
            raise _nothing_usable(self._job.split)
        kept = [cases[row] for row in rows]
        truth = np.array([answers[row] for row in rows], dtype=np.int64)
        logits = logits[rows]
        counts = np.bincount(truth, minlength=len(self._ids)).tolist()
        classes = self._classes(dict(zip(self._ids, counts, strict=True)))
        patients = [case.patient or case.id for case in kept]
        summary = single_label_figures(truth, logits, classes, patients, graded=self._job.graded)
        names = tuple(each.name for each in classes)
        lines = self._single_lines(kept, truth, probabilities_of(logits, exclusive=True), names)
        confusion = _confusion(truth, logits.argmax(axis=1), names)
        return _Measured(classes, summary, lines, confusion, len(set(patients)))

    def _single_lines(
        self, cases: Sequence[Case], truth: IntArray, shares: FloatArray, names: Sequence[str]
    ) -> tuple[dict[str, Any], ...]:
        said = shares.argmax(axis=1)
        return tuple(
            {
                **self._line(case),
                "true": names[truth[row]],
                "predicted": names[said[row]],
                "probability": float(shares[row, said[row]]),
            }
            for row, case in enumerate(cases)
        )

    def _multi_label(self, cases: Sequence[Case], logits: FloatArray) -> _Measured:
        truth = np.array([_answers(case.labels, self._ids) for case in cases], dtype=np.int8)
        test = dict(zip(self._ids, (truth == 1).sum(axis=0), strict=True))
        classes = self._classes({i: int(n) for i, n in test.items()})
        patients = [case.patient or case.id for case in cases]
        summary = multi_label_figures(truth, logits, classes, patients)
        if not summary:
            raise _nothing_usable(self._job.split)
        shares = probabilities_of(logits, exclusive=False)
        lines = tuple(
            {
                **self._line(case),
                "true": [c.name for c, yes in zip(classes, truth[row], strict=True) if yes == 1],
                "probabilities": {
                    c.name: float(p) for c, p in zip(classes, shares[row], strict=True)
                },
            }
            for row, case in enumerate(cases)
        )
        return _Measured(classes, summary, lines, None, len(set(patients)))

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

    def _report(self, cases: Sequence[Case], measured: _Measured) -> Report:
        return Report(
            run=self._job.run_id,
            split=self._job.split,
            summary=measured.summary,
            cases=measured.lines,
            provenance=self._provenance(len(cases), measured),
            classes=measured.classes,
            thresholds=self._tiering.sentence(),
            confusion=measured.confusion,
            notes=tuple(self._notes(cases, measured)),
        )

    def _provenance(self, total: int, measured: _Measured) -> Provenance:
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

    def _notes(self, cases: Sequence[Case], measured: _Measured) -> list[str]:
        notes = few_case_notes(measured.classes)
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
        if self._job.target_prior is not None:
            notes.append("The predictions were moved to another prior of the classes.")
        if self._project.task is Task.CLASSIFICATION:
            kind = "quadratic, for grades" if self._job.graded else "unweighted"
            notes.append(f"Kappa is {kind}.")
        return notes


def _same_slice(predicted: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> Any:
    """Give the reference's shape where both hold as many voxels: a picture has one slice."""
    return reference.shape if predicted.size == reference.size else predicted.shape


def _logits_of(shelf: Shelf, case: Case) -> FloatArray:
    return np.asarray(shelf.cases[case.id].logits, dtype=np.float64)


def _confusion(truth: IntArray, said: IntArray, names: tuple[str, ...]) -> Confusion:
    table = confusions(truth, said, len(names), np.ones((1, len(truth))))[0]
    return Confusion(names, tuple(tuple(int(n) for n in row) for row in table))


def _only_class(labels: ImageLabels | None, columns: Mapping[int, int]) -> int | None:
    if labels is None or len(labels.yes) != 1:
        return None
    return columns.get(next(iter(labels.yes)))


def _answers(labels: ImageLabels | None, class_ids: Sequence[int]) -> list[int]:
    """Give 1, 0 or -1 a class, as training does: what was not answered is unknown."""
    if labels is None:
        return [-1] * len(class_ids)
    return [1 if i in labels.yes else 0 if i in labels.no else -1 for i in class_ids]


def _nothing_usable(split: str) -> LongtailError:
    return LongtailError(
        f"No {split} case is labelled with a class that the run knows.",
        "Label some, or train a new run with the classes of now.",
    )
