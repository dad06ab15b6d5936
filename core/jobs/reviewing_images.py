"""Out-of-sample probabilities of images: a run's for what it did not learn, cross-fitted else."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Event, Progress
from ..backend.job import JobContext
from ..errors import LongtailError
from ..evaluate.prior import probabilities_of
from ..evaluate.setting import read_setting
from ..methods.spec import read_spec
from ..predict.classids import merge_columns
from ..predict.shelf import Shelf
from ..project.records import Case, Split, Status, Task
from ..project.store import Project
from ..review.confident import Columns, Shares
from ..review.crossfit import FEWEST, Labelled, cross_fitted, uncertainty_of_shares
from ..review.queue import Entry, ReviewClass, Seen
from ..review.queue_images import queue_of
from .predicting import CasePredictor, ReadyNetwork, current_ids, load_run, open_shelf_of

if TYPE_CHECKING:
    from .reviewing import ReviewJob

CHUNK = 2_000


@dataclass
class Found:
    """What a review came to before it is put in order."""

    entries: list[Entry] = field(default_factory=list)
    looked_at: dict[str, int] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_in_images(
    job: "ReviewJob", project: Project, context: JobContext, classes: Sequence[ReviewClass]
) -> Generator[Event, None, Found]:
    """Give the entries of a project whose classes are of whole images.

    Labels of images that a run learned are doubted by a cross-fitted head alone, all others by the
    mean of head and run: a run that has seen five of a rare class knows too little of it.
    """
    found, task = Found(), project.task
    cases = project.cases()
    learned = _learned(job, project, cases)
    heads = yield from _by_folds(job, project, context, cases, classes, found)
    parts = []
    if job.run_id:
        network = load_run(project, job.run_id, job.which, context.device)
        held = [case for case in cases if case.id not in learned]
        told, shares = yield from _by_run(job, project, context, network, held, classes, found)
        parts.append(_seen(task, told, shares, classes, heads))
    fitted = [case for case in cases if case.id in learned and case.id in heads]
    if fitted:
        own = np.stack([heads[case.id] for case in fitted])
        parts.append(_seen(task, fitted, own, classes, {}))
    found.looked_at["cases"] = sum(len(part.cases) for part in parts)
    found.entries += queue_of(parts, classes, exclusive=task is Task.CLASSIFICATION)
    return found


def _learned(job: "ReviewJob", project: Project, cases: Sequence[Case]) -> set[str]:
    """Name the cases whose labels a run's predictions may hold: what it learned from."""
    labelled = {case.id for case in cases if case.status is not Status.UNLABELLED}
    if not job.run_id:
        return labelled
    spec = read_spec(project.run_folder(job.run_id))
    return labelled & {*spec.train_labelled, *spec.val}


# --- what the run says ---


def _by_run(
    job: "ReviewJob",
    project: Project,
    context: JobContext,
    network: ReadyNetwork,
    held: list[Case],
    classes: Sequence[ReviewClass],
    found: Found,
) -> Generator[Event, None, tuple[list[Case], Shares]]:
    from .reviewing import MOST_IMAGES, unpredicted

    shelf = open_shelf_of(project, job.run_id, network)
    missing, untouched = unpredicted(held, shelf.cases, MOST_IMAGES, job.seed)
    if missing:
        predictor = CasePredictor(project, job.run_id, network, context)
        yield from predictor.predict(missing, shelf)
        found.left_out += predictor.tally.skipped
    if untouched:
        found.notes.append(f"{untouched:,} images without labels have not been looked at.")
    told = [case for case in held if case.id in shelf.cases]
    found.looked_at["run"] = len(told)
    return told, _shares_of_run(job, project, network, shelf, told, classes)


def _shares_of_run(
    job: "ReviewJob",
    project: Project,
    network: ReadyNetwork,
    shelf: Shelf,
    cases: Sequence[Case],
    classes: Sequence[ReviewClass],
) -> Shares:
    """Give (case, class) as the window shows them; not-a-number for classes the run knows not."""
    exclusive = project.task is Task.CLASSIFICATION
    shares = np.full((len(cases), len(classes)), np.nan)
    now = current_ids(project, shelf.class_ids)
    known = tuple(dict.fromkeys(i for i in now if i))
    if not known:
        raise LongtailError(
            f"None of the classes of {job.run_id} is in use any more.", "Train a new run."
        )
    place = [[one.id for one in classes].index(i) for i in known]
    setting = read_setting(project.run(job.run_id).settings, shelf.class_ids)
    for start in range(0, len(cases), CHUNK):
        rows = [np.asarray(shelf.cases[case.id].logits) for case in cases[start : start + CHUNK]]
        moved = setting.moved(np.stack(rows), network.card.prior, exclusive=exclusive)
        joined = merge_columns(moved, now, known, exclusive=exclusive)
        shares[start : start + CHUNK, place] = probabilities_of(joined, exclusive=exclusive)
    return shares


# --- what a cross-fitted head says ---


def _by_folds(
    job: "ReviewJob",
    project: Project,
    context: JobContext,
    cases: Sequence[Case],
    classes: Sequence[ReviewClass],
    found: Found,
) -> Generator[Event, None, dict[str, Shares]]:
    """Give the probabilities (class,) of each labelled image, by heads that never saw its patient.

    Heads for the training and validation part learn from these parts alone, so that nothing of
    the test part gets into labels that train; heads for the test part learn from all parts.
    """
    answers = answers_of(project.task, cases, classes)
    usable = np.flatnonzero((np.atleast_2d(answers.T).T >= 0).any(axis=1))
    chosen = [cases[row] for row in usable.tolist()]
    if len(chosen) < FEWEST:
        found.notes.append(f"Labels are doubted from {FEWEST} labelled images on.")
        return {}
    features = yield from _features(job, context, [case.id for case in chosen])
    told = {
        test: _labelled(
            project.task,
            [case for case in chosen if (case.split is Split.TEST) is test and case.id in features],
            features,
            classes,
        )
        for test in (False, True)
    }
    heads: dict[str, Shares] = {}
    for test, (ids, one) in told.items():
        if len(ids) < FEWEST:
            continue
        beside = told[False][1] if test and told[False][0] else None
        steps = cross_fitted(one, len(classes), beside=beside, folds=job.folds, seed=job.seed)
        for done, total, shares in steps:
            yield Progress(done, total, what="doubting the labels")
            yield from context.safe_point()
            heads |= dict(zip(ids, shares, strict=True))
    found.looked_at["folds"] = len(heads)
    return heads


def _labelled(
    task: Task,
    cases: Sequence[Case],
    features: Mapping[str, np.ndarray[Any, Any]],
    classes: Sequence[ReviewClass],
) -> tuple[list[str], Labelled]:
    ids = [case.id for case in cases]
    width = len(next(iter(features.values())))
    rows = np.stack([features[each] for each in ids]) if ids else np.zeros((0, width))
    patients = [case.patient or case.id for case in cases]
    return ids, Labelled(rows, answers_of(task, cases, classes), patients)


def _features(
    job: "ReviewJob", context: JobContext, ids: Sequence[str]
) -> Generator[Event, None, dict[str, np.ndarray[Any, Any]]]:
    """Give the features of images by their ids; those that are known already from their file."""
    from ..explain.embedding_file import read_embedding
    from .embedding import EmbedJob

    run = job.run_id if job.encoder == "run" and job.run_id else None
    done = yield from EmbedJob(job.project, run, job.which, tuple(ids)).run(context)
    assert done is not None
    embedding = read_embedding(Path(job.project) / done["file"])
    named = [embedding.case_ids[row] for row in embedding.rows.tolist()]
    return dict(zip(named, embedding.features, strict=True))


# --- both ---


def answers_of(task: Task, cases: Sequence[Case], classes: Sequence[ReviewClass]) -> Columns:
    """Give (case,) the column of the only class or -1; of several (case, class) 1, 0 and -1."""
    place = {one.id: column for column, one in enumerate(classes)}
    if task is Task.CLASSIFICATION:
        return np.array([_only(case, place) for case in cases], dtype=np.int64)
    answers = np.full((len(cases), len(classes)), -1, dtype=np.int64)
    for row, case in enumerate(cases):
        if case.labels is None or case.status is Status.UNLABELLED:
            continue
        for said, ids in ((1, case.labels.yes), (0, case.labels.no)):
            answers[row, [place[i] for i in ids if i in place]] = said
    return answers


def _only(case: Case, place: Mapping[int, int]) -> int:
    if case.labels is None or case.status is Status.UNLABELLED or len(case.labels.yes) != 1:
        return -1
    return place.get(next(iter(case.labels.yes)), -1)


def _seen(
    task: Task,
    cases: Sequence[Case],
    shares: Shares,
    classes: Sequence[ReviewClass],
    heads: Mapping[str, Shares],
) -> Seen:
    """Put together what is known; what nobody could tell is neither doubted nor suggested."""
    answers = answers_of(task, cases, classes)
    blank = np.full(len(classes), np.nan)
    others = np.stack([heads.get(case.id, blank) for case in cases]) if cases else shares
    both = np.isfinite(shares) & np.isfinite(others)
    judging = np.where(both, (shares + np.nan_to_num(others)) / 2, shares)
    known = np.isfinite(shares)
    exclusive = task is Task.CLASSIFICATION
    if exclusive:
        # A label that its source has never seen cannot be held against it.
        judged = (answers < 0) | known[np.arange(len(cases)), np.maximum(answers, 0)]
        keep = np.flatnonzero(judged & known.any(axis=1))
        cases = [cases[row] for row in keep.tolist()]
        answers, known = answers[keep], known[keep]
        shares, judging = shares[keep], judging[keep]
    else:
        answers = np.where(known, answers, -1)
    told = np.where(known, shares, 0.0)
    return Seen(
        [case.id for case in cases],
        answers,
        told,
        uncertainty_of_shares(told, exclusive=exclusive),
        np.where(known, judging, 0.0),
    )
