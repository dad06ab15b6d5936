"""Painted rows and words of the Label panel, with every odd value."""

import math

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QPixmap

from longtail.app.panels.label_last import LastImage, LastImages
from longtail.app.panels.label_rows import Answer, LabelRows, Row, amount_words
from longtail.app.panels.label_words import ago_words, saved_words, slices_words


def drawn(widget, width=286):
    widget.resize(width, max(widget.sizeHint().height(), 1))
    return widget.grab().toImage()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [Row(1, "")],
        [Row(1, "a" * 400, "#56b4e9", "1,412 mm³", "1", False)],
        [Row(n, f"class {n}", "#cc79a7", "", "", True) for n in range(1, 41)],
        [Row(0, "background", "", "38 of 38 slices", "0")],
        [Row(255, "not labelled yet", "#5b626c", "none", "⇧0")],
        [Row(1, "Läsion/ß", "#2fb58a", answer=answer) for answer in Answer],
        [Row(2, "no colour", "", answer=Answer.YES)],
    ],
)
@pytest.mark.parametrize("width", [20, 140, 286])
def test_rows_are_drawn_whatever_they_hold(qtbot, rows, width):
    widget = LabelRows("Classes")
    qtbot.addWidget(widget)
    widget.show_rows(rows, chosen=1)
    widget.setEnabled(len(rows) % 2 == 0)
    assert not drawn(widget, width).isNull()


def test_a_chosen_row_looks_different(qtbot):
    widget = LabelRows("Classes")
    qtbot.addWidget(widget)
    rows = [Row(1, "a", "#56b4e9"), Row(2, "b", "#cc79a7")]
    widget.show_rows(rows)
    before = drawn(widget)
    widget.show_rows(rows, chosen=2)
    assert drawn(widget) != before


def test_a_click_chooses_the_row_and_a_click_on_its_lock_turns_the_lock(qtbot):
    widget = LabelRows("Classes")
    qtbot.addWidget(widget)
    widget.show_rows([Row(1, "a", "#56b4e9", locked=False), Row(0, "background")])
    drawn(widget)
    with qtbot.waitSignal(widget.chosen) as heard:
        qtbot.mouseClick(widget, Qt.LeftButton, pos=QPoint(60, 16))
    assert heard.args == [1]
    with qtbot.waitSignal(widget.lock_clicked) as heard:
        spot = widget.lock_area(0).center().toPoint()
        qtbot.mouseClick(widget, Qt.LeftButton, pos=spot)
    assert heard.args == [1]
    with qtbot.waitSignal(widget.chosen) as heard:
        spot = widget.lock_area(1).center().toPoint()
        qtbot.mouseClick(widget, Qt.LeftButton, pos=spot)
    assert heard.args == [0]
    assert widget.part_at(QPointF(5, 36).toPoint()) == -1


def test_rows_can_be_used_by_keys_alone(qtbot):
    widget = LabelRows("Classes")
    qtbot.addWidget(widget)
    widget.show_rows([Row(1, "a", locked=False), Row(2, "b", locked=False)])
    qtbot.keyClick(widget, Qt.Key_Down)
    with qtbot.waitSignal(widget.chosen) as heard:
        qtbot.keyClick(widget, Qt.Key_Space)
    assert heard.args == [2]
    with qtbot.waitSignal(widget.lock_clicked) as heard:
        qtbot.keyClick(widget, Qt.Key_L)
    assert heard.args == [2]


def test_rows_tell_a_reader_of_the_screen(qtbot):
    widget = LabelRows("Classes")
    qtbot.addWidget(widget)
    widget.show_rows([Row(1, "a", "#56b4e9", "12 mm³", "1", True)])
    assert widget.accessibleDescription() == "a 12 mm³ locked"


@pytest.mark.parametrize(
    "images",
    [
        [],
        [LastImage("x", "", "")],
        [LastImage(f"{n}", "n" * 200, "very long class name", "#f0e442") for n in range(9)],
    ],
)
@pytest.mark.parametrize("with_picture", [True, False])
def test_last_images_are_drawn_whatever_they_hold(qtbot, images, with_picture):
    picture = QPixmap(88, 44)
    picture.fill(Qt.red)
    widget = LastImages(lambda _case: picture if with_picture else None)
    qtbot.addWidget(widget)
    widget.show_images(images)
    assert not drawn(widget).isNull()
    assert len(widget.images) <= 5


def test_a_click_asks_for_the_image(qtbot):
    widget = LastImages(lambda _case: None)
    qtbot.addWidget(widget)
    widget.show_images([LastImage("one", "one", "a"), LastImage("two", "two", "b")])
    drawn(widget)
    with qtbot.waitSignal(widget.asked) as heard:
        qtbot.mouseClick(widget, Qt.LeftButton, pos=widget.area(1).center().toPoint())
    assert heard.args == ["two"]
    with qtbot.assertNotEmitted(widget.asked):
        qtbot.mouseClick(widget, Qt.LeftButton, pos=widget.area(3).center().toPoint())


@pytest.mark.parametrize(
    ("voxels", "spacing", "ndim", "words"),
    [
        (1412, (1.0, 1.0, 1.0), 3, "1,412 mm³"),
        (3, (0.5, 1.0, 1.0), 3, "1.5 mm³"),
        (0, (1.0, 1.0, 1.0), 3, "0 mm³"),
        (5e6, (1.0, 1.0, 1.0), 3, "5,000 ml"),
        (200, (1.0, 1.0), 2, "200 mm²"),
        (200, None, 3, "200 voxels"),
        (200, None, 2, "200 px"),
        (math.nan, None, 2, "\N{EN DASH}"),
    ],
)
def test_amounts_have_the_unit_of_the_scan(voxels, spacing, ndim, words):
    assert amount_words(voxels, spacing, ndim) == words


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ((14, 2.0, "", True), "Saved 2 s ago · 14 strokes in the journal"),
        ((1, None, "", False), "1 stroke in the journal"),
        ((0, 0.2, "", True), "Saved just now"),
        ((0, 130.0, "", True), "Saved 2 min ago"),
        ((0, None, "", True), "All saved"),
        ((0, None, "", False), "Nothing to save yet"),
        ((3, 2.0, "The disk is full.", True), "Not saved. The disk is full."),
    ],
)
def test_what_is_saved_is_said(args, words):
    assert saved_words(*args) == words


def test_times_and_slices_in_words():
    assert ago_words(7300) == "2 h ago"
    assert slices_words(6, 35) == ("6 of 35 slices", "29 slices")
    assert slices_words(34, 35)[1] == "1 slice"
    assert slices_words(35, 35)[1] == "none"
