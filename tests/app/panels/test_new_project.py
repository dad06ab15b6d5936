"""From a folder to a project: what is proposed, what is refused, what is made."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from app_fakes import FakeBackend
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton

from longtail.app.panels.new_project import NewProjectDialog
from longtail.app.panels.new_project_plan import (
    Wish,
    class_names,
    left_out,
    problem,
    renamed,
    suggested_place,
)
from longtail.app.session import Session
from longtail.core.io.importers.chexpert import FINDINGS
from longtail.core.io.importers.plan import FoundCase, ImportPlan
from longtail.core.project.records import Status, Task

WAIT_MS = 15_000


def plan(*names, cases=2, split=None):
    found = tuple(
        FoundCase(f"c{n}", (f"/x/c{n}.png",), (4, 4), 1, None, split) for n in range(cases)
    )
    return ImportPlan("folders", found, class_names=names, task="classification")


@pytest.fixture
def wish(tmp_path):
    return Wish(tmp_path, Task.CLASSIFICATION, ("a", "b"), tmp_path / "p.longtail", "70/10/20")


def test_names_are_read_once_and_in_order():
    assert class_names(" b, a ,, b;c\nd ") == ("b", "a", "c", "d")
    assert class_names("") == ()


def test_the_place_is_beside_the_images_and_free(tmp_path):
    images = tmp_path / "My images"
    images.mkdir()
    (images / "labels.csv").touch()
    assert suggested_place(images) == tmp_path / "My images.longtail"
    assert suggested_place(images / "labels.csv") == tmp_path / "My images.longtail"
    (tmp_path / "My images.longtail").mkdir()
    assert suggested_place(images) == tmp_path / "My images-2.longtail"


def test_the_place_is_at_home_where_nothing_can_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_what: False)
    home = tmp_path / "home"
    assert suggested_place(tmp_path / "images", home) == home / "images.longtail"


def test_what_is_missing_is_said(wish):
    assert problem(wish, plan("a", "b")) == ""
    assert "Nothing was found" in problem(wish, plan(cases=0))
    assert "at least one class" in problem(replace(wish, classes=()), plan())
    assert "there already" in problem(replace(wish, place=wish.source), plan())
    assert "train/val/test" in problem(replace(wish, split="a third"), plan())
    assert problem(replace(wish, split=None), plan()) == ""


def test_found_classes_may_be_called_otherwise(wish):
    found = plan("class 1", "class 2")
    assert renamed(wish, found) == {"class 1": "a", "class 2": "b"}
    assert left_out(wish, found) == ()
    fewer = replace(wish, classes=("class 2",))
    assert renamed(fewer, found) == {}
    assert left_out(fewer, found) == ("class 1",)
    turned = replace(wish, classes=("class 2", "class 1"))
    assert renamed(turned, found) == {}


@pytest.fixture
def session():
    session = Session(FakeBackend(), record=lambda *_what: None)
    yield session
    session.close()


@pytest.fixture
def images(tmp_path):
    """A folder a class, as people keep photographs."""
    for name, count in (("common", 6), ("rare", 2)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            array = np.full((16, 20, 3), 30 * number, np.uint8)
            Image.fromarray(array).save(tmp_path / "photos" / name / f"{name}{number}.png")
    return tmp_path / "photos"


@pytest.fixture
def volumes(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / "study" / folder).mkdir(parents=True)
    for number in range(3):
        voxels = np.zeros((4, 8, 8), np.uint8)
        voxels[1, 2:5, 2:5] = 1
        voxels[2, 3, 3] = 2
        for folder in ("images", "labels"):
            file = tmp_path / "study" / folder / f"s{number}.nii.gz"
            sitk.WriteImage(sitk.GetImageFromArray(voxels), str(file))
    return tmp_path / "study"


def propose(qtbot, session, source, **options):
    dialog = NewProjectDialog(session, **options)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.look(source)
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is not dialog.wait, timeout=WAIT_MS)
    return dialog


def make(qtbot, session, dialog):
    with qtbot.waitSignal(dialog.accepted, timeout=WAIT_MS):
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)


def test_a_folder_a_class_becomes_a_project(qtbot, session, images):
    dialog = propose(qtbot, session, images)
    assert dialog.pages.currentWidget() is dialog.proposal
    assert dialog.task.value() == Task.CLASSIFICATION
    assert class_names(dialog.classes.text()) == ("common", "rare")
    dialog.split.setText("4/0/4")
    make(qtbot, session, dialog)
    assert session.project.path == images.parent / "photos.longtail"
    assert session.project.case_count == 8
    assert session.catalogue.class_counts() == {1: 6, 2: 2}


def test_scans_with_masks_become_a_project_and_classes_get_names(qtbot, session, volumes):
    dialog = propose(qtbot, session, volumes)
    assert dialog.task.value() == Task.SEGMENTATION
    dialog.classes.setText("organ, lesion")
    dialog.as_draft.setChecked(True)
    make(qtbot, session, dialog)
    assert [c.name for c in session.project.classes] == ["organ", "lesion"]
    cases = session.project.cases()
    assert {c.status for c in cases} == {Status.DRAFT}
    assert all(c.volumes_mm3[1] > c.volumes_mm3[2] > 0 for c in cases)


def test_nothing_can_be_made_before_classes_have_names(qtbot, session, images):
    dialog = propose(qtbot, session, images)
    dialog.classes.setText("")
    assert not dialog.go.isEnabled()
    assert "at least one class" in dialog.complaint.text()
    dialog.classes.setText("common")
    assert dialog.go.isEnabled()
    assert "rare" in dialog.complaint.text()
    dialog.reject()


def test_an_empty_folder_is_said_at_once(qtbot, session, tmp_path):
    (tmp_path / "empty").mkdir()
    dialog = propose(qtbot, session, tmp_path / "empty")
    assert dialog.complaint.text()
    assert dialog.go.isHidden() or not dialog.go.isEnabled()
    dialog.reject()
    assert session.project is None


def test_a_failure_while_making_is_said_and_leaves_nothing(qtbot, session, images, monkeypatch):
    dialog = propose(qtbot, session, images)

    def full(*_what, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("longtail.core.project.importing.apply_plan", full)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is dialog.proposal, timeout=WAIT_MS)
    assert "No space left" in dialog.complaint.text()
    assert not (images.parent / "photos.longtail").exists()
    assert session.project is None
    dialog.reject()


def test_cases_are_added_to_the_open_project(qtbot, session, images, cells):
    session.open_project(cells)
    dialog = propose(qtbot, session, images, into_open_project=True)
    assert dialog.classes.isHidden() or not dialog.classes.isVisible()
    assert dialog.go.isEnabled(), dialog.complaint.text()
    make(qtbot, session, dialog)
    assert session.project.case_count == 20
    assert len(session.catalogue.ids) == 20


def test_a_folder_dropped_on_the_welcome_is_looked_through(qtbot, session, images):
    dialog = NewProjectDialog(session, images)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is dialog.proposal, timeout=WAIT_MS)
    assert Path(dialog.place.text()).suffix == ".longtail"
    dialog.reject()


def test_labels_may_be_somewhere_else(qtbot, session, tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    for number in range(4):
        array = np.full((8, 8), 40 * number, np.uint8)
        Image.fromarray(array).save(tmp_path / "pictures" / f"p{number}.png")
    table = tmp_path / "findings.csv"
    table.write_text("file,label\n" + "".join(f"p{n}.png,{'ab'[n % 2]}\n" for n in range(4)))
    dialog = NewProjectDialog(session)
    qtbot.addWidget(dialog)
    dialog.begin.take_labels(str(table))
    assert "findings.csv" in dialog.begin.words.text()
    dialog.begin.chosen.emit(str(tmp_path / "pictures"))
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is not dialog.wait, timeout=WAIT_MS)
    assert class_names(dialog.classes.text()) == ("a", "b"), dialog.complaint.text()
    dialog.reject()


def test_boxes_of_the_test_part_alone_may_be_brought(qtbot, session, cells):
    rows = "".join(f"cell_{n:02d}.png,rare,{n},2,5,6\n" for n in (2, 3, 10, 11))
    table = cells.parent / "boxes.csv"
    table.write_text("file,finding,x,y,w,h\n" + rows)
    session.open_project(cells)
    dialog = propose(qtbot, session, table, into_open_project=True)
    assert dialog.boxes_of.isVisible()
    assert not dialog.split_row.isVisible()
    assert not dialog.uncertain.isVisible()
    dialog.boxes_of.set_value("test")
    make(qtbot, session, dialog)
    found = session.project.boxes_of([f"cell_{n:02d}" for n in range(12)])
    assert {case for case, boxes in found.items() if boxes} == {"cell_10", "cell_11"}
    assert session.project.case_count == 12


def test_a_column_tells_which_images_belong_together(qtbot, session, tmp_path):
    for number in range(8):
        array = np.full((8, 8), 20 * number, np.uint8)
        Image.fromarray(array).save(tmp_path / f"p{number}.png")
    rows = "".join(f"p{n}.png,{'ab'[n % 2]},slide{n // 4}\n" for n in range(8))
    (tmp_path / "labels.csv").write_text("file,label,slide\n" + rows)
    dialog = propose(qtbot, session, tmp_path / "labels.csv")
    assert dialog.patient.isVisible(), dialog.complaint.text()
    assert dialog.wish().patient is None
    dialog.patient.setCurrentIndex(dialog.patient.findData("slide"))
    dialog.split.setText("50/0/50")
    make(qtbot, session, dialog)
    parts = {}
    for case in session.project.cases():
        parts.setdefault(case.patient, set()).add(case.split)
    assert {patient: len(found) for patient, found in parts.items()} == {"slide0": 1, "slide1": 1}
    assert len(set.union(*parts.values())) == 2


def test_what_was_uncertain_is_the_users_choice(qtbot, session, tmp_path):
    heads = ("Path", "Sex", "No Finding", *FINDINGS)
    image = tmp_path / "xrays" / "train" / "patient00001" / "study1" / "view1_frontal.png"
    image.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(image)
    values = ["-1.0" if name == "Edema" else "" for name in FINDINGS]
    row = ("xrays/train/patient00001/study1/view1_frontal.png", "Female", "", *values)
    (tmp_path / "xrays" / "train.csv").write_text(f"{','.join(heads)}\n{','.join(row)}\n")
    dialog = propose(qtbot, session, tmp_path / "xrays")
    assert dialog.uncertain.isVisible(), dialog.complaint.text()
    assert dialog.uncertain.value() == "unknown"
    assert dialog.wish().boxes_of is None
    present = dialog.uncertain.findChildren(QPushButton)[1]
    assert present.text() == "Present"
    qtbot.mouseClick(present, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is dialog.proposal, timeout=WAIT_MS)
    assert dialog.uncertain.value() == "positive"
    make(qtbot, session, dialog)
    (case,) = session.project.cases()
    names = {one.name for one in session.project.classes if one.id in case.labels.yes}
    assert names == {"Edema"}
