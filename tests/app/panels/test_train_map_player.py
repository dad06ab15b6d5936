"""Going through the maps of a run: by the slider, by keys, in a row, and with the newest."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from longtail.app.panels import train_map_player, train_player
from longtail.app.panels.train_live import ClassLook
from longtail.app.panels.train_map_player import MapPlayer

LOOKS = (ClassLook("organ", "#56b4e9"),)


def name(step):
    return f"maps/step-{step:07d}.npz"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "maps").mkdir()
    for step in (100, 200, 300, 400, 500):
        np.savez(
            tmp_path / name(step),
            points=np.full((3, 2), step, np.float32),
            point_classes=np.ones(3, np.int16),
            centres=np.zeros((1, 2), np.float32),
            centre_classes=np.ones(1, np.int16),
            step=np.int64(step),
        )
    return tmp_path


@pytest.fixture
def player(qtbot, folder):
    widget = MapPlayer()
    qtbot.addWidget(widget)
    widget.resize(286, 260)
    widget.show()
    widget.begin(folder, LOOKS, "scan")
    yield widget
    widget.close_threads()


def shows(player, qtbot, step):
    qtbot.waitUntil(lambda: player.plot.frame is not None and player.plot.frame.step == step)


def maps(*steps):
    return tuple(name(step) for step in steps)


def test_the_newest_is_followed_until_the_slider_is_moved(player, qtbot):
    player.show_maps(maps(100), 1632)
    shows(player, qtbot, 100)
    assert player.caption.text() == "step 100 of 1,632"
    assert not player.slider.isEnabled()
    player.show_maps(maps(100, 200, 300), 1632)
    shows(player, qtbot, 300)
    assert player.follow.isChecked()
    player.slider.setValue(1)
    shows(player, qtbot, 200)
    assert not player.follow.isChecked()
    player.show_maps(maps(100, 200, 300, 400), 1632)
    assert player.caption.text() == "step 200 of 1,632"
    assert player.slider.maximum() == 3
    player.follow.click()
    shows(player, qtbot, 400)
    assert player.follow.isChecked()
    player.follow.click()
    assert player.follow.isChecked()


def test_arrows_step_through_the_maps(player, qtbot):
    player.show_maps(maps(100, 200, 300, 400), 0)
    shows(player, qtbot, 400)
    qtbot.mouseClick(player.plot, Qt.MouseButton.LeftButton)
    assert player.window().focusWidget() is player.slider
    qtbot.keyClick(player.slider, Qt.Key.Key_Left)
    shows(player, qtbot, 300)
    qtbot.keyClick(player.slider, Qt.Key.Key_Left)
    shows(player, qtbot, 200)
    qtbot.keyClick(player.slider, Qt.Key.Key_Right)
    shows(player, qtbot, 300)
    qtbot.keyClick(player.slider, Qt.Key.Key_Home)
    shows(player, qtbot, 100)
    assert player.caption.text() == "step 100"


def test_a_replay_goes_from_the_first_map_to_the_last(player, qtbot, monkeypatch):
    player._beat.setInterval(1)
    player.show_maps(maps(100, 200, 300, 400, 500), 0)
    shows(player, qtbot, 500)
    seen, show = [], player.plot.show_frame
    monkeypatch.setattr(
        player.plot, "show_frame", lambda frame, *words: (seen.append(frame.step), show(frame))
    )
    qtbot.keyClick(player.play, Qt.Key.Key_Space)
    assert player.plays
    assert "Hold" in player.play.toolTip()
    qtbot.waitUntil(lambda: not player.plays)
    shows(player, qtbot, 500)
    assert seen == [100, 200, 300, 400, 500]
    assert not player.follows


def test_a_replay_can_be_held_and_goes_on_from_there(player, qtbot):
    player.show_maps(maps(100, 200, 300, 400, 500), 0)
    player.play.click()
    player.play.click()
    assert not player.plays
    player.slider.setValue(2)
    player.play.click()
    assert player.plays
    assert player.slider.value() == 2
    player.slider.setValue(3)
    assert not player.plays


def test_of_many_maps_some_are_passed_over(player, qtbot, monkeypatch):
    monkeypatch.setattr(train_player, "LONGEST_REPLAY", 2)
    player._beat.setInterval(1)
    player.show_maps(maps(100, 200, 300, 400, 500), 0)
    shows(player, qtbot, 500)
    seen = []
    player.slider.rangeChanged.connect(seen.append)
    player.play.click()
    qtbot.waitUntil(lambda: not player.plays)
    assert player.slider.value() == 4
    assert len(player._kept) < 5


def test_a_broken_map_says_so_and_the_others_are_shown(player, qtbot, folder):
    (folder / name(200)).write_bytes(b"PK\x03\x04 cut")
    (folder / name(300)).unlink()
    player.show_maps(maps(100, 200, 300), 0)
    qtbot.waitUntil(lambda: "step 300 is gone" in player.plot.words)
    player.slider.setValue(1)
    qtbot.waitUntil(lambda: "step 200 cannot be read" in player.plot.words)
    assert player.plot.frame is None
    assert not player.plot.grab().isNull()
    player.slider.setValue(0)
    shows(player, qtbot, 100)


def test_a_moving_slider_reads_only_where_it_stops(player, qtbot, monkeypatch):
    read, real = [], train_map_player.read_map
    monkeypatch.setattr(
        train_map_player, "read_map", lambda f, path: (read.append(path), real(f, path))[1]
    )
    player.show_maps(maps(100, 200, 300, 400, 500), 0)
    for place in (3, 2, 1, 0):
        player.slider.setValue(place)
    shows(player, qtbot, 100)
    assert read == [name(500), name(100)]


def test_a_run_that_went_on_from_an_earlier_step_loses_the_maps_behind_it(player, qtbot):
    player.show_maps(maps(100, 200, 300, 400), 0)
    player.slider.setValue(3)
    shows(player, qtbot, 400)
    player.show_maps(maps(100, 200), 0)
    shows(player, qtbot, 200)
    player.show_maps((), 0)
    assert player.plot.frame is None
    assert player.caption.text() == ""


def test_another_run_begins_anew(player, qtbot, tmp_path):
    player.show_maps(maps(100, 200, 300), 0)
    player.slider.setValue(1)
    shows(player, qtbot, 200)
    player.begin(tmp_path / "nowhere", LOOKS, "image")
    assert player.follows
    assert player.plot.frame is None
    player.show_maps(maps(100), 0)
    qtbot.waitUntil(lambda: "is gone" in player.plot.words)


def test_after_a_run_there_is_nothing_to_follow(qtbot, folder):
    player = MapPlayer(live=False)
    qtbot.addWidget(player)
    assert player.follow.isHidden()
    player.close_threads()


def test_only_some_maps_are_kept(player, qtbot, monkeypatch):
    monkeypatch.setattr(train_player, "MOST_KEPT", 2)
    player.show_maps(maps(100, 200, 300, 400, 500), 0)
    for place, step in ((4, 500), (3, 400), (2, 300), (1, 200)):
        player.slider.setValue(place)
        shows(player, qtbot, step)
    assert len(player._kept) == 2
