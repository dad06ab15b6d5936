"""The keys on the image, and the sheet that lists all keys of the window.

napari asks the active layer first and knows digits and Return there, so ours are bound on the
layers made by the canvas; what holds everywhere is bound on the viewer and given back at the end.
"""

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from napari.layers import Labels, Layer

from .canvas import Canvas
from .session import Session

if TYPE_CHECKING:
    from napari import Viewer

KeyTable = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]

KEY_TABLE: KeyTable = (
    (
        "Draw",
        (
            ("1-9", "choose the class"),
            ("0", "background"),
            ("Shift+0", "not labelled"),
            ("P", "brush"),
            ("E", "eraser"),
            ("F", "fill"),
            ("G", "polygon; Return closes it"),
            ("L", "pick the class under the cursor"),
            ("Z", "move and zoom"),
            ("[ ]", "smaller or larger brush"),
            ("Ctrl+Z", "undo"),
            ("Ctrl+Shift+Z", "redo"),
            ("Space", "hide labels while held"),
        ),
    ),
    (
        "Give classes to images",
        (
            ("1-9", "give the class; with several: yes, no, unknown in turn"),
            ("0", "no class; with several: no to all that are unknown"),
        ),
    ),
    (
        "Draw boxes on images",
        (
            ("B", "take the box tool, or put it down"),
            ("1-9", "class of the box in hand and of the next one"),
            ("Delete", "delete the box in hand"),
            ("Ctrl+Z", "undo"),
            ("Ctrl+Shift+Z", "redo"),
        ),
    ),
    (
        "Go through the cases",
        (
            ("Return", "reviewed, next"),
            ("PageUp PageDown", "previous, next"),
            ("U", "next unlabelled"),
        ),
    ),
    (
        "Review, while its tab is open",
        (
            ("A Return", "right as it is, next"),
            ("S", "take what is suggested, next"),
            ("D", "set aside, next"),
            ("Q", "take the last one back"),
        ),
    ),
    (
        "Look at what a run says",
        (
            ("H", "heat map of the next class, the likeliest first; then none"),
            ("Shift+U", "show or hide where it is unsure"),
        ),
    ),
    (
        "Embedding",
        (
            ("L", "draw around points; with Shift: add"),
            ("Arrows + -", "move, zoom"),
            ("Home Esc", "show all, select nothing"),
            ("Ctrl+Z", "undo a change of cases"),
        ),
    ),
    (
        "Window",
        (
            ("Ctrl+L", "napari's layer list and controls"),
            ("Ctrl+J", "panel under the image: embedding, doctor"),
            ("?", "this sheet"),
        ),
    ),
)

DIGITS = range(1, 10)
Act = Callable[[Any], object]


class Keys:
    """Binds the keys on each layer that the canvas makes.

    Attributes
    ----------
    viewer_keys
        What the viewer had on the keys that were taken from it, to be given back.
    """

    def __init__(self, viewer: "Viewer", session: Session, canvas: Canvas) -> None:
        self._viewer = weakref.proxy(viewer) if type(viewer) is not weakref.ProxyType else viewer
        self._session, self._canvas = session, canvas
        self._bound: weakref.WeakSet[Layer] = weakref.WeakSet()
        self.viewer_keys: dict[str, Any] = {}
        for key, act in self._everywhere().items():
            self.viewer_keys[key] = viewer.bind_key(key, act, overwrite=True)
        canvas.changed.connect(self._on_canvas)
        self._on_canvas()

    def close(self) -> None:
        """Give the viewer's keys back."""
        self._canvas.changed.disconnect(self._on_canvas)
        for key, former in self.viewer_keys.items():
            self._viewer.bind_key(key, former, overwrite=True)

    def _on_canvas(self) -> None:
        labels = self._canvas.labels
        if labels is not None and labels not in self._bound:
            self._bind(labels, self._on_labels())
            self._canvas.tools.follow_polygon(labels)
        for image in self._canvas.images:
            if image not in self._bound:
                self._bind(image, self._on_images())
        boxes = self._canvas.boxes.layer
        if boxes is not None and boxes not in self._bound:
            self._bind(boxes, self._on_boxes())

    def _bind(self, layer: Layer, acts: dict[str, Act]) -> None:
        self._bound.add(layer)
        for key, act in acts.items():
            layer.bind_key(key, act, overwrite=True)

    def _everywhere(self) -> dict[str, Act]:
        session, tools = self._session, self._canvas.tools
        unsure, heat = self._canvas.prediction.uncertainty, self._canvas.heat
        return {
            "PageUp": lambda _viewer: session.previous_case(),
            "PageDown": lambda _viewer: session.next_case(),
            "U": lambda _viewer: session.next_unlabelled(),
            "Shift-U": lambda _viewer: unsure.toggle(),
            "H": lambda _viewer: heat.cycle(),
            "Enter": lambda _viewer: tools.reviewed_next(),
        }

    def _on_images(self) -> dict[str, Act]:
        boxes = self._canvas.boxes
        return self._on_classes() | {
            "B": lambda _layer: boxes.take(),
            "Control-Z": lambda _layer: boxes.undo(),
            "Control-Shift-Z": lambda _layer: boxes.redo(),
        }

    def _on_classes(self) -> dict[str, Act]:
        tools = self._canvas.tools
        acts: dict[str, Act] = {str(n): _with_number(tools.choose_number, n) for n in DIGITS}
        return acts | {"0": lambda _layer: tools.zero()}

    def _on_boxes(self) -> dict[str, Act]:
        boxes = self._canvas.boxes
        acts: dict[str, Act] = {str(n): _with_number(boxes.choose_number, n) for n in DIGITS}
        return acts | {
            "B": lambda _layer: boxes.take(),
            "Control-Z": lambda _layer: boxes.undo(),
            "Control-Shift-Z": lambda _layer: boxes.redo(),
            "Delete": lambda _layer: boxes.remove_selected(),
            "Backspace": lambda _layer: boxes.remove_selected(),
            "Escape": lambda _layer: boxes.put_down(),
            "Enter": lambda _layer: self._canvas.tools.reviewed_next(),
        }

    def _on_labels(self) -> dict[str, Act]:
        tools, strokes, canvas = self._canvas.tools, self._canvas.strokes, self._canvas

        def hide(_layer: Labels) -> Iterator[None]:
            canvas.hold_hidden(True)
            yield
            canvas.hold_hidden(False)

        return self._on_classes() | {
            "Shift-0": lambda _layer: tools.unlabel(),
            "P": lambda _layer: tools.take("paint"),
            "E": lambda _layer: tools.take("erase"),
            "F": lambda _layer: tools.take("fill"),
            "G": lambda _layer: tools.take("polygon"),
            "L": lambda _layer: tools.take("pick"),
            "Z": lambda _layer: tools.take("pan_zoom"),
            "[": lambda _layer: tools.resize(-1),
            "]": lambda _layer: tools.resize(1),
            "Control-Z": lambda _layer: strokes.undo(),
            "Control-Shift-Z": lambda _layer: strokes.redo(),
            "Enter": tools.finish,
            "Space": hide,
        }


def bind_keys(viewer: "Viewer", session: Session, canvas: Canvas) -> Keys:
    """Bind all keys; they live as long as the canvas and are given back when it closes."""
    keys = Keys(viewer, session, canvas)
    canvas.keep(keys)
    return keys


def _with_number(act: Callable[[int], object], number: int) -> Act:
    return lambda _layer: act(number)
