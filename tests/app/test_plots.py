"""Curves and their legend, with odd data."""

import math

import numpy as np
import pytest

from longtail.app.panels.train_live import Curve
from longtail.app.plots import (
    MOST_DRAWN,
    CurvePlot,
    Legend,
    line_colour,
    line_px,
    named,
    thinned,
)
from longtail.app.theme import contrast, tokens

POINTS = tuple((step, step / 100) for step in range(0, 100, 5))
HEAD = Curve("head class", "#56b4e9", POINTS, "head")
TAIL = Curve("tail class", "#cc79a7", POINTS, "tail")

ODD = [
    (),
    (Curve("", "", ()),),
    (Curve("one", "#56b4e9", ((3, 0.5),)),),
    (Curve("n" * 400, "#56b4e9", POINTS),),
    tuple(Curve(f"class {i}", "#cc79a7", POINTS, "tail") for i in range(40)),
    (Curve("huge", "#56b4e9", ((0, 1e12), (1, 0.0))),),
]


@pytest.fixture
def plot(qtbot):
    widget = CurvePlot()
    qtbot.addWidget(widget)
    widget.resize(280, 150)
    return widget


@pytest.fixture
def legend(qtbot):
    widget = Legend()
    qtbot.addWidget(widget)
    widget.resize(280, 40)
    return widget


@pytest.mark.parametrize("curves", ODD, ids=len)
def test_odd_curves_are_drawn(plot, legend, curves, qtbot):
    plot.show_curves(curves, 0, shares=False)
    legend.show_curves(curves)
    plot.draw_now()
    assert not plot.grab().isNull()
    assert not legend.grab().isNull()


def test_many_changes_are_drawn_once(plot, qtbot, monkeypatch):
    drawn = []
    monkeypatch.setattr(plot, "draw_now", lambda: drawn.append(1))
    plot._redraw.timeout.disconnect()
    plot._redraw.timeout.connect(lambda: plot.draw_now())
    for _ in range(50):
        plot.show_curves((HEAD,), 100)
    with qtbot.waitSignal(plot._redraw.timeout):
        pass
    assert drawn == [1]


def test_the_last_curve_lies_on_top_and_one_singled_out_above_it(plot):
    plot.show_curves((HEAD, TAIL), 100)
    plot.draw_now()
    assert plot.level("tail class") > plot.level("head class")
    plot.single_out("head class")
    assert plot.level("head class") > plot.level("tail class")
    assert plot.singled_out == "head class"


def test_of_many_curves_the_lowest_lie_on_top(plot):
    many = tuple(Curve(f"c{i}", "#56b4e9", ((0, 0.0), (9, i / 40)), "head") for i in range(40))
    plot.show_curves(many, 10)
    plot.draw_now()
    assert min(plot.level(f"c{i}") for i in range(9)) > max(
        plot.level(f"c{i}") for i in range(9, 40)
    )
    plot.single_out("c39")
    assert plot.level("c39") > plot.level("c0")
    assert line_px(2) > line_px(8) > line_px(40) >= 1


def test_curves_that_are_gone_are_taken_away(plot):
    plot.show_curves((HEAD, TAIL), 100)
    plot.draw_now()
    plot.show_curves((TAIL,), 100)
    plot.draw_now()
    assert plot.names() == ("tail class",)


def test_the_axis_runs_to_the_last_step_of_the_run(plot):
    plot.show_curves((HEAD,), 628)
    plot.draw_now()
    (left, right), (bottom, top) = plot.viewRange()
    assert left <= 0
    assert 628 <= right < 660
    assert bottom <= 0.0
    assert top >= 1.0


def test_long_curves_are_thinned_but_keep_their_ends():
    steps, values = thinned([(step, float(step)) for step in range(10_000)])
    assert len(steps) <= MOST_DRAWN
    assert (steps[0], steps[-1], values[-1]) == (0, 9999, 9999)
    assert np.all(np.diff(steps) > 0)


def test_few_classes_are_all_named_and_of_many_the_lowest():
    assert named((HEAD, TAIL)) == [("#56b4e9", "head class .95"), ("#cc79a7", "tail class .95")]
    many = [Curve(f"c{i}", "#56b4e9", ((0, i / 40),)) for i in range(40)]
    told = named(many)
    assert told[0][1] == "c0 .00"
    assert told[-1][1] == "and 31 higher"


def test_a_legend_wraps_where_it_is_narrow(legend):
    legend.show_curves([Curve(f"class number {i}", "#56b4e9", POINTS) for i in range(6)])
    assert legend.heightForWidth(120) > legend.heightForWidth(900)


def test_a_legend_of_values_that_are_no_numbers(legend):
    legend.show_curves([Curve("odd", "#56b4e9", ((0, math.nan),))])
    assert not legend.grab().isNull()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_lines_can_be_told_from_the_card(theme):
    t = tokens(theme)
    for colour in ("#56b4e9", "#f0e442", "#c9c9c9", "#cc79a7"):
        assert contrast(line_colour(colour, t), t.card) >= 2.0
