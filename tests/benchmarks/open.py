"""First slice of a 512x512x300 16-bit volume, beside SimpleITK's plain read of the same file."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import SimpleITK as sitk

from longtail.app.cli.bench import result
from longtail.core.io.image import open_lazily

SHAPE = (300, 512, 512)
REPEATS = 5
AT_MOST = 1.1


def measure() -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        return [
            line
            for name, compressed in (("nii.gz", True), ("nii", False), ("mha", False))
            for line in _measure_file(_write(Path(folder), name, compressed), name, compressed)
        ]


def _write(folder: Path, suffix: str, compressed: bool) -> Path:
    draw = np.random.default_rng(0)
    slope = np.linspace(0, 900, SHAPE[2], dtype=np.float32)
    array = (draw.normal(1000, 40, SHAPE).astype(np.float32) + slope).astype(np.int16)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.7, 0.7, 1.5))
    path = folder / f"volume.{suffix}"
    sitk.WriteImage(image, str(path), useCompression=compressed)
    return path


def _measure_file(path: Path, name: str, compressed: bool) -> list[dict[str, Any]]:
    ours, theirs = [], []
    for _ in range(REPEATS):  # side by side, so that both meet the same machine
        ours.append(_seconds(lambda: _first_slice(path)))
        theirs.append(_seconds(lambda: _plain_read(path)))
    ratio = statistics.median(ours) / statistics.median(theirs)
    return [
        result(
            f"first slice, {name}, {'compressed' if compressed else 'uncompressed'}",
            statistics.median(ours),
            "s",
            reference=f"SimpleITK.ReadImage {statistics.median(theirs):.2f} s",
            ratio=ratio,
            at_most=AT_MOST,
        )
    ]


def _first_slice(path: Path) -> float:
    return float(np.asarray(open_lazily(str(path)).array[0, 0]).sum())


def _plain_read(path: Path) -> float:
    image = sitk.ReadImage(str(path))  # held: the view does not keep the image alive
    return float(sitk.GetArrayViewFromImage(image)[0].sum())


def _seconds(work: Callable[[], float]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
