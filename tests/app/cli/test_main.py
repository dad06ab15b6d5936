"""What the command's first word leads to, without doing it."""

from pathlib import Path

import pytest

from longtail.app import __main__ as command
from longtail.app.cli import GROUPS, TABLE
from longtail.app.cli.training import parse_settings
from longtail.core.errors import LongtailError


def test_the_words_that_are_commands_are_those_that_there_are():
    assert {*TABLE, *GROUPS} == command.COMMANDS


@pytest.mark.parametrize("name", ["study.longtail", "a folder"])
def test_a_project_opens_the_window(tmp_path, monkeypatch, name):
    (tmp_path / name).mkdir()
    opened = []
    monkeypatch.setattr("longtail.app.launch.launch", lambda path: opened.append(path) or 0)
    assert command.main([str(tmp_path / name)]) == 0
    assert opened == [Path(tmp_path / name)]


def test_an_unknown_word_is_no_project(capsys):
    assert command.main(["nonsense"]) != 0
    assert "nonsense" in capsys.readouterr().err


def test_a_fault_nobody_foresaw_is_one_sentence(monkeypatch, capsys):
    def break_down(path):
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("longtail.app.launch.launch", break_down)
    assert command.main([]) == 1
    told = capsys.readouterr().err
    assert "the wheel came off" in told
    assert "Traceback" not in told
    with pytest.raises(RuntimeError):
        command.main(["--debug"])


def test_settings_are_read_as_what_they_say():
    pairs = ["size=96", "pretrained=none", "ema=0.5", "augmentation=light"]
    assert parse_settings(pairs) == {
        "size": 96,
        "pretrained": "none",
        "ema": 0.5,
        "augmentation": "light",
    }


@pytest.mark.parametrize("pair", ["size", "=96", "size=[1, 2]", "size={a: 1}"])
def test_settings_of_another_form_are_refused(pair):
    with pytest.raises(LongtailError, match="--set"):
        parse_settings([pair])
