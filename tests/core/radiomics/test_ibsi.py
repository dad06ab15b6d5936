"""The digital phantom of IBSI: published values, definitions in loops, and both engines."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.names import full_name
from longtail.core.radiomics.regions import Region
from longtail.core.radiomics.settings import RadiomicSettings

_spec = importlib.util.spec_from_file_location("ibsi", Path(__file__).with_name("ibsi.py"))
ibsi = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ibsi)

VALUES = [pytest.param(*one, id=f"{one[0]}-{one[1]}") for one in ibsi.published()]
SETTINGS = RadiomicSettings(bin_width=1)
AXES = ("MajorAxisLength", "MinorAxisLength", "LeastAxisLength")


@pytest.fixture(scope="module")
def by_definition():
    return ibsi.by_definition()


def measured(engine):
    """Features in IBSI's terms where PyRadiomics deviates from these.

    It does not take 3 from the kurtosis, and divides the spread along the axes by the number of
    voxels where IBSI takes one less.
    """
    mask = ibsi.PHANTOM < ibsi.OUTSIDE
    region = Region(1, ibsi.PHANTOM.astype(np.float64), mask, (ibsi.VOXEL_MM,) * 3, False)
    names = SETTINGS.names(flat=False)
    row = dict(zip(names, np.asarray(engine.measure([region], SETTINGS))[0].tolist(), strict=True))
    row[full_name("firstorder", "Kurtosis-3")] = row[full_name("firstorder", "Kurtosis")] - 3
    for name in AXES:
        row[full_name("shape", name)] *= np.sqrt(mask.sum() / (mask.sum() - 1))
    return row


@pytest.fixture(scope="module")
def ours():
    return measured(fast)


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    return measured(reference)


@pytest.mark.parametrize(("class_", "name", "value"), VALUES)
def test_the_definition_gives_the_published_value(by_definition, class_, name, value):
    found = by_definition[class_][name]
    assert found == pytest.approx(float(value), abs=ibsi.last_digit(value))


@pytest.mark.parametrize(("class_", "name", "value"), VALUES)
def test_the_fast_engine_gives_the_published_value(ours, by_definition, class_, name, value):
    found = ours[full_name(class_, name)]
    assert found == pytest.approx(float(value), abs=ibsi.last_digit(value))
    assert found == pytest.approx(by_definition[class_][name], rel=1e-6)


@pytest.mark.parametrize(("class_", "name", "value"), VALUES)
def test_pyradiomics_gives_the_published_value(theirs, class_, name, value):
    found = theirs[full_name(class_, name)]
    assert found == pytest.approx(float(value), abs=ibsi.last_digit(value))
