"""Every feature of 200 real regions beside PyRadiomics, in double and in single precision."""

import runpy
from pathlib import Path
from typing import Any

import torch

from longtail.app.cli.bench import result

REAL = Path(__file__).resolve().parents[1] / "core" / "radiomics" / "real.py"
AT_MOST = {torch.float64: 1e-5, torch.float32: 1e-3}
NAMED = 5
"""The largest differences that are listed by name."""


def measure() -> list[dict[str, Any]]:
    real = runpy.run_path(str(REAL))
    if not real["DATA"].is_dir():
        return [result("200 real regions", None, "", note="This needs ../shared/data.")]
    return [
        _line(name, number, real, dtype)
        for name, number in real["NUMBERS"].items()
        for dtype in AT_MOST
    ]


def _line(name: str, number: int, real: dict[str, Any], dtype: torch.dtype) -> dict[str, Any]:
    some = real["regions"](name, number)
    apart = real["differences"](some, real["SETTINGS"][name], dtype)
    largest = sorted(apart.items(), key=lambda one: -one[1])[:NAMED]
    sizes = sorted(int(region.mask.sum()) for region in some)
    return result(
        f"{name}, {str(dtype).removeprefix('torch.')}: largest difference",
        largest[0][1],
        "of max(|b|, typical)",
        reference=f"PyRadiomics, {len(apart)} features of {len(some)} regions of "
        f"{sizes[0]:,} to {sizes[-1]:,} voxels",
        at_most=AT_MOST[dtype],
        note=", ".join(
            f"{feature.removeprefix('original_')} {far:.1e}" for feature, far in largest
        ),
    )
