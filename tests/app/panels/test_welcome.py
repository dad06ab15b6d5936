"""The welcome: three ways to begin, and what was open before."""

from datetime import UTC, datetime

import pytest
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent

from longtail.app.panels.welcome import RecentButton, WelcomePanel
from longtail.app.settings import Recent


@pytest.fixture
def welcome(qtbot):
    panel = WelcomePanel()
    qtbot.addWidget(panel)
    panel.resize(1080, 700)
    panel.show()
    return panel


def recent(path):
    return Recent(str(path), 1712, 4, True, datetime.now(UTC).isoformat())


def test_three_ways_to_begin(welcome, qtbot):
    for button, signal in (
        (welcome.open, welcome.open_asked),
        (welcome.new, welcome.new_asked),
        (welcome.sample, welcome.sample_asked),
    ):
        with qtbot.waitSignal(signal, timeout=1000):
            qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
        with qtbot.waitSignal(signal, timeout=1000):
            qtbot.keyClick(button, Qt.Key.Key_Space)


def test_recent_projects_open_and_moved_ones_are_located(welcome, qtbot, tmp_path):
    here = tmp_path / "here.longtail"
    here.mkdir()
    (here / "project.db").touch()
    gone = tmp_path / "gone.longtail"
    welcome.show_recent([recent(here), recent(gone)])
    first, second = welcome.findChildren(RecentButton)
    with qtbot.waitSignal(welcome.recent_asked, timeout=1000) as told:
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert told.args == [str(here)]
    assert "folder has moved" in second.accessibleDescription()
    with qtbot.waitSignal(welcome.locate_asked, timeout=1000) as told:
        qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert told.args == [str(gone)]


def test_the_list_is_made_anew(welcome, qtbot, tmp_path):
    for _ in range(3):
        welcome.show_recent([recent(tmp_path / "a")])
    qtbot.waitUntil(lambda: len(welcome.findChildren(RecentButton)) == 1)
    welcome.show_recent([])
    qtbot.waitUntil(lambda: not welcome.findChildren(RecentButton))


def test_a_dropped_folder_is_told(welcome, qtbot, tmp_path):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(welcome.dropped, timeout=1000) as told:
        welcome.dropEvent(event)
    assert told.args == [str(tmp_path)]
