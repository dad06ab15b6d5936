"""What is offered for a case, in words; without Qt."""

import pytest

from longtail.app.panels.review_model import ALL, DONE, Standing, end_words, looked_sentence
from longtail.core.project.records import Case, ImageLabels, Split, Status, Task
from longtail.core.review.decisions import Verdict
from longtail.core.review.queue import Entry, Kind
from longtail.core.review.queue_file import Queue

NAMES = {1: "common", 2: "rare"}


def case(name, split=Split.TRAIN, *, mask=False, labels=None):
    return Case(name, ("x",), (4, 4), 1, None, split, Status.REVIEWED, has_mask=mask, labels=labels)


def entry(name, given=(1,), suggested=2, present=True, kind=Kind.LABEL, share=0.9):
    return Entry(name, (kind,), f"why {name}", 1.0, given, suggested, present, share)


def standing(task, *entries, cases=()):
    queue = Queue("r", 1, entries, {"cases": 1200})
    return Standing(queue, NAMES, task, {one.id: one for one in cases})


def offer(task, one, *cases, writable=True):
    return standing(task, one, cases=cases).offer(one, writable=writable)


def test_a_doubtful_class_is_kept_or_changed():
    told = offer(Task.CLASSIFICATION, entry("a"), case("a"))
    assert (told.keep, told.take, told.flag) == ("Keep common", "Take rare", "Set aside")
    assert told.hint == ""
    assert "test part" in offer(Task.CLASSIFICATION, entry("a"), case("a", Split.TEST)).hint


def test_an_image_without_labels_gets_the_suggestion_by_the_same_key():
    told = offer(Task.CLASSIFICATION, entry("a", given=()), case("a"))
    assert (told.keep, told.take) == ("Yes, rare", "")
    blank = offer(Task.CLASSIFICATION, entry("a", given=(), suggested=None), case("a"))
    assert blank.keep == ""
    assert "number key" in blank.hint


def test_of_several_labels_one_is_added_or_removed():
    labels = ImageLabels(frozenset({1}), frozenset({2}))
    told = offer(Task.MULTILABEL, entry("a"), case("a", labels=labels))
    assert (told.keep, told.take) == ("Labels are right", "Add rare")
    gone = offer(Task.MULTILABEL, entry("a", suggested=1, present=False), case("a", labels=labels))
    assert gone.take == "Remove common"


def test_scans_are_corrected_by_drawing():
    told = offer(Task.SEGMENTATION, entry("a", share=None), case("a", mask=True))
    assert (told.keep, told.take) == ("Labels are right", "Correct the outline")
    bare = offer(Task.SEGMENTATION, entry("a", given=(), share=None), case("a"))
    assert (bare.keep, bare.take) == ("", "Start from the run's outline")


def test_nothing_is_offered_where_nothing_may_be_written():
    told = offer(Task.CLASSIFICATION, entry("a"), case("a"), writable=False)
    assert (told.keep, told.take, told.flag) == ("", "", "")
    assert "only be looked at" in told.hint


def test_filters_and_the_next_one():
    one = standing(
        Task.CLASSIFICATION, entry("a"), entry("b", kind=Kind.TAIL), entry("c"), entry("d")
    )
    assert one.after("") == "a"
    one.verdicts["a"] = Verdict.ACCEPTED
    assert one.counts()[ALL] == 3
    assert one.counts()[DONE] == 1
    assert one.after("a") == "b"
    assert one.after("d") == "b"
    one.kind = Kind.TAIL
    assert [each.case for each in one.shown()] == ["b"]
    one.kind = DONE
    assert [each.case for each in one.shown()] == ["a"]
    one.verdicts |= dict.fromkeys("bcd", Verdict.FLAGGED)
    one.kind = ALL
    assert one.after("c") == ""
    assert one.tally() == "1 kept · 3 set aside"


@pytest.mark.parametrize(
    ("task", "one", "line"),
    [
        (Task.CLASSIFICATION, entry("a/b.png"), "common → rare"),
        (Task.CLASSIFICATION, entry("a", given=()), "rare"),
        (Task.MULTILABEL, entry("a"), "+ rare"),
        (Task.SEGMENTATION, entry("a", suggested=None), "common"),
    ],
)
def test_rows_say_from_what_to_what(task, one, line):
    row = standing(task, one).row(one)
    assert row.line == line
    assert row.why == one.why
    assert row.share == "90 %"


def test_words_at_the_end():
    assert "1 image corrected: train again" in end_words([Verdict.CORRECTED], "image")
    assert "2 scans set aside" in end_words([Verdict.FLAGGED] * 2, "scan")
    assert end_words([Verdict.ACCEPTED], "image") == "All labels were right as they are."
    told = looked_sentence(standing(Task.CLASSIFICATION, entry("a")).queue, Task.CLASSIFICATION)
    assert told == "1 of 1,200 images deserve a look"
