"""What the drawing hand holds: tool, brush and opacity, kept from case to case."""

from collections.abc import Callable

from napari.layers import Labels

from .canvas_reading import Picture
from .canvas_view import first_brush

PLANE = 2


class Hand:
    """Gives each new label layer the tool that was in hand, and remembers what is taken next.

    Attributes
    ----------
    opacity
        How opaque labels are, 0 to 1.
    mode
        napari's name of the tool.
    brush
        Its width in voxels; None until it was chosen, so that it suits the first case.
    thick
        Whether it reaches into the neighbouring slices.
    """

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self.opacity = 0.7
        self.mode = "paint"
        self.brush: int | None = None
        self.thick = False

    def prepare(self, layer: Labels, picture: Picture, class_id: int) -> None:
        """Give a layer what it draws with, before it is shown."""
        layer.opacity = self.opacity
        layer.brush_size = self.brush or first_brush(picture.shape, picture.axis)
        layer.n_edit_dimensions = layer.ndim if self.thick else PLANE
        layer.selected_label = class_id

    def take(self, layer: Labels, writable: bool) -> None:
        """Take the tool in hand on a layer that is shown; follow what is chosen on it."""
        if not writable:
            layer.editable = False
            return
        layer.mode = self.mode
        layer.events.mode.connect(lambda _event: self._on_mode(layer))
        layer.events.brush_size.connect(lambda _event: self._on_brush(layer))

    def fade(self, layer: Labels | None, opacity: float) -> None:
        """Make labels more or less opaque."""
        self.opacity = opacity
        if layer is not None:
            layer.opacity = opacity

    def thicken(self, layer: Labels | None, thick: bool) -> None:
        """Let the tools reach into the neighbouring slices, or not."""
        self.thick = thick
        if layer is not None:
            layer.n_edit_dimensions = layer.ndim if thick else PLANE

    def _on_mode(self, layer: Labels) -> None:
        self.mode = str(layer.mode)
        self._changed()

    def _on_brush(self, layer: Labels) -> None:
        self.brush = int(layer.brush_size)
        self._changed()
