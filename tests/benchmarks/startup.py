"""Time until the window answers, beside a bare napari in the same run."""

import os
import statistics
import subprocess
import sys
import time
from tempfile import TemporaryDirectory
from typing import Any

from longtail.app.cli.bench import result

REPEATS = 5
AT_MOST = 1.25

REPORT = """
import os, sys
from qtpy.QtCore import QTimer
import napari
def report():
    print("answers", "torch" in sys.modules, flush=True)
    os._exit(0)
run = napari.run
def watched(*arguments, **keywords):
    QTimer.singleShot(0, report)
    return run(*arguments, **keywords)
napari.run = watched
"""
BARE = REPORT + "napari.Viewer()\nnapari.run()\n"
OURS = REPORT + "from longtail.app.__main__ import main\nmain([])\n"


def measure() -> list[dict[str, Any]]:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return [result("start", None, "s", at_most=AT_MOST, note="there is no display")]
    with TemporaryDirectory() as home:
        _start(BARE, home), _start(OURS, home)  # the first start writes caches
        pairs = [(_start(BARE, home), _start(OURS, home)) for _ in range(REPEATS)]
    bare = statistics.median(seconds for (seconds, _), _ in pairs)
    ours = statistics.median(seconds for _, (seconds, _) in pairs)
    with_torch = sum(torch for _, (_, torch) in pairs)
    return [
        result(
            "start until the window answers",
            ours,
            "s",
            reference=f"bare napari {bare:.2f} s",
            ratio=ours / bare,
            at_most=AT_MOST,
        ),
        result("starts that import torch", with_torch, "", reference="of 5", at_most=0),
    ]


def _start(code: str, home: str) -> tuple[float, bool]:
    environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "QT_API": "pyside6"}
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("answers"))
    return time.perf_counter() - begun, line.endswith("True")
