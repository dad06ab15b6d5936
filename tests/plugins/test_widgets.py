"""The panels in a plain napari: docked from the manifest, filled by opening a project."""

from pathlib import Path

import pytest
from qtpy.QtWidgets import QDockWidget

from longtail.app.window import room_of
from longtail.core.project.records import Task
from longtail.core.project.sample import build_heart_sample
from longtail.core.project.store import Project

WAIT_MS = 30_000


@pytest.fixture(scope="module")
def heart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_heart_sample(tmp_path_factory.mktemp("plain"), scans=7)


@pytest.fixture
def viewer(make_napari_viewer_proxy, qtbot):
    viewer = make_napari_viewer_proxy(show=True)
    yield viewer
    room_of(viewer).close()


def docks_of(viewer) -> dict[str, QDockWidget]:
    window = viewer.window._qt_window
    return {dock.windowTitle(): dock for dock in window.findChildren(QDockWidget)}


def test_a_project_that_is_opened_fills_the_panels(viewer, heart, qtbot):
    viewer.open(str(heart), plugin="napari-longtail")
    qtbot.waitUntil(lambda: "labels" in viewer.layers, timeout=WAIT_MS)
    titles = docks_of(viewer)
    for name in ("Cases", "Label", "Train", "Results"):
        assert f"{name} (napari-longtail)" in titles
    assert viewer.layers["labels"].scale == pytest.approx(viewer.layers["image"].scale)
    assert all(str(unit) == "millimeter" for unit in viewer.layers["image"].units)


def test_a_panel_leads_to_another(viewer, heart, qtbot):
    viewer.open(str(heart), plugin="napari-longtail")
    titles = docks_of(viewer)
    titles["Train (napari-longtail)"].raise_()
    results = titles["Results (napari-longtail)"]
    train = titles["Train (napari-longtail)"].widget()
    panel = next(child for child in train.findChildren(object) if hasattr(child, "panel_asked"))
    panel.panel_asked.emit("Results")
    qtbot.waitUntil(lambda: not results.visibleRegion().isEmpty(), timeout=WAIT_MS)


def test_a_damaged_project_is_said_and_napari_goes_on(viewer, tmp_path, qtbot):
    path = tmp_path / "damaged.longtail"
    Project.create(path, task=Task.SEGMENTATION, classes=["one"]).close()
    (path / "project.db").write_bytes(b"this is no database")
    said = []
    room_of(viewer).session.notice.connect(lambda notice: said.append(notice.text))
    viewer.open(str(path), plugin="napari-longtail")
    assert said
    assert len(viewer.layers) == 0
