"""Plots of a report as inline SVG: bars with intervals, reliability, ROC and precision-recall.

All is made of numbers and of words of this module, so there is nothing to escape.
"""

from collections.abc import Sequence

from markupsafe import Markup

from .curves import ClassCurves, Curve
from .reliability import Bin, Reliability
from .tiers import TIERS

BAR_HEIGHT = 18
SIDE, LEFT, TOP = 120.0, 26.0, 6.0
"""A plot's square and where it begins, in units of the view box."""
COUNTS_HIGH = 22.0
FEW_ANSWERS = 5


def bar(
    mean: float | None,
    low: float | None,
    high: float | None,
    tier: str,
    longest: float,
    *,
    few: bool = False,
) -> Markup:
    """Draw a value and its interval on a track that ends at `longest`.

    Of a class with `few` cases only the interval is drawn.
    """
    parts = [f'<rect class="track" y="5" width="100%" height="{BAR_HEIGHT - 10}" rx="3"/>']
    kind = tier if tier in TIERS else "all"
    if mean is not None and not few:
        width = _percent(mean, longest)
        parts.append(f'<rect class="{kind}" y="5" width="{width}" height="8" rx="3"/>')
    if low is not None and high is not None:
        left, right, middle = _percent(low, longest), _percent(high, longest), BAR_HEIGHT // 2
        parts.append(_line(left, right, middle, middle))
        parts += [_line(end, end, middle - 4, middle + 4) for end in (left, right)]
    return _svg(parts, 'class="bar"', _bar_label(mean, low, high, longest, few))


def roc_plot(curves: ClassCurves, tier: str, *, few: bool = False) -> Markup:
    """Draw sensitivity over the share of false alarms; the dashed line is chance."""
    chance = Curve((0.0, 1.0), (0.0, 1.0))
    return _plot(curves.roc, chance, tier, few, ("false alarms", "found"), "ROC curve")


def precision_recall_plot(curves: ClassCurves, tier: str, *, few: bool = False) -> Markup:
    """Draw precision over sensitivity; the dashed line is the share of the class."""
    share = curves.there / curves.known
    chance = Curve((0.0, 1.0), (share, share))
    words = ("found", "precision")
    return _plot(curves.precision_recall, chance, tier, few, words, "precision-recall curve")


def reliability_plot(found: Reliability) -> Markup:
    """Draw the share that was right over what was stated, with counts below; see `Bin`."""
    parts = [*_frame("stated", "right"), _polyline(Curve((0.0, 1.0), (0.0, 1.0)), "chance")]
    most = max((one.n for one in found.bins), default=0) or 1
    for one in found.bins:
        parts += _bin(one, most)
    high = TOP + SIDE + COUNTS_HIGH + 30
    label = f"reliability diagram of {found.n} answers"
    return _svg(parts, f'class="plot" viewBox="0 0 {LEFT + SIDE + 8:g} {high:g}"', label)


def _plot(
    curve: Curve, chance: Curve, tier: str, few: bool, words: tuple[str, str], label: str
) -> Markup:
    kind = tier if tier in TIERS else "all"
    shown = f"curve {kind}{' few-line' if few else ''}"
    parts = [*_frame(*words), _polyline(chance, "chance"), _polyline(curve, shown)]
    size = f'viewBox="0 0 {LEFT + SIDE + 8:g} {TOP + SIDE + 26:g}"'
    return _svg(parts, f'class="plot" {size}', label)


def _frame(across: str, up: str) -> list[str]:
    x, y = LEFT + SIDE, TOP + SIDE
    middle = TOP + SIDE / 2
    return [
        f'<rect class="frame" x="{LEFT:g}" y="{TOP:g}" width="{SIDE:g}" height="{SIDE:g}"/>',
        f'<text x="{LEFT - 4:g}" y="{TOP + 6:g}" text-anchor="end">1</text>',
        f'<text x="{LEFT - 4:g}" y="{y:g}" text-anchor="end">0</text>',
        f'<text x="{x:g}" y="{y + 11:g}" text-anchor="end">1</text>',
        f'<text x="{LEFT + SIDE / 2:g}" y="{y + 13:g}" text-anchor="middle">{across}</text>',
        f'<text x="9" y="{middle:g}" text-anchor="middle" '
        f'transform="rotate(-90 9 {middle:g})">{up}</text>',
    ]


def _bin(one: Bin, most: int) -> list[str]:
    base = TOP + SIDE + 18
    left, wide = _x(one.low), SIDE * (one.high - one.low)
    tall = COUNTS_HIGH * one.n / most
    parts = [
        f'<rect class="count" x="{left + 0.5:.1f}" y="{base:.1f}" width="{wide - 1:.1f}" '
        f'height="{tall:.1f}"><title>{one.n} answers</title></rect>'
    ]
    if one.stated is None or one.right is None:
        return parts
    x, ends = _x(one.stated), (one.right_low or 0.0, one.right_high or 1.0)
    kind = "few-point" if one.n < FEW_ANSWERS else "point"
    parts.append(
        f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" '
        f'y1="{_y(ends[0]):.1f}" y2="{_y(ends[1]):.1f}"/>'
    )
    parts.append(f'<circle class="{kind}" cx="{x:.1f}" cy="{_y(one.right):.1f}" r="2.6"/>')
    return parts


def _polyline(curve: Curve, kind: str) -> str:
    points = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in zip(curve.x, curve.y, strict=True))
    return f'<polyline class="{kind}" points="{points}"/>'


def _x(share: float) -> float:
    return LEFT + SIDE * min(max(share, 0.0), 1.0)


def _y(share: float) -> float:
    return TOP + SIDE * (1.0 - min(max(share, 0.0), 1.0))


def _bar_label(
    mean: float | None, low: float | None, high: float | None, longest: float, few: bool
) -> str:
    if mean is None:
        return "no value"
    if few and low is not None and high is not None:
        return f"between {low:.3f} and {high:.3f} of {longest:.3g}"
    return "too few cases" if few else f"{mean:.3f} of {longest:.3g}"


def _svg(parts: Sequence[str], attributes: str, label: str) -> Markup:
    opening = f'<svg {attributes} role="img" aria-label="{label}">'
    return Markup(opening + "".join(parts) + "</svg>")


def _line(left: str, right: str, top: int, bottom: int) -> str:
    return f'<line class="whisker" x1="{left}" x2="{right}" y1="{top}" y2="{bottom}"/>'


def _percent(value: float, longest: float) -> str:
    return f"{100 * min(max(value / longest, 0.0), 1.0):.1f}%"
