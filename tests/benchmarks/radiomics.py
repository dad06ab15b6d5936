"""Features of 64 flat regions and of one in a volume, beside PyRadiomics in two processes."""

import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from longtail.app.cli.bench import result
from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.settings import RadiomicSettings

SETTINGS = RadiomicSettings()
PROCESSES = 2
REPEATS = 5
AT_MOST = 0.1
"""Of PyRadiomics' time: ten times as fast."""

VOLUME_VOXELS = 28_819


def measure() -> list[dict[str, Any]]:
    cases = {
        "64 regions of 5,600 pixels on 224x224": [_disc(seed) for seed in range(64)],
        "64 regions of 40x40": [_square(seed) for seed in range(64)],
        f"a region of {VOLUME_VOXELS:,} voxels": [_ball()],
    }
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        _theirs(pool, [cases["64 regions of 40x40"][:1]] * PROCESSES)  # imports
        lines = [line for name, some in cases.items() for line in _beside(name, some, pool)]
    return [*lines, _on_gpu(cases["64 regions of 5,600 pixels on 224x224"])]


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


def _on_gpu(regions: Sequence[Region]) -> dict[str, Any]:
    name = "64 regions on 224x224 on the graphics card"
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


def _ball() -> Region:
    draw = np.random.default_rng(0)
    z, y, x = np.mgrid[-20:21, -20:21, -20:21]
    far = z**2 + y**2 + x**2 + draw.random(z.shape)
    mask = far <= np.partition(far.ravel(), VOLUME_VOXELS - 1)[VOLUME_VOXELS - 1]
    return Region(1, _grey(draw, mask.shape), mask, (1.0, 1.0, 1.0), False)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
