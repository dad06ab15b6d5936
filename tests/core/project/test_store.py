import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.records import CLASS_PALETTE, Task
from longtail.core.project.store import Project


def test_a_new_project_has_the_folder_of_the_design(tmp_path: Path) -> None:
    with Project.create(tmp_path / "s.longtail", task=Task.SEGMENTATION, classes=["a"]) as project:
        inside = {path.name for path in project.path.iterdir()}
    assert {"project.db", "annotations", "journal", "runs", "cache"} <= inside


def test_closing_folds_the_log_and_gives_the_lock_back(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "s", task=Task.SEGMENTATION, classes=["a"])
    assert (project.path / "project.db-wal").exists()
    assert (project.path / "project.lock").exists()
    project.close()
    project.close()
    left = {path.name for path in project.path.iterdir()}
    assert left == {"project.db", "annotations", "journal", "runs", "cache"}


def test_the_suffix_is_added_and_found_again(tmp_path: Path) -> None:
    with Project.create(tmp_path / "study", task=Task.MULTILABEL, classes=["a"]) as project:
        assert project.path == tmp_path / "study.longtail"
        assert project.name == "study"
    with Project.open(tmp_path / "study") as again:
        assert again.task is Task.MULTILABEL


def test_a_path_with_spaces_and_umlauts(tmp_path: Path) -> None:
    place = tmp_path / "Prüfung #1 50% größer?" / "größe ä.longtail"
    with Project.create(place, task=Task.CLASSIFICATION, classes=["Gefäß"]) as project:
        assert project.class_named("gefäß").id == 1
    with Project.open(place) as writer, Project.open(place) as reader:
        assert writer.writable
        assert not reader.writable
        assert reader.classes == writer.classes


def test_nothing_is_made_over_something(tmp_path: Path) -> None:
    Project.create(tmp_path / "s.longtail", task=Task.SEGMENTATION, classes=[]).close()
    with pytest.raises(LongtailError, match="exists already"):
        Project.create(tmp_path / "s.longtail", task=Task.SEGMENTATION, classes=[])


def test_a_refused_class_leaves_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(LongtailError, match="named 'A' already"):
        Project.create(tmp_path / "s.longtail", task=Task.SEGMENTATION, classes=["a", "A"])
    assert not (tmp_path / "s.longtail").exists()


def test_opening_what_is_no_project(tmp_path: Path) -> None:
    with pytest.raises(LongtailError, match="There is no project"):
        Project.open(tmp_path / "absent")
    with pytest.raises(LongtailError, match=r"holds no project\.db"):
        Project.open(tmp_path)


def test_classes_are_added_renamed_recoloured_and_retired(heart: Project) -> None:
    added = heart.add_class("  left   atrium ")
    assert (added.id, added.name, added.colour) == (3, "left atrium", CLASS_PALETTE[2])
    heart.rename_class(3, "atrium")
    heart.recolour_class(3, "#ABCDEF")
    assert heart.class_named("Atrium").colour == "#abcdef"
    heart.retire_class(3)
    assert [record.id for record in heart.classes] == [1, 2]
    assert [record.id for record in heart.all_classes] == [1, 2, 3]


def test_an_id_is_never_given_twice(heart: Project) -> None:
    heart.retire_class(heart.add_class("x").id)
    assert heart.add_class("x").id == 4


def test_colours_stay_apart_beyond_the_palette(heart: Project) -> None:
    for number in range(20):
        heart.add_class(f"class {number}")
    colours = [record.colour for record in heart.classes]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("name", ["", "  ", "Background", "WALL"])
def test_names_that_no_class_may_have(heart: Project, name: str) -> None:
    with pytest.raises(LongtailError):
        heart.add_class(name)
    with pytest.raises(LongtailError):
        heart.rename_class(2, name)


def test_renaming_to_its_own_name_in_capitals(heart: Project) -> None:
    heart.rename_class(1, "Wall")
    assert heart.class_named("wall").name == "Wall"


def test_a_colour_is_checked(heart: Project) -> None:
    with pytest.raises(LongtailError, match="no colour"):
        heart.add_class("x", "red; background: url(x)")


def test_more_classes_than_a_byte_holds(tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(255)]
    with pytest.raises(LongtailError, match="at most 254 classes"):
        Project.create(tmp_path / "many.longtail", task=Task.SEGMENTATION, classes=names)


def test_an_unknown_class_is_named_with_the_known_ones(heart: Project) -> None:
    with pytest.raises(LongtailError, match="wall, scar"):
        heart.class_named("lung")


def test_neither_torch_nor_monai_is_imported(tmp_path: Path) -> None:
    script = """
import json, sys
from pathlib import Path
from longtail.core.project.store import Project
from longtail.core.project.records import Task
from longtail.core.project import importing
with Project.create(Path(sys.argv[1]), task=Task.SEGMENTATION, classes=["a"]) as project:
    project.catalogue()
    project.runs()
print(json.dumps([name for name in ("torch", "monai", "qtpy", "napari") if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "p.longtail")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert json.loads(done.stdout) == []
