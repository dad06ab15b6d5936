"""Both engines on generated regions: every feature, to a relative 1e-8."""

import numpy as np
import pytest
import torch

from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.settings import RadiomicSettings

pytest.importorskip("radiomics", reason="the extra radiomics is not installed")

SETTINGS = {
    "defaults": RadiomicSettings(),
    "bin count": RadiomicSettings(bin_count=16),
    "slice by slice": RadiomicSettings(force_2d=True),
    "across y": RadiomicSettings(force_2d=True, force_2d_axis=1, bin_width=10),
    "two distances": RadiomicSettings(distances=(1, 2), gldm_alpha=1, bin_width=7.3),
    "three distances": RadiomicSettings(distances=(1, 2, 3), classes=("glcm", "gldm", "ngtdm")),
    "one order": RadiomicSettings(symmetrical=False, distances=(2,), voxel_array_shift=100),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_feature_equals_pyradiomics(name, regions):
    settings = SETTINGS[name]
    ours = fast.measure(regions, settings).numpy()
    theirs = reference.measure(regions, settings)
    names = settings.names(flat=regions[0].flat)
    whole = 102 if regions[0].flat else 107
    assert len(names) == whole if len(settings.classes) == 7 else len(names) == 43
    assert np.isfinite(theirs).all()
    apart = np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-9)
    worst = dict(zip(names, apart.max(axis=0).tolist(), strict=True))
    assert {feature: found for feature, found in worst.items() if found > 1e-8} == {}


def test_values_on_the_edges_of_levels_fall_on_the_same_side(make_blob):
    region = make_blob(11, (1, 30, 30), flat=True)
    tenths = np.round(region.values, 1)
    edged = type(region)(1, tenths, region.mask, region.spacing_mm, True)
    settings = RadiomicSettings(bin_width=0.7, classes=("glcm", "firstorder"))
    ours = fast.measure([edged], settings).numpy()
    assert ours == pytest.approx(reference.measure([edged], settings), rel=1e-8)


def test_single_precision_is_near(regions):
    settings = RadiomicSettings()
    exact = fast.measure(regions, settings).numpy()
    single = fast.measure(regions, settings, dtype=torch.float32).double().numpy()
    names = settings.names(flat=regions[0].flat)
    typical = np.maximum(np.abs(exact), np.abs(exact).mean(axis=0)).clip(1e-9)
    apart = np.abs(single - exact) / typical
    worst = dict(zip(names, apart.max(axis=0).tolist(), strict=True))
    assert {name: found for name, found in worst.items() if found > 1e-3} == {}


def test_a_region_is_measured_alike_alone_and_among_others(make_blob):
    sizes = [(1, 9, 40), (1, 30, 12), (1, 18, 18), (1, 5, 7)]
    some = [make_blob(seed, size, flat=True) for seed, size in enumerate(sizes)]
    settings = RadiomicSettings(bin_width=11)
    together = fast.measure(some, settings)
    alone = torch.cat([fast.measure([region], settings) for region in some])
    torch.testing.assert_close(together, alone, rtol=1e-11, atol=1e-11)


def test_small_batches_give_the_same(make_blob, monkeypatch):
    some = [make_blob(seed, (1, 12, 12), flat=True) for seed in range(6)]
    settings = RadiomicSettings()
    whole = fast.measure(some, settings)
    monkeypatch.setattr(fast, "PLACES_MOST", 300)
    torch.testing.assert_close(fast.measure(some, settings), whole, rtol=1e-11, atol=1e-11)
