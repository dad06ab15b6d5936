import errno
import os
from pathlib import Path

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.records import PredictionRecord
from longtail.core.project.store import Project

SPEC = {"method": "supervised"}


@pytest.fixture
def studied(heart: Project, volume, mask: np.ndarray) -> Project:
    heart.add_cases([volume("a/one", mask), volume("two", mask)])
    heart.write_label_map("a/one", np.where(mask == 2, 0, mask).astype(np.uint8), author="me")
    heart.journal("a/one").append((np.array([0]), np.array([0]), np.array([0])), 2)
    run_id = heart.new_run(SPEC).id
    (heart.run_folder(run_id) / "checkpoints" / "last.pt").write_bytes(bytes(5000))
    heart.record_predictions([PredictionRecord("a/one", run_id, "abc", 1)])
    return heart


def _files(project: Project) -> set[str]:
    return {
        path.relative_to(project.path).as_posix()
        for folder in ("annotations", "journal", "runs")
        for path in (project.path / folder).rglob("*")
        if path.is_file()
    }


def test_deleted_cases_come_back_with_everything(studied: Project, mask: np.ndarray) -> None:
    before, array = _files(studied), studied.read_label_map("a/one")
    images = studied.case("a/one").channels
    item = studied.delete_cases(["a/one", "a/one"])
    assert (item.kind, item.names) == ("cases", ("a/one",))
    assert item.size_bytes > 100
    assert [case.id for case in studied.cases()] == ["two"]
    assert studied.catalogue().ids == ["two"]
    assert studied.predictions("run-001-supervised") == []
    assert all("one" not in name for name in _files(studied))
    assert all(Path(path).exists() for path in images)
    assert studied.trash() == [item]
    studied.restore(item.id)
    assert _files(studied) == before
    np.testing.assert_array_equal(studied.read_label_map("a/one"), array)
    np.testing.assert_array_equal(studied.read_history_map("a/one", 1), mask)
    assert len(studied.predictions("run-001-supervised")) == 1
    assert studied.trash() == []


def test_a_deleted_run_comes_back(studied: Project) -> None:
    before = _files(studied)
    item = studied.delete_run("run-001-supervised")
    assert (item.kind, item.names) == ("run", ("run-001-supervised",))
    assert item.size_bytes >= 5000
    assert studied.runs() == []
    with pytest.raises(LongtailError, match="no run named"):
        studied.predictions("run-001-supervised")
    assert studied.new_run(SPEC).id == "run-002-supervised"
    studied.restore(item.id)
    assert before <= _files(studied)
    assert [run.id for run in studied.runs()] == ["run-001-supervised", "run-002-supervised"]
    assert len(studied.predictions("run-001-supervised")) == 1


def test_a_running_run_is_not_deleted(studied: Project) -> None:
    studied.record_run("run-001-supervised", state="running")
    with pytest.raises(LongtailError, match="Stop it first"):
        studied.delete_run("run-001-supervised")


def test_emptying_forgets_for_good_and_gives_no_number_twice(studied: Project) -> None:
    first = studied.delete_cases(["a/one"])
    second = studied.delete_run("run-001-supervised")
    assert studied.empty_trash() == first.size_bytes + second.size_bytes
    assert studied.trash() == []
    assert not (studied.path / "trash").exists()
    with pytest.raises(LongtailError, match="nothing in the trash"):
        studied.restore(first.id)
    assert studied.new_run(SPEC).id == "run-002-supervised"
    assert [case.id for case in studied.cases()] == ["two"]
    assert studied.delete_cases(["two"]).id not in {first.id, second.id}


def test_a_case_can_be_imported_again_after_deletion(studied: Project, volume, mask) -> None:
    item = studied.delete_cases(["a/one"])
    result = studied.add_cases([volume("a/one", mask)])
    assert result.added == 1
    assert len(studied.history("a/one")) == 1
    with pytest.raises(LongtailError, match="named 'a/one' again"):
        studied.restore(item.id)
    studied.delete_cases(["a/one"])
    studied.restore(item.id)
    assert len(studied.history("a/one")) == 2


def test_a_name_on_the_disk_is_never_overwritten(studied: Project, volume, mask) -> None:
    item = studied.delete_cases(["a/one"])
    studied.add_cases([volume("a__one", mask)])
    with pytest.raises(LongtailError, match="is there again"):
        studied.restore(item.id)
    np.testing.assert_array_equal(studied.read_label_map("a__one"), mask)
    assert studied.trash() == [item]


def test_classes_merged_meanwhile_are_merged_on_return(studied: Project, mask: np.ndarray) -> None:
    item = studied.delete_cases(["two"])
    studied.merge_classes(2, 1)
    studied.restore(item.id)
    np.testing.assert_array_equal(studied.read_label_map("two"), np.where(mask == 2, 1, mask))
    assert set(studied.case("two").volumes_mm3) == {1}


def test_deleting_nothing(studied: Project) -> None:
    assert studied.delete_cases([]) is None
    assert studied.trash() == []


def test_a_failed_move_deletes_nothing(studied: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _files(studied)
    real, moved = os.replace, []

    def fail_at_second(source: Path, target: Path) -> None:
        moved.append(source)
        if len(moved) == 2:
            raise OSError(errno.EACCES, "a scanner holds it")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail_at_second)
        with pytest.raises(LongtailError, match="could not be saved"):
            studied.delete_cases(["a/one"])
    assert _files(studied) == before
    assert studied.case("a/one").has_mask
    assert studied.trash() == []


def test_many_image_cases_at_once(chest: Project, picture) -> None:
    ids = [f"x{n}" for n in range(2000)]
    chest.add_cases([picture(case_id, 1) for case_id in ids])
    item = chest.delete_cases(ids[:1500])
    assert chest.case_count == 500
    assert item.size_bytes == 0
    chest.restore(item.id)
    assert chest.case_count == 2000
    chest.delete_cases(ids)
    chest.empty_trash()
    assert chest.case_count == 0
    assert chest.add_cases([picture(case_id, 1) for case_id in ids]).added == 2000
