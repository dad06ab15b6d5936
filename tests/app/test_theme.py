"""Colours: what is written can be read, in both themes."""

import pytest

from longtail.app.theme import (
    BLUE_FILL,
    GREEN,
    LEAST_CONTRAST,
    RED,
    TIER_COLOURS,
    Look,
    contrast,
    luminance,
    mix,
    readable,
    stylesheet,
    tokens,
)

THEMES = ("dark", "light")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["surface", "card", "raised"])
@pytest.mark.parametrize("ink", ["text", "quiet"])
def test_text_can_be_read(theme, ground, ink):
    t = tokens(theme)
    assert contrast(getattr(t, ink), getattr(t, ground)) >= LEAST_CONTRAST


@pytest.mark.parametrize("theme", THEMES)
def test_status_words_and_chips_can_be_read(theme):
    t = tokens(theme)
    for ground in (t.surface, t.selected, t.raised):
        for colour in (GREEN, RED, t.quiet, t.link):
            assert contrast(t.written(colour, ground), ground) >= LEAST_CONTRAST
    for colour in TIER_COLOURS.values():
        fill = t.tint(colour, 0.24)
        assert contrast(t.written(colour, fill), fill) >= LEAST_CONTRAST


def test_white_on_the_primary_button_can_be_read():
    assert contrast("#ffffff", BLUE_FILL) >= LEAST_CONTRAST


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert luminance("#ffffff") == pytest.approx(1)


def test_mix_goes_from_one_to_the_other():
    assert mix("#000000", "#ffffff", 0) == "#000000"
    assert mix("#000000", "#ffffff", 1) == "#ffffff"
    assert mix("#000000", "#204060", 0.5) == "#102030"


def test_readable_leaves_what_can_be_read():
    assert readable("#ffffff", "#000000") == "#ffffff"
    assert readable("#111111", "#000000") != "#111111"


def test_dark_surfaces_are_those_of_the_pictures():
    t = tokens("dark")
    for mine, drawn in ((t.surface, "#262930"), (t.card, "#2e323a"), (t.line, "#414851")):
        assert contrast(mine, drawn) < 1.04


def test_an_unknown_tier_is_quiet():
    t = tokens("dark")
    assert t.tier("") == t.quiet
    assert t.tier("tail") == "#f0a202"


def test_the_look_tells_only_of_a_change():
    look, heard = Look("dark"), []
    look.changed.connect(heard.append)
    look.wear("dark")
    look.wear("light")
    look.wear("light")
    assert [t.theme_id for t in heard] == ["light"]


@pytest.mark.parametrize("theme", THEMES)
def test_every_rule_of_the_sheet_has_a_selector(theme):
    sheet = stylesheet(tokens(theme), "Inter")
    assert sheet.count("{") == sheet.count("}")
    for rule in sheet.split("}")[:-1]:
        selector, _, body = rule.partition("{")
        assert selector.strip()
        assert ":" in body
    assert 'font-family: "Inter"' in sheet
