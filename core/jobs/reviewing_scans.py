"""Compare what a run outlines in scans that it did not train on with their labels."""

from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..io.labelmap import read_label_map
from ..methods.spec import read_spec
from ..predict.shelf import FOLDER, Shelf
from ..project.records import NOT_LABELLED, Case, Status
from ..project.store import Project
from ..review.queue import ReviewClass
from ..review.queue_scans import SeenScan, queue_of_scans
from .predicting import CasePredictor, Clock, current_ids, load_run, open_shelf_of
from .reviewing_images import Found

if TYPE_CHECKING:
    from .reviewing import ReviewJob

LabelMap = np.ndarray[Any, np.dtype[Any]]


def find_in_scans(
    job: "ReviewJob", project: Project, context: JobContext, classes: Sequence[ReviewClass]
) -> Generator[Event, None, Found]:
    """Give the entries of a project of outlined scans."""
    from .reviewing import MOST_SCANS, unpredicted

    found = Found()
    network = load_run(project, job.run_id, job.which, context.device)
    learned = set(read_spec(project.run_folder(job.run_id)).train_labelled)
    held = [case for case in project.cases() if case.id not in learned]
    shelf = open_shelf_of(project, job.run_id, network)
    missing, untouched = unpredicted(held, shelf.cases, MOST_SCANS, job.seed)
    if missing:
        predictor = CasePredictor(project, job.run_id, network, context)
        yield from predictor.predict(missing, shelf)
        found.left_out += predictor.tally.skipped
    told = [case for case in held if case.id in shelf.cases]
    clock, scans = Clock(len(told), "comparing"), []
    for done, case in enumerate(told, start=1):
        scans.append(seen_scan(project, job.run_id, shelf, case, classes))
        yield clock.progress(done)
        yield from context.safe_point()
    found.looked_at |= {"run": len(told), "cases": len(told)}
    if untouched:
        found.notes.append(f"{untouched:,} scans without labels have not been looked at.")
    if learned:
        found.notes.append(
            f"{len(learned):,} scans that the run learned from are left out: it knows their labels."
        )
    found.entries += queue_of_scans(scans, classes)
    return found


def predicted_map(project: Project, run_id: str, shelf: Shelf, case_id: str) -> LabelMap:
    """Read a predicted label map in the classes that the project has now."""
    file = project.run_folder(run_id) / FOLDER / str(shelf.cases[case_id].file)
    predicted = read_label_map(file).array
    now = current_ids(project, shelf.class_ids)
    table = np.zeros(max(int(predicted.max(initial=0)), *shelf.class_ids) + 1, dtype=np.int64)
    table[list(now)] = now
    table[list(shelf.class_ids)] = now
    moved: LabelMap = table[predicted.astype(np.int64)]
    return moved


def seen_scan(
    project: Project, run_id: str, shelf: Shelf, case: Case, classes: Sequence[ReviewClass]
) -> SeenScan:
    """Count what is predicted and labelled in one scan, and how far they agree."""
    predicted = predicted_map(project, run_id, shelf, case.id)
    ids = [one.id for one in classes]
    doubt = shelf.cases[case.id].uncertainty
    if case.status is Status.UNLABELLED or not case.has_mask:
        return SeenScan(case.id, doubt, _counts(predicted, ids), None, {})
    labels = project.read_label_map(case.id)
    predicted = predicted.reshape(labels.shape)
    known = labels != NOT_LABELLED
    told, there = predicted[known], labels[known]
    found, labelled = _counts(told, ids), _counts(there, ids)
    both = _counts(told[told == there], ids)
    return SeenScan(case.id, doubt, found, labelled, _dice(both, found, labelled))


def _counts(values: LabelMap, ids: Sequence[int]) -> dict[int, int]:
    counts = np.bincount(values.ravel().astype(np.int64), minlength=max(ids, default=0) + 1)
    return {class_id: int(counts[class_id]) for class_id in ids}


def _dice(
    both: Mapping[int, int], found: Mapping[int, int], labelled: Mapping[int, int]
) -> dict[int, float]:
    totals = {class_id: found[class_id] + labelled[class_id] for class_id in both}
    return {i: 2 * both[i] / total for i, total in totals.items() if total}
