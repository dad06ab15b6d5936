"""Where a run looks over a whole data set: how much of each heat map lies where it should.

A map whose energy lies outside the finding, or outside the body, speaks of a shortcut: a tag, a
border, a device. A map that lies inside proves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np

Map: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

NOTE = (
    "A heat map shows what the network's answer rests on in its last layers, not whether it is "
    "right: a map inside the finding is no proof, one outside is a reason to look."
)
EDGE = 0.08
"""How wide the frame is, as a share of each side, where tags and borders are."""


class Inside(StrEnum):
    """What a map is compared with, the strictest that there is."""

    BOX = "box"
    LABEL = "label"
    BODY = "body"
    NOTHING = "nothing"


INSIDE_WORDS: Mapping[Inside, str] = {
    Inside.BOX: "the drawn box",
    Inside.LABEL: "the label",
    Inside.BODY: "the body or cells",
    Inside.NOTHING: "nothing to compare with",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """Where the map of one class lies in one case.

    Attributes
    ----------
    case, class_id
        Whose map it is.
    kind
        The word of a `MapKind`; only a `graded` map says where.
    probability
        Of the class; None for label maps.
    of
        What the map is compared with.
    inside
        Share of the map's energy inside it, None where the map or the region says nothing.
    area
        Share of the image that the region covers: what a map without any idea would have inside.
    edge
        Share of the energy in the outer frame.
    point_inside
        Whether the map's highest place lies inside.
    """

    case: str
    class_id: int
    kind: str
    probability: float | None
    of: Inside
    inside: float | None
    area: float | None
    edge: float | None
    point_inside: bool | None

    def to_json(self) -> dict[str, Any]:
        """Give plain data, shares rounded."""
        document = asdict(self) | {"of": str(self.of)}
        return {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in document.items()
        }


@dataclass(frozen=True, slots=True)
class ClassLooked:
    """The maps of one class together.

    `inside`, `area`, `edge` and `pointing` are means over the `maps` compared with `of`, `low` and
    `high` the 95 % interval of `inside` (percentiles of resampled cases).
    """

    class_id: int
    of: Inside
    maps: int
    inside: float | None
    low: float | None
    high: float | None
    area: float | None
    edge: float | None
    pointing: float | None

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return asdict(self) | {"of": str(self.of)}


def looked(
    case: str,
    class_id: int,
    values: Map,
    region: Mask | None,
    of: Inside,
    *,
    kind: str,
    probability: float | None,
) -> Looked:
    """Compare a map (*space) with the region (*space) that it should lie in.

    The energy is the map's sum, as in Wang et al., Score-CAM (CVPRW 2020).
    """
    total = float(values.sum(dtype=np.float64))
    edge = float(values[edge_of(values.shape)].sum(dtype=np.float64)) / total if total else None
    area = None if region is None else float(region.mean())
    if region is None or not region.any() or not total:
        return Looked(case, class_id, kind, probability, of, None, area, edge, None)
    inside = float(values[region].sum(dtype=np.float64)) / total
    top = np.unravel_index(int(values.argmax()), values.shape)
    return Looked(
        case,
        class_id,
        kind,
        probability,
        of,
        inside,
        area,
        edge,
        bool(region[top]),
    )


def edge_of(shape: Sequence[int]) -> Mask:
    """Mark the outer frame of an image, of a volume that of each slice."""
    mask = np.ones(tuple(shape), dtype=bool)
    inner = [slice(None)] * (len(shape) - 2)
    for length in shape[-2:]:
        margin = max(1, round(EDGE * length))
        inner.append(slice(margin, length - margin))
    mask[tuple(inner)] = False
    return mask


def boxes_mask(boxes: Iterable[Sequence[float]], shape: Sequence[int]) -> Mask:
    """Mark (y, x) what lies in boxes x, y, w, h; a pixel lies inside where its centre does."""
    rows, columns = (np.arange(length) + 0.5 for length in shape)
    mask = np.zeros(tuple(shape), dtype=bool)
    for x, y, w, h in boxes:
        mask |= np.outer((rows >= y) & (rows < y + h), (columns >= x) & (columns < x + w))
    return mask


def by_suspicion(found: Iterable[Looked]) -> tuple[Looked, ...]:
    """Put the maps with the least energy inside first, those that cannot be compared last."""
    return tuple(sorted(found, key=lambda one: (one.inside is None, one.inside or 0.0, one.case)))


def class_summaries(found: Sequence[Looked], *, seed: int = 0) -> tuple[ClassLooked, ...]:
    """Give a line a class and region, the least inside first."""
    groups: dict[tuple[int, Inside], list[Looked]] = {}
    for one in found:
        if one.inside is not None:
            groups.setdefault((one.class_id, one.of), []).append(one)
    lines = [_summary(class_id, of, each, seed) for (class_id, of), each in groups.items()]
    return tuple(sorted(lines, key=lambda one: (one.of != Inside.BOX, one.inside or 0.0)))


def _summary(class_id: int, of: Inside, found: Sequence[Looked], seed: int) -> ClassLooked:
    inside = np.array([one.inside for one in found], dtype=np.float64)
    random = np.random.default_rng(seed)
    drawn = inside[random.integers(0, len(inside), (1000, len(inside)))].mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return ClassLooked(
        class_id,
        of,
        len(found),
        float(inside.mean()),
        float(low),
        float(high),
        _mean(one.area for one in found),
        _mean(one.edge for one in found),
        _mean(one.point_inside for one in found),
    )


def _mean(values: Iterable[float | bool | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return float(np.mean(known)) if known else None
