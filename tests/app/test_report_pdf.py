"""A report on paper: Qt lays it out, plots included, and the file is replaced whole."""

from pathlib import Path

import pytest
from qtpy.QtCore import QSize, QUrl
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import QFileDialog, QWidget

from longtail.app.report_pdf import Sheet, ask_and_write, paint_svg, write_pdf
from longtail.core.evaluate.print_page import Printable, printable, standalone
from longtail.core.evaluate.report import ClassValue, EvaluatedClass, Figure, Provenance, Report


@pytest.fixture
def report():
    value = ClassValue(0.8, 0.7, 0.9, 12)
    figure = Figure(0.8, 0.7, 0.9, 12, {"<b>liver</b>": value})
    made = Provenance(
        "study",
        "segmentation",
        "bcp",
        "Copy-paste",
        {},
        (0,),
        4,
        9,
        "none",
        0,
        100,
        1,
        "h",
        12,
        12,
        0,
        "today",
    )
    classes = (EvaluatedClass(1, "<b>liver</b>", "#56b4e9", "head", 4, 0.9, 12),)
    return Report("run-001-bcp", "test", {"dice": figure}, (), made, classes, "Head: all.")


def test_the_page_holds_the_figures_and_escapes_what_users_wrote(report):
    page = printable(report)
    assert "0.800" in page.html
    assert "&lt;b&gt;liver&lt;/b&gt;" in page.html
    assert "<svg" not in page.html
    assert page.pictures
    assert all(name in page.html for name in page.pictures)


def test_plots_are_painted_and_nothing_else_is_fetched(report, qtbot):
    sheet = Sheet(printable(report))
    kind = QTextDocument.ResourceType.ImageResource.value
    image = sheet.loadResource(kind, QUrl("picture-0.svg"))
    assert not image.isNull()
    colours = {image.pixelColor(x, image.height() // 2).name() for x in range(image.width())}
    assert "#5f7a98" in colours  # the bar of a head class, from the style sheet inside
    assert sheet.loadResource(kind, QUrl("file:///etc/hostname")) is None


def test_shares_become_units_of_a_box():
    text, box = standalone('<svg class="bar" role="img"><rect width="43.2%" height="8"/></svg>')
    assert 'width="43.2"' in text
    assert "%" not in text.split("</style>")[1]
    assert box == (100.0, 18.0)


def test_a_damaged_picture_is_an_empty_one(qtbot):
    assert paint_svg("<svg").size() == QSize(1, 1)


def test_the_pdf_has_pages(report, tmp_path, qtbot):
    path = tmp_path / "süd" / "report.pdf"
    write_pdf(path, report)
    assert path.read_bytes()[:5] == b"%PDF-"
    assert path.stat().st_size > 5_000
    assert [each.name for each in path.parent.iterdir()] == ["report.pdf"]


def test_the_user_is_asked_where_to(report, tmp_path, qtbot, monkeypatch):
    answers = iter([(str(tmp_path / "mine"), ""), ("", "")])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_given: next(answers))
    parent = QWidget()
    qtbot.addWidget(parent)
    assert ask_and_write(parent, report, Path("/anywhere")) == tmp_path / "mine.pdf"
    assert (tmp_path / "mine.pdf").is_file()
    assert ask_and_write(parent, report, Path("/anywhere")) is None


def test_a_page_without_plots_is_a_page():
    assert Printable().pictures == {}
