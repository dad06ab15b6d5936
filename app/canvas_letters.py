"""The letters at the edges of the image that say which side of the body lies there."""

from typing import TYPE_CHECKING

from napari.components.overlays import TextOverlay

from .canvas_view import Turned

if TYPE_CHECKING:
    from napari import Viewer

FONT_SIZE = 11
_EDGES = {
    "top": "top_center",
    "bottom": "bottom_center",
    "left": "middle_left",
    "right": "middle_right",
}


class Letters:
    """One text overlay an edge, in a box of the canvas's colour: read over any image."""

    def __init__(self, viewer: "Viewer") -> None:
        self._overlays = viewer.canvas.overlays

    def show(self, seen: Turned | None) -> None:
        """Show the letters of a plane, or none."""
        for name, position in _EDGES.items():
            self._write(f"longtail_{name}", position, getattr(seen, name) if seen else "")

    def close(self) -> None:
        """Take the overlays away."""
        for name in _EDGES:
            self._overlays.pop(f"longtail_{name}", None)

    def _write(self, key: str, position: str, letter: str) -> None:
        if key not in self._overlays:
            if not letter:
                return
            self._overlays[key] = TextOverlay(position=position, font_size=FONT_SIZE)
        self._overlays[key].text = letter
        self._overlays[key].visible = bool(letter)
