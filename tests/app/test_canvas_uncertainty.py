"""How unsure a run is of a case, as a layer of a real viewer's model."""

from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel

from longtail.app.canvas import Canvas
from longtail.app.canvas_reading import read_uncertainty
from longtail.app.session import Session
from longtail.core.errors import LongtailError
from longtail.core.io.geometry import Geometry
from longtail.core.predict.shelf import entropy_file, map_file
from longtail.core.predict.write import write_entropy, write_map
from longtail.core.project.records import NewCase, PredictionRecord, Task
from longtail.core.project.store import Project

SHAPE, SPACING = (6, 16, 12), (3.0, 1.0, 0.5)
PLACE = Geometry(SPACING, (0.0, 0.0, 0.0), (1, 0, 0, 0, 1, 0, 0, 0, 1))
WAIT_MS = 10_000


def entropy():
    return np.linspace(0, 1, np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def add_case(project, folder, name, run):
    path = folder / f"{name}.nii.gz"
    write_map(path, np.zeros(SHAPE, np.uint8), PLACE)
    project.add_cases([NewCase(name, (str(path),), SHAPE, 1, SPACING)])
    place = f"runs/{run}/predictions"
    (project.path / place).mkdir(parents=True, exist_ok=True)
    write_map(project.path / place / map_file(name), np.ones(SHAPE, np.uint8), PLACE)
    file = f"{place}/{map_file(name)}"
    project.record_predictions([PredictionRecord(name, run, "h", 1, file, None, 0.25)])
    return project.path / place / entropy_file(name)


@pytest.fixture
def window(tmp_path, qtbot):
    with Project.create(
        tmp_path / "p.longtail", task=Task.SEGMENTATION, classes=["organ"]
    ) as project:
        run = project.new_run({"method": "supervised"}).id
        write_entropy(add_case(project, tmp_path, "one", run), entropy(), PLACE)
        add_case(project, tmp_path, "two", run)
        broken = add_case(project, tmp_path, "three", run)
        broken.write_bytes(b"not a map")
    viewer, session, notices = ViewerModel(), Session(SimpleNamespace(close=lambda *_: None)), []
    canvas = Canvas(viewer, session)
    session.notice.connect(notices.append)
    session.open_project(project.path)
    session.choose_run(run)

    def show(case_id):
        session.show_case(case_id)
        qtbot.waitUntil(lambda: canvas.state == "shown" and canvas.has_prediction, timeout=WAIT_MS)

    yield SimpleNamespace(
        viewer=viewer,
        canvas=canvas,
        session=session,
        notices=notices,
        show=show,
        unsure=canvas.prediction.uncertainty,
    )
    canvas.close()
    session.close()


def test_it_lies_hidden_below_the_prediction_in_millimetres(window, qtbot):
    window.show("one")
    qtbot.waitUntil(lambda: window.unsure.layer is not None, timeout=WAIT_MS)
    layers = window.viewer.layers
    assert [layer.name for layer in layers] == ["image", "uncertainty", "prediction", "labels"]
    layer = layers["uncertainty"]
    assert not layer.visible
    assert (layer.blending, layer.opacity) == ("additive", 0.5)
    assert tuple(layer.scale) == SPACING
    assert {str(unit) for unit in layer.units} == {"millimeter"}
    np.testing.assert_allclose(layer.data, entropy(), atol=1 / 255)
    assert layer.data.shape == SHAPE
    assert layers.selection.active is window.canvas.labels
    assert window.unsure.score == 0.25


def test_it_stays_shown_from_case_to_case_and_goes_with_the_prediction(window, qtbot):
    window.show("one")
    qtbot.waitUntil(lambda: window.unsure.layer is not None, timeout=WAIT_MS)
    window.unsure.visible = True
    assert window.viewer.layers["uncertainty"].visible
    window.canvas.hold_hidden(True)
    assert not window.viewer.layers["uncertainty"].visible
    window.canvas.hold_hidden(False)
    window.show("two")
    assert window.unsure.layer is None
    assert "uncertainty" not in window.viewer.layers
    assert window.notices == []
    window.show("one")
    qtbot.waitUntil(lambda: window.unsure.layer is not None, timeout=WAIT_MS)
    assert window.viewer.layers["uncertainty"].visible
    window.session.choose_run(None)
    assert "uncertainty" not in window.viewer.layers
    assert window.unsure.score is None


def test_a_broken_map_is_told_and_the_prediction_stays(window, qtbot):
    window.show("three")
    qtbot.waitUntil(lambda: bool(window.notices), timeout=WAIT_MS)
    assert "three.uncertainty.nii.gz" in window.notices[-1].text
    assert window.unsure.layer is None
    assert window.canvas.has_prediction


def test_a_layer_removed_by_hand_is_let_go(window, qtbot):
    window.show("one")
    qtbot.waitUntil(lambda: window.unsure.layer is not None, timeout=WAIT_MS)
    heard = []
    window.unsure.changed.connect(lambda: heard.append(1))
    window.viewer.layers.remove(window.unsure.layer)
    assert window.unsure.layer is None
    assert heard == [1]
    window.unsure.toggle()
    assert "no map of uncertainty" in window.notices[-1].text


def test_shares_of_an_earlier_version_are_read_and_others_refused(tmp_path):
    path = tmp_path / "e.nii.gz"
    sitk.WriteImage(sitk.GetImageFromArray(entropy()), str(path))
    np.testing.assert_allclose(read_uncertainty(path, SHAPE), entropy(), atol=1e-3)
    with pytest.raises(LongtailError, match="another size"):
        read_uncertainty(path, (1, 2, 3))
