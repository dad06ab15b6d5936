"""200 regions of real images: X-rays, hippocampus, organs on a CT; and how far engines differ.

Their masks are of many sizes and kinds: squares, discs, rings, two parts, at the border of the
picture, uneven ones with holes; drawn organs, some with a hole cut into them.
"""

from pathlib import Path

import numpy as np
import torch

from longtail.core.io.image import read_image
from longtail.core.io.image_types import Image
from longtail.core.io.labelmap import read_label_map
from longtail.core.radiomics import fast, reference
from longtail.core.radiomics.regions import problem_of, regions_of
from longtail.core.radiomics.settings import RadiomicSettings

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SETTINGS = {
    "X-rays": RadiomicSettings(bin_width=10),
    "hippocampus": RadiomicSettings(bin_count=32),  # their values are of every size
    "CT": RadiomicSettings(),
}
NUMBERS = {"X-rays": 100, "hippocampus": 60, "CT": 40}
LARGEST = 40_000


def regions(name, number):
    """So many regions of one kind, the same ones each time."""
    pairs = {"X-rays": _xrays, "hippocampus": _hippocampus, "CT": _organs}[name]
    found = []
    for image, labels in pairs():
        for region in regions_of(image, labels, SETTINGS[name]):
            sound = problem_of(region, SETTINGS[name]) is None
            if sound and region.mask.sum() <= LARGEST:
                found.append(region)
            if len(found) == number:
                return found
    return found


def differences(some, settings, dtype=torch.float64):
    """For each feature |a - b| over max(|b|, its typical size), the largest over the regions.

    Values that one engine has and the other has not count as infinitely far apart.
    """
    ours = fast.measure(some, settings, dtype=dtype).double().numpy()
    theirs = reference.measure(some, settings)
    typical = np.nanmean(np.abs(theirs), axis=0)
    size = np.maximum(np.abs(theirs), typical)
    apart = np.abs(ours - theirs) / np.where(size > 0, size, 1)
    apart[np.isnan(ours) & np.isnan(theirs)] = 0
    worst = np.nan_to_num(apart, nan=np.inf).max(axis=0)
    return dict(zip(settings.names(flat=some[0].flat), worst.tolist(), strict=True))


def _xrays():
    draw = np.random.default_rng(0)
    for number, path in enumerate(sorted((DATA / "nih_cxr1000" / "images_448").glob("*.jpg"))):
        image = read_image(str(path))
        mask = _drawn(number % len(KINDS), image.shape, draw)
        yield image, Image(mask[None].astype(np.uint8), None)


def _drawn(kind, shape, draw):
    y, x = np.ogrid[: shape[0], : shape[1]]
    reach = float(draw.integers(3, 90))
    centre = draw.uniform(0, shape[0], 2)
    return KINDS[kind](y - centre[0], x - centre[1], reach, draw)


def _disc(y, x, reach, draw):
    return y**2 + x**2 < reach**2


def _square(y, x, reach, draw):
    return (abs(y) < reach) & (abs(x) < reach * draw.uniform(0.3, 1))


def _ring(y, x, reach, draw):
    return _disc(y, x, reach, draw) & ~_disc(y, x, reach * draw.uniform(0.2, 0.8), draw)


def _two(y, x, reach, draw):
    return _disc(y, x, reach / 2, draw) | _disc(y - reach, x + reach, reach / 3 + 1, draw)


def _uneven(y, x, reach, draw):
    angle = np.arctan2(y, x)
    edge = reach * (0.7 + 0.3 * np.sin(draw.integers(2, 9) * angle + draw.uniform(0, 6)))
    holes = draw.random((y + x).shape) < 0.05
    return (np.hypot(y, x) < edge) & ~holes


KINDS = (_disc, _square, _ring, _two, _uneven)


def _hippocampus():
    folder = DATA / "msd_hippocampus"
    for number, path in enumerate(sorted((folder / "labels").glob("*.nii.gz"))):
        image, drawn = read_image(str(folder / "images" / path.name)), read_label_map(path)
        labels = drawn.array.reshape(image.shape).copy()
        if number % 3 == 0:  # a hole
            z, y, x = (int(part.mean()) for part in np.nonzero(labels))
            labels[z - 1 : z + 2, y - 2 : y + 2, x - 1 : x + 2] = 0
        yield image, Image(labels[None], None)


def _organs():
    folder = DATA / "totalseg_example"
    image = read_image(str(folder / "example_ct_sm.nii.gz"))
    drawn = read_label_map(folder / "example_seg.nii.gz")
    yield image, Image(drawn.array.reshape(image.shape)[None], None)
