"""The Label panel on small generated projects."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from qtpy.QtCore import Qt

from longtail.app.canvas import Canvas
from longtail.app.loading import Loaded
from longtail.app.panels.label import LabelPanel
from longtail.app.panels.label_rows import Answer
from longtail.app.session import Session
from longtail.core.project.records import ImageLabels, NewCase, Status, Task
from longtail.core.project.store import Project

SHAPE = (4, 16, 12)
WAIT_MS = 10_000


class NoBackend:
    def submit(self, job):
        raise AssertionError("no job is expected here")

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"


def make_project(folder, task):
    path = folder / f"{task}.longtail"
    with Project.create(path, task=task, classes=["a", "b", "c"]) as made:
        shape = SHAPE if task is Task.SEGMENTATION else SHAPE[1:]
        for name in ("one", "two", "three"):
            file = folder / f"{name}.{'nii.gz' if len(shape) == 3 else 'png'}"
            sitk.WriteImage(sitk.GetImageFromArray(np.zeros(shape, np.uint8)), str(file))
            spacing = (1.0,) * 3 if len(shape) == 3 else None
            made.add_cases([NewCase(name, (str(file),), shape, 1, spacing)])
    return path


@pytest.fixture
def window(qtbot, tmp_path):
    viewer = ViewerModel()
    session = Session(NoBackend())
    canvas = Canvas(viewer, session)
    panel = LabelPanel(session, canvas)
    qtbot.addWidget(panel)
    panel.resize(310, 680)
    notices = []
    session.notice.connect(notices.append)

    def open_project(task, writable=True):
        path = make_project(tmp_path, task)
        project = Project.open(path, write=writable)
        session.adopt(Loaded(project, project.catalogue()))

    def show(case_id):
        session.show_case(case_id)
        settle()

    def settle():
        qtbot.waitUntil(lambda: canvas.state in ("shown", "failed"), timeout=WAIT_MS)

    yield SimpleNamespace(
        viewer=viewer,
        session=session,
        canvas=canvas,
        panel=panel,
        page=panel.volumes,
        open=open_project,
        show=show,
        settle=settle,
        notices=notices,
        folder=tmp_path,
    )
    canvas.close()
    session.close()


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.LeftButton)


def draw(window, z=1, label=1):
    layer = window.canvas.labels
    layer.brush_size = 3
    with layer.block_history():
        layer.paint((z, 5, 5), label)


def rows_of(page):
    return {row.name: row for row in page.rows.rows}


def test_nothing_open_says_what_to_do(window):
    assert window.panel.stack.currentWidget() is window.panel.nothing
    window.open(Task.SEGMENTATION)
    assert window.panel.stack.currentWidget() is window.panel.nothing


class TestVolumes:
    @pytest.fixture(autouse=True)
    def shown(self, window):
        window.open(Task.SEGMENTATION)
        window.show("one")

    def test_the_page_tells_the_case_and_its_classes(self, window):
        page = window.page
        assert window.panel.stack.currentWidget() is page
        assert page.case_head.name.text() == "one"
        assert [row.name for row in page.rows.rows] == [
            "a",
            "b",
            "c",
            "background",
            "not labelled yet",
        ]
        assert [row.key for row in page.rows.rows] == ["1", "2", "3", "0", "⇧0"]
        assert rows_of(page)["not labelled yet"].amount == "4 slices"
        assert page.status.segments.value() == "unlabelled"
        assert page.end.saved.text() == "Nothing to save yet"

    def test_volumes_follow_the_strokes(self, window):
        draw(window)
        rows = rows_of(window.page)
        drawn = int((window.canvas.labels.data == 1).sum())
        assert rows["a"].amount in (f"{drawn} mm³", f"{drawn:.1f} mm³")
        assert rows["background"].amount == "1 of 4 slices"
        assert rows["not labelled yet"].amount == "3 slices"
        assert "1 stroke in the journal" in window.page.end.saved.text()

    def test_a_class_is_chosen_by_its_row(self, window):
        window.page.rows.chosen.emit(2)
        assert window.canvas.labels.selected_label == 2
        assert window.page.rows.value == 2
        window.page.rows.chosen.emit(255)
        assert window.page.rows.value == 255

    def test_tools_are_taken_and_put_down(self, window, qtbot):
        fill = window.page.tools.buttons["fill"]
        click(qtbot, fill)
        assert window.canvas.labels.mode == "fill"
        assert fill.isChecked()
        assert not window.page.tools.buttons["paint"].isChecked()
        click(qtbot, fill)
        assert window.canvas.labels.mode == "pan_zoom"
        assert not fill.isChecked()

    def test_every_tool_names_its_key(self, window):
        tips = [button.toolTip() for button in window.page.tools.buttons.values()]
        assert all(tip.endswith(")") and "(" in tip for tip in tips)
        assert "(Ctrl+Z)" in window.page.tools.undo.toolTip()

    def test_undo_and_redo(self, window, qtbot):
        draw(window)
        click(qtbot, window.page.tools.undo)
        assert (window.canvas.labels.data == 255).all()
        click(qtbot, window.page.tools.redo)
        assert (window.canvas.labels.data == 1).any()

    def test_brush_and_opacity(self, window):
        window.page.brush.slider.setValue(7)
        assert window.canvas.labels.brush_size == 7
        assert window.page.brush.figure.text() == "7 px"
        window.page.opacity.slider.setValue(30)
        assert window.canvas.labels.opacity == pytest.approx(0.3)
        window.show("two")
        assert window.canvas.labels.brush_size == 7
        assert window.canvas.labels.opacity == pytest.approx(0.3)

    def test_a_lock_protects_its_class(self, window):
        draw(window, label=1)
        window.page.rows.lock_clicked.emit(1)
        assert rows_of(window.page)["a"].locked
        before = window.canvas.labels.data.copy()
        draw(window, label=2)
        assert np.array_equal(window.canvas.labels.data == 1, before == 1)
        window.page.rows.lock_clicked.emit(1)
        assert not rows_of(window.page)["a"].locked

    def test_the_hint_goes_when_all_is_labelled(self, window):
        assert not window.page.hint.isHidden()
        window.canvas.strokes.replace(np.zeros(SHAPE, np.uint8))
        assert window.page.hint.isHidden()

    def test_status_is_set(self, window, qtbot):
        draw(window)
        window.page.status.chosen.emit("reviewed")
        qtbot.waitUntil(lambda: window.session.case.status is Status.REVIEWED, timeout=WAIT_MS)
        assert window.page.status.segments.value() == "reviewed"

    def test_nothing_drawn_cannot_be_reviewed(self, window):
        window.page.status.chosen.emit("reviewed")
        assert "Nothing is labelled" in window.notices[-1].text
        assert window.page.status.segments.value() == "unlabelled"

    def test_unlabelled_asks_and_clears(self, window, qtbot, monkeypatch):
        draw(window)
        window.page.status.chosen.emit("draft")
        qtbot.waitUntil(lambda: window.session.case.status is Status.DRAFT, timeout=WAIT_MS)
        monkeypatch.setattr(type(window.page), "_sure_to_clear", lambda *_: False)
        window.page.status.chosen.emit("unlabelled")
        assert (window.canvas.labels.data == 1).any()
        monkeypatch.setattr(type(window.page), "_sure_to_clear", lambda *_: True)
        window.page.status.chosen.emit("unlabelled")
        qtbot.waitUntil(lambda: window.session.case.status is Status.UNLABELLED, timeout=WAIT_MS)
        assert (window.canvas.labels.data == 255).all()

    def test_the_button_reviews_and_goes_on(self, window, qtbot):
        draw(window)
        click(qtbot, window.page.end.button)
        window.settle()
        window.canvas.desk.wait()
        assert window.session.case.id == "two"
        assert window.session.project.case("one").status is Status.REVIEWED

    def test_the_arrows_turn_the_cases(self, window, qtbot):
        click(qtbot, window.page.case_head.next)
        assert window.session.case.id == "two"
        click(qtbot, window.page.case_head.previous)
        assert window.session.case.id == "one"

    def test_a_mask_from_a_file_is_drawn_over(self, window, qtbot):
        mask = np.zeros(SHAPE, np.uint8)
        mask[2, 3:6, 3:6] = 3
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(window.folder / "mask.nii.gz"))
        window.page.load_mask(window.folder / "mask.nii.gz")
        qtbot.waitUntil(lambda: window.canvas.strokes.sheet.strokes == 1, timeout=WAIT_MS)
        assert np.array_equal(window.canvas.labels.data, mask)
        window.canvas.strokes.undo()
        assert (window.canvas.labels.data == 255).all()

    @pytest.mark.parametrize(("shape", "value"), [((2, 2, 2), 1), (SHAPE, 77)])
    def test_a_mask_that_does_not_fit_is_refused(self, window, qtbot, shape, value):
        wrong = np.full(shape, value, np.uint8)
        sitk.WriteImage(sitk.GetImageFromArray(wrong), str(window.folder / "wrong.nii.gz"))
        window.page.load_mask(window.folder / "wrong.nii.gz")
        qtbot.waitUntil(lambda: bool(window.notices), timeout=WAIT_MS)
        assert "wrong.nii.gz" in window.notices[-1].text
        assert (window.canvas.labels.data == 255).all()

    def test_a_case_that_cannot_be_read_says_why_and_what_next(self, window, qtbot):
        (window.folder / "two.nii.gz").write_bytes(b"nonsense")
        window.show("two")
        assert window.panel.stack.currentWidget() is window.panel.failed
        assert "two.nii.gz" in window.panel.failed.text.text()
        click(qtbot, window.panel.skip)
        window.settle()
        assert window.panel.stack.currentWidget() is window.page

    def test_it_is_as_narrow_as_the_dock_may_be(self, window):
        window.panel.resize(250, 680)
        assert window.panel.minimumSizeHint().width() <= 270


def test_reading_only_says_who_writes_and_disables_everything(window):
    window.open(Task.SEGMENTATION, writable=False)
    window.show("one")
    page = window.page
    assert not page.read_only.isHidden()
    assert "reading only" in page.read_only.words.text()
    for part in (page.tools, page.rows, page.brush, page.status, page.end.button):
        assert not part.isEnabled()


class TestImages:
    @pytest.fixture(autouse=True)
    def shown(self, window):
        window.open(Task.CLASSIFICATION)
        window.show("one")

    def test_a_class_is_given_by_its_row(self, window, qtbot):
        page = window.panel.images
        assert window.panel.stack.currentWidget() is page
        page.rows.chosen.emit(2)
        assert rows_of(page)["b"].answer is Answer.GIVEN
        assert rows_of(page)["a"].answer is None
        qtbot.waitUntil(lambda: window.session.case.status is Status.DRAFT, timeout=WAIT_MS)
        assert window.session.case.labels.yes == {2}
        assert page.status.segments.value() == "draft"

    def test_the_last_images_can_be_corrected(self, window, qtbot):
        page = window.panel.images
        page.rows.chosen.emit(2)
        click(qtbot, page.end.button)
        window.settle()
        assert [(image.case_id, image.given) for image in page.last.images] == [("one", "b")]
        page.last.asked.emit("one")
        window.settle()
        assert window.session.case.id == "one"
        page.rows.chosen.emit(3)
        click(qtbot, page.end.button)
        assert [(image.case_id, image.given) for image in page.last.images] == [("one", "c")]
        window.canvas.desk.wait()
        assert window.session.project.case("one").labels.yes == {3}

    def test_unlabelled_takes_the_class_away(self, window, qtbot):
        page = window.panel.images
        page.rows.chosen.emit(2)
        page.status.chosen.emit("reviewed")
        qtbot.waitUntil(lambda: window.session.case.status is Status.REVIEWED, timeout=WAIT_MS)
        page.status.chosen.emit("unlabelled")
        qtbot.waitUntil(lambda: window.session.case.status is Status.UNLABELLED, timeout=WAIT_MS)
        assert rows_of(page)["b"].answer is None

    def test_a_class_given_elsewhere_is_shown(self, window):
        project = window.session.project
        project.set_labels(["one"], ImageLabels(frozenset({1})), author="t")
        window.session.labels_saved(["one"])
        assert rows_of(window.panel.images)["a"].answer is Answer.GIVEN


def test_several_findings_are_yes_no_or_unknown(window, qtbot):
    window.open(Task.MULTILABEL)
    window.show("one")
    page = window.panel.images
    assert not page.rest.isHidden()
    page.rows.chosen.emit(1)
    click(qtbot, page.rest)
    answers = {row.name: row.answer for row in page.rows.rows}
    assert answers == {"a": Answer.YES, "b": Answer.NO, "c": Answer.NO}
    page.rows.chosen.emit(2)
    assert rows_of(page)["b"].answer is Answer.UNKNOWN


def test_a_long_wait_has_words(window, qtbot, monkeypatch):
    def slow(*args):
        time.sleep(1.5)
        return reading(*args)

    from longtail.app import canvas

    reading = canvas.read_picture
    monkeypatch.setattr(canvas, "read_picture", slow)
    window.open(Task.SEGMENTATION)
    window.session.show_case("one")
    shown = window.panel.stack.currentWidget
    qtbot.waitUntil(lambda: shown() is window.panel.waiting, timeout=WAIT_MS)
    assert "one" in window.panel.waiting.title.text()
    qtbot.waitUntil(lambda: shown() is window.page, timeout=WAIT_MS)
