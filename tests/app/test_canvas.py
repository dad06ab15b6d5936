"""The canvas in a real viewer, on small generated cases."""

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from PIL import Image as Picture

from longtail.app.canvas import Canvas
from longtail.app.loading import Loaded
from longtail.app.session import Session
from longtail.core.project.records import NewCase, PredictionRecord, Status, Task
from longtail.core.project.store import Project

SHAPE = (6, 16, 12)
SPACING = (3.0, 1.0, 0.5)
WAIT_MS = 10_000


class NoBackend:
    def submit(self, job):
        raise AssertionError("no job is expected here")

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"


def write_volume(path, seed=0, spacing=SPACING, shape=SHAPE):
    values = np.random.default_rng(seed).normal(100, 20, shape).astype(np.float32)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing[::-1])
    sitk.WriteImage(image, str(path))
    return values


def add_volume(project, folder, name, **kwargs):
    path = folder / f"{name}.nii.gz"
    write_volume(path, **kwargs)
    shape, spacing = kwargs.get("shape", SHAPE), kwargs.get("spacing", SPACING)
    project.add_cases([NewCase(name, (str(path),), shape, 1, spacing)])
    return name


@pytest.fixture
def project(tmp_path):
    made = Project.create(
        tmp_path / "p.longtail", task=Task.SEGMENTATION, classes=["anterior", "posterior"]
    )
    for number, name in enumerate(("one", "two")):
        add_volume(made, tmp_path, name, seed=number)
    made.close()
    return tmp_path / "p.longtail"


@pytest.fixture
def viewer():
    """The model alone: layers, dims and overlays are the real ones, only nothing is painted."""
    return ViewerModel()


@pytest.fixture
def window(viewer, qtbot):
    session = Session(NoBackend())
    canvas = Canvas(viewer, session)
    notices = []
    session.notice.connect(notices.append)

    def show(case_id):
        session.show_case(case_id)
        qtbot.waitUntil(lambda: canvas.state in ("shown", "failed"), timeout=WAIT_MS)

    def open_project(path):
        session.open_project(path)

    yield SimpleNamespace(
        viewer=viewer,
        session=session,
        canvas=canvas,
        strokes=canvas.strokes,
        notices=notices,
        show=show,
        open=open_project,
    )
    canvas.close()
    session.close()


class TestInARealWindow:
    @pytest.fixture
    def viewer(self, make_napari_viewer_proxy):
        return make_napari_viewer_proxy()

    def test_cases_and_planes_follow_each_other(self, window, project, tmp_path):
        with Project.open(project) as opened:
            add_volume(opened, tmp_path, "flat", shape=(1, 20, 30), spacing=(1.0, 1.0, 1.0))
        window.open(project)
        for name in ("one", "flat", "two"):
            window.show(name)
            assert window.canvas.state == "shown"
        assert window.viewer.layers.selection.active == window.canvas.labels
        window.viewer.dims.order = (2, 0, 1)
        assert window.viewer.canvas.overlays["longtail_left"].text == "A"
        window.canvas.hold_hidden(True)
        assert not window.canvas.labels.visible
        window.session.close_project()
        assert window.canvas.state == "empty"
        assert len(window.viewer.layers) == 0


def test_a_volume_is_shown_in_millimetres_in_its_thick_plane(window, project):
    window.open(project)
    window.show("one")
    canvas, viewer = window.canvas, window.viewer
    assert canvas.state == "shown"
    assert [layer.name for layer in viewer.layers] == ["image", "labels"]
    for layer in viewer.layers:
        assert tuple(layer.scale) == SPACING
        assert {str(unit) for unit in layer.units} == {"millimeter"}
    image = viewer.layers["image"]
    assert image.interpolation2d == "linear"
    assert 40 < image.contrast_limits[0] < image.contrast_limits[1] < 160
    assert viewer.dims.order == (0, 1, 2)
    assert viewer.dims.current_step[0] == SHAPE[0] // 2
    assert viewer.layers.selection.active == canvas.labels
    assert (canvas.labels.data == 255).all()


def test_letters_say_the_sides_of_the_body(window, project):
    window.open(project)
    window.show("one")
    overlays = window.viewer.canvas.overlays
    shown = {k: overlays[f"longtail_{k}"].text for k in ("top", "bottom", "left", "right")}
    assert shown == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    window.viewer.dims.order = (1, 0, 2)
    assert overlays["longtail_top"].text == "S"
    assert overlays["longtail_bottom"].text == "I"
    window.viewer.dims.ndisplay = 3
    assert not overlays["longtail_top"].visible


def test_the_slice_with_most_label_is_shown_first(window, project):
    with Project.open(project) as opened:
        labels = np.zeros(SHAPE, np.uint8)
        labels[1, :4, :4] = 1
        labels[4, :8, :8] = 2
        opened.write_label_map("one", labels, author="t")
    window.open(project)
    window.show("one")
    assert window.viewer.dims.current_step[0] == 4
    colours = window.canvas.labels.colormap
    assert np.allclose(colours.map(1), (0x56 / 255, 0xB4 / 255, 0xE9 / 255, 1))
    assert colours.map(255)[3] == 0
    window.canvas.veil = True
    assert window.canvas.labels.colormap.map(255)[3] > 0


def test_the_status_bar_names_the_class_under_the_cursor(window, project):
    window.open(project)
    window.show("one")
    labels = window.canvas.labels
    step = window.viewer.dims.current_step[0]
    labels.data[step, 3, 3] = 2
    place = np.array([step, 3, 3]) * SPACING
    assert "posterior" in labels.get_status(place, world=True)["coordinates"]
    place = np.array([step, 9, 9]) * SPACING
    assert "not labelled yet" in labels.get_status(place, world=True)["coordinates"]


def test_an_answer_that_comes_too_late_is_dropped(window, project, qtbot):
    window.open(project)
    window.session.show_case("one")
    window.session.show_case("two")
    qtbot.waitUntil(lambda: window.canvas.state == "shown", timeout=WAIT_MS)
    assert window.canvas.picture.case.id == "two"
    assert len(window.viewer.layers) == 2


def test_image_layers_are_taken_over_and_label_layers_are_new(window, project):
    window.open(project)
    window.show("one")
    image, labels = window.canvas.images[0], window.canvas.labels
    window.show("two")
    assert window.canvas.images[0] is image
    assert window.canvas.labels is not labels
    assert labels not in window.viewer.layers


def test_a_broken_image_is_told_and_the_next_one_still_opens(window, project, tmp_path):
    window.open(project)
    (tmp_path / "one.nii.gz").write_bytes(b"not an image")
    window.show("one")
    assert window.canvas.state == "failed"
    assert "one.nii.gz" in window.canvas.trouble
    assert window.notices[-1].severity == "error"
    window.show("two")
    assert window.canvas.state == "shown"


def test_a_picture_in_colour_has_no_mask_and_no_millimetres(window, tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Picture.fromarray(rgb).save(tmp_path / "cell.png")
    path = tmp_path / "cells.longtail"
    with Project.create(path, task=Task.CLASSIFICATION, classes=["a", "b"]) as made:
        made.add_cases([NewCase("cell", (str(tmp_path / "cell.png"),), (20, 30), 3, None)])
    window.open(path)
    window.show("cell")
    (layer,) = window.viewer.layers
    assert layer.rgb
    assert np.array_equal(layer.data, rgb)
    assert {str(unit) for unit in layer.units} == {"pixel"}
    assert window.canvas.labels is None


def test_several_channels_are_several_layers(window, tmp_path):
    for name in ("t1", "t2"):
        write_volume(tmp_path / f"{name}.nii.gz", seed=len(name))
    path = tmp_path / "two.longtail"
    with Project.create(path, task=Task.SEGMENTATION, classes=["a"]) as made:
        files = tuple(str(tmp_path / f"{name}.nii.gz") for name in ("t1", "t2"))
        made.add_cases([NewCase("brain", files, SHAPE, 2, SPACING)])
    window.open(path)
    window.show("brain")
    shown = [(layer.name, layer.visible) for layer in window.viewer.layers]
    assert shown == [("channel 1", True), ("channel 2", False), ("labels", True)]


def test_a_prediction_has_a_layer_of_its_own(window, project, qtbot):
    with Project.open(project) as opened:
        run = opened.new_run({"method": "supervised"})
        file = f"runs/{run.id}/predictions/one.nii.gz"
        folder = opened.path / "runs" / run.id / "predictions"
        folder.mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(sitk.GetImageFromArray(np.ones(SHAPE, np.uint8)), str(opened.path / file))
        opened.record_predictions([PredictionRecord("one", run.id, "hash", 1, file=file)])
    window.open(project)
    window.show("one")
    window.session.choose_run(run.id)
    canvas = window.canvas
    qtbot.waitUntil(lambda: canvas.has_prediction, timeout=WAIT_MS)
    layer = window.viewer.layers["prediction"]
    assert layer.contour == 1
    assert not layer.editable
    assert window.viewer.layers.selection.active == canvas.labels
    assert (canvas.labels.data == 255).all()
    canvas.start_from_prediction()
    assert (canvas.labels.data == 1).all()
    canvas.strokes.undo()
    assert (canvas.labels.data == 255).all()
    canvas.prediction_visible = False
    assert not layer.visible
    window.show("two")
    assert not canvas.has_prediction
    assert "prediction" not in window.viewer.layers


def test_classes_that_change_are_shown(window, project):
    window.open(project)
    window.show("one")
    window.session.project.recolour_class(1, "#ff0000")
    window.session.project.rename_class(1, "head")
    window.session.classes_edited()
    assert np.allclose(window.canvas.labels.colormap.map(1), (1, 0, 0, 1))
    assert "head" in window.canvas.labels.features["class"].tolist()


def test_a_merge_holds_for_the_map_that_is_shown(window, project, qtbot):
    window.open(project)
    window.show("one")
    layer = window.canvas.labels
    with layer.block_history():
        layer.paint((2, 5, 5), 2)
    window.session.active_class = 2
    window.session.project.merge_classes(2, 1)
    window.session.classes_edited()
    assert not (layer.data == 2).any()
    assert (layer.data == 1).any()
    assert window.session.active_class == 1
    window.canvas.fold()
    assert not (window.session.project.read_label_map("one") == 2).any()


def test_a_read_only_project_cannot_be_drawn_on(window, project):
    reading = Project.open(project, write=False)
    window.session.adopt(Loaded(reading, reading.catalogue()))
    window.show("one")
    assert not window.canvas.labels.editable
    assert window.canvas.labels.mode == "pan_zoom"


def test_labels_written_elsewhere_are_read_again(window, project, qtbot):
    window.open(project)
    window.show("one")
    window.session.project.write_label_map("one", np.ones(SHAPE, np.uint8), author="job")
    window.session.labels_saved(["one"])
    qtbot.waitUntil(lambda: window.canvas.state == "shown", timeout=WAIT_MS)
    assert (window.canvas.labels.data == 1).all()


def test_a_layer_removed_by_hand_is_let_go(window, project):
    window.open(project)
    window.show("one")
    window.viewer.layers.remove(window.canvas.labels)
    assert window.canvas.labels is None
    assert window.strokes.sheet is None


def test_status_is_kept(window, project):
    with Project.open(project) as opened:
        opened.write_label_map("one", np.ones(SHAPE, np.uint8), author="t", status=Status.REVIEWED)
    window.open(project)
    window.show("one")
    assert window.session.case.status is Status.REVIEWED
