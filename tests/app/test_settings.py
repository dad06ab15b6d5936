"""What is remembered between starts."""

from datetime import UTC, datetime, timedelta

import pytest

from longtail.app.settings import (
    RECENT_COUNT,
    Recent,
    config_folder,
    day_words,
    forget,
    recents,
    relocate,
    remember,
    store,
)

NOW = datetime(2026, 6, 14, 12, tzinfo=UTC)


def recent(path, **changes):
    known = {"cases": 200, "labelled": 4, "images": False, "opened": NOW.isoformat()}
    return Recent(path=str(path), **{**known, **changes})


def test_it_lies_where_the_test_says(tmp_path):
    assert config_folder().is_relative_to(tmp_path)
    store().setValue("a", "b")


def test_the_newest_comes_first_and_none_twice(tmp_path):
    for name in ("a", "b", "a"):
        remember(recent(tmp_path / name))
    assert [r.name for r in recents()] == ["a", "b"]


def test_old_ones_make_room(tmp_path):
    for number in range(RECENT_COUNT + 3):
        remember(recent(tmp_path / str(number)))
    assert len(recents()) == RECENT_COUNT


def test_forgetting_and_moving(tmp_path):
    remember(recent(tmp_path / "a"))
    remember(recent(tmp_path / "b"))
    relocate(str(tmp_path / "a"), str(tmp_path / "c"))
    forget(str(tmp_path / "b"))
    assert [r.name for r in recents()] == ["c"]


@pytest.mark.parametrize("broken", ["", "{", "[1, 2]", '[{"path": 1}]', "null"])
def test_broken_settings_are_no_obstacle(broken):
    store().setValue("recent", broken)
    assert recents() == []


def test_a_moved_folder_is_noticed(tmp_path):
    assert not recent(tmp_path / "gone").there
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "project.db").touch()
    assert recent(tmp_path / "here").there


def test_words():
    assert recent("a").words(NOW) == "200 scans · 4 labelled · today"
    images = recent("a", images=True, cases=1712, labelled=1712)
    assert images.words(NOW) == "1,712 images · all labelled · today"
    assert recent("a", cases=1, labelled=0).words(NOW) == "1 scan · today"


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "yesterday"), (2, "12 June"), (400, "10 May 2025")]
)
def test_days(days, words):
    assert day_words((NOW - timedelta(days=days)).isoformat(), NOW) == words


def test_a_day_that_is_none_says_nothing():
    assert day_words("soon", NOW) == ""
