"""A comparison as one picture: every run as a dot, and the paired differences below."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..evaluate.tiers import TIERS
from ..evaluate.wording import MEASURES
from ..project.records import Task
from .plan import Plan
from .results import SHOWN, Comparison, Difference, Row
from .svg import GREY, INK, PALE, Drawing, Scale

WIDTH = 1080
NAMES_WIDTH = 250
MARGIN = 24
GAP = 42
LINE = 24
CLASSES_SHOWN = 4
SAME, BETTER, WORSE = "#6e7781", "#0072b2", "#d55e00"
CURVES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#6e7781")
CURVE_HEIGHT = 240
Points = tuple[float | None, ...]


class _Panel(NamedTuple):
    """One column: its heading, the values of each run and the difference of a row."""

    title: str
    values: Callable[[Row], Points]
    difference: Callable[[Row], Difference | None]


def draw(comparison: Comparison) -> str:
    """Draw the comparison as an SVG.

    Dots are runs, bars their means. Below, differences to the reference with their 95 % intervals:
    filled where the interval leaves 0 out.
    """
    drawing = Drawing(WIDTH)
    drawing.text(MARGIN, 34, comparison.plan.title, size=17, bold=True)
    drawing.text(MARGIN, 54, _under(comparison.plan), colour=GREY)
    if not comparison.rows:
        drawing.text(MARGIN, 90, "No run has been measured yet.")
        return drawing.finish(110)
    panels = _panels(comparison)
    bottom = _band(drawing, 84, comparison.rows, panels, _draw_values)
    compared = [row for row in comparison.rows if row.pairs]
    if compared:
        words = f"Difference to {comparison.plan.reference}, 95 % interval"
        drawing.text(MARGIN, bottom + 26, words, bold=True)
        bottom = _band(drawing, bottom + 50, compared, panels, _draw_differences)
    if len({row.labelled for row in comparison.rows}) > 1:
        bottom = _curves(drawing, bottom + 30, comparison)
    return drawing.finish(bottom + MARGIN)


def _under(plan: Plan) -> str:
    runs = len(plan.seeds) * max(1, len(plan.draws))
    noun = "run" if runs == 1 else "runs"
    return f"{plan.budget} a run, {runs} {noun} a method, validation {plan.validation}"


def _panels(comparison: Comparison) -> list[_Panel]:
    task = comparison.plan.task
    primary = SHOWN[task][0]
    panels = [_overall_panel(primary)]
    if task is Task.SEGMENTATION:
        names = _rarest(comparison)
        return panels + [_class_panel(primary, name) for name in names]
    tiers = ("recall_head", "recall_medium", "recall_tail")
    known = [t for t in tiers if any(_known(row.points[t]) for row in comparison.rows)]
    return panels + [_overall_panel(tier) for tier in known]


def _rarest(comparison: Comparison) -> list[str]:
    """Give the classes to show: all of them, or those of the rarer tiers where there are many."""
    rank = {tier: place for place, tier in enumerate(reversed(TIERS))}
    ranks = {each.name: rank[each.tier] for one in comparison.records for each in one.classes}
    names = comparison.class_names
    chosen = set(sorted(names, key=lambda name: ranks[name])[:CLASSES_SHOWN])
    return [name for name in names if name in chosen]


def _overall_panel(measure: str) -> _Panel:
    return _Panel(
        MEASURES[measure].title,
        lambda row: row.points[measure],
        lambda row: row.differences.get(measure),
    )


def _class_panel(measure: str, name: str) -> _Panel:
    return _Panel(
        f"{name}, {MEASURES[measure].title}",
        lambda row: row.class_points.get(measure, {}).get(name, ()),
        lambda row: row.class_differences.get(measure, {}).get(name),
    )


def _band(
    drawing: Drawing,
    top: float,
    rows: Sequence[Row],
    panels: Sequence[_Panel],
    fill: "Callable[[Drawing, _Panel, Sequence[Row], tuple[float, float], float], None]",
) -> float:
    """Draw a row of panels beside the names; give where it ends."""
    several = len({row.labelled for row in rows}) > 1
    for number, row in enumerate(rows):
        words = f"{_short(row.name, 22)}, {row.labels} labelled" if several else _short(row.name)
        drawing.text(NAMES_WIDTH - 10, _line(top, number) + 4, words, anchor="end")
    width = (WIDTH - NAMES_WIDTH - MARGIN - GAP * (len(panels) - 1)) / len(panels)
    for number, panel in enumerate(panels):
        left = NAMES_WIDTH + number * (width + GAP)
        drawing.text(left, top, _short(panel.title, int(width / 7)), bold=True)
        fill(drawing, panel, rows, (left, left + width), top)
    return _line(top, len(rows)) + 22


def _draw_values(
    drawing: Drawing, panel: _Panel, rows: Sequence[Row], ends: tuple[float, float], top: float
) -> None:
    known = [value for row in rows for value in _known(panel.values(row))]
    if not known:
        return
    scale = Scale(min(known), max(known), *ends)
    _axis(drawing, scale, top, len(rows))
    for number, row in enumerate(rows):
        values, y = _known(panel.values(row)), _line(top, number)
        for value in values:
            drawing.dot(scale.place(value), y, 3.2, GREY, hollow=True)
        if values:
            mean = scale.place(sum(values) / len(values))
            drawing.line((mean, y - 8), (mean, y + 8), BETTER, 3)


def _draw_differences(
    drawing: Drawing, panel: _Panel, rows: Sequence[Row], ends: tuple[float, float], top: float
) -> None:
    found = [(number, panel.difference(row)) for number, row in enumerate(rows)]
    known = [(number, one) for number, one in found if one is not None and one.mean is not None]
    reached = [v for _, one in known for v in (one.mean, one.low, one.high) if v is not None]
    if not reached:
        return
    scale = Scale(min(0.0, *reached), max(0.0, *reached), *ends)
    _axis(drawing, scale, top, len(rows))
    zero = scale.place(0.0)
    drawing.line((zero, top + 8), (zero, _line(top, len(rows)) - 8), INK)
    for number, one in known:
        _forest(drawing, scale, _line(top, number), one)


def _forest(drawing: Drawing, scale: Scale, y: float, one: Difference) -> None:
    assert one.mean is not None
    colour = SAME if not one.is_clear else BETTER if one.mean > 0 else WORSE
    if one.low is not None and one.high is not None:
        drawing.line((scale.place(one.low), y), (scale.place(one.high), y), colour, 2)
    drawing.dot(scale.place(one.mean), y, 4.2, colour, hollow=not one.is_clear)


def _curves(drawing: Drawing, top: float, comparison: Comparison) -> float:
    """Draw the decisive measure against the number of labelled cases."""
    measure = SHOWN[comparison.plan.task][0]
    sizes = _label_counts(comparison)
    means = {(row.name, row.labelled): row.overall[measure].mean for row in comparison.rows}
    known = [value for value in means.values() if value is not None]
    drawing.text(MARGIN, top, f"{MEASURES[measure].title} by labelled cases", bold=True)
    if not known or len(sizes) < 2:
        return top
    down = Scale(min(known), max(known), top + CURVE_HEIGHT, top + 24)
    steps = list(sizes.values())
    along = Scale(min(steps), max(steps), NAMES_WIDTH, WIDTH - NAMES_WIDTH)
    for mark, words in down.marks():
        y = down.place(mark)
        drawing.line((along.start, y), (along.end, y), PALE)
        drawing.text(along.start - 8, y + 4, words, anchor="end", size=11, colour=GREY)
    for size in steps:
        x, y = along.place(size), down.start + 18
        drawing.text(x, y, f"{size:g}", anchor="middle", size=11, colour=GREY)
    for number, name in enumerate(dict.fromkeys(row.name for row in comparison.rows)):
        colour = CURVES[number % len(CURVES)]
        places = [
            (along.place(size), down.place(value))
            for labelled, size in sizes.items()
            if (value := means.get((name, labelled))) is not None
        ]
        _curve(drawing, places, colour, name)
    return top + CURVE_HEIGHT + 30


def _curve(drawing: Drawing, places: Sequence[tuple[float, float]], colour: str, name: str) -> None:
    for start, end in pairwise(places):
        drawing.line(start, end, colour, 2)
    for x, y in places:
        drawing.dot(x, y, 3.5, colour)
    if places:
        x, y = places[-1]
        drawing.text(x + 10, y + 4, _short(name, 30), colour=colour, size=11)


def _label_counts(comparison: Comparison) -> dict[str | None, float]:
    """Give how many labelled cases each wish came to, the fewest first."""
    found = {
        record.labelled: float(record.labels)
        for record in comparison.records
        if record.state == "done"
    }
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def _axis(drawing: Drawing, scale: Scale, top: float, count: int) -> None:
    bottom = _line(top, count) - 6
    for value, words in scale.marks():
        x = scale.place(value)
        drawing.line((x, top + 10), (x, bottom), PALE)
        drawing.text(x, bottom + 14, words, size=10, anchor="middle", colour=GREY)


def _line(top: float, number: int) -> float:
    return top + 24 + number * LINE


def _known(values: Points) -> list[float]:
    return [value for value in values if value is not None]


def _short(words: str, length: int = 34) -> str:
    return words if len(words) <= length else f"{words[: length - 1]}\N{HORIZONTAL ELLIPSIS}"
