"""Start Longtail in a window of its own."""

import os
import sys
from pathlib import Path

from .settings import config_folder

APP_ID = "longtail"


def launch(project: Path | None) -> int:
    """Open the window, with `project` or with what was open last, and stay until it is closed.

    Parameters
    ----------
    project
        A project, or a folder of images to make one from; None for the last project.

    Returns
    -------
    int
        0, the exit status.
    """
    os.environ.setdefault("QT_API", "pyside6")
    import_shapes_without_numba()
    from .napari_window import use_settings

    use_settings(config_folder() / "napari.yaml")
    import napari
    from qtpy.QtCore import QTimer

    from .diagnostics import keep_log
    from .frame import Frame, wear_font
    from .room import Room

    keep_log()
    wear_font()
    viewer = napari.Viewer(title="Longtail", show=False, show_welcome_screen=False)
    frame = Frame(viewer, Room(viewer))
    frame.show()
    QTimer.singleShot(0, lambda: frame.open_first(project))
    napari.run()
    return 0


def import_shapes_without_numba() -> None:
    """Let napari take its plain code for boxes; afterwards numba can be imported as ever.

    With numba, which the compute process needs for UMAP, napari would import it at the start, and
    compile for seconds in the window's thread when the first layer of boxes is made.
    """
    if "numba" in sys.modules:
        return
    sys.modules["numba"] = None  # type: ignore[assignment]
    try:
        import napari.layers  # noqa: F401
    finally:
        del sys.modules["numba"]
