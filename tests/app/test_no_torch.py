"""The window's process never imports torch or monai: tried in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys
from pathlib import Path
from longtail.app.napari_window import use_settings
from longtail.app.settings import config_folder
use_settings(config_folder() / "napari.yaml")
import napari
from longtail.app.frame import Frame
from longtail.app.window import Room
from qtpy.QtWidgets import QApplication

class Still:
    def submit(self, job): raise AssertionError("no job is expected")
    def warm_up(self): pass
    def close(self, leave_running=False): pass
    def device_label(self): return "CPU"

viewer = napari.Viewer(show=False, show_welcome_screen=False)
frame = Frame(viewer, Room(viewer, Still()))
frame.show()
frame.room.session.open_project(Path(sys.argv[1]))
for name in ("Label", "Train", "Results"):
    frame.tabs.open(name)
    for _ in range(20):
        QApplication.processEvents()
heavy = sorted({m.partition(".")[0] for m in sys.modules} & {"torch", "monai", "torchvision"})
print(json.dumps({"heavy": heavy, "cases": len(frame.room.session.catalogue.ids)}))
frame.window.close()
"""


@pytest.mark.parametrize("project", ["scans", "cells"])
def test_the_window_opens_a_project_without_torch(project, request, tmp_path):
    path = request.getfixturevalue(project)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "LONGTAIL_CONFIG": str(tmp_path / "config")},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["heavy"] == []
    assert told["cases"] == (3 if project == "scans" else 12)
    assert Path(tmp_path / "config").is_dir()
