"""Many cases changed in one step, and the step taken back."""

import pytest

from longtail.app.panels.embedding_change import give_class, give_split, give_status, take_back
from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project


def yes(*ids, no=()):
    return ImageLabels(frozenset(ids), frozenset(no))


def states(project):
    return {c.id: (c.labels, c.status, c.split) for c in project.cases()}


@pytest.fixture
def cells(tmp_path):
    with Project.create(
        tmp_path / "p.longtail", task=Task.CLASSIFICATION, classes=["a", "b"]
    ) as project:
        given = [yes(1), yes(1), yes(2), None]
        project.add_cases(
            NewCase(f"c{i}", (f"/x/{i}.png",), (4, 4), 1, None, Split.TRAIN, None, labels)
            for i, labels in enumerate(given)
        )
        project.set_status(["c1"], Status.DRAFT)
        yield project


def test_a_class_is_given_and_taken_back(cells):
    before = states(cells)
    step = give_class(cells, ["c0", "c1", "c2", "c3"], 2, author="me")
    assert step.words == "b"
    assert set(step.case_ids) == {"c0", "c1", "c3"}
    assert all(c.labels == yes(2) and c.status is Status.REVIEWED for c in cells.cases())
    back = take_back(cells, step, author="me")
    assert states(cells) == before
    assert set(back.case_ids) == set(step.case_ids)


def test_the_history_keeps_both(cells):
    step = give_class(cells, ["c0"], 2, author="me")
    take_back(cells, step, author="me")
    assert [entry.labels for entry in cells.history("c0")] == [yes(1), yes(2), yes(1)]


def test_a_draft_that_already_has_the_class_is_only_marked(cells):
    step = give_class(cells, ["c1"], 1, author="me")
    assert cells.case("c1").status is Status.REVIEWED
    assert len(cells.history("c1")) == 1
    take_back(cells, step, author="me")
    assert cells.case("c1").status is Status.DRAFT


def test_a_status_leaves_out_what_has_no_labels(cells):
    before = states(cells)
    step = give_status(cells, list(before), Status.DRAFT, author="me")
    assert set(step.case_ids) == {"c0", "c2"}
    assert (step.skipped, step.why) == (1, "without labels")
    take_back(cells, step, author="me")
    assert states(cells) == before


def test_a_part_is_given_and_taken_back(cells):
    before = states(cells)
    step = give_split(cells, ["c0", "c3"], Split.TEST, author="me")
    assert cells.case("c3").split is Split.TEST
    take_back(cells, step, author="me")
    assert states(cells) == before


def test_what_somebody_has_changed_since_stays(cells):
    step = give_class(cells, ["c0", "c1"], 2, author="me")
    cells.set_labels(["c0"], yes(1), author="other", status=Status.DRAFT)
    back = take_back(cells, step, author="me")
    assert (back.skipped, back.why) == (1, "changed since then")
    assert cells.case("c0").author == "other"
    assert cells.case("c1").labels == yes(1)


def test_of_several_classes_the_others_stay(tmp_path):
    with Project.create(
        tmp_path / "m.longtail", task=Task.MULTILABEL, classes=["a", "b", "c"]
    ) as project:
        given = [yes(1, no=(2,)), yes(no=(1, 2, 3)), None]
        project.add_cases(
            NewCase(f"c{i}", (f"/x/{i}.png",), (4, 4), 1, None, Split.TRAIN, None, labels)
            for i, labels in enumerate(given)
        )
        before = states(project)
        step = give_class(project, list(before), 2, author="me")
        assert [c.labels for c in project.cases()] == [yes(1, 2), yes(2, no=(1, 3)), yes(2)]
        denied = give_class(project, ["c0"], 1, yes=False, author="me")
        assert denied.words == "not a"
        assert project.case("c0").labels == yes(2, no=(1,))
        take_back(project, denied, author="me")
        take_back(project, step, author="me")
        assert states(project) == before


def test_nothing_is_changed_in_a_project_for_reading(cells, tmp_path):
    with (
        Project.open(tmp_path / "p.longtail", write=False) as reading,
        pytest.raises(LongtailError),
    ):
        give_class(reading, ["c0"], 2, author="me")
