"""Both engines on a few of the real regions; all 200 by `longtail bench radiomics_parity`."""

import runpy
from pathlib import Path

import pytest
import torch

real = runpy.run_path(str(Path(__file__).with_name("real.py")))
FEW = {"X-rays": 15, "hippocampus": 6, "CT": 8}
TOLERANCE = {torch.float64: 1e-5, torch.float32: 1e-3}

pytestmark = pytest.mark.skipif(not real["DATA"].is_dir(), reason="needs ../shared/data")


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", FEW)
def test_real_regions_equal_pyradiomics(name, dtype):
    pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    settings = real["SETTINGS"][name]
    some = real["regions"](name, FEW[name])
    assert len(some) == FEW[name]
    worst = real["differences"](some, settings, dtype)
    assert len(worst) == (102 if name == "X-rays" else 107)
    assert {one: far for one, far in worst.items() if far > TOLERANCE[dtype]} == {}
