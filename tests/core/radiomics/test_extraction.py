"""Regions, and what the face says of those that cannot be measured."""

import subprocess
import sys

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.io.geometry import plain_geometry
from longtail.core.io.image_types import Image
from longtail.core.radiomics.extraction import extract
from longtail.core.radiomics.regions import regions_of
from longtail.core.radiomics.settings import RadiomicSettings

SETTINGS = RadiomicSettings()


def picture(values, *, colour=False):
    return Image(np.asarray(values), None, colour=colour)


@pytest.fixture
def odd():
    """A picture with one sound region and every kind of odd one."""
    draw = np.random.default_rng(0)
    values = draw.normal(100, 40, (40, 40))
    labels = np.zeros((40, 40), dtype=np.uint8)
    labels[:10, :10] = 1
    labels[20, 20] = 2  # a single pixel
    labels[30, 5:20] = 3  # a line
    labels[12:18, 12:18] = 4
    values[12:18, 12:18] = 7  # equal values
    labels[12:18, 30:36] = 5
    values[13, 31] = np.nan
    labels[25:28, 30:33] = np.array([[6, 0, 0], [0, 0, 0], [0, 0, 6]])  # nothing touches
    labels[38:, 38:] = 255
    return picture(values[None]), picture(labels[None])


@pytest.mark.parametrize("engine", ["fast", "pyradiomics"])
def test_degenerate_regions_have_reasons_and_leave_the_others_alone(odd, engine):
    if engine == "pyradiomics":
        pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    found = {one.label: one for one in extract(*odd, SETTINGS, engine=engine)}
    assert list(found) == [1, 2, 3, 4, 5, 6]
    assert all(value is not None for value in found[1].features.values())
    assert found[1].reasons == {}
    for label, said in {2: "single voxel", 3: "a line", 5: "not a number"}.items():
        assert set(found[label].features.values()) == {None}
        assert all(said in reason for reason in found[label].reasons.values())
    same = found[4]
    assert same.features["original_firstorder_Mean"] == 7
    assert "same value" in same.reasons["original_firstorder_Skewness"]
    assert "one grey level" in same.reasons["original_glcm_Correlation"]
    apart = found[6]
    assert "side by side" in apart.reasons["original_glcm_Contrast"]
    for one in found.values():
        missing = {name for name, value in one.features.items() if value is None}
        assert missing == set(one.reasons)


def test_both_engines_agree_on_what_is_missing(odd):
    pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    ours, theirs = (extract(*odd, SETTINGS, engine=name) for name in ("fast", "pyradiomics"))
    for one, other in zip(ours, theirs, strict=True):
        assert one.reasons == other.reasons
        known = [name for name, value in one.features.items() if value is not None]
        assert [one.features[name] for name in known] == pytest.approx(
            [other.features[name] for name in known], rel=1e-8, abs=1e-9
        )


def test_a_mask_without_regions_gives_none(odd):
    empty = picture(np.zeros((1, 40, 40), dtype=np.uint8))
    assert extract(odd[0], empty) == ()


def test_a_region_keeps_its_margin_within_the_image(odd):
    regions = regions_of(*odd, SETTINGS, margin=3)
    assert regions[0].mask.shape == (1, 13, 13)
    assert regions[0].mask.sum() == 100
    assert regions[1].mask.shape == (1, 7, 7)


def test_the_spacing_is_the_images(odd):
    image = Image(odd[0].array, plain_geometry((0.5, 0.25)))
    (first, *_) = extract(image, odd[1])
    assert first.features["original_shape2D_PixelSurface"] == pytest.approx(100 * 0.125)


def test_colours_become_grey_and_a_channel_can_be_chosen():
    draw = np.random.default_rng(1)
    array = draw.integers(0, 255, (3, 8, 8)).astype(np.uint8)
    labels = picture(np.ones((1, 8, 8), dtype=np.uint8))
    mean = "original_firstorder_Mean"
    (grey,) = extract(picture(array, colour=True), labels)
    expected = (np.array([0.299, 0.587, 0.114]) @ array.reshape(3, -1)).mean()
    assert grey.features[mean] == pytest.approx(expected)
    (third,) = extract(picture(array), labels, RadiomicSettings(channel=2))
    assert third.features[mean] == pytest.approx(array[2].mean())
    with pytest.raises(LongtailError, match="no channel 3"):
        extract(picture(array), labels, RadiomicSettings(channel=3))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.ones((1, 9, 40), dtype=np.uint8), "9 x 40"),
        (np.ones((2, 40, 40), dtype=np.uint8), "2 channels"),
        (np.full((1, 40, 40), 0.5), "fractions"),
        (np.full((1, 40, 40), -3), "negative"),
        (np.full((1, 40, 40), 2_000_000), "2000000"),
    ],
)
def test_a_mask_that_does_not_fit_is_told(odd, labels, said):
    with pytest.raises(LongtailError, match=said):
        extract(odd[0], picture(labels))


def test_too_many_grey_levels_are_told(odd):
    (first, *_) = extract(*odd, RadiomicSettings(bin_width=1e-4))
    assert "choose a larger width" in first.reasons["original_glcm_Contrast"]


def test_an_unknown_engine_is_told(odd):
    with pytest.raises(LongtailError, match="There are: fast, pyradiomics"):
        extract(*odd, SETTINGS, engine="slow")


def test_without_the_extra_the_way_to_it_is_told(odd, monkeypatch):
    monkeypatch.setitem(sys.modules, "radiomics.featureextractor", None)
    with pytest.raises(LongtailError, match="pip install"):
        extract(*odd, SETTINGS, engine="pyradiomics")


def test_the_face_does_not_import_torch():
    code = "import sys, longtail.core.radiomics.extraction; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
