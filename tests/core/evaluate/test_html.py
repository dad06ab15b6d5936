from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from longtail.core.evaluate.html import render, write_html
from longtail.core.evaluate.parts import confusion_of, single_label_parts
from longtail.core.evaluate.report import (
    EvaluatedClass,
    Figure,
    Tuned,
    read_report,
    write_report,
)
from longtail.core.evaluate.summary import single_label_figures
from longtail.core.evaluate.svg import bar
from longtail.core.evaluate.wording import NO_VALUE

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


def test_where_no_patients_are_known_cases_are_drawn(report):
    assert "drawing the 38 patients again" in parsed(render(report))
    alone = replace(report, provenance=replace(report.provenance, patients=40))
    text = parsed(render(alone))
    assert "40 cases; 2 cases without usable labels" in text
    assert "drawing the 40 cases again" in text


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


@pytest.fixture
def images(report):
    """The report of 30 images in three classes, one of which is in two of them only."""
    rng = np.random.default_rng(0)
    truth = np.array([0] * 20 + [1] * 8 + [2] * 2)
    logits = rng.normal(size=(30, 3)) + 1.2 * np.eye(3)[truth]
    names = ("common", "middle <i>", "rare")
    classes = tuple(
        EvaluatedClass(i + 1, name, "#56b4e9", tier, 200 // 9**i, None, int((truth == i).sum()))
        for i, (name, tier) in enumerate(zip(names, ("head", "medium", "tail"), strict=True))
    )
    patients = [str(i) for i in range(30)]
    return replace(
        report,
        provenance=replace(report.provenance, task="classification"),
        summary=single_label_figures(truth, logits, classes, patients, resamples=50),
        classes=classes,
        confusion=confusion_of(truth, logits, names),
        images=single_label_parts(truth, logits, names),
        setting="All classes are taken to be equally frequent: rare 33% (learned 1.0%).",
    )


def test_a_report_on_images_draws_its_curves_and_says_its_setting(images):
    page = render(images)
    text = parsed(page)
    # A ROC and a precision-recall curve a class, and one diagram of reliability.
    assert page.count('label="ROC curve"') == page.count('"precision-recall curve"') == 3
    assert page.count("reliability diagram of 30 answers") == 1
    assert "middle &lt;i&gt;" in page
    assert "<i>" not in page
    for part in (
        "Setting of the prior slider", "rare 33% (learned 1.0%)", "Confused most", "taken for",
        "Found, missed and false alarms", "Calibration error", "Research use only",
    ):  # fmt: skip
        assert part.lower() in text.lower(), part


def test_a_class_in_few_cases_is_never_a_bare_point(images):
    page = render(images)
    rows = [row for row in page.split("<tr>") if "rare</td>" in row and "chip tail" in row]
    assert len(rows) >= 5
    for row in rows:
        cells = row.split("<td")
        assert "few" in row or "taken for" in row, row
        assert " to " in row or "no interval" in row, row
        # Without an interval there is no figure either, and no solid bar in any case.
        if "no interval" in row:
            assert NO_VALUE in row
        assert '<rect class="tail"' not in row
        assert len(cells) > 3
    figure = page.split("<figure>")
    (curve,) = [part for part in figure if "<strong>rare</strong>" in part]
    assert "few-line" in curve
    area = images.summary["auc"].classes["rare"].mean
    assert f"AUC {area:.3f}" not in curve
    assert "in 2 of 30 images" in curve


def test_all_found_of_few_does_not_claim_certainty(images):
    truth = np.array([0] * 20 + [1] * 3)
    logits = 5.0 * np.eye(2)[truth]
    classes = tuple(
        EvaluatedClass(i + 1, str(i), "#ffffff", tier, 9, None, int((truth == i).sum()))
        for i, tier in enumerate(("head", "tail"))
    )
    figures = single_label_figures(truth, logits, classes, [str(i) for i in range(23)])
    for value in (figures["recall"].classes["1"], figures["recall_tail"]):
        assert value.mean == 1.0
        assert value.low == pytest.approx(0.4385, abs=1e-4)
    assert figures["balanced_accuracy"].classes == figures["recall"].classes
    # Twenty of twenty is not certain either.
    assert figures["recall"].classes["0"].low == pytest.approx(0.8389, abs=1e-4)
    assert (figures["auc"].classes["1"].low, figures["auc"].classes["1"].high) == (None, None)


def test_thresholds_of_validation_stand_apart(images):
    tuned = Tuned({"common": 0.4}, 38, {"recall": images.summary["recall"]})
    text = parsed(render(replace(images, tuned=tuned)))
    assert "With validation" in text
    assert "38 labelled validation cases" in text
    assert "common 0.40" in text
    assert "With validation" not in parsed(render(images))


def test_the_whole_report_survives_json(images, tmp_path):
    write_report(tmp_path / "evaluation-test.json", images)
    assert read_report(tmp_path / "evaluation-test.json") == images
