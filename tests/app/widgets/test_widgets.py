"""Buttons, pages, notices, the key sheet: what they do when they are used."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget

from longtail.app.theme import look, tokens
from longtail.app.widgets import (
    BigNumber,
    Card,
    Chip,
    EmptyState,
    GhostButton,
    IconButton,
    NarrowCombo,
    Page,
    PrimaryButton,
    SectionLabel,
    Segments,
    TitleLabel,
    dress,
    install_font,
)
from longtail.app.widgets.key_sheet import KeySheet
from longtail.app.widgets.toast import MOST, ToastStack


def test_the_shipped_font_is_read(qapp):
    assert install_font() == "Inter"


def test_names_are_never_read_as_markup(qtbot):
    label = TitleLabel("<b>a</b>")
    qtbot.addWidget(label)
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_icon_buttons_name_what_they_do_and_the_key(qtbot):
    button = IconButton("ph.gear", "Settings", key="Ctrl+K")
    qtbot.addWidget(button)
    assert button.toolTip() == "Settings (Ctrl+K)"
    assert button.accessibleName() == "Settings"
    assert not button.icon().isNull()


def test_a_chip_shows_its_count(qtbot):
    chip = Chip("To do")
    qtbot.addWidget(chip)
    chip.set_count(1712)
    assert chip.text() == "To do 1,712"
    chip.set_count(None)
    assert chip.text() == "To do"


def test_segments_tell_only_what_the_user_picks(qtbot):
    segments = Segments([("a", "A"), ("b", "B")])
    qtbot.addWidget(segments)
    chosen = []
    segments.chosen.connect(chosen.append)
    assert segments.value() == ""
    segments.set_value("b")
    segments.set_value("nothing like it")
    assert segments.value() == "b"
    qtbot.mouseClick(segments.findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert chosen == ["a"]
    assert segments.value() == "a"


def test_a_big_number_is_read_aloud(qtbot):
    number = BigNumber()
    qtbot.addWidget(number)
    number.show_number("0.79", "mean Dice, validation", "best 0.80", ("2:11 left", "414 of 628"))
    assert number.accessibleName().startswith("0.79 mean Dice")


def test_an_empty_state_says_what_to_do_and_does_it(qtbot):
    done = []
    state = EmptyState("ph.image", "No cases yet", "Import.", ("Import...", lambda: done.append(1)))
    qtbot.addWidget(state)
    assert state.button is not None
    qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    assert done == [1]


def test_a_page_scrolls_down_and_never_sideways(qtbot):
    page = Page()
    qtbot.addWidget(page)
    wide = QLabel("x" * 500)
    page.body.addWidget(wide)
    for _ in range(60):
        page.body.addWidget(QLabel("a line"))
    dress(page)
    page.resize(280, 300)
    page.show()
    qtbot.waitExposed(page)
    assert page.scroll.horizontalScrollBarPolicy() is Qt.ScrollBarPolicy.ScrollBarAlwaysOff
    assert page.scroll.verticalScrollBar().maximum() > 0


def test_a_dressed_widget_follows_the_theme_and_is_let_go(qtbot):
    widget = QWidget()
    button = GhostButton("a", widget, symbol="ph.gear")
    dress(widget)
    dark = widget.styleSheet()
    look().wear("light")
    assert widget.styleSheet() != dark
    assert tokens("light").surface in widget.styleSheet() or tokens("light").card
    before = len(look().changed)
    assert button.icon() is not None
    widget.deleteLater()
    qtbot.waitUntil(lambda: len(look().changed) < before)
    look().wear("dark")


@pytest.mark.parametrize("kind", [PrimaryButton, GhostButton])
def test_buttons_can_be_reached_by_keyboard(qtbot, kind):
    button = kind("Go")
    qtbot.addWidget(button)
    pressed = []
    button.clicked.connect(lambda _checked=False: pressed.append(1))
    button.show()
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert pressed == [1]


def test_section_and_card(qtbot):
    section, card = SectionLabel("Classes", "4"), Card(tone="tail")
    qtbot.addWidget(section)
    qtbot.addWidget(card)
    assert section.label.text() == "CLASSES"
    section.set_text("Status", "")
    assert (section.label.text(), section.aside.text()) == ("STATUS", "")
    card.set_tone("bad")
    assert card.property("tone") == "bad"


@pytest.fixture
def stack(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    window.show()
    yield ToastStack(window)
    window.close()


def test_a_notice_stands_in_the_window_and_can_be_closed(stack, qtbot):
    stack.show_notice("The disk is full.", "error")
    assert stack.isVisible()
    assert stack.parentWidget().rect().contains(stack.geometry())
    qtbot.mouseClick(stack.toasts[0].cross, Qt.MouseButton.LeftButton)
    assert stack.toasts == []
    assert not stack.isVisible()


def test_the_button_of_a_notice_acts_and_closes_it(stack, qtbot):
    done = []
    stack.show_notice("It failed.", "error", ("Retry", lambda: done.append(1)))
    qtbot.mouseClick(stack.toasts[0].button, Qt.MouseButton.LeftButton)
    assert done == [1]
    assert stack.toasts == []


def test_the_same_words_stand_once_and_old_ones_make_room(stack):
    for _ in range(3):
        stack.show_notice("again")
    assert len(stack.toasts) == 1
    for number in range(MOST + 2):
        stack.show_notice(f"notice {number}", "warning")
    assert len(stack.toasts) == MOST
    assert stack.toasts[-1].text == f"notice {MOST + 1}"


def test_notices_follow_the_window_and_bear_long_words(stack):
    stack.show_notice("word " * 400, "error")
    window = stack.parentWidget()
    window.resize(320, 300)
    assert stack.width() <= 320


def test_the_key_sheet_lists_every_key(qtbot):
    table = [("Draw", [("P", "brush"), ("[ ]", "smaller or larger")]), ("Window", [("?", "this")])]
    sheet = KeySheet(table)
    qtbot.addWidget(sheet)
    shown = {label.text() for label in sheet.findChildren(QLabel)}
    assert {"DRAW", "WINDOW", "P", "[", "]", "?", "brush", "this"} <= shown


def test_a_narrow_box_ends_long_words_in_an_ellipsis(qtbot):
    box = NarrowCombo("Run", 14)
    qtbot.addWidget(box)
    box.addItems(["run 1", "run 12 with a name that no page has room for"])
    box.show()
    assert (box.shown_text, box.toolTip()) == ("run 1", "Run")
    width = box.width()
    box.setCurrentIndex(1)
    assert box.width() == width
    assert box.shown_text.startswith("run 12 w")
    assert box.shown_text.endswith("…")
    box.resize(600, box.height())
    assert box.shown_text == box.currentText()
