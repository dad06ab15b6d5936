"""A report for paper: plain HTML that Qt's rich text can lay out, and its plots as SVG apart."""

import re
from dataclasses import dataclass, field
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ... import resources
from .html import view_of
from .report import Report

COLOURS = {
    "text": "#1d2126",
    "quiet": "#5d6570",
    "line": "#d5d9de",
    "track": "#e6e9ec",
    "head": "#5f7a98",
    "medium": "#23837c",
    "tail": "#a86f00",
    "blue": "#1d6fb8",
}
"""Those of the page for the screen in its light form, and of its plots."""

STYLE = """
.track {{ fill: {track}; }} .head {{ fill: {head}; }} .medium {{ fill: {medium}; }}
.tail {{ fill: {tail}; }} .all {{ fill: {blue}; }}
.whisker {{ stroke: {text}; stroke-width: 1; }}
text {{ font-size: 9px; fill: {quiet}; }} .frame {{ fill: none; stroke: {line}; }}
.chance {{ fill: none; stroke: {quiet}; stroke-width: 0.8; stroke-dasharray: 2.5,2.5; }}
.curve {{ fill: none; stroke-width: 1.8; stroke: {blue}; }}
.curve.head {{ fill: none; stroke: {head}; }} .curve.medium {{ fill: none; stroke: {medium}; }}
.curve.tail {{ fill: none; stroke: {tail}; }}
.count {{ fill: {track}; stroke: {quiet}; stroke-width: 0.3; }}
.point {{ fill: {blue}; }} .few-point {{ fill: none; stroke: {blue}; }}
"""
PERCENT = re.compile(r'="([\d.]+)%"')
VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
BAR_BOX = (100.0, 18.0)
BAR_PX = 120
PLOT_PX = 150


@dataclass
class Printable:
    """`html` shows pictures by the names that are the keys of `pictures`, each a whole SVG."""

    html: str = ""
    pictures: dict[str, str] = field(default_factory=dict)

    def picture(self, svg: Markup) -> Markup:
        """Keep an inline SVG as a picture of its own, and give what shows it."""
        if not svg:
            return Markup("")
        text, box = standalone(str(svg))
        name = f"picture-{len(self.pictures)}.svg"
        self.pictures[name] = text
        width = PLOT_PX if box[1] > BAR_BOX[1] else BAR_PX
        high = round(width * box[1] / box[0]) if width == PLOT_PX else 14
        return Markup('<img src="{}" width="{}" height="{}">').format(name, width, high)


def printable(report: Report) -> Printable:
    """Lay a report out for paper; every text in it is escaped."""
    page = Printable()
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["picture"] = page.picture
    source = (files(resources) / "templates" / "report-print.html").read_text(encoding="utf-8")
    view = {**view_of(report), "colours": COLOURS}
    page.html = environment.from_string(source).render(**view)
    return page


def standalone(svg: str) -> tuple[str, tuple[float, float]]:
    """Make an inline SVG a file of its own, with the colours of paper; and give its size."""
    found = VIEW_BOX.search(svg)
    style = f"<style>{STYLE.format(**COLOURS)}</style>"
    if found is not None:
        opening, rest = svg.split(">", 1)
        box = (float(found[1]), float(found[2]))
        return _with_namespace(f"{opening}>{style}{rest}"), box
    # A bar is as wide as its column on the screen; on paper shares become units of a box.
    opening, rest = PERCENT.sub(r'="\1"', svg).split(">", 1)
    size = f'viewBox="0 0 {BAR_BOX[0]:g} {BAR_BOX[1]:g}" preserveAspectRatio="none"'
    return _with_namespace(f"{opening} {size}>{style}{rest}"), BAR_BOX


def _with_namespace(svg: str) -> str:
    return svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
