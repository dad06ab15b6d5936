"""What deserves eyes of images and of scans, from the job to the file that the window reads."""

import numpy as np

from longtail.core.backend.events import Outcome
from longtail.core.backend.local import LocalBackend
from longtail.core.jobs.record import record
from longtail.core.jobs.reviewing import ReviewJob, unpredicted
from longtail.core.jobs.reviewing_images import answers_of
from longtail.core.project.records import Case, ImageLabels, Split, Status, Task
from longtail.core.review.queue import Kind, ReviewClass
from longtail.core.review.queue_file import read_queue


def run(project, **settings):
    (one,) = project.runs()
    job = ReviewJob(project.path.as_posix(), one.id, **settings)
    finished = LocalBackend().submit(job).wait()
    assert finished.outcome is Outcome.COMPLETED, finished.reason
    record(project, job, finished)
    return finished.result, read_queue(project.path / finished.result["file"])


def test_the_wrong_label_of_an_image_is_found_and_its_predictions_are_kept(images):
    result, queue = run(images)
    first = queue.entries[0]
    assert (first.case, first.given, first.suggested) == ("pic-8", (1,), 3)
    assert Kind.LABEL in first.kinds
    assert "Labelled low, but looks like high" in first.why
    assert result["looked_at"]["run"] == 9
    assert len(images.predictions(images.runs()[0].id)) == 9
    assert any("test part" in note for note in queue.notes)


def test_several_findings_are_looked_at_one_by_one(findings):
    _, queue = run(findings)
    assert queue.looked_at["cases"] == 6
    assert all(one.suggested in (None, 1, 2, 3) for one in queue.entries)


def test_scans_that_the_run_learned_are_left_out(volumes):
    volumes.write_label_map("scan/3", np.full((5, 12, 10), 1, np.uint8), author="me")
    result, queue = run(volumes)
    assert "scan/0" not in {one.case for one in queue.entries}
    assert result["looked_at"]["cases"] == 3
    first = queue.entries[0]
    assert first.case == "scan/3"
    assert "differ on core" in first.why
    assert any("learned from are left out" in note for note in queue.notes)


def test_scans_without_a_run_are_refused(untrained):
    job = ReviewJob(untrained.path.as_posix())
    finished = LocalBackend().submit(job).wait()
    assert finished.outcome is Outcome.FAILED
    assert "Train a run first" in finished.remedy


def test_labelled_ones_are_predicted_before_a_draw_of_the_rest():
    def case(number, status):
        return Case(str(number), ("x",), (4, 4), 1, None, Split.TRAIN, status)

    cases = [case(i, Status.REVIEWED if i % 2 else Status.UNLABELLED) for i in range(20)]
    chosen, untouched = unpredicted(cases, {"1", "2"}, 4, seed=0)
    ids = [int(each.id) for each in chosen]
    assert [i for i in ids if i % 2] == [3, 5, 7, 9, 11, 13, 15, 17, 19]
    assert len(ids) == 13
    assert untouched == 5
    assert [each.id for each in unpredicted(cases, {"1", "2"}, 4, seed=0)[0]] == list(map(str, ids))


def test_answers_of_unlabelled_and_unknown_classes_are_none():
    classes = (ReviewClass(2, "b", "", 1), ReviewClass(5, "e", "", 1))

    def case(labels, status=Status.REVIEWED):
        return Case("a", ("x",), (4, 4), 1, None, Split.TRAIN, status, labels=labels)

    given = [
        case(ImageLabels(frozenset({5}))),
        case(ImageLabels(frozenset({9}))),
        case(None, Status.UNLABELLED),
    ]
    assert answers_of(Task.CLASSIFICATION, given, classes).tolist() == [1, -1, -1]
    several = [case(ImageLabels(frozenset({2}), frozenset({5}))), case(None, Status.UNLABELLED)]
    assert answers_of(Task.MULTILABEL, several, classes).tolist() == [[1, 0], [-1, -1]]
