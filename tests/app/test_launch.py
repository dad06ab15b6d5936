"""`longtail PROJECT` opens the window on the project and ends well when it is closed."""

import os
import subprocess
import sys

SCRIPT = """
import sys, time
from pathlib import Path
import napari
from qtpy.QtWidgets import QApplication

def run():
    window = next(w for w in QApplication.topLevelWidgets() if w.inherits("QMainWindow"))
    end = time.monotonic() + 60
    while "cells" not in window.windowTitle() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.01)
    print(window.windowTitle(), window.isVisible())
    window.close()
    QApplication.processEvents()

napari.run = run
from longtail.app.launch import launch
print("status", launch(Path(sys.argv[1])))
print("torch" in sys.modules)
"""


def test_the_window_opens_on_a_project(cells, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(cells)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "LONGTAIL_CONFIG": str(tmp_path / "config")},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == ["cells · Longtail True", "status 0", "False"]
    assert (tmp_path / "config" / "longtail.ini").is_file()
    assert (tmp_path / "config" / "longtail.log").is_file()
