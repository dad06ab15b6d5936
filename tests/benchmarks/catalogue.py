"""112,120 cases from a table: import, filter and sort, and what the open window weighs."""

import csv
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from longtail.app.cli.bench import result
from longtail.core.io.importers import plan_import
from longtail.core.project.importing import apply_plan
from longtail.core.project.records import Status, Task
from longtail.core.project.store import Project

CASES = 112_120
FINDINGS = tuple(f"finding {number}" for number in range(14))
IMPORT_AT_MOST_S = 20.0
QUERY_AT_MOST_MS = 100.0
MEMORY_AT_MOST_MB = 400.0
REPEATS = 7

BARE = """
import napari, os, psutil
from qtpy.QtCore import QTimer
viewer = napari.Viewer()
QTimer.singleShot(3000, lambda: (print(psutil.Process().memory_info().rss), os._exit(0)))
napari.run()
"""
OURS = """
import os, psutil, sys
from pathlib import Path
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from longtail.app.launch import launch
def report():
    print(psutil.Process().memory_info().rss, flush=True)
    os._exit(0)
import napari
run = napari.run
def watched(*args, **keywords):
    QTimer.singleShot(6000, report)
    return run(*args, **keywords)
napari.run = watched
launch(Path(sys.argv[1]))
"""


def measure() -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        table = _write_table(Path(folder))
        path = Path(folder) / "chest.longtail"
        seconds = _import(path, table)
        lines = [
            result(
                "import from a table",
                seconds,
                "s",
                reference=f"limit for {CASES:,} cases",
                at_most=IMPORT_AT_MOST_S,
            )
        ]
        return [*lines, *_queries(path), _memory(path)]


def _write_table(folder: Path) -> Path:
    images = folder / "images"
    images.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "one.png")
    picture = (folder / "one.png").read_bytes()
    share = 0.4 * 0.7 ** np.arange(len(FINDINGS))
    drawn = np.random.default_rng(0).random((CASES, len(FINDINGS))) < share
    table = folder / "labels.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "findings", "patient_id", "age", "view"))
        for number, row in enumerate(drawn):
            name = f"{number // 4:08d}_{number % 4:03d}.png"
            (images / name).write_bytes(picture)
            found = "|".join(np.array(FINDINGS)[row]) or "No Finding"
            writer.writerow((f"images/{name}", found, number // 4, 20 + number % 70, "PA"))
    return table


def _import(path: Path, table: Path) -> float:
    begun = time.perf_counter()
    with Project.create(path, task=Task.MULTILABEL, classes=FINDINGS) as project:
        plan = plan_import(table, format="csv", task=Task.MULTILABEL.value, classes=FINDINGS)
        done = apply_plan(
            project, plan, split="70/10/20", seed=0, status=Status.REVIEWED, author="bench"
        )
    if done.added != CASES:
        raise RuntimeError(f"{done.added} of {CASES} cases came in")
    return time.perf_counter() - begun


def _queries(path: Path) -> list[dict[str, Any]]:
    with Project.open(path, write=False) as project:
        begun = time.perf_counter()
        catalogue = project.catalogue()
        loading = 1000 * (time.perf_counter() - begun)
        everything = catalogue.find()
        queries: dict[str, Callable[[], object]] = {
            "filter by text": lambda: catalogue.find(text="0001"),
            "filter by a class": lambda: catalogue.find(class_id=14),
            "sort by name": lambda: catalogue.order(everything, "name"),
            "sort by status": lambda: catalogue.order(everything, "status"),
        }
        lines = [result("load the catalogue", loading, "ms")]
        for name, query in queries.items():
            value = statistics.median(_milliseconds(query) for _ in range(REPEATS))
            lines.append(result(name, value, "ms", reference="limit", at_most=QUERY_AT_MOST_MS))
    return lines


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)


def _memory(path: Path) -> dict[str, Any]:
    name = "memory of the window with the project open"
    if not os.environ.get("DISPLAY") and sys.platform.startswith("linux"):
        return result(name, None, "MB", at_most=MEMORY_AT_MOST_MB, note="there is no display")
    bare, ours = _resident_mb(BARE), _resident_mb(OURS, str(path))
    return result(
        name,
        ours - bare,
        "MB",
        reference=f"above bare napari's {bare:.0f} MB",
        at_most=MEMORY_AT_MOST_MB,
    )


def _resident_mb(code: str, *arguments: str) -> float:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return int(done.stdout.split()[-1]) / 2**20
