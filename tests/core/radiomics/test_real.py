"""Both engines on real images: hippocampus, organs on a CT, patches of X-rays."""

from pathlib import Path

import numpy as np
import pytest

from longtail.core.io.image import read_image
from longtail.core.io.image_types import Image
from longtail.core.io.labelmap import read_label_map
from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.regions import problem_of, regions_of
from longtail.core.radiomics.settings import RadiomicSettings

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
HOW = {
    "msd_hippocampus": RadiomicSettings(bin_count=32),  # their values are of every size
    "totalseg_example": RadiomicSettings(),
    "nih_cxr1000": RadiomicSettings(bin_width=10),
}

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")


def hippocampus():
    folder = DATA / "msd_hippocampus"
    for path in sorted((folder / "labels").glob("*.nii.gz"))[:80:8]:
        yield read_image(str(folder / "images" / path.name)), read_label_map(path)


def organs():
    folder = DATA / "totalseg_example"
    yield (
        read_image(str(folder / "example_ct_sm.nii.gz")),
        read_label_map(folder / "example_seg.nii.gz"),
    )


def found(pairs, settings):
    for image, drawn in pairs:
        labels = Image(drawn.array.reshape(image.shape)[None], None)
        for region in regions_of(image, labels, settings):
            if problem_of(region, settings) is None and region.mask.sum() < 20_000:
                yield region


def patches():
    """Squares and discs on X-rays, some at the border."""
    draw = np.random.default_rng(0)
    for path in sorted((DATA / "nih_cxr1000" / "images_448").glob("*.jpg"))[:20]:
        image = read_image(str(path))
        y, x = np.ogrid[: image.shape[0], : image.shape[1]]
        labels = np.zeros(image.shape, dtype=np.uint8)
        for label in (1, 2, 3):
            centre, reach = draw.integers(0, 448, 2), draw.integers(3, 40)
            inside = (y - centre[0]) ** 2 + (x - centre[1]) ** 2 < reach**2
            labels[inside if label > 1 else (abs(y - centre[0]) + 0 * x < reach) & inside] = label
        yield image, Image(labels, None)


CASES = {"msd_hippocampus": hippocampus, "totalseg_example": organs, "nih_cxr1000": patches}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_real_regions_equal_pyradiomics(name):
    pytest.importorskip("radiomics", reason="the extra radiomics is not installed")
    settings = HOW[name]
    regions = list(found(CASES[name](), settings))
    assert len(regions) >= 15
    ours = fast.measure(regions, settings).numpy()
    theirs = reference.measure(regions, settings)
    typical = np.maximum(np.abs(theirs), np.nanmean(np.abs(theirs), axis=0)).clip(1e-12)
    apart = np.nan_to_num(np.abs(ours - theirs) / typical)
    worst = dict(zip(settings.names(flat=regions[0].flat), apart.max(axis=0).tolist(), strict=True))
    assert {feature: far for feature, far in worst.items() if far > 1e-6} == {}
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
