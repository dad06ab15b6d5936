"""What the panels of one viewer share: the session, the canvas, the keys."""

import weakref
from typing import TYPE_CHECKING, Protocol

from .background import Errands
from .drive import QtDriver
from .session import Session
from .session_faces import BackendFace
from .theme import look

if TYPE_CHECKING:
    from napari import Viewer

    from .canvas import Canvas

PRELOAD = ("longtail.core.training.engine", "longtail.core.predict.segment")
"""What the compute process imports while it is idle, so that the first job does not wait."""


class HasThreads(Protocol):
    """Something that reads files in threads of its own."""

    def close_threads(self) -> None:
        """Wait for what is under way."""


def new_backend() -> BackendFace:
    """Give the backend of a window: one process beside it, which alone imports torch."""
    from ..core.backend.client import ProcessBackend

    return ProcessBackend(window_open=True, preload=PRELOAD)


class Room:
    """The session of a viewer, and its canvas from the moment that one is asked for."""

    def __init__(self, viewer: "Viewer", backend: BackendFace | None = None) -> None:
        self._viewer = weakref.ref(viewer)
        self._canvas: Canvas | None = None
        self.driver = QtDriver()
        self.errands = Errands(1, "longtail catalogue")
        self.session = Session(backend or new_backend(), self.driver, aside=self.errands.ask)
        self.closed = self.guarded = False
        self.threads: list[HasThreads] = []
        look().wear(viewer.theme)
        viewer.events.theme.connect(self._wear)

    @property
    def canvas(self) -> "Canvas":
        """What shows the session's case in the viewer; made with its keys when first asked for.

        Its modules are loaded then, so that a window without a project opens sooner.
        """
        if self._canvas is None:
            from .canvas import Canvas
            from .keys import bind_keys

            viewer = self._viewer()
            assert viewer is not None
            self._canvas = Canvas(viewer, self.session)
            bind_keys(viewer, self.session, self._canvas)
        return self._canvas

    def close(self, leave_running: bool = False) -> None:
        """Save what is not saved and end; with `leave_running` the job goes on alone."""
        if self.closed:
            return
        self.closed = True
        viewer = self._viewer()
        if viewer is not None:
            viewer.events.theme.disconnect(self._wear)
        if self._canvas is not None:
            self._canvas.close()
        for owner in self.threads:
            owner.close_threads()
        self.session.close(leave_running)
        self.errands.close()

    def _wear(self, event: object = None) -> None:
        viewer = self._viewer()
        if viewer is not None:
            look().wear(viewer.theme)
