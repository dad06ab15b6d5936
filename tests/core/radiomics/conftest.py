"""Generated regions for the tests of radiomics."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from longtail.core.radiomics.regions import Region


def blob(seed, shape, *, flat=False, spacing=(1.0, 1.0, 1.0), fill=0.6):
    """An irregular region with holes and several parts on a smooth texture, all of (z, y, x)."""
    draw = np.random.default_rng(seed)
    texture = gaussian_filter(draw.normal(size=shape), [0 if size == 1 else 1.5 for size in shape])
    values = 120 + 60 * texture / texture.std() + draw.normal(0, 5, shape)
    form = gaussian_filter(draw.normal(size=shape), [0 if size == 1 else 2.0 for size in shape])
    return Region(1, values, form < np.quantile(form, fill), spacing, flat)


REGIONS = {
    "2D": [
        blob(1, (1, 40, 37), flat=True),
        blob(2, (1, 25, 60), flat=True, spacing=(1.0, 0.7, 0.4)),
        blob(3, (1, 6, 5), flat=True, fill=0.8),
    ],
    "3D": [blob(4, (12, 14, 11)), blob(5, (9, 21, 10), spacing=(3.0, 0.8, 0.5))],
    "one slice": [blob(6, (1, 20, 18), spacing=(5.0, 1.0, 1.0))],
}


@pytest.fixture(params=list(REGIONS))
def regions(request):
    return REGIONS[request.param]


@pytest.fixture
def make_blob():
    return blob
