"""Features of 64 flat regions and of one in a volume, beside PyRadiomics in two processes.

And what they cost in a training step, and whether memory grows with the voxels.
"""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import psutil
import torch
from scipy.ndimage import gaussian_filter

from longtail.app.cli.bench import result
from longtail.core.nets.encoders import build_encoder
from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.boxes import WITHOUT_SHAPE, measure_boxes
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.settings import RadiomicSettings

SETTINGS = RadiomicSettings()
PROCESSES = 2
REPEATS = 3
AT_MOST = 0.1
"""Of PyRadiomics' time: ten times as fast."""

VOLUME_VOXELS = 28_819
FULL = 224
BATCH = 32
SHARE_AT_MOST = 0.25
"""Of the time of a training step."""

RADII = (40, 64)
"""Of the two balls whose memory is compared: 4 times the voxels."""

GROWTH_AT_MOST = 1.5
"""Bytes a voxel of the larger ball beside those of the smaller one."""


def measure() -> list[dict[str, Any]]:
    cases = {
        "64 regions of 5,600 pixels on 224x224": [_disc(seed) for seed in range(64)],
        "64 regions of 224x224": [_whole(seed) for seed in range(64)],
        "64 regions of 40x40": [_square(seed) for seed in range(64)],
        f"a region of {VOLUME_VOXELS:,} voxels": [_ball()],
    }
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        _theirs(pool, [cases["64 regions of 40x40"][:1]] * PROCESSES)  # imports
        lines = [line for name, some in cases.items() for line in _beside(name, some, pool)]
    steps = [_of_a_step(side) for side in (96, FULL)]
    return [*lines, *steps, _memory(), _pictologics(), _on_gpu(cases["64 regions of 224x224"])]


def _beside(
    name: str, regions: Sequence[Region], pool: ProcessPoolExecutor
) -> list[dict[str, Any]]:
    parts = [list(regions[start::PROCESSES]) for start in range(min(PROCESSES, len(regions)))]
    fast.measure(regions, SETTINGS)  # torch's first call
    ours, theirs = [], []
    for _ in range(REPEATS):  # side by side, so that both meet the same machine
        ours.append(_seconds(lambda: fast.measure(regions, SETTINGS)))
        theirs.append(_seconds(lambda: _theirs(pool, parts)))
    own, other = statistics.median(ours), statistics.median(theirs)
    return [
        result(
            name,
            len(regions) / own,
            "regions/s",
            reference=f"PyRadiomics in {len(parts)} processes {len(regions) / other:.3g}/s",
            ratio=own / other,
            at_most=AT_MOST,
        )
    ]


def _of_a_step(side: int) -> dict[str, Any]:
    """Share of a step of ResNet-18 that a box on each image takes, boxes of half the side."""
    torch.manual_seed(0)
    images = torch.from_numpy(
        np.stack([_grey(np.random.default_rng(n), (1, side, side))[0] for n in range(BATCH)])
    ).float()
    starts = torch.randint(0, side // 2, (BATCH, 2))
    boxes = torch.cat([starts, torch.full((BATCH, 2), side // 2)], dim=1)
    net = build_encoder("resnet18", spatial_dims=2, in_channels=1, classes=1)

    def step() -> None:
        net(images[:, None] / 255).square().mean().backward()
        net.zero_grad(set_to_none=True)

    works = (step, lambda: measure_boxes(images, boxes, WITHOUT_SHAPE))
    spent = [[_seconds(work) for work in works] for _ in range(REPEATS)]
    plain, own = (statistics.median(one) for one in zip(*spent, strict=True))
    return result(
        f"{BATCH} boxes of {side // 2}x{side // 2}: share of a training step at {side} px",
        own / (own + plain),
        "of the step",
        reference=f"forward and backward of ResNet-18 {plain * 1e3:.0f} ms, boxes {own * 1e3:.0f}",
        at_most=SHARE_AT_MOST,
    )


def _memory() -> dict[str, Any]:
    voxels = [int(_ball(radius).mask.sum()) for radius in RADII]
    each = [_grown_apart(radius) / number for radius, number in zip(RADII, voxels, strict=True)]
    return result(
        f"memory for a region of {voxels[1]:,} voxels",
        each[1],
        "bytes/voxel",
        reference=f"of {voxels[0]:,} voxels {each[0]:.0f}",
        ratio=each[1] / each[0],
        at_most=GROWTH_AT_MOST,
    )


def _grown_apart(radius: int) -> int:
    """`_grown` of a ball in a process that has measured nothing large before."""
    said = (
        f"import runpy; m = runpy.run_path({__file__!r}); print(m['_grown'](m['_ball']({radius})))"
    )
    run = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    return int(run.stdout)


def _grown(region: Region) -> int:
    """Most memory that the process holds while a region is measured, beyond what it held."""
    fast.measure([_disc(0)], SETTINGS)
    process, done = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    seen = [before]

    def watch() -> None:
        while not done.wait(0.001):
            seen.append(process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    fast.measure([region], SETTINGS)
    done.set()
    watcher.join()
    return max(seen) - before


def _pictologics() -> dict[str, Any]:
    name = "beside pictologics"
    return result(name, None, "", note="It needs Python 3.12, which this project does not ask for.")


def _on_gpu(regions: Sequence[Region]) -> dict[str, Any]:
    name = "64 regions of 224x224 on the graphics card"
    if not torch.cuda.is_available():
        return result(name, None, "regions/s", note="There is no graphics card here.")
    fast.measure(regions, SETTINGS, device="cuda")
    spent = [
        _seconds(lambda: fast.measure(regions, SETTINGS, device="cuda").cpu())
        for _ in range(REPEATS)
    ]
    return result(name, len(regions) / statistics.median(spent), "regions/s")


def _theirs(pool: ProcessPoolExecutor, parts: Sequence[Sequence[Region]]) -> object:
    return list(pool.map(reference.measure, parts, [SETTINGS] * len(parts)))


def _grey(draw: np.random.Generator, shape: tuple[int, ...]) -> Any:
    smooth = gaussian_filter(draw.normal(size=shape), [0 if size == 1 else 3 for size in shape])
    values = 128 + 50 * smooth / smooth.std() + draw.normal(0, 6, shape)
    return np.clip(values, 0, 255).round()


def _disc(seed: int) -> Region:
    """An ellipse of about 5,600 pixels, as it is cut from a picture of 224x224."""
    draw = np.random.default_rng(seed)
    high, wide = draw.uniform(34, 52, 2)
    y, x = np.mgrid[-int(high) : int(high) + 1, -int(wide) : int(wide) + 1]
    mask = ((y / high) ** 2 + (x / wide) ** 2 < 1)[None]
    return Region(1, _grey(draw, mask.shape), mask, (1.0, 1.0, 1.0), True)


def _square(seed: int) -> Region:
    draw = np.random.default_rng(seed)
    form = gaussian_filter(draw.normal(size=(1, 40, 40)), (0, 3, 3))
    return Region(1, _grey(draw, form.shape), form > np.quantile(form, 0.3), (1.0, 1.0, 1.0), True)


def _whole(seed: int) -> Region:
    """A whole picture."""
    shape = (1, FULL, FULL)
    values = _grey(np.random.default_rng(seed), shape)
    return Region(1, values, np.ones(shape, dtype=np.bool_), (1.0, 1.0, 1.0), True)


def _ball(radius: int = 20) -> Region:
    draw = np.random.default_rng(0)
    z, y, x = np.mgrid[(slice(-radius, radius + 1),) * 3]
    far = z**2 + y**2 + x**2 + draw.random(z.shape)
    voxels = VOLUME_VOXELS if radius == 20 else int(VOLUME_VOXELS * (radius / 20) ** 3)
    mask = far <= np.partition(far.ravel(), voxels - 1)[voxels - 1]
    return Region(1, _grey(draw, mask.shape), mask, (1.0, 1.0, 1.0), False)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
