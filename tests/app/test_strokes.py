"""Strokes in a real label layer: completed, journalled, folded, undone, and never lost."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from wrapt import ObjectProxy

from longtail.app.canvas import Canvas
from longtail.app.loading import Loaded
from longtail.app.session import Session
from longtail.core.project.records import NewCase, Status, Task
from longtail.core.project.store import Project

SHAPE = (6, 16, 12)
WAIT_MS = 10_000


class NoBackend:
    def submit(self, job):
        raise AssertionError("no job is expected here")

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"


def make_project(folder, names=("one", "two")):
    path = folder / "p.longtail"
    with Project.create(path, task=Task.SEGMENTATION, classes=["a", "b"]) as made:
        for name in names:
            file = folder / f"{name}.nii.gz"
            sitk.WriteImage(sitk.GetImageFromArray(np.zeros(SHAPE, np.float32)), str(file))
            made.add_cases([NewCase(name, (str(file),), SHAPE, 1, (1.0, 1.0, 1.0))])
    return path


@pytest.fixture
def viewer():
    """The model alone: layers, history and dims are the real ones, only nothing is painted."""
    return ViewerModel()


@pytest.fixture
def window(viewer, qtbot, tmp_path, monkeypatch):
    monkeypatch.setattr("longtail.app.strokes.AUTOSAVE_MS", 3_600_000)
    session = Session(NoBackend())
    canvas = Canvas(viewer, session)
    notices = []
    session.notice.connect(notices.append)
    session.open_project(make_project(tmp_path))

    def show(case_id):
        session.show_case(case_id)
        qtbot.waitUntil(lambda: canvas.state in ("shown", "failed"), timeout=WAIT_MS)

    show("one")
    yield SimpleNamespace(
        viewer=viewer,
        session=session,
        canvas=canvas,
        strokes=canvas.strokes,
        desk=canvas.desk,
        notices=notices,
        show=show,
        path=tmp_path / "p.longtail",
    )
    canvas.close()
    session.close()


def draw(window, place, label=1, size=1):
    layer = window.canvas.labels
    layer.brush_size = size
    with layer.block_history():
        layer.paint(place, label)
    return layer.data


def drag_event(position, kind):
    event = SimpleNamespace(
        type=kind,
        is_dragging=kind == "mouse_move",
        position=position,
        view_direction=None,
        dims_displayed=[1, 2],
        dims_point=position,
        modifiers=(),
        button=1,
        handled=False,
        source=None,
    )
    return ObjectProxy(event)


def stored(window, case="one"):
    """The map as another process would find it after this one was killed."""
    window.desk.wait()
    return Project.open(window.path, write=False).read_label_map(case)


class TestInARealWindow:
    @pytest.fixture
    def viewer(self, make_napari_viewer_proxy):
        return make_napari_viewer_proxy()

    def test_a_dragged_brush_is_one_stroke_and_one_undo(self, window, qtbot):
        window.canvas.labels.mode = "paint"
        layer, event = window.canvas.labels, drag_event
        mouse_press_callbacks(layer, event((2.0, 5.0, 5.0), "mouse_press"))
        mouse_move_callbacks(layer, event((2.0, 5.0, 9.0), "mouse_move"))
        mouse_release_callbacks(layer, event((2.0, 5.0, 9.0), "mouse_release"))
        qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 1, timeout=WAIT_MS)
        assert (layer.data == 1).sum() > 4
        assert not (layer.data[2] == 255).any()
        window.strokes.undo()
        assert (layer.data == 255).all()


def test_the_first_stroke_makes_the_rest_of_its_slice_background(window):
    data = draw(window, (2, 5, 5))
    assert data[2, 5, 5] == 1
    assert (data[2] == 0).sum() == data[2].size - (data[2] == 1).sum()
    assert (data[[0, 1, 3, 4, 5]] == 255).all()
    assert window.strokes.sheet.counts.labelled_slices == 1


def test_one_undo_takes_back_stroke_and_rest_and_redo_brings_both(window):
    data = draw(window, (2, 5, 5))
    after = data.copy()
    window.strokes.undo()
    assert (data == 255).all()
    assert window.strokes.sheet.counts.labelled_slices == 0
    window.strokes.redo()
    assert np.array_equal(data, after)
    assert np.array_equal(stored(window), after)


def test_undo_is_journalled(window):
    draw(window, (2, 5, 5))
    window.strokes.undo()
    assert (stored(window) == 255).all()


def test_the_rest_stays_open_where_that_is_switched_off(window):
    window.strokes.fill_rest = False
    data = draw(window, (2, 5, 5))
    assert (data == 255).sum() == data.size - (data == 1).sum()


def test_the_plane_that_is_shown_counts(window):
    window.viewer.dims.order = (1, 0, 2)
    data = draw(window, (2, 5, 5))
    assert not (data[:, 5] == 255).any()
    assert (data[2] == 255).sum() == data[2].size - data[2, 5].size


@pytest.mark.parametrize("tool", ["polygon", "fill", "setitem", "erase"])
def test_every_tool_is_followed(window, tool, qtbot):
    layer = window.canvas.labels
    if tool == "polygon":
        layer.paint_polygon([(2, 2, 2), (2, 2, 9), (2, 9, 9)], 2)
    elif tool == "fill":
        layer.fill((2, 5, 5), 2)
    elif tool == "erase":
        draw(window, (2, 5, 5), label=0)
    else:
        layer.data_setitem((np.array([2]), np.array([3]), np.array([4])), 1)
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 1, timeout=WAIT_MS)
    assert not (layer.data[2] == 255).any()
    assert np.array_equal(stored(window), layer.data)
    window.strokes.undo()
    assert (layer.data == 255).all()


def test_locked_classes_cannot_be_overwritten_and_undo_is_one_step(window):
    draw(window, (2, 5, 5), label=1, size=4)
    before = window.canvas.labels.data.copy()
    window.strokes.locked = {1}
    data = draw(window, (2, 7, 7), label=2, size=6)
    assert (data[before == 1] == 1).all()
    assert (data == 2).any()
    assert np.array_equal(stored(window), data)
    window.strokes.undo()
    assert np.array_equal(data, before)


def test_a_stroke_over_locked_voxels_alone_changes_nothing(window):
    draw(window, (2, 5, 5), label=1, size=4)
    before, strokes = window.canvas.labels.data.copy(), window.strokes.sheet.strokes
    window.strokes.locked = {1}
    assert np.array_equal(draw(window, (2, 5, 5), label=2), before)
    assert window.strokes.sheet.strokes == strokes


def test_erasing_to_not_labelled_leaves_the_rest(window):
    draw(window, (2, 5, 5))
    data = draw(window, (2, 5, 5), label=255)
    assert data[2, 5, 5] == 255
    assert (data[2] == 255).sum() == 1


def test_counts_follow_what_is_drawn(window):
    draw(window, (2, 5, 5), label=1, size=3)
    draw(window, (4, 5, 5), label=2, size=3)
    window.strokes.undo()
    counts = window.strokes.sheet.counts
    expected = np.bincount(window.canvas.labels.data.ravel(), minlength=256)
    assert np.array_equal(counts.voxels, expected)
    assert counts.labelled_slices == 1


def test_a_map_from_elsewhere_is_drawn_over_as_one_step(window):
    array = np.zeros(SHAPE, np.uint8)
    array[1, 2:5, 2:5] = 2
    array[0] = 255
    window.strokes.replace(array)
    assert np.array_equal(window.canvas.labels.data, array)
    assert np.array_equal(stored(window), array)
    window.strokes.undo()
    assert (window.canvas.labels.data == 255).all()


def test_folding_empties_the_journal_and_makes_a_draft(window, qtbot):
    data = draw(window, (2, 5, 5))
    window.strokes.save()
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert window.session.project.journal("one").pending == 0
    assert window.session.case.status is Status.DRAFT
    assert window.desk.saved_ago_s("one") < 60
    assert np.array_equal(stored(window), data)


def test_a_stroke_made_while_a_map_is_written_stays_in_the_journal(window, qtbot):
    draw(window, (2, 5, 5))
    window.strokes.save()
    data = draw(window, (3, 5, 5), label=2)
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes < 2, timeout=WAIT_MS)
    assert np.array_equal(stored(window), data)
    window.strokes.save()
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert window.session.project.journal("one").pending == 0


def test_autosave_comes_by_itself(window, qtbot, monkeypatch):
    monkeypatch.setattr("longtail.app.strokes.AUTOSAVE_MS", 20)
    draw(window, (2, 5, 5))
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert window.session.case.status is Status.DRAFT


def test_strokes_are_saved_on_the_way_to_the_next_case_and_there_when_coming_back(window):
    data = draw(window, (2, 5, 5)).copy()
    window.show("two")
    window.show("one")
    assert np.array_equal(window.canvas.labels.data, data)
    window.desk.wait()
    assert window.session.project.journal("one").pending == 0


def test_a_stroke_in_hand_is_kept_when_the_case_is_left(window):
    layer = window.canvas.labels
    with layer.block_history():
        layer.paint((2, 5, 5), 1)
        window.session.next_case()
    assert (stored(window)[2] == 1).any()
    assert not (stored(window)[2] == 255).any()


def test_strokes_are_saved_when_the_project_is_closed(window):
    data = draw(window, (2, 5, 5)).copy()
    window.session.close_project()
    with Project.open(window.path) as opened:
        assert opened.journal("one").pending == 0
        assert np.array_equal(opened.read_label_map("one"), data)


def test_status_is_written_with_the_strokes(window, qtbot):
    draw(window, (2, 5, 5))
    window.strokes.set_status(Status.REVIEWED)
    qtbot.waitUntil(lambda: window.session.case.status is Status.REVIEWED, timeout=WAIT_MS)
    assert window.session.project.journal("one").pending == 0


def test_clearing_makes_the_case_unlabelled_and_can_be_undone(window, qtbot):
    data = draw(window, (2, 5, 5)).copy()
    window.strokes.clear_labels()
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert (stored(window) == 255).all()
    window.strokes.undo()
    assert np.array_equal(window.canvas.labels.data, data)


def full_disk(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_keeps_the_journal_and_says_so(window, qtbot, monkeypatch):
    data = draw(window, (2, 5, 5))
    window.desk.wait()
    with monkeypatch.context() as patch:
        patch.setattr("longtail.core.files._flush_to_disk", full_disk)
        window.strokes.save()
        qtbot.waitUntil(lambda: bool(window.notices), timeout=WAIT_MS)
    assert "disk is full" in window.notices[-1].text
    assert "safe in the journal" in window.notices[-1].text
    assert window.strokes.sheet.strokes == 1
    assert np.array_equal(stored(window), data)
    window.strokes.save()
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert window.strokes.sheet.trouble == ""


def test_a_stroke_that_no_disk_took_is_kept_and_written_with_the_next(window, qtbot, monkeypatch):
    draw(window, (1, 5, 5))
    window.desk.wait()
    with monkeypatch.context() as patch:
        patch.setattr("longtail.core.project.journal.os.fsync", full_disk)
        draw(window, (2, 5, 5))
        qtbot.waitUntil(lambda: bool(window.notices), timeout=WAIT_MS)
    assert "safe in the journal" not in window.notices[-1].text
    data = draw(window, (3, 5, 5))
    assert np.array_equal(stored(window), data)


def test_strokes_of_a_killed_session_come_back_and_are_folded(window, qtbot, monkeypatch):
    monkeypatch.setattr("longtail.app.strokes.AUTOSAVE_MS", 20)
    places = tuple(np.array([value]) for value in (1, 2, 3))
    window.session.project.journal("two").append(places, np.array([2], np.uint8))
    window.show("two")
    assert window.canvas.labels.data[1, 2, 3] == 2
    assert window.strokes.sheet.strokes == 1
    qtbot.waitUntil(lambda: window.strokes.sheet.strokes == 0, timeout=WAIT_MS)
    assert window.session.project.journal("two").pending == 0


def test_a_project_for_reading_takes_no_stroke(window):
    window.session.close_project()
    reading = Project.open(window.path, write=False)
    window.session.adopt(Loaded(reading, reading.catalogue()))
    window.show("one")
    data = draw(window, (2, 5, 5))
    assert window.strokes.sheet.strokes == 0
    assert (data[2] == 255).any()


KILLED = """
    import os, signal, sys
    from pathlib import Path
    import numpy as np
    from qtpy.QtWidgets import QApplication
    from napari.components import ViewerModel
    from longtail.app.canvas import Canvas
    from longtail.app.loading import Loaded
    from longtail.app.session import Session

    app = QApplication([])
    session = Session(None)
    viewer = ViewerModel()
    canvas = Canvas(viewer, session)
    session.open_project(Path(sys.argv[1]))
    session.show_case("one")
    while canvas.state != "shown":
        app.processEvents()
    layer = canvas.labels
    for z in range(1, 5):
        with layer.block_history():
            layer.paint((z, 5, 5), 1)
    while canvas.strokes.sheet.journalled < 4:
        app.processEvents()
    np.save(sys.argv[2], layer.data)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_process_loses_no_finished_stroke(tmp_path):
    path = make_project(tmp_path)
    drawn = tmp_path / "drawn.npy"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(path), str(drawn)],
        check=False,
        capture_output=True,
        env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    with Project.open(path) as opened:
        assert opened.journal("one").pending == 4
        assert np.array_equal(opened.read_label_map("one"), np.load(drawn))
