"""An embedding as a table or a drawing for other programs; free of Qt."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from ...core.project.records import Case, ClassRecord
from .embedding_facts import RIGHT, UNKNOWN, Facts
from .embedding_points import Floats, Kind, Points
from .embedding_words import class_words

if TYPE_CHECKING:
    from ...core.explain.embedding_file import Embedding

HEADER = (
    "case",
    "x",
    "y",
    "class",
    "prediction",
    "probability",
    "right",
    "part",
    "status",
    "voxel_z",
    "voxel_y",
    "voxel_x",
    "selected",
)
FONT = "font-family='Inter, Segoe UI, Helvetica, Arial, sans-serif'"
INK, QUIET = "#24292f", "#57606a"
LEGEND_PX, LINE_PX, FOOT_PX, EDGE_PX = 200, 19, 30, 12


def table(
    embedding: "Embedding",
    spots: Floats,
    facts: Facts,
    cases: Sequence[Case],
    classes: Sequence[ClassRecord],
    chosen: Sequence[int] = (),
) -> str:
    """Write one line a point, with the coordinates of the picture that is shown."""
    names = {record.id: record.name for record in classes}
    known = {case.id: case for case in cases}
    selected = set(chosen)
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(HEADER)
    for row, place in enumerate(embedding.rows.tolist()):
        case_id = embedding.case_ids[place]
        case = known.get(case_id)
        x, y = spots[row].tolist()
        share, right = float(facts.share[row]), int(facts.right[row])
        out.writerow(
            (
                harmless(case_id),
                f"{x:.6g}",
                f"{y:.6g}",
                harmless(class_words(int(facts.true[row]), names, "")),
                harmless(class_words(int(facts.said[row]), names, "")),
                "" if math.isnan(share) else f"{share:.4f}",
                "" if right == UNKNOWN else int(right == RIGHT),
                str(case.split) if case else "",
                str(case.status) if case else "",
                *("" if at < 0 else at for at in embedding.places[row].tolist()),
                int(row in selected),
            )
        )
    return text.getvalue()


def harmless(words: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{words}" if words[:1] in ("=", "+", "-", "@", "\t", "\r") else words


@dataclass(frozen=True)
class Drawing:
    """What is drawn: points in pixels, what they are, and the words under them.

    `picture` is a PNG as base64 in place of the points, where these are too many.
    """

    points: Points
    spots: Floats
    stars: Floats
    size_px: float
    opacity: float
    width: int
    height: int
    caption: str
    picture: str = ""


def svg(drawing: Drawing, colours: Sequence[str], *, names: bool = True) -> str:
    """Write a drawing of the plane with its legend, on white."""
    d = drawing
    wide = d.width + LEGEND_PX
    high = max(d.height, LINE_PX * (len(d.points.kinds) + 1) + EDGE_PX) + FOOT_PX
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{wide}' height='{high}' "
        f"viewBox='0 0 {wide} {high}' {FONT}>",
        "<rect width='100%' height='100%' fill='#ffffff'/>",
        f"<clipPath id='plane'><rect width='{d.width}' height='{d.height}'/></clipPath>",
        "<g clip-path='url(#plane)'>",
        *([_image(d)] if d.picture else _points(d, colours)),
        "</g>",
        *_stars(d, colours, names),
        *_legend(d, colours),
        _text(EDGE_PX, high - 10, d.caption, QUIET),
        "</svg>\n",
    ]
    return "".join(parts)


def outline(shape: str, x: float, y: float, radius: float) -> str:
    """Give the path of a shape around a place; the same shapes as the painted ones."""
    if shape in ("disc", "ring"):
        r = f"{radius:.2f}"
        turn = f"a{r} {r} 0 1 0 {2 * radius:.2f} 0a{r} {r} 0 1 0 {-2 * radius:.2f} 0z"
        return f"M{x - radius:.2f} {y:.2f}{turn}"
    corners = [(x + radius * a, y + radius * b) for a, b in _CORNERS[shape]]
    return "M" + "L".join(f"{a:.2f} {b:.2f}" for a, b in corners) + "z"


def _plus(turn: bool) -> tuple[tuple[float, float], ...]:
    thin, far = 0.42, 1.15
    half = ((-thin, -far), (thin, -far), (thin, -thin), (far, -thin), (far, thin), (thin, thin))
    corners = (*half, *((-a, -b) for a, b in half))
    if not turn:
        return corners
    return tuple(((a + b) * 0.7071, (a - b) * 0.7071) for a, b in corners)


_CORNERS = {
    "square": ((-0.87, -0.87), (0.87, -0.87), (0.87, 0.87), (-0.87, 0.87)),
    "triangle": ((0.0, -1.25), (1.3, 0.85), (-1.3, 0.85)),
    "wedge": ((0.0, 1.25), (1.3, -0.85), (-1.3, -0.85)),
    "diamond": ((0.0, -1.22), (1.22, 0.0), (0.0, 1.22), (-1.22, 0.0)),
    "plus": _plus(False),
    "cross": _plus(True),
}


def _points(d: Drawing, colours: Sequence[str]) -> list[str]:
    radius = d.size_px / 2
    codes = d.points.codes
    order = np.argsort(-np.bincount(codes, minlength=len(d.points.kinds)), kind="stable")
    parts = []
    for kind in order.tolist():
        own = d.spots[codes == kind].tolist()
        shape = d.points.kinds[kind].shape
        path = "".join(outline(shape, x, y, radius) for x, y in own)
        parts.append(_shape(path, shape, colours[kind], d.opacity))
    return parts


def _shape(path: str, shape: str, colour: str, opacity: float) -> str:
    if shape == "ring":
        return f"<path d='{path}' fill='none' stroke='{colour}' stroke-opacity='{opacity:.2f}'/>"
    return f"<path d='{path}' fill='{colour}' fill-opacity='{opacity:.2f}'/>"


def _image(d: Drawing) -> str:
    data = f"data:image/png;base64,{d.picture}"
    return f"<image width='{d.width}' height='{d.height}' href='{data}'/>"


def _stars(d: Drawing, colours: Sequence[str], names: bool) -> list[str]:
    parts = []
    for star, (x, y) in zip(d.points.stars, d.stars.tolist(), strict=True):
        angles = [math.pi * (corner / 5 - 0.5) for corner in range(10)]
        reach = [8.0 if corner % 2 == 0 else 3.6 for corner in range(10)]
        corners = " ".join(
            f"{x + r * math.cos(a):.1f},{y + r * math.sin(a):.1f}"
            for a, r in zip(angles, reach, strict=True)
        )
        look = f"fill='{colours[star.kind]}' stroke='#14161a' stroke-width='1.2'"
        parts.append(f"<polygon points='{corners}' {look}/>")
        if names:
            words = d.points.kinds[star.kind].name
            halo = " stroke='#ffffff' stroke-width='3' paint-order='stroke' font-weight='600'"
            parts.append(_text(x + 11, y + 4, words, INK, halo))
    return parts


def _legend(d: Drawing, colours: Sequence[str]) -> list[str]:
    counts = np.bincount(d.points.codes, minlength=len(d.points.kinds)).tolist()
    left = d.width + EDGE_PX
    parts = []
    for line, (kind, count) in enumerate(zip(d.points.kinds, counts, strict=True)):
        y = EDGE_PX + LINE_PX * line + 6
        path = outline(kind.shape, left + 6, y, 4.5)
        parts.append(_shape(path, kind.shape, colours[line], 1.0))
        parts.append(_text(left + 18, y + 4, _named(kind), INK))
        right = " text-anchor='end'"
        parts.append(_text(d.width + LEGEND_PX - EDGE_PX, y + 4, f"{count:,}", QUIET, right))
    return parts


def _named(kind: Kind, most: int = 22) -> str:
    return kind.name if len(kind.name) <= most else f"{kind.name[: most - 1]}…"


def _text(x: float, y: float, words: str, colour: str, more: str = "") -> str:
    place = f"x='{x:.1f}' y='{y:.1f}' font-size='11' fill='{colour}'"
    return f"<text {place}{more}>{escape(words)}</text>"
