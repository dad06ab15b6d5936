"""From a wish to a plan or a reason, over real projects and without Qt."""

import pytest

from longtail.app.panels.train_fields import fields_of
from longtail.app.panels.train_model import (
    Plan,
    Wish,
    about_class,
    can_resume,
    class_looks,
    interrupted,
    labelled_in,
    looks_at,
    make_plan,
    methods_for,
    needs,
    read_only,
    validation_sentence,
)
from longtail.core.methods.catalogue import METHODS
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project

WISH = Wish("cross-entropy")


@pytest.fixture
def project(tmp_path):
    with Project.create(
        tmp_path / "cells.longtail", task=Task.CLASSIFICATION, classes=["common", "rare"]
    ) as made:
        yield made


def fill(project, given, split=None):
    """Add a case for each of `given`: a class id, or None for an unlabelled one."""
    start = project.case_count
    project.add_cases(
        NewCase(
            f"cell-{start + n}",
            ((project.path.parent / f"cell-{start + n}.png").as_posix(),),
            (64, 64),
            3,
            None,
            split=split,
            labels=None if class_id is None else ImageLabels(frozenset({class_id})),
        )
        for n, class_id in enumerate(given)
    )


def plan(project, wish=WISH):
    settings = fields_of(METHODS.get(wish.method).settings)
    return make_plan(project, wish, project.catalogue().tiers(), settings)


def test_what_will_be_used_is_counted_by_class(project):
    fill(project, [1] * 8 + [2] * 3 + [None] * 5)
    made = plan(project)
    assert made.blocked is None
    assert [(row.name, row.count) for row in made.use] == [("common", 8), ("rare", 3)]
    assert (made.labelled, made.unlabelled) == (11, 5)
    assert made.use[1].tier == "tail"
    assert made.memory_bytes > 0


def test_a_project_without_cases_leads_to_cases(project):
    assert plan(project).blocked.panel == "Cases"


def test_unlabelled_cases_alone_lead_to_label(project):
    fill(project, [None] * 4)
    blocked = plan(project).blocked
    assert "no labelled case" in blocked.reason
    assert blocked.panel == "Label"


def test_labels_that_are_all_kept_for_the_test_lead_to_cases(project):
    fill(project, [1, 2, 1, 2], Split.TEST)
    assert plan(project).blocked.panel == "Cases"


def test_one_class_only_cannot_be_told_apart(project):
    fill(project, [1] * 6)
    assert "All labelled training cases are common" in plan(project).blocked.reason


def test_a_setting_that_cannot_work_is_found_by_its_field(project):
    fill(project, [1] * 6 + [2] * 6)
    blocked = plan(project, Wish("cross-entropy", settings={"loss": "bce"})).blocked
    assert blocked.field == "loss"


def test_validation_without_cases_says_so(project):
    fill(project, [1] * 6 + [2] * 6)
    blocked = plan(project, Wish("cross-entropy", validation="split")).blocked
    assert "validation" in blocked.reason
    assert blocked.field == "validation"


def test_a_number_of_labelled_cases_that_cannot_be_is_found(project):
    fill(project, [1] * 6 + [2] * 6)
    assert plan(project, Wish("cross-entropy", labelled="5000")).blocked is None or (
        plan(project, Wish("cross-entropy", labelled="5000")).blocked.field == "labelled"
    )
    assert plan(project, Wish("cross-entropy", labelled="many")).blocked.field == "labelled"


def test_a_reader_is_told_why_it_cannot_train(project):
    fill(project, [1] * 6 + [2] * 6)
    with Project.open(project.path, write=False) as reader:
        made = plan(reader)
        assert made.spec is not None
        assert made.blocked == read_only(reader)


def test_few_examples_are_warned_of_and_name_their_class(project):
    fill(project, [1] * 8 + [2] * 2)
    made = plan(project)
    assert any(about_class(warning, made.use) for warning in made.warnings)
    assert not about_class("Only 3 labelled cases.", made.use)


def test_what_it_needs(project):
    fill(project, [1] * 6 + [2] * 6)
    told = dict(needs(plan(project), "CPU", 8_000_000_000))
    assert told["Looks at"] == "128 \N{MULTIPLICATION SIGN} 128 pixels"
    assert told["Time"] == "6 minutes and set-up"
    assert told["Runs on"] == "CPU"
    assert told["Memory"].startswith("about ")
    assert told["Memory"].endswith(" of 8.0 GB")
    assert needs(Plan(), "CPU", None) == ()


def test_the_piece_looked_at_is_told_for_volumes(project):
    fill(project, [1] * 6 + [2] * 6)
    spec = plan(project).spec
    grid = spec.grid.model_copy(update={"patch": (48, 64, 48)})
    assert looks_at(spec.model_copy(update={"grid": grid})).startswith("48")
    assert looks_at(spec.model_copy(update={"grid": grid})).endswith("voxels")


@pytest.mark.parametrize("task", Task)
def test_each_task_has_a_method(task):
    methods = methods_for(task)
    assert methods
    assert all(task in method.tasks for method in methods)


def test_classes_keep_their_colours_and_tiers(project):
    looks = class_looks(project, {1: "head", 2: "tail"})
    assert [(look.name, look.tier) for look in looks] == [("common", "head"), ("rare", "tail")]
    assert looks[0].colour == project.classes[0].colour


def test_labelled_cases_of_a_part_are_counted(project):
    fill(project, [1, 2, None], Split.VAL)
    assert labelled_in(project.catalogue(), Split.VAL) == 2
    assert labelled_in(project.catalogue(), Split.TEST) == 0


@pytest.mark.parametrize(
    ("count", "choice", "words"),
    [
        (12, "split", "on 12 labelled scans"),
        (0, "none", "all of them train"),
        (3, "none", "3 scans"),
    ],
)
def test_a_choice_of_validation_is_explained(count, choice, words):
    assert words in validation_sentence(Task.SEGMENTATION, count, choice)


def test_only_runs_that_did_not_end_can_go_on(project):
    fill(project, [1] * 6 + [2] * 6)
    run = project.new_run(plan(project).spec.to_mapping())
    for state, resumable in (("stopped", True), ("failed", True), ("completed", False)):
        recorded = project.record_run(run.id, state=state)
        assert can_resume(recorded, True) is resumable
        assert not can_resume(recorded, False)
    assert interrupted(project.record_run(run.id, state="stopped")).startswith("Run 1 was stopped")
