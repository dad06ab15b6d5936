"""How well predicted boxes lie on drawn ones, always beside a random map and a central box."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ..errors import LongtailError
from .bootstrap import RESAMPLES, Bounded, FloatArray, Measures, Table, bound, mean_known

Boxes: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
"""(box, 4): x, y, width and height in pixels of the file as stored."""

Locate: TypeAlias = Callable[[FloatArray], Boxes]
"""From a map (y, x), 0 to 1, to its boxes, the best first; as the run's own maps are treated."""

Row = Literal["map", "random map", "centre box"]

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
CENTRE_SHARE = 0.5
"""Side of the central box as a share of the image's."""

RANDOM_CELLS = 7
"""Cells of the random map along each side: as coarse as the last maps of an encoder at 224."""


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """One class in one image: what was drawn and what was found.

    Parameters
    ----------
    case, patient, class_name
        Whose it is.
    shape
        (y, x) of the image.
    drawn
        The boxes that a person drew; none where the class is known to be nowhere; None where
        nobody looked, which leaves the finding out.
    found
        The predicted boxes, the best first; only the first ones that a reader would be shown.
    point
        (x, y) of the map's highest value, None where the map says nothing.
    energy
        Share of the map's sum that lies inside the drawn boxes; None where it says nothing.
    """

    case: str
    patient: str
    class_name: str
    shape: tuple[int, int]
    drawn: Boxes | None
    found: Boxes
    point: tuple[float, float] | None = None
    energy: float | None = None


@dataclass(frozen=True, slots=True)
class Localised:
    """What `localise` measured.

    Parameters
    ----------
    rows
        Each measure with its interval: of the maps, of a random map, and of a central box. Values
        of classes are in the order of `classes`.
    boxes
        Drawn boxes a class.
    left_out
        Findings that cannot be measured: nobody looked for boxes there, or the class has none.
    """

    rows: Mapping[Row, Mapping[str, Bounded]]
    classes: tuple[str, ...]
    boxes: tuple[int, ...]
    cases: int
    patients: int
    left_out: int


def localise(
    findings: Sequence[LocatedFinding],
    locate: Locate,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Localised:
    """Measure predicted boxes and both controls on the same findings.

    The measures, each with an interval over patients: `box_iou` and `box_iobb` (means over drawn
    boxes), `box_acc_10` ... `box_acc_70` and `box_iobb_acc_10` ... (shares of drawn boxes found
    at more than that), `pointing` (share of findings whose highest point lies in a drawn box),
    `energy`, and `false_positives_10` ... (predicted boxes an image that lie on no drawn one).
    What was drawn has no say in what is predicted: predicted boxes, the best first, each take the
    free drawn box that they overlap most.

    Parameters
    ----------
    findings
        One a class and an image.
    locate
        Makes boxes from the random map just as they were made from the run's maps.
    seed
        Makes random maps and intervals repeatable.

    Raises
    ------
    LongtailError
        None of the findings has a drawn box.
    """
    known = [finding for finding in findings if finding.drawn is not None]
    classes = tuple(sorted({f.class_name for f in known if f.drawn is not None and len(f.drawn)}))
    if not classes:
        raise LongtailError(
            "None of these cases has a drawn box to compare with.", "Import or draw boxes first."
        )
    known = [finding for finding in known if finding.class_name in classes]
    ways: dict[Row, list[LocatedFinding]] = {
        "map": known,
        "random map": [random_finding(each, locate, seed) for each in known],
        "centre box": [centre_finding(each) for each in known],
    }
    rows = {
        name: bound(*localisation_measures(way, classes), resamples=resamples, seed=seed)
        for name, way in ways.items()
    }
    boxes = tuple(sum(len(_drawn(f)) for f in known if f.class_name == each) for each in classes)
    return Localised(
        rows,
        classes,
        boxes,
        len({finding.case for finding in known}),
        len({finding.patient for finding in known}),
        len(findings) - len(known),
    )


def localisation_measures(
    findings: Sequence[LocatedFinding], classes: Sequence[str]
) -> tuple[Measures, list[str]]:
    """Give the measures as a function of weights, and the patient of each case that is weighed.

    For `bound`, and for the paired differences of `bound_differences`: two runs on the same cases
    give the same cases in the same order.
    """
    known = [finding for finding in findings if finding.drawn is not None]
    cases = {finding.case: finding.patient for finding in known}
    place = {case: row for row, case in enumerate(sorted(cases))}
    column = {name: number for number, name in enumerate(classes)}
    size = (len(place), len(classes))
    sums: dict[str, tuple[FloatArray, FloatArray]] = {}
    for finding in known:
        where = place[finding.case], column[finding.class_name]
        for name, (total, count) in _scores(finding).items():
            both = sums.setdefault(name, (np.zeros(size), np.zeros(size)))
            both[0][where] += total
            both[1][where] += count

    def measures(weights: FloatArray) -> dict[str, Table]:
        return {name: _table(*both, weights) for name, both in sums.items()}

    return measures, [cases[case] for case in sorted(cases)]


def box_overlaps(drawn: Boxes, found: Boxes) -> tuple[FloatArray, FloatArray]:
    """Give intersection over union, and over the found box (IoBB), (drawn, found).

    IoBB as Wang et al. (CVPR 2017): intersection over the area of the detected box. A box without
    area overlaps nothing.
    """
    low = np.maximum(drawn[:, None, :2], found[None, :, :2])
    high = np.minimum(
        drawn[:, None, :2] + drawn[:, None, 2:], found[None, :, :2] + found[None, :, 2:]
    )
    common = (high - low).clip(0).prod(axis=2)
    areas = drawn[:, 2:].clip(0).prod(axis=1)[:, None], found[:, 2:].clip(0).prod(axis=1)[None]
    return _share(common, areas[0] + areas[1] - common), _share(common, areas[1] + 0 * common)


def matched(overlaps: FloatArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Give the found box of each drawn one, -1 for none; `overlaps` is (drawn, found).

    Found boxes choose in their order, each the free drawn box that it overlaps most.
    """
    partner = np.full(len(overlaps), -1)
    for column in range(overlaps.shape[1]):
        free = np.where(partner < 0, overlaps[:, column], 0.0)
        if len(free) and free.max() > 0:
            partner[free.argmax()] = column
    return partner


def overlaps_of(finding: LocatedFinding) -> FloatArray:
    """Give each drawn box its intersection over union with the box that took it, 0 without one."""
    union, _ = box_overlaps(_drawn(finding), finding.found)
    return _taken(union, matched(union))


def points_inside(finding: LocatedFinding) -> bool:
    """Tell whether the map's highest place lies in a drawn box."""
    return _points_at(finding.point, _drawn(finding))


def energy_inside(values: FloatArray, drawn: Boxes) -> float | None:
    """Give the share of a map's sum (y, x) that lies inside boxes; None of a map of zeros.

    Wang et al., Score-CAM (CVPRW 2020). A pixel lies inside where its centre does.
    """
    total = float(values.sum())
    if total <= 0:
        return None
    rows, columns = (np.arange(length) + 0.5 for length in values.shape)
    inside = np.zeros(values.shape, dtype=bool)
    for x, y, w, h in drawn:
        inside |= np.outer((rows >= y) & (rows < y + h), (columns >= x) & (columns < x + w))
    return float(values[inside].sum()) / total


def random_finding(finding: LocatedFinding, locate: Locate, seed: int) -> LocatedFinding:
    """Give what a random map finds in the same image, by case, class and seed."""
    key = zlib.crc32(f"{finding.case}|{finding.class_name}".encode())
    values = random_map(finding.shape, np.random.default_rng([seed, key]))
    y, x = np.unravel_index(values.argmax(), values.shape)
    return _with(finding, locate(values)[: _shown(finding)], (x + 0.5, y + 0.5), values)


def centre_finding(finding: LocatedFinding, share: float = CENTRE_SHARE) -> LocatedFinding:
    """Give what a box in the middle of the same image finds, `share` of each of its sides."""
    height, width = finding.shape
    box = np.array(
        [[(1 - share) / 2 * width, (1 - share) / 2 * height, share * width, share * height]]
    )
    values = np.zeros(finding.shape)
    rows, columns = (np.abs((np.arange(n) + 0.5) / n - 0.5) < share / 2 for n in finding.shape)
    values[np.outer(rows, columns)] = 1.0
    return _with(finding, box, (width / 2, height / 2), values)


def random_map(shape: tuple[int, int], rng: np.random.Generator) -> FloatArray:
    """Give a smooth random map (y, x) from 0 to 1: coarse noise, enlarged linearly."""
    field = rng.random((RANDOM_CELLS, RANDOM_CELLS))
    middles = (np.arange(RANDOM_CELLS) + 0.5) / RANDOM_CELLS
    down, across = ((np.arange(length) + 0.5) / length for length in shape)
    tall = np.stack([np.interp(down, middles, column) for column in field.T], axis=1)
    values = np.stack([np.interp(across, middles, row) for row in tall])
    low, high = values.min(), values.max()
    scaled: FloatArray = (values - low) / (high - low) if high > low else np.ones_like(values)
    return scaled


def _scores(finding: LocatedFinding) -> dict[str, tuple[float, float]]:
    """Give each measure of one finding as a sum and a count."""
    drawn = _drawn(finding)
    union, own = box_overlaps(drawn, finding.found)
    partner = matched(union)
    iou, iobb = _taken(union, partner), _taken(own, partner)
    scores: dict[str, tuple[float, float]] = {
        "box_iou": (float(iou.sum()), len(drawn)),
        "box_iobb": (float(iobb.sum()), len(drawn)),
    }
    for threshold in THRESHOLDS:
        name = round(100 * threshold)
        hits = float((iou > threshold).sum())
        scores[f"box_acc_{name}"] = hits, len(drawn)
        scores[f"box_iobb_acc_{name}"] = float((iobb > threshold).sum()), len(drawn)
        scores[f"false_positives_{name}"] = len(finding.found) - hits, 1.0
    if len(drawn):
        scores["pointing"] = float(_points_at(finding.point, drawn)), 1.0
        # A map that says nothing has none of its energy inside.
        scores["energy"] = finding.energy or 0.0, 1.0
    return scores


def _taken(overlaps: FloatArray, partner: np.ndarray[Any, np.dtype[np.int64]]) -> FloatArray:
    """Give each drawn box its overlap with the found box that took it, 0 without one."""
    values = np.zeros(len(partner))
    taken = partner >= 0
    values[taken] = overlaps[taken, partner[taken]]
    return values


def _points_at(point: tuple[float, float] | None, boxes: Boxes) -> bool:
    if point is None:
        return False
    x, y = point
    across = (boxes[:, 0] <= x) & (x < boxes[:, 0] + boxes[:, 2])
    down = (boxes[:, 1] <= y) & (y < boxes[:, 1] + boxes[:, 3])
    return bool((across & down).any())


def _table(sums: FloatArray, counts: FloatArray, weights: FloatArray) -> Table:
    classes = _share(weights @ sums, weights @ counts, nothing=np.nan)
    return Table(mean_known(classes), classes)


def _share(part: FloatArray, whole: FloatArray, nothing: float = 0.0) -> FloatArray:
    out = np.full(part.shape, nothing)
    share: FloatArray = np.divide(part, whole, out=out, where=whole > 0)
    return share


def _drawn(finding: LocatedFinding) -> Boxes:
    return np.zeros((0, 4)) if finding.drawn is None else finding.drawn


def _shown(finding: LocatedFinding) -> int:
    """As many boxes as the run was allowed to show here, and one where it showed none."""
    return max(1, len(finding.found))


def _with(
    finding: LocatedFinding, found: Boxes, point: tuple[float, float], values: FloatArray
) -> LocatedFinding:
    return LocatedFinding(
        finding.case,
        finding.patient,
        finding.class_name,
        finding.shape,
        finding.drawn,
        found,
        point,
        energy_inside(values, _drawn(finding)),
    )
