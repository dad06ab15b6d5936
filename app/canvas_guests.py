"""Layers that come and go: hidden and emptied between two uses, since making one takes long.

napari needs a fifth of a second for a new layer, and a millisecond to show another array in one.
"""

from typing import TYPE_CHECKING

from napari.layers import Layer

from .canvas_reading import Picture

if TYPE_CHECKING:
    from napari import Viewer


def fits(layer: Layer | None, picture: Picture) -> bool:
    """Tell whether a layer can show something of this picture without being made anew."""
    if layer is None or layer.ndim != len(picture.spacing):
        return False
    in_mm = all(str(unit) in ("mm", "millimeter") for unit in layer.units)
    return in_mm == picture.in_mm


def insert_quietly(viewer: "Viewer", layer: Layer, place: int | None = None) -> None:
    """Add a layer, at the top or at a place; what is drawn on stays the active layer."""
    layers, active = viewer.layers, viewer.layers.selection.active
    layers.insert(len(layers) if place is None else place, layer)
    if active is not None and active in layers:
        layers.selection.active = active


def remove(viewer: "Viewer", layer: Layer | None) -> None:
    """Take a layer away, if it is still there."""
    if layer is not None and layer in viewer.layers:
        viewer.layers.remove(layer)
