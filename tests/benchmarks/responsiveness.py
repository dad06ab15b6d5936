"""Beats of the window's main thread while training runs on the CPU: in our process, in a thread."""

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from longtail.app.cli.bench import result
from longtail.core.project.sample import build_heart_sample

BEAT_MS = 16
LATE_MS, VERY_LATE_MS = 50, 100
SETTLING_S = 5
WATCHED_S = 30

WINDOW = """
import json, os, sys, time
from pathlib import Path
project, kind, beat_ms, settling_s, watched_s = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
from longtail.app.napari_window import use_settings
use_settings(Path(project).parent / "napari.yaml")
import napari
from qtpy.QtCore import Qt, QTimer
from longtail.app.frame import Frame
from longtail.app.window import Room, new_backend
from longtail.core.backend.local import LocalBackend
from longtail.core.jobs.training import TrainJob
from longtail.core.training.plan import plan_run
viewer = napari.Viewer(show=False, show_welcome_screen=False)
room = Room(viewer, new_backend() if kind == "process" else LocalBackend())
frame = Frame(viewer, room)
frame.show()
frame.open_first(Path(project))
session = room.session
beats, begun, steps = [], [], [0]
def beat():
    beats.append(time.perf_counter())
def stepped(tracked, event):
    if type(event).__name__ == "Metric" and event.name == "loss":
        steps[0] = event.step
        if not begun:
            begun.append(time.perf_counter())
            QTimer.singleShot(1000 * (settling_s + watched_s), report)
def report():
    start = begun[0] + settling_s
    late = [1000 * (b - a) for a, b in zip(beats, beats[1:]) if a >= start]
    print(json.dumps({"gaps_ms": late, "steps": steps[0]}), flush=True)
    os._exit(0)
def train():
    spec = plan_run(session.project, method="supervised", minutes=3)
    run = session.project.new_run(spec.to_mapping())
    session.submit(TrainJob(str(session.project.path), run.id))
session.job_event.connect(stepped)
timer = QTimer(interval=beat_ms, timerType=Qt.TimerType.PreciseTimer)
timer.timeout.connect(beat)
timer.start()
QTimer.singleShot(1500, train)
QTimer.singleShot(240_000, lambda: os._exit(3))
napari.run()
"""


def measure() -> list[dict[str, Any]]:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return [result("late beats", None, "%", at_most=0, note="there is no display")]
    with TemporaryDirectory() as folder:
        project = build_heart_sample(Path(folder))
        ours, thread = (_watch(project, kind) for kind in ("process", "thread"))
    return [
        line
        for late_ms, at_most in ((LATE_MS, None), (VERY_LATE_MS, 0.0))
        for line in _lines(late_ms, at_most, ours, thread)
    ]


def _watch(project: Path, kind: str) -> dict[str, Any]:
    numbers = [str(number) for number in (BEAT_MS, SETTLING_S, WATCHED_S)]
    done = subprocess.run(
        [sys.executable, "-c", WINDOW, str(project), kind, *numbers],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    watched: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return watched


def _lines(
    late_ms: int, at_most: float | None, ours: dict[str, Any], thread: dict[str, Any]
) -> list[dict[str, Any]]:
    share, beside = (
        100 * sum(gap - BEAT_MS > late_ms for gap in watched["gaps_ms"]) / len(watched["gaps_ms"])
        for watched in (ours, thread)
    )
    worst = max(ours["gaps_ms"]) - BEAT_MS
    return [
        result(
            f"beats later than {late_ms} ms while training",
            share,
            "%",
            reference=f"training in a thread {beside:.1f} %; ours at worst {worst:.0f} ms late",
            at_most=at_most,
        )
    ]
