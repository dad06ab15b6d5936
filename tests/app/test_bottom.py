"""The bottom of the window: pages made when they are asked for, and what is remembered of them."""

import pytest
from qtpy.QtWidgets import QLabel, QMenu, QWidget

from longtail.app.bottom import HEIGHT_PX, KEY, Bottom, lone_page


class Leaf(QWidget):
    def __init__(self, words):
        super().__init__()
        self.head = QLabel(words)
        self.ended = 0

    def close_threads(self):
        self.ended += 1


@pytest.fixture
def bottom(qtbot):
    made = []

    def make(name):
        made.append(name)
        return Leaf(name)

    host = Bottom()
    host.made = made
    qtbot.addWidget(host)
    host.add_page("embedding", "Embedding", lambda: make("embedding"), "ph.circles-three")
    host.add_page("doctor", "Doctor", lambda: make("doctor"))
    return host


def test_a_page_is_made_when_it_is_first_opened(bottom):
    assert bottom.made == []
    page = bottom.show_page("doctor")
    assert bottom.made == ["doctor"]
    assert bottom.show_page("doctor") is page
    assert bottom.made == ["doctor"]
    assert bottom.current() == "doctor"
    assert bottom.tabs.tabText(bottom.tabs.currentIndex()) == "Doctor"


def test_the_head_of_a_page_stands_beside_the_tabs(bottom):
    page = bottom.show_page("doctor")
    bottom.show_page("embedding")
    assert bottom.heads.currentWidget().text() == "embedding"
    bottom.show_page("doctor")
    assert bottom.heads.currentWidget() is page.head
    assert bottom.pages.currentWidget() is page


def test_the_dock_is_asked_to_come_and_go(bottom):
    asked = []
    bottom.shown_asked.connect(lambda *what: asked.append(what))
    bottom.toggle()
    bottom.toggle()
    bottom.tabs.setCurrentIndex(1)
    bottom.shut.click()
    assert asked == [(True, HEIGHT_PX), (False, HEIGHT_PX), (True, HEIGHT_PX), (False, HEIGHT_PX)]
    assert bottom.made == ["embedding", "doctor"]


def test_height_and_page_come_back(bottom, qtbot):
    bottom.show_page("doctor")
    bottom.show()
    qtbot.waitExposed(bottom)
    bottom.resize(700, 333)
    bottom.remember()
    second = Bottom()
    qtbot.addWidget(second)
    assert second.sizeHint().height() == 333
    second.add_page("embedding", "Embedding", lambda: Leaf("e"))
    assert second.current() == "embedding"
    second.add_page("doctor", "Doctor", lambda: Leaf("d"))
    assert second.current() == "doctor"
    assert not second.asked


def test_the_menu_names_the_pages_and_the_key(bottom, qtbot):
    menu = QMenu()
    qtbot.addWidget(menu)
    bottom.fill_menu(menu)
    assert [a.text() for a in menu.actions()] == [
        "Embedding",
        "Doctor",
        f"Show the bottom panel\t{KEY}",
    ]
    menu.actions()[1].trigger()
    assert bottom.current() == "doctor"
    assert bottom.asked


def test_pages_that_were_made_are_told_of_the_end(bottom):
    page = bottom.show_page("embedding")
    bottom.close_threads()
    assert page.ended == 1


def test_alone_a_page_has_its_title_and_head(qtbot):
    page = Leaf("controls")
    whole = lone_page(page, "Embedding")
    qtbot.addWidget(whole)
    assert page.parentWidget() is whole
    assert page.head.window() is whole
    assert "Embedding" in {label.text() for label in whole.findChildren(QLabel)}
