"""Painted widgets survive whatever they are given: an exception in a painter ends the process."""

import math

import pytest
from qtpy.QtCore import QPoint, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPixmap

from longtail.app.panels.cases_delegate import ROW_PX, filling_part, paint_case
from longtail.app.panels.cases_head import ClassesHead, TierLegend
from longtail.app.panels.cases_text import CaseRow
from longtail.app.panels.session_bar import Dot
from longtail.app.panels.welcome import RecentButton, RecentRow
from longtail.app.theme import BLUE, TAIL, look
from longtail.app.widgets import Bar, BigChoice, ClassBars, ElidedLabel
from longtail.app.widgets.bars import ROW_PX as BAR_ROW_PX
from longtail.app.widgets.bars import explain, log_share
from longtail.app.widgets.paint import painting

LONG = "a very long name of a finding " * 40
ODD_BARS = {
    "none": [],
    "no name": [Bar(1, "", 3)],
    "zero": [Bar(1, "a", 0, 0, 0, "tail")],
    "nan": [Bar(1, "a", math.nan, math.nan, math.nan, "head"), Bar(2, "b", 4)],
    "infinite": [Bar(1, "a", math.inf, 10, math.inf, "medium"), Bar(2, "b", 4)],
    "negative": [Bar(1, "a", -5, -1, -2, "tail")],
    "forty": [Bar(n, f"class {n}", 2.0**n, predicted=3, tier="tail") for n in range(40)],
    "long": [Bar(1, LONG, 112_120, predicted=99_999, tier="head")],
    "odd tier": [Bar(1, "a", 3, tier="nothing like it")],
    "markup": [Bar(1, "<b>a & b</b>", 3)],
    "other scripts": [Bar(1, "左心室 · צל · ß", 3, tier="tail")],
}


def shot(widget, width=280, height=None):
    widget.resize(width, height or max(widget.sizeHint().height(), 1))
    return widget.grab().toImage()


def colours(image):
    return {
        QColor(image.pixel(x, y)).name()
        for x in range(image.width())
        for y in range(image.height())
    }


@pytest.fixture(params=["dark", "light"])
def theme(request):
    look().wear(request.param)
    return request.param


@pytest.mark.parametrize("width", [1, 40, 280, 900])
@pytest.mark.parametrize("bars", ODD_BARS.values(), ids=ODD_BARS.keys())
def test_bars_of_any_kind(qtbot, theme, bars, width):
    widget = ClassBars()
    qtbot.addWidget(widget)
    widget.set_bars(bars, beside=[Bar(0, "unlabelled", math.nan)])
    widget.set_chosen(1)
    assert not shot(widget, width).isNull()
    assert all(isinstance(explain(bar), str) for bar in bars)


def test_a_bar_is_drawn_in_the_colour_of_its_tier(qtbot):
    widget = ClassBars()
    qtbot.addWidget(widget)
    widget.set_bars([Bar(1, "rare", 5, tier="tail")])
    assert TAIL in colours(shot(widget))
    widget.set_bars([Bar(1, "rare", 0, tier="tail")])
    assert TAIL not in colours(shot(widget))


def test_what_is_predicted_is_pale_and_marked(qtbot):
    widget = ClassBars()
    qtbot.addWidget(widget)
    bar = Bar(1, "rare", 2, predicted=60, tier="tail")
    widget.set_bars([bar])
    drawn = colours(shot(widget))
    assert {TAIL, look().tokens.pale(TAIL)} <= drawn
    assert bar.numbers() == "2 ~60"


def test_the_scale_is_that_of_logarithms():
    assert log_share(9, 99) == pytest.approx(0.5)
    assert log_share(99, 99) == 1
    for odd in (None, math.nan, -1, 0, math.inf):
        assert log_share(odd, 99) == 0
    assert log_share(5, math.nan) == 0


def test_a_click_picks_and_a_second_lets_go(qtbot):
    widget = ClassBars()
    qtbot.addWidget(widget)
    widget.set_bars([Bar(7, "a", 3), Bar(9, "b", 2)])
    shot(widget)
    picked = []
    widget.picked.connect(picked.append)
    second = QPoint(20, BAR_ROW_PX + 4)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=second)
    widget.set_chosen(9)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=second)
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(20, 5000))
    assert picked == [9, -1]


def test_bars_can_be_picked_from_the_keyboard(qtbot):
    widget = ClassBars()
    qtbot.addWidget(widget)
    widget.set_bars([Bar(7, "a", 3), Bar(9, "b", 2)])
    picked = []
    widget.picked.connect(picked.append)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Up):
        qtbot.keyClick(widget, key)
    qtbot.keyClick(widget, Qt.Key.Key_Space)
    assert picked == [9, 7]
    widget.set_bars([])
    qtbot.keyClick(widget, Qt.Key.Key_Return)
    assert picked == [9, 7]


def test_bars_are_read_aloud(qtbot):
    widget = ClassBars()
    qtbot.addWidget(widget)
    widget.set_bars([Bar(1, "rare", 5)])
    assert widget.accessibleName()
    assert widget.accessibleDescription() == "rare 5"


ROWS = {
    "empty": CaseRow("", "", ""),
    "long": CaseRow(LONG, LONG, "unlabelled", LONG, "tail"),
    "predicted": CaseRow("a", "test · p = 0.45", "predicted", "monocyte", "tail", True),
    "draft": CaseRow("a", "1 mm", "draft"),
    "reviewed": CaseRow("a", "1 mm", "reviewed", "no finding"),
    "odd status": CaseRow("a", "b", "nothing like it", "c", "nothing like it"),
}


@pytest.mark.parametrize("width", [1, 80, 280, 900])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_case_rows_of_any_kind(qapp, theme, row, width):
    pictures = (None, QPixmap(), QPixmap(88, 88))
    for picture in pictures:
        for state in ({}, {"selected": True}, {"hover": True}, {"current": True, "broken": True}):
            image = QImage(width, ROW_PX, QImage.Format.Format_RGB32)
            with painting(image) as painter:
                area = QRectF(0, 0, width, ROW_PX)
                paint_case(painter, area, row, picture, QFont(), **state)


def test_the_case_that_is_shown_has_a_blue_edge(qapp):
    def edge(**state):
        image = QImage(280, ROW_PX, QImage.Format.Format_RGB32)
        image.fill(0)
        with painting(image) as painter:
            paint_case(painter, QRectF(0, 0, 280, ROW_PX), ROWS["draft"], None, QFont(), **state)
        return QColor(image.pixel(1, 20)).name()

    assert edge(current=True) == BLUE
    assert edge(selected=True) == look().tokens.selected


@pytest.mark.parametrize("aspect", [0.0, -1.0, 1e-9, 0.7, 1.0, 3.0, 1e9])
def test_a_thumbnail_shows_a_square_part_of_itself(aspect):
    whole = QRectF(0, 0, 88, 88)
    part = filling_part(whole, aspect)
    assert part.width() == part.height()
    assert whole.contains(part)


def test_a_painter_is_ended_even_after_an_error(qapp):
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    with pytest.raises(KeyError), painting(image) as painter:
        raise KeyError
    assert not painter.isActive()
    assert isinstance(painter, QPainter)


@pytest.mark.parametrize("width", [1, 60, 300])
def test_the_other_painted_parts(qtbot, theme, width):
    widgets = [
        TierLegend(),
        Dot(),
        BigChoice("ph.folder-open", LONG, LONG),
        BigChoice("ph.folder-open", "", ""),
        RecentButton(RecentRow(LONG, LONG, False), LONG),
        RecentButton(RecentRow("", "", True), ""),
        ElidedLabel(LONG),
        ElidedLabel(""),
        ClassesHead(),
    ]
    for widget in widgets:
        qtbot.addWidget(widget)
        assert not shot(widget, width, 64).isNull()


def test_an_elided_label_tells_the_whole_in_its_tooltip(qtbot):
    label = ElidedLabel("")
    qtbot.addWidget(label)
    label.setText(LONG)
    assert label.toolTip() == LONG
    assert label.minimumSizeHint().width() < 100
