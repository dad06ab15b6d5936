"""napari's dock widgets and menu commands: the window's panels in a plain napari."""

from pathlib import Path
from typing import TYPE_CHECKING

import napari
from qtpy.QtWidgets import QWidget

from ..app.window import (
    cases_widget,
    doctor_widget,
    embedding_widget,
    label_widget,
    maps_widget,
    radiomics_widget,
    results_widget,
    review_widget,
    room_of,
    train_widget,
)
from ..core.errors import LongtailError

if TYPE_CHECKING:
    from napari import Viewer

PLUGIN = "napari-longtail"
TABBED = ("Train", "Results")
"""Panels that share the place of *Label*; *Cases* keeps its own."""


def cases() -> QWidget:
    """Give the panel of cases, the session bar at its head."""
    return cases_widget(_viewer())


def label() -> QWidget:
    """Give the labelling panel."""
    return label_widget(_viewer())


def train() -> QWidget:
    """Give the training panel."""
    return train_widget(_viewer())


def results() -> QWidget:
    """Give the results panel."""
    return results_widget(_viewer())


def embedding() -> QWidget:
    """Give the panel of the embedding."""
    return embedding_widget(_viewer())


def doctor() -> QWidget:
    """Give the panel of what will go wrong."""
    return doctor_widget(_viewer())


def review() -> QWidget:
    """Give the panel of what deserves a look."""
    return review_widget(_viewer())


def maps() -> QWidget:
    """Give the page of heat maps."""
    return maps_widget(_viewer())


def radiomics() -> QWidget:
    """Give the panel of radiomics."""
    return radiomics_widget(_viewer())


def open_label() -> None:
    """Dock the labelling panel."""
    _dock("Label")


def open_train() -> None:
    """Dock the training panel."""
    _dock("Train")


def open_results() -> None:
    """Dock the results panel."""
    _dock("Results")


def open_project(path: Path) -> None:
    """Dock the panels of the current viewer and open a project in them."""
    for name in ("Cases", "Label", "Train", "Results"):
        _dock(name)
    _dock("Label")
    session = room_of(_viewer()).session
    with session.reporting():
        session.open_project(path)


def _dock(name: str) -> None:
    """Show a panel; napari 0.9 does not read `tabify` from the manifest yet."""
    tabify = name in TABBED
    dock, _panel = _viewer().window.add_plugin_dock_widget(PLUGIN, name, tabify=tabify)
    dock.show()
    dock.raise_()


def _viewer() -> "Viewer":
    viewer = napari.current_viewer()
    if viewer is None:
        raise LongtailError("There is no napari window to put the panel in.")
    return viewer
