"""Boxes drawn on the image: what is drawn is what is kept."""

from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils._test_utils import read_only_mouse_event
from napari.utils.interactions import (
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from PIL import Image

from longtail.app.canvas import Canvas
from longtail.app.canvas_boxes_layer import corners_of, xywh_of
from longtail.app.session import Session
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import ImageLabels, NewCase, Task
from longtail.core.project.store import Project

WAIT_MS = 30_000


@pytest.fixture
def window(tmp_path, qtbot):
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=["a", "b", "c"]) as project:
        for number in range(2):
            path = tmp_path / f"{number}.png"
            Image.fromarray(np.full((40, 60), 40 * number, np.uint8)).save(path)
            given = ImageLabels(frozenset({2})) if not number else None
            case = NewCase(f"film-{number}", (str(path),), (40, 60), 1, None, labels=given)
            project.add_cases([case])
        project.set_boxes("film-0", [DrawnBox(1, 4, 6, 10, 8)], author="import")
    viewer, session = ViewerModel(), Session(SimpleNamespace(close=lambda *_: None))
    canvas = Canvas(viewer, session)
    session.open_project(project.path)

    def show(case_id):
        session.show_case(case_id)
        qtbot.waitUntil(lambda: canvas.state == "shown", timeout=WAIT_MS)

    def kept(case_id):
        canvas.desk.wait()
        return session.project.boxes(case_id)

    show("film-0")
    qtbot.waitUntil(lambda: canvas.boxes.boxes is not None, timeout=WAIT_MS)
    yield SimpleNamespace(
        viewer=viewer, canvas=canvas, boxes=canvas.boxes, session=session, show=show, kept=kept
    )
    canvas.close()
    session.close()


def draw(window, qtbot, top, left, bottom, right):
    """Do what napari does when a rectangle is finished."""
    before = len(window.boxes.boxes or ())
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    window.boxes.layer.add_rectangles([np.array(corners, float)])
    qtbot.waitUntil(lambda: len(window.boxes.boxes or ()) == before + 1, timeout=WAIT_MS)


def test_a_box_is_the_outer_edge_of_its_pixels():
    box = DrawnBox(1, 4, 6, 10, 8)
    corners = corners_of(box)
    assert corners.min(0).tolist() == [5.5, 3.5]
    assert xywh_of(corners, (40, 60)) == box.xywh
    assert xywh_of(corners - 20, (40, 60)) == (0.0, 0.0, 0.0, 0.0)


def test_the_boxes_of_the_image_are_shown_in_the_colour_of_their_class(window):
    layer = window.boxes.layer
    assert layer.nshapes == 1
    colour = window.session.project.classes[0].colour
    assert (
        "#{:02x}{:02x}{:02x}".format(*(round(255 * v) for v in layer.edge_color[0][:3])) == colour
    )
    window.boxes.show_white(1)
    assert layer.edge_color[0].tolist() == [1, 1, 1, 1]


def test_what_is_drawn_is_kept_with_the_class_at_hand(window, qtbot):
    window.boxes.take()
    assert window.boxes.drawing
    window.boxes.choose_number(3)
    draw(window, qtbot, 9.5, 19.5, 19.5, 49.5)
    drawn = window.kept("film-0")[-1]
    assert (drawn.class_id, drawn.xywh) == (3, (20.0, 10.0, 30.0, 10.0))
    assert drawn.author


def test_the_tool_begins_with_a_finding_that_was_given(window):
    window.boxes.take()
    assert window.boxes.class_id == 2
    window.boxes.take()
    assert not window.boxes.drawing


def test_a_slip_of_the_hand_is_no_box(window, qtbot):
    window.boxes.take()
    corners = np.array([(5, 5), (5, 5.4), (5.3, 5.4), (5.3, 5)], float)
    window.boxes.layer.add_rectangles([corners])
    qtbot.waitUntil(lambda: window.boxes.layer.nshapes == 1, timeout=WAIT_MS)
    assert len(window.kept("film-0")) == 1


def test_a_box_that_was_moved_keeps_its_class_and_lies_upright(window, qtbot):
    layer = window.boxes.layer
    turned = np.array([(10, 20), (12, 30), (22, 28), (20, 18)], float)
    layer._data_view.edit(0, turned)
    layer.events.data(value=layer.data, action="changed", data_indices=(0,), vertex_indices=((),))
    qtbot.waitUntil(lambda: window.boxes.boxes[0].x != 4, timeout=WAIT_MS)
    box = window.kept("film-0")[0]
    assert box.class_id == 1
    assert box.xywh == (18.5, 10.5, 12.0, 12.0)


def test_a_box_is_deleted_and_comes_back_by_undo(window, qtbot):
    window.boxes.select(0)
    window.boxes.remove_selected()
    assert window.kept("film-0") == ()
    window.boxes.undo()
    assert [box.xywh for box in window.kept("film-0")] == [(4, 6, 10, 8)]
    window.boxes.redo()
    assert window.kept("film-0") == ()
    assert window.boxes.layer.nshapes == 0


def test_deleting_in_the_layer_deletes_the_box(window, qtbot):
    window.boxes.select(0)
    window.boxes.layer.remove_selected()
    qtbot.waitUntil(lambda: window.boxes.boxes == (), timeout=WAIT_MS)
    assert window.kept("film-0") == ()


def test_a_box_in_hand_takes_another_class(window):
    window.boxes.select(0)
    window.boxes.choose_number(2)
    assert [box.class_id for box in window.kept("film-0")] == [2]


def test_to_have_looked_is_not_to_have_nothing(window, qtbot):
    window.show("film-1")
    assert window.kept("film-1") is None
    window.boxes.none_here()
    assert window.kept("film-1") == ()
    window.boxes.undo()
    assert window.kept("film-1") is None


def test_another_image_has_its_own_boxes_and_nothing_to_undo(window, qtbot):
    window.boxes.remove(0)
    window.show("film-1")
    assert window.boxes.boxes is None
    assert not window.boxes.can_undo
    assert not window.boxes.layer.visible
    assert window.boxes.layer.nshapes == 0
    window.boxes.undo()
    assert window.kept("film-1") is None
    assert window.kept("film-0") == ()


def test_labels_are_not_touched(window):
    before = window.session.project.case("film-0").labels
    window.boxes.remove(0)
    window.kept("film-0")
    assert window.session.project.case("film-0").labels == before


def test_the_tool_stays_in_hand_from_image_to_image(window, qtbot):
    window.boxes.take()
    window.show("film-1")
    qtbot.waitUntil(lambda: window.boxes.drawing, timeout=WAIT_MS)


def drag(layer, start, end):
    """Press, move and let go over the image, as napari's canvas tells a layer of it."""
    tell = {
        "mouse_press": mouse_press_callbacks,
        "mouse_move": mouse_move_callbacks,
        "mouse_release": mouse_release_callbacks,
    }
    for kind, place in zip(tell, (start, end, end), strict=True):
        event = read_only_mouse_event(
            type=kind, is_dragging=kind == "mouse_move", position=place, pos=np.array(place)
        )
        tell[kind](layer, event)


def test_a_box_is_drawn_with_the_mouse(window, qtbot):
    window.boxes.take()
    drag(window.boxes.layer, (10.0, 20.0), (30.0, 50.0))
    qtbot.waitUntil(lambda: len(window.boxes.boxes) == 2, timeout=WAIT_MS)
    box = window.kept("film-0")[-1]
    assert box.xywh == pytest.approx((20.5, 10.5, 30.0, 20.0), abs=0.3)
    assert window.boxes.drawing
    drag(window.boxes.layer, (5.0, 2.0), (15.0, 12.0))
    qtbot.waitUntil(lambda: len(window.boxes.boxes) == 3, timeout=WAIT_MS)
    window.boxes.undo()
    assert len(window.kept("film-0")) == 2


def test_a_click_that_draws_nothing_leaves_nothing(window, qtbot):
    # A pixel of the image is one of the screen: a click then draws a speck.
    window.viewer.scene.camera.zoom = 1.0
    window.boxes.take()
    drag(window.boxes.layer, (10.0, 20.0), (10.0, 20.0))
    qtbot.waitUntil(lambda: window.boxes.layer.nshapes == 1, timeout=WAIT_MS)
    assert len(window.kept("film-0")) == 1
