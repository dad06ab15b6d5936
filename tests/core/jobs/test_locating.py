import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.evaluate.localisation import localise
from longtail.core.explain.cam import MapKind
from longtail.core.explain.whole import CaseMap
from longtail.core.jobs.locating import locate_like, located
from longtail.core.project.records import Case, Split, Status


def case(number, shape=(40, 60)):
    name = f"film-{number}"
    return Case(name, (), shape, 1, None, Split.TEST, Status.REVIEWED, patient=f"p{number}")


def blob(y, x, kind=MapKind.GRADED):
    values = np.zeros((40, 60), dtype=np.float32)
    values[y : y + 8, x : x + 10] = 1.0 if kind is MapKind.GRADED else 0.0
    return CaseMap(values, kind, None)


def test_a_map_on_the_drawn_box_is_a_hit_in_every_measure():
    drawn = np.array([[20.0, 10.0, 10.0, 8.0]])
    findings = [located(case(i), "mass", blob(10, 20), drawn) for i in range(3)]
    assert findings[0].patient == "p0"
    found = localise(findings, locate_like(), resamples=20)
    means = {name: value.overall.mean for name, value in found.rows["map"].items()}
    assert means["box_iou"] == means["box_acc_70"] == means["pointing"] == means["energy"] == 1
    assert means["false_positives_70"] == 0
    assert found.rows["random map"]["box_iou"].overall.mean < 0.5


def test_a_map_that_says_nothing_finds_nothing():
    drawn = np.array([[20.0, 10.0, 10.0, 8.0]])
    nothing = located(case(0), "mass", blob(10, 20, MapKind.CONSTANT), drawn)
    assert nothing.found.shape == (0, 4)
    assert nothing.point is None
    assert nothing.energy is None
    unseen = located(case(0), "mass", blob(10, 20), None)
    assert unseen.energy is None
    assert unseen.found.tolist() == [[20, 10, 10, 8]]


def test_a_volume_is_refused():
    with pytest.raises(LongtailError, match="volume"):
        located(case(0, (3, 40, 60)), "mass", blob(0, 0), None)
