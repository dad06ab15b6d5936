"""The window's process never loads torch because of these panels."""

import os
import subprocess
import sys

CODE = """
import sys
import longtail.app.panels.train, longtail.app.panels.results
assert "pyqtgraph" not in sys.modules, "plots are loaded with the first run, not at the start"
import longtail.app.panels.train_during
from longtail.app.panels.train_model import make_plan
from longtail.core.jobs.training import TrainJob
from longtail.core.jobs.prediction import PredictCaseJob
from longtail.core.jobs.evaluation import EvaluateJob
heavy = [name for name in ("torch", "monai") if name in sys.modules]
assert not heavy, heavy
"""

QT_FREE = """
import sys
from longtail.app.panels import results_model, results_state
from longtail.app.panels import train_fields, train_live, train_model, train_outcome
from longtail.app.panels import train_map, train_past, train_record
assert not [name for name in sys.modules if name.startswith(("PySide6", "PyQt", "qtpy"))]
"""


def run(code, tmp_path):
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_panels_import_neither_torch_nor_monai_nor_plots_early(tmp_path):
    done = run(CODE, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_models_of_the_panels_know_no_qt(tmp_path):
    done = run(QT_FREE, tmp_path)
    assert done.returncode == 0, done.stderr
