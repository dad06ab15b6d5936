from dataclasses import replace
from html.parser import HTMLParser

import pytest

from longtail.core.evaluate.html import render, write_html
from longtail.core.evaluate.report import Figure
from longtail.core.evaluate.svg import bar

VOID = {"meta", "br", "img", "link", "hr"}


class Checked(HTMLParser):
    """Refuses tags that do not close, scripts, and anything fetched from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "iframe", "object")
        for name, value in attrs:
            assert name not in ("src", "href", "onload", "onerror")
            assert "url(" not in (value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(text):
    page = Checked()
    page.feed(text)
    assert page.open == []
    return " ".join(" ".join(page.text).split())


def test_everything_that_is_needed_to_judge_is_there(report):
    text = parsed(render(report))
    for part in (
        "Research use only. Not a medical device.",
        "0.600", "0.500 to 0.700",  # the figure and its interval
        "12.0", "mm",
        "Head: at least 20%; tail: less than 5%.",
        "40 cases of 38 patients; 2 cases without usable labels left out",
        "1,650", "ab" * 32, "Seed 0", "supervised", "patch 48x64x48",
        "scar is in only 4", "Missed", "few",
    ):  # fmt: skip
        assert part in text, part


def test_names_from_the_project_are_escaped(report):
    page = render(report)
    assert "<b>Niere</b>" not in page
    assert "Herz &amp; &lt;b&gt;Niere" in page
    assert "left &lt;ventricle&gt;" in page


def test_a_colour_that_is_none_is_not_written(report):
    assert "background:url" not in render(report)


def test_it_needs_nothing_beside_it(report, tmp_path):
    write_html(tmp_path / "report.html", report)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "http" not in page
    assert "color-scheme: light" in page
    assert "@media print" in page


def test_a_report_without_figures_still_reads(report):
    empty = replace(report, summary={}, classes=(), confusion=None, notes=())
    assert "Supervised" in parsed(render(empty))


def test_image_figures_have_no_false_alarms(report):
    images = replace(
        report,
        provenance=replace(report.provenance, task="classification"),
        summary={"accuracy": Figure(0.5, None, None, 1)},
    )
    text = parsed(render(images))
    assert "False alarms" not in text
    assert "no interval" in text


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ((0.5, 0.25, 0.75), ['width="50.0%"', 'x1="25.0%"', 'x2="75.0%"']),
        ((None, None, None), ["no value"]),
        ((2.0, -1.0, 3.0), ['width="100.0%"', 'x1="0.0%"', 'x2="100.0%"']),
    ],
)
def test_bars_stay_on_their_track(values, parts):
    drawn = str(bar(*values, "tail", 1.0))
    for part in parts:
        assert part in drawn
