"""Decisions change labels, are kept, and can be taken back one by one."""

import numpy as np
import pytest
from PIL import Image

from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project
from longtail.core.review.decisions import FILE, Decisions, Verdict, latest
from longtail.core.review.queue import Entry, Kind


def images(tmp_path, task, answers):
    project = Project.create(tmp_path / "p.longtail", task=task, classes=["a", "b", "c"])
    cases = []
    for number, labels in enumerate(answers):
        file = tmp_path / f"{number}.png"
        Image.fromarray(np.full((4, 5), number, np.uint8)).save(file)
        cases.append(NewCase(str(number), (str(file),), (4, 5), 1, None, Split.TRAIN, None, labels))
    project.add_cases(cases)
    return project


def yes(*ids):
    return ImageLabels(frozenset(ids))


def entry(case, suggested=2, given=(1,), present=True):
    return Entry(case, (Kind.LABEL,), "why", 1.0, given, suggested, present, 0.9)


def decide(project, decisions, one, verdict):
    before = latest(project, one.case)
    return decisions.decide(one, verdict, run="run-001-x", author="me", before=before)


@pytest.fixture
def project(tmp_path):
    with images(tmp_path, Task.CLASSIFICATION, [yes(1), yes(1), yes(1), None]) as project:
        project.set_status(["0"], Status.DRAFT)
        yield project


def test_accepted_is_reviewed_corrected_takes_the_suggestion_flagged_stays_out(project):
    decisions = Decisions(project)
    decide(project, decisions, entry("0"), Verdict.ACCEPTED)
    decide(project, decisions, entry("1"), Verdict.CORRECTED)
    decide(project, decisions, entry("2"), Verdict.FLAGGED)
    decide(project, decisions, entry("3", given=()), Verdict.ACCEPTED)
    assert project.case("0").labels == yes(1)
    assert project.case("0").status is Status.REVIEWED
    assert project.case("1").labels == yes(2)
    assert project.case("2").status is Status.UNLABELLED
    assert project.case("3").labels == yes(2)
    labelled = {case.id for case in project.cases(labelled=True)}
    assert labelled == {"0", "1", "3"}


def test_all_is_taken_back_in_turn(project):
    before = {case.id: (case.labels, case.status) for case in project.cases()}
    decisions = Decisions(project)
    for case, verdict in zip("0123", (*Verdict, Verdict.ACCEPTED), strict=True):
        given = () if case == "3" else (1,)
        decide(project, decisions, entry(case, given=given), verdict)
    taken = [decisions.take_back("me").case for _ in range(4)]
    assert taken == ["3", "2", "1", "0"]
    assert {case.id: (case.labels, case.status) for case in project.cases()} == before
    assert decisions.take_back("me") is None
    assert not decisions.all


def test_labels_changed_by_hand_stay_and_are_taken_back(project):
    decisions = Decisions(project)
    before = latest(project, "1")
    project.set_labels(["1"], yes(3), author="me", status=Status.DRAFT)
    by_hand = entry("1", suggested=None)
    decisions.decide(by_hand, Verdict.CORRECTED, run="r", author="me", before=before)
    assert project.case("1").labels == yes(3)
    assert project.case("1").status is Status.REVIEWED
    decisions.take_back("me")
    assert project.case("1").labels == yes(1)


def test_decisions_are_there_the_next_time(project):
    decide(project, Decisions(project), entry("1"), Verdict.CORRECTED)
    again = Decisions(project)
    assert again.by_case["1"].verdict is Verdict.CORRECTED
    again.take_back("me")
    assert project.case("1").labels == yes(1)


def test_several_labels_are_added_and_removed(tmp_path):
    labels = ImageLabels(frozenset({1}), frozenset({2, 3}))
    with images(tmp_path, Task.MULTILABEL, [labels, labels]) as project:
        decisions = Decisions(project)
        decide(project, decisions, entry("0", suggested=2), Verdict.CORRECTED)
        decide(project, decisions, entry("1", suggested=1, present=False), Verdict.CORRECTED)
        assert project.case("0").labels == ImageLabels(frozenset({1, 2}), frozenset({3}))
        assert project.case("1").labels == ImageLabels(frozenset(), frozenset({1, 2, 3}))


@pytest.mark.parametrize("text", ["{", '{"decisions": [{}]}', "[]"])
def test_a_damaged_file_says_so(project, text):
    (project.path / FILE).parent.mkdir(exist_ok=True)
    (project.path / FILE).write_text(text)
    with pytest.raises(LongtailError, match="reviews"):
        Decisions(project)
