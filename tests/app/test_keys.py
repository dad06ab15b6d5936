"""Keys, pressed as napari hands them on: the active layer's first, then the viewer's."""

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from napari.utils.key_bindings import KeymapHandler

from longtail.app.canvas import Canvas
from longtail.app.keys import KEY_TABLE, bind_keys
from longtail.app.session import Session
from longtail.core.project.records import NewCase, Status, Task
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
    path = folder / "p.longtail"
    with Project.create(path, task=task, classes=["a", "b", "c"]) as made:
        shape = SHAPE if task is Task.SEGMENTATION else SHAPE[1:]
        for name in ("one", "two", "three"):
            file = folder / f"{name}.{'nii.gz' if len(shape) == 3 else 'png'}"
            sitk.WriteImage(sitk.GetImageFromArray(np.zeros(shape, np.uint8)), str(file))
            spacing = (1.0,) * 3 if len(shape) == 3 else None
            made.add_cases([NewCase(name, (str(file),), shape, 1, spacing)])
    return path


@pytest.fixture
def task():
    return Task.SEGMENTATION


@pytest.fixture
def window(qtbot, tmp_path, task):
    viewer = ViewerModel()
    session = Session(NoBackend())
    canvas = Canvas(viewer, session)
    keys = bind_keys(viewer, session, canvas)
    notices = []
    session.notice.connect(notices.append)
    session.open_project(make_project(tmp_path, task))
    handler = KeymapHandler()

    def settle():
        qtbot.waitUntil(lambda: canvas.state == "shown", timeout=WAIT_MS)

    def press(key, release=True):
        active = viewer.layers.selection.active
        handler.keymap_providers = [active, viewer] if active is not None else [viewer]
        found = handler.press_key(key)
        if release:
            handler.release_key(key)
        return found

    session.show_case("one")
    settle()
    yield SimpleNamespace(
        viewer=viewer,
        session=session,
        canvas=canvas,
        keys=keys,
        press=press,
        release=handler.release_key,
        settle=settle,
        notices=notices,
    )
    canvas.close()
    session.close()


def test_digits_choose_classes_on_our_layer_alone(window):
    window.press("2")
    assert window.canvas.labels.selected_label == 2
    assert window.session.active_class == 2
    assert window.canvas.labels.mode == "paint"
    window.press("9")
    assert window.canvas.labels.selected_label == 2
    other = window.viewer.add_labels(np.zeros(SHAPE, np.uint8))
    window.viewer.layers.selection.active = other
    window.press("3")
    assert window.canvas.labels.selected_label == 2


def test_zero_draws_background_and_shift_zero_not_labelled(window):
    window.press("0")
    assert window.canvas.labels.selected_label == 0
    window.press("Shift-0")
    assert window.canvas.labels.selected_label == 255
    assert window.session.active_class == 1


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        ("P", "paint"),
        ("E", "erase"),
        ("F", "fill"),
        ("G", "polygon"),
        ("L", "pick"),
        ("Z", "pan_zoom"),
    ],
)
def test_letters_are_the_tools(window, key, mode):
    window.press(key)
    assert window.canvas.labels.mode == mode


def test_choosing_a_class_puts_the_eraser_down(window):
    window.press("E")
    window.press("1")
    assert window.canvas.labels.mode == "paint"


def test_brackets_size_the_brush(window):
    window.canvas.labels.brush_size = 1
    window.press("[")
    assert window.canvas.labels.brush_size == 1
    window.press("]")
    assert window.canvas.labels.brush_size == 2
    window.canvas.labels.brush_size = 40
    window.press("]")
    assert window.canvas.labels.brush_size > 41


def test_undo_and_redo_are_journalled(window):
    layer = window.canvas.labels
    with layer.block_history():
        layer.paint((1, 5, 5), 1)
    window.press("Control-Z")
    assert (layer.data == 255).all()
    window.press("Control-Shift-Z")
    assert (layer.data == 1).any()
    assert window.canvas.strokes.sheet.strokes == 3


def test_space_hides_labels_while_it_is_held(window):
    window.press("Space", release=False)
    assert not window.canvas.labels.visible
    window.release("Space")
    assert window.canvas.labels.visible


def test_pages_turn_the_cases(window):
    window.press("PageDown")
    assert window.session.case.id == "two"
    window.press("PageUp")
    assert window.session.case.id == "one"


def test_return_reviews_and_goes_on(window, qtbot):
    layer = window.canvas.labels
    with layer.block_history():
        layer.paint((1, 5, 5), 1)
    window.press("Enter")
    assert window.session.case.id == "two"
    window.canvas.desk.wait()
    assert window.session.project.case("one").status is Status.REVIEWED


def test_return_on_an_empty_map_stays_and_says_why(window):
    window.press("Enter")
    assert window.session.case.id == "one"
    assert "Nothing is labelled" in window.notices[-1].text


def test_return_closes_an_open_polygon_first(window, qtbot):
    layer = window.canvas.labels
    window.press("G")
    click = SimpleNamespace(button=1)
    for _ in range(2):
        for follow in layer.mouse_drag_callbacks:
            if getattr(follow, "__self__", None) is window.canvas.tools:
                follow(layer, click)
    window.press("Enter")
    assert "three corners" in window.notices[-1].text
    assert window.session.case.id == "one"
    window.press("P")
    window.press("G")
    window.press("Enter")
    assert "Nothing is labelled" in window.notices[-1].text


def test_u_goes_to_the_next_unlabelled(window):
    window.session.project.write_label_map("two", np.ones(SHAPE, np.uint8), author="t")
    window.session.refresh()
    window.press("U")
    assert window.session.case.id == "three"


def test_shift_u_shows_where_the_run_is_unsure(window):
    window.press("Shift-U")
    assert "no map of uncertainty" in window.notices[-1].text
    unsure = window.canvas.prediction.uncertainty
    unsure.layer = SimpleNamespace(visible=False)
    window.press("Shift-U")
    assert unsure.layer.visible
    window.press("Shift-U")
    assert not unsure.layer.visible
    unsure.layer = None


def test_keys_follow_to_the_next_case(window):
    window.press("PageDown")
    window.settle()
    window.press("2")
    assert window.canvas.labels.selected_label == 2


class TestImages:
    @pytest.fixture
    def task(self):
        return Task.CLASSIFICATION

    def test_digits_give_the_class_and_return_goes_on(self, window):
        window.press("2")
        assert window.canvas.answers.labels.yes == {2}
        window.press("3")
        assert window.canvas.answers.labels.yes == {3}
        window.press("Enter")
        assert window.session.case.id == "two"
        window.canvas.desk.wait()
        case = window.session.project.case("one")
        assert (case.labels.yes, case.status) == ({3}, Status.REVIEWED)
        assert [given.case.id for given in window.canvas.answers.last] == ["one"]

    def test_return_without_a_class_asks_for_one(self, window):
        window.press("Enter")
        assert window.session.case.id == "one"
        assert "class first" in window.notices[-1].text

    def test_a_class_is_written_as_a_draft_when_the_image_is_left(self, window):
        window.press("1")
        window.press("PageDown")
        window.canvas.desk.wait()
        assert window.session.project.case("one").status is Status.DRAFT

    def test_the_same_class_again_stays_and_zero_takes_it_back(self, window):
        window.press("1")
        window.press("1")
        assert window.canvas.answers.labels.yes == {1}
        window.press("0")
        window.press("PageDown")
        window.canvas.desk.wait()
        assert window.session.project.case("one").status is Status.UNLABELLED


class TestSeveralLabels:
    @pytest.fixture
    def task(self):
        return Task.MULTILABEL

    def test_digits_turn_yes_no_unknown_and_zero_answers_the_rest(self, window):
        answers = window.canvas.answers
        window.press("1")
        window.press("2")
        window.press("2")
        assert (answers.labels.yes, answers.labels.no) == ({1}, {2})
        window.press("2")
        assert (answers.labels.yes, answers.labels.no) == ({1}, set())
        window.press("0")
        assert (answers.labels.yes, answers.labels.no) == ({1}, {2, 3})
        window.press("Enter")
        window.canvas.desk.wait()
        assert window.session.project.case("one").labels.no == {2, 3}


def test_the_viewer_gets_its_keys_back():
    viewer = ViewerModel()
    former = viewer.bind_key("U", lambda _viewer: None)
    before = dict(viewer.keymap)
    session = Session(NoBackend())
    canvas = Canvas(viewer, session)
    bind_keys(viewer, session, canvas)
    assert dict(viewer.keymap) != before
    canvas.close()
    assert former is None
    assert dict(viewer.keymap) == before


def test_every_key_on_the_sheet_has_words():
    assert all(keys and words for _, rows in KEY_TABLE for keys, words in rows)
