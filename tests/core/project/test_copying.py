"""A copied project has the labels and no runs, and shares nothing that one of the two changes."""

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.copying import copy_project
from longtail.core.project.records import Split
from longtail.core.project.store import Project


@pytest.fixture
def labelled(heart, volume, mask):
    heart.add_cases([volume("a"), volume("b")])
    heart.write_label_map("a", mask, author="ada")
    heart.new_run({"method": "supervised"})
    return heart


def test_cases_labels_and_parts_are_there_and_runs_are_not(labelled, tmp_path, mask):
    labelled.set_split(["b"], Split.TEST)
    target = tmp_path / "copy.longtail"
    copy_project(labelled.path, target)
    with Project.open(target) as copy:
        assert [case.id for case in copy.cases(split=Split.TEST)] == ["b"]
        np.testing.assert_array_equal(copy.read_label_map("a"), mask)
        assert not copy.runs()
        assert copy.new_run({"method": "supervised"}).id.startswith("run-002")


def test_what_one_changes_the_other_does_not_see(labelled, tmp_path, mask):
    target = tmp_path / "copy.longtail"
    copy_project(labelled.path, target)
    with Project.open(target) as copy:
        copy.write_label_map("a", np.ones_like(mask), author="bob")
        copy.set_split(["a"], Split.VAL)
    np.testing.assert_array_equal(labelled.read_label_map("a"), mask)
    assert labelled.case("a").split is not Split.VAL
    labelled.write_label_map("a", np.zeros_like(mask), author="ada")
    with Project.open(target, write=False) as copy:
        assert copy.read_label_map("a").all()


def test_a_copy_may_lie_inside_of_the_project(labelled, mask):
    target = labelled.path / "mine" / "copy.longtail"
    copy_project(labelled.path, target)
    with Project.open(target, write=False) as copy:
        np.testing.assert_array_equal(copy.read_label_map("a"), mask)
    assert not (target / "mine").exists()


def test_a_place_that_is_taken_is_refused(labelled, tmp_path):
    (tmp_path / "copy.longtail").mkdir()
    with pytest.raises(LongtailError):
        copy_project(labelled.path, tmp_path / "copy.longtail")


def test_a_damaged_project_is_refused(tmp_path):
    source = tmp_path / "broken.longtail"
    source.mkdir()
    (source / "project.db").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(LongtailError, match="could not be copied"):
        copy_project(source, tmp_path / "copy.longtail")
