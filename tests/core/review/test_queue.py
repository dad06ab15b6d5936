"""What deserves eyes, in which order, and in which words."""

import json

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.review.queue import Entry, Kind, ReviewClass, Seen, counted, ordered, percent
from longtail.core.review.queue_file import Queue, queue_path, read_queue, write_queue
from longtail.core.review.queue_images import queue_of
from longtail.core.review.queue_scans import SeenScan, queue_of_scans, usual_dice

COMMON = ReviewClass(1, "common", "head", 400)
OTHER = ReviewClass(2, "other", "medium", 60)
RARE = ReviewClass(3, "rare", "tail", 5)
CLASSES = (COMMON, OTHER, RARE)


def image_part():
    """40 sure images, then a wrong label, a missed rare one, a rare find, an undecided one."""
    sure = np.tile(
        [[0.96, 0.02, 0.02], [0.02, 0.96, 0.02], [0.1, 0.1, 0.8], [0.9, 0.05, 0.05]], (10, 1)
    )
    answers = np.tile([0, 1, 2, 0], 10)
    more = np.array([[0.01, 0.98, 0.01], [0.6, 0.1, 0.3], [0.05, 0.05, 0.9], [0.35, 0.34, 0.31]])
    shares = np.concatenate([sure, more])
    answers = np.concatenate([answers, [0, 2, -1, -1]])
    uncertainty = np.concatenate([np.full(40, 0.1), [0.1, 0.5, 0.3, 0.99]])
    names = [f"sure/{i}" for i in range(40)] + ["wrong", "missed", "found", "open"]
    return Seen(names, answers, shares, uncertainty)


def test_each_reason_is_given_in_words():
    entries = {one.case: one for one in ordered(queue_of([image_part()], CLASSES, exclusive=True))}
    assert entries["wrong"].kinds[0] is Kind.LABEL
    assert entries["wrong"].why == "Labelled common, but looks like other (98 %)."
    assert (entries["wrong"].given, entries["wrong"].suggested) == ((1,), 2)
    assert Kind.TAIL in entries["missed"].kinds
    assert "rare is a rare class, 5 labelled" in entries["missed"].why.replace("Rare", "rare")
    assert entries["found"].kinds == (Kind.RARE,)
    assert entries["found"].why == "May be rare (90 %), a rare class, 5 labelled."
    assert entries["open"].why.startswith(("Undecided between common", "May be rare"))
    assert not any(case.startswith("sure") for case in entries)


def test_the_wrong_label_comes_first_and_each_case_once():
    entries = ordered(queue_of([image_part()], CLASSES, exclusive=True))
    assert entries[0].case == "wrong"
    assert len({one.case for one in entries}) == len(entries)
    assert [one.score for one in entries] == sorted((one.score for one in entries), reverse=True)
    assert counted(entries)["label"] >= 1


def test_labels_are_doubted_by_what_is_given_for_it():
    part = image_part()
    calm = np.eye(3)[np.maximum(part.answers, 0)] * 0.9 + 0.03
    judged = Seen(part.cases, part.answers, part.shares, part.uncertainty, calm)
    kinds = [kind for one in queue_of([judged], CLASSES, exclusive=True) for kind in one.kinds]
    assert Kind.LABEL not in kinds
    assert Kind.TAIL in kinds


def test_several_labels_are_added_or_removed():
    random = np.random.default_rng(0)
    truth = random.random((60, 3)) < [0.5, 0.4, 0.15]
    shares = np.where(truth, 0.9, 0.08) + random.normal(scale=0.02, size=truth.shape)
    answers = truth.astype(np.int64)
    absent = np.flatnonzero(~truth[:, 0])[0]
    present = next(row for row in np.flatnonzero(truth[:, 1]) if row != absent)
    answers[absent, 0], shares[absent, 0] = 1, 0.02
    answers[present, 1], shares[present, 1] = 0, 0.98
    answers[59, 2], shares[59, 2] = -1, 0.7
    part = Seen([str(i) for i in range(60)], answers, shares.clip(0, 1), np.full(60, 0.1))
    found = {one.case: one for one in ordered(queue_of([part], CLASSES, exclusive=False))}
    assert found[str(absent)].why == "Labelled common, but it does not show (2 %)."
    assert not found[str(absent)].present
    assert found[str(present)].why == "Labelled without other, but it looks present (98 %)."
    assert found[str(present)].present
    assert found["59"].why == "May show rare (70 %), a rare class, 5 labelled."


def test_scans_that_differ_miss_or_may_hold_a_rare_class():
    scans = [
        SeenScan(f"usual/{i}", 0.02, {1: 90, 3: 4}, {1: 95, 3: 5}, {1: 0.9, 3: 0.8})
        for i in range(12)
    ]
    scans += [
        SeenScan("differs", 0.05, {1: 30}, {1: 90}, {1: 0.4}),
        SeenScan("missed", 0.05, {1: 90}, {1: 90, 3: 6}, {1: 0.9, 3: 0.0}),
        SeenScan("open", 0.30, {1: 90, 3: 2}, None, {}),
    ]
    found = {one.case: one for one in ordered(queue_of_scans(scans, CLASSES))}
    assert found["differs"].why == "Labels and run differ on common: Dice 0.40, usually 0.90."
    assert (
        found["missed"].why
        == "rare is a rare class, 5 labelled, and the run finds none of it here."
    )
    assert found["open"].kinds == (Kind.RARE, Kind.UNSURE)
    assert set(found) <= {"differs", "missed", "open"}


def test_few_scans_have_no_usual_dice():
    assert usual_dice([0.9, 0.8]) == (pytest.approx(0.85), 0.5)
    assert usual_dice([]) == (0.0, 0.5)


def test_percent_never_says_never():
    assert [percent(value) for value in (0.0, 0.004, 0.5, 0.999)] == ["1 %", "1 %", "50 %", "99 %"]


def test_a_queue_is_read_as_it_was_written(tmp_path):
    entries = ordered(queue_of([image_part()], CLASSES, exclusive=True))
    path = queue_path(tmp_path / "run-001-x")
    write_queue(path, Queue("run-001-x", 4, entries, {"cases": 44}, (("a", "torn"),), ("note",)))
    found = read_queue(path)
    assert found.entries[0].why == entries[0].why
    assert (found.label_version, found.left_out, found.notes) == (4, (("a", "torn"),), ("note",))
    assert [one.case for one in read_queue(path, {"missed"}).entries] == ["missed"]
    assert read_queue(tmp_path / "nothing.json") is None


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 9}', '{"format": 1, "entries": [{}]}'])
def test_a_damaged_queue_says_so(tmp_path, text):
    path = tmp_path / "run-001-x" / "review" / "queue.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(LongtailError, match="review list"):
        read_queue(path)


def test_plain_data_is_json():
    entry = Entry("a", (Kind.LABEL,), "why", 0.5, (1,), 2, share=0.25)
    assert json.loads(json.dumps(entry.to_json()))["suggested"] == 2
