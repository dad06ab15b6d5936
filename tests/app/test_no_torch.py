"""The window's process never imports torch or monai: tried in a fresh interpreter."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from longtail.core.evaluate.report import write_report
from longtail.core.jobs.evaluating import Evaluation
from longtail.core.jobs.evaluation import EvaluateJob
from longtail.core.predict.shelf import Shelf, Shelved, write_shelf
from longtail.core.project.records import ImageLabels, Split
from longtail.core.project.store import Project

SCRIPT = """
import json, sys
from pathlib import Path
from types import SimpleNamespace
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

MOVING = SCRIPT.replace(
    "heavy = sorted(",
    """
import time
from longtail.app.panels.results import ResultsPanel

def wait_for(condition):
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        QApplication.processEvents()

(panel,) = frame.tabs.findChildren(ResultsPanel)
wait_for(lambda: panel.slider.model is not None)
for fold in panel.details.folds.values():
    fold.open()
before = panel.slider.model.rows()
panel.slider.slider.setValue(100)
panel.slider.use.click()
wait_for(lambda: not panel.again.isHidden())
moved = panel.slider.words.text()
kept = frame.room.session.project.run(panel.chosen.id).settings
heavy = sorted(""",
).replace('"heavy": heavy,', '"heavy": heavy, "moved": moved, "kept": kept["prior_target"],')


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


@pytest.fixture
def measured(cells):
    """The project of images with a run that was evaluated on its test part."""
    with Project.open(cells) as project:
        project.set_labels(["cell_10"], ImageLabels(frozenset({1})), author="me")
        project.set_labels(["cell_11"], ImageLabels(frozenset({2})), author="me")
        classes = [(1, "common", 90), (2, "rare", 10)]
        named = [{"id": i, "name": name, "examples": n} for i, name, n in classes]
        run = project.new_run(
            {"method": "cross-entropy", "task": "classification", "classes": named}
        )
        folder = project.run_folder(run.id)
        rows = {"cell_10": [2.0, 0.0], "cell_11": [1.0, 0.0]}
        cases = {key: Shelved(0.1, logits=np.array(row, "f4")) for key, row in rows.items()}
        shelf = Shelf("h" * 64, project.label_version, (1, 2), cases)
        write_shelf(folder, shelf)
        project.record_run(run.id, state="completed", result={"prior": [0.9, 0.1]})
        job = EvaluateJob(project.path.as_posix(), run.id)
        evaluation = Evaluation(job, project, shelf, [0.9, 0.1])
        steps = evaluation.measure(
            project.cases(split=Split.TEST, labelled=True), SimpleNamespace()
        )
        with pytest.raises(StopIteration) as end:
            next(steps)
        write_report(folder / "evaluation-test.json", end.value.value)
    return cells


def test_the_prior_slider_moves_without_torch(measured, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MOVING, str(measured)],
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
    assert told["moved"].startswith("1 more rare image found, 1 more false alarm.")
    assert told["kept"] == pytest.approx([0.5, 0.5])
