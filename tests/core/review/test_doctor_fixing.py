"""Each fix is one step that is taken back, also after the project was closed."""

from pathlib import Path

import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project
from longtail.core.review.doctor_fixing import FILE, mend, mended, take_back
from longtail.core.review.doctor_records import Fix


@pytest.fixture
def project(tmp_path: Path):
    with Project.create(tmp_path / "p", task=Task.CLASSIFICATION, classes=["a", "b"]) as made:
        made.add_cases(
            NewCase(
                name,
                (f"/nowhere/{name}.png",),
                (8, 8),
                1,
                None,
                split=split,
                labels=ImageLabels(frozenset({1})),
            )
            for name, split in (("one", Split.TRAIN), ("two", Split.TEST), ("three", Split.VAL))
        )
        yield made


def facts(project: Project) -> dict:
    return {one.id: (one.split, one.status, one.labels) for one in project.cases()}


FIXES = (
    Fix("Move", parts={"one": "test", "three": "train"}),
    Fix("Leave out", leave_out=("one", "three")),
    Fix("Unlabel", unlabel=("two",)),
)


@pytest.mark.parametrize("fix", FIXES, ids=lambda fix: fix.sentence)
def test_a_step_mends_and_is_taken_back_after_a_restart(project: Project, fix: Fix) -> None:
    before = facts(project)
    done = mend(project, fix, "What was wrong.", author="me")
    assert facts(project) != before
    project.close()
    with Project.open(project.path) as again:
        assert [(one.number, one.finding) for one in mended(again)] == [(1, "What was wrong.")]
        take_back(again, done.number, author="me")
        assert facts(again) == before
        assert mended(again) == []


def test_what_a_step_does(project: Project) -> None:
    mend(project, FIXES[0], "", author="me")
    assert project.case("one").split is Split.TEST
    mend(project, FIXES[2], "", author="me")
    assert project.case("two").status is Status.UNLABELLED
    mend(project, FIXES[1], "", author="me")
    assert [one.id for one in project.cases()] == ["two"]
    assert [one.number for one in mended(project)] == [1, 2, 3]


def test_what_was_changed_since_then_stays(project: Project) -> None:
    moved = mend(project, FIXES[0], "", author="me")
    emptied = mend(project, FIXES[2], "", author="me")
    project.set_split(["one"], Split.VAL)
    project.set_labels(["two"], ImageLabels(frozenset({2})), author="you")
    take_back(project, moved.number, author="me")
    take_back(project, emptied.number, author="me")
    assert project.case("one").split is Split.VAL
    assert project.case("three").split is Split.VAL  # as it was
    assert project.case("two").labels == ImageLabels(frozenset({2}))


def test_a_step_is_taken_back_once(project: Project) -> None:
    done = mend(project, FIXES[0], "", author="me")
    take_back(project, done.number, author="me")
    with pytest.raises(LongtailError, match="already"):
        take_back(project, done.number, author="me")


def test_a_project_open_for_reading_is_not_mended(project: Project) -> None:
    with (
        Project.open(project.path, write=False) as reading,
        pytest.raises(LongtailError, match="reading"),
    ):
        mend(reading, FIXES[0], "", author="me")


def test_a_damaged_list_of_steps_counts_as_none(project: Project) -> None:
    for text in ("", "{", '{"steps": [{"number": 1}]}', '{"steps": 3}', "[]"):
        (project.path / FILE).write_text(text, encoding="utf-8")
        assert mended(project) == []
