"""Figures of boxes in words and tables: the run's maps with both controls beside them."""

from typing import NamedTuple

from .box_scores import FIGURES
from .report import BoxParts, ClassValue, Figure, Report
from .wording import MEASURES, NO_VALUE, interval_text

ROWS = {"map": "This run", "random map": "A random map", "centre box": "A box in the middle"}
ALL = "All classes"
LINES = ("box_iou", "box_acc_30", "pointing")


class BoxRow(NamedTuple):
    """One line of the table: whose boxes, of which class, and a text a measure of `FIGURES`."""

    way: str
    name: str
    cells: tuple[str, ...]


def box_heads() -> tuple[str, ...]:
    """Give the titles of the measures, in the order of `BoxRow.cells`."""
    return tuple(MEASURES[name].title.removeprefix("Boxes, ") for name in FIGURES)


def box_table(parts: BoxParts) -> list[BoxRow]:
    """Give the table of boxes: all classes and each alone, the run beside both controls."""
    names = [ALL, *parts.boxes] if len(parts.boxes) > 1 else list(parts.boxes)
    return [
        BoxRow(title, name, tuple(_cell(parts.rows[way].get(m), name) for m in FIGURES))
        for name in names
        for way, title in ROWS.items()
        if way in parts.rows
    ]


def box_sentence(parts: BoxParts) -> str:
    """Say what was measured, and how."""
    counts = ", ".join(f"{name} {count:,}" for name, count in parts.boxes.items())
    shown = "one box" if parts.most == 1 else f"at most {parts.most} boxes"
    return (
        f"{shown.capitalize()} a finding from the run's heat map, above half of the map's "
        f"highest value, compared with {sum(parts.boxes.values()):,} drawn boxes ({counts}) in "
        f"{parts.cases:,} images. Every class that was drawn in an image is looked for there."
    )


def box_lines(report: Report) -> list[str]:
    """Tell the figures of boxes in lines of text; none where the images have no boxes."""
    parts = report.boxes
    if parts is None:
        return []
    lines = [box_sentence(parts)]
    for way, title in ROWS.items():
        told = [
            f"{MEASURES[name].title} {_told(name, parts.rows[way][name])}"
            for name in LINES
            if name in parts.rows.get(way, {})
        ]
        lines.append(f"{title}: {'; '.join(told)}.")
    return lines


def _cell(figure: Figure | None, name: str) -> str:
    if figure is None:
        return NO_VALUE
    value = figure if name == ALL else figure.classes.get(name)
    return NO_VALUE if value is None or value.mean is None else f"{value.mean:.3f}"


def _told(name: str, value: Figure | ClassValue) -> str:
    measure = MEASURES[name]
    return f"{measure.text(value.mean)} ({interval_text(measure, value.low, value.high)})"
