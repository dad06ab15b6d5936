"""The doctor's page in its states, and what its buttons do to the project."""

import subprocess
import sys

import numpy as np
import pytest
from app_fakes import FakeBackend, Waiting
from PIL import Image

from longtail.app.bottom import Bottom
from longtail.app.panels.doctor import DoctorPanel
from longtail.app.panels.doctor_model import Stage
from longtail.app.panels.doctor_rows import fix_words
from longtail.app.panels.doctor_side import probe_pairs
from longtail.app.panels.doctor_table import CountTable, cells, explain
from longtail.app.panels.new_project import NewProjectDialog
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Progress, Started
from longtail.core.project.records import Split, Status
from longtail.core.review.doctor_records import (
    ClassCount,
    Finding,
    Fix,
    Kind,
    Probe,
    Report,
    Severity,
)

LEAK = Finding(
    Kind.LEAK,
    Severity.ERROR,
    "Patient P1 has images in more than one part. Figures come out too good.",
    ("cell_01", "cell_11"),
    Fix("Move 1 image.", parts={"cell_11": "train"}),
)
COPY = Finding(
    Kind.DUPLICATE,
    Severity.INFO,
    "1 image is there twice. It counts double.",
    ("cell_02", "cell_03"),
    Fix("Leave 1 copy out.", leave_out=("cell_03",)),
)
CONFLICT = Finding(
    Kind.LABEL_CONFLICT,
    Severity.WARNING,
    "The same image has two labels. At least one is wrong.",
    ("cell_04", "cell_05"),
    Fix("Take their labels away.", unlabel=("cell_04", "cell_05")),
)
LOST = Finding(Kind.MISSING_CLASS, Severity.ERROR, "No image is labelled rare. It is lost.")
CLASSES = (
    ClassCount(1, "common", "tail", ((5, 5), (0, 0), (0, 0)), 5.0),
    ClassCount(2, "rare", "tail", ((1, 1), (0, 0), (0, 0)), 1.0),
)
PROBES = (
    Probe("encoder", "common", 0.9, 0.8, 1.0),
    Probe("encoder", "rare", 0.7, 0.6, 0.8),
    Probe("column:patient", "common", 0.55, 0.4, 0.7),
)
REPORT = Report((LEAK, LOST, CONFLICT, COPY), CLASSES, PROBES, ("A note.",), 12)


def ending(report: Report = REPORT) -> tuple:
    done = Finished(Outcome.COMPLETED, {**report.to_mapping(), "seconds": 1.0})
    return Started("Examine", "CPU"), Progress(12, 12, 0.0, "Reading"), done


@pytest.fixture
def opened(cells, qtbot):
    """A panel on the project of twelve cells, whose examination ends at once."""
    session = Session(FakeBackend(ending()))
    session.open_project(cells)
    panel = DoctorPanel(session)
    qtbot.addWidget(panel)
    panel.resize(760, 260)
    panel.show()
    qtbot.waitUntil(lambda: panel.model.stage is not Stage.READING)
    yield session, panel
    panel.close_threads()
    session.close()


def row_of(panel: DoctorPanel, finding: Finding):
    return next(row for row in panel.rows if row.finding == finding)


def examine(panel: DoctorPanel) -> None:
    panel.invitation.button.click()
    assert panel.model.stage is Stage.READY


def test_nothing_yet_invites_to_examine(opened) -> None:
    _, panel = opened
    assert panel.pages.currentWidget() is panel.invitation
    assert panel.invitation.button.text() == "Examine"


def test_findings_stand_with_their_cases_and_fixes(opened) -> None:
    _, panel = opened
    examine(panel)
    assert panel.pages.currentWidget() is panel.whole
    assert [row.finding for row in panel.rows] == [LEAK, LOST, CONFLICT, COPY]
    assert row_of(panel, LEAK).cases.text() == "Show 2 images"
    assert not row_of(panel, LOST).cases.isVisible()
    assert row_of(panel, LOST).fix is None
    assert "4 findings, 2 serious" in panel.head.words.text()
    assert not panel.clean.isVisible()


def test_a_click_lists_the_cases_of_a_finding(opened) -> None:
    session, panel = opened
    examine(panel)
    asked = []
    session.cases_asked.connect(lambda ids, words: asked.append((ids, words)))
    row_of(panel, LEAK).cases.click()
    assert asked == [(("cell_01", "cell_11"), "leak")]


@pytest.mark.parametrize("finding", [LEAK, CONFLICT, COPY], ids=lambda one: one.kind.value)
def test_a_fix_is_done_and_undone(opened, qtbot, finding) -> None:
    session, panel = opened
    examine(panel)
    before = session.project.cases()
    row_of(panel, finding).fix.click()
    qtbot.waitUntil(lambda: not panel.model.busy)
    assert session.project.cases() != before
    assert row_of(panel, finding).fix.text() == "Undo"
    assert "3 findings" in panel.head.words.text()
    qtbot.waitUntil(lambda: "changed since" in panel.head.words.text())
    row_of(panel, finding).fix.click()
    qtbot.waitUntil(lambda: not panel.model.busy)

    def facts(cases):
        return [(one.id, one.split, one.status, one.labels) for one in cases]

    assert facts(session.project.cases()) == facts(before)
    assert row_of(panel, finding).fix.text() == fix_words(finding)


def test_steps_whose_finding_is_gone_can_be_undone_too(opened, qtbot) -> None:
    session, panel = opened
    examine(panel)
    row_of(panel, LEAK).fix.click()
    qtbot.waitUntil(lambda: not panel.model.busy)
    session.backend.events = ending(Report((), CLASSES, PROBES, (), 12))
    panel.head.button.click()
    assert panel.clean.isVisible()
    assert panel.before_words.text() == "Move 1 image."
    panel.before_undo.click()
    qtbot.waitUntil(lambda: not panel.model.busy)
    assert session.project.case("cell_11").split is Split.TEST
    assert not panel.before.isVisible()


def test_leaving_out_the_shown_case_is_safe(opened, qtbot) -> None:
    session, panel = opened
    examine(panel)
    session.show_case("cell_03")
    row_of(panel, COPY).fix.click()
    qtbot.waitUntil(lambda: not panel.model.busy)
    assert session.case is None
    assert "cell_03" not in session.catalogue.ids


def test_unlabelled_cases_are_told_to_the_other_panels(opened, qtbot) -> None:
    session, panel = opened
    examine(panel)
    told = []
    session.labels_changed.connect(told.append)
    row_of(panel, CONFLICT).fix.click()
    qtbot.waitUntil(lambda: bool(told))
    assert set(told[0]) == {"cell_04", "cell_05"}
    assert session.project.case("cell_04").status is Status.UNLABELLED


def test_it_shows_how_far_it_is_and_can_be_stopped(cells, qtbot) -> None:
    driver = Waiting()
    session = Session(FakeBackend(), driver)
    session.open_project(cells)
    panel = DoctorPanel(session)
    qtbot.addWidget(panel)
    qtbot.waitUntil(lambda: panel.model.stage is Stage.EMPTY)
    panel.examine_soon()
    assert panel.pages.currentWidget() is panel.work
    driver.give(Progress(3, 12, 9.0, "Reading the images"))
    qtbot.waitUntil(lambda: "3 of 12" in panel.work.words.text())
    panel.work.stop.click()
    assert driver.watched[0][0].handle.asked == ["cancel"]
    driver.give(Finished(Outcome.CANCELLED))
    assert panel.pages.currentWidget() is panel.invitation
    panel.close_threads()
    session.close()


def test_a_failure_says_why_and_offers_another_try(cells, qtbot) -> None:
    failed = Finished(Outcome.FAILED, None, "The disk is gone.", "Connect it.")
    session = Session(FakeBackend((failed,)))
    session.open_project(cells)
    panel = DoctorPanel(session)
    qtbot.addWidget(panel)
    qtbot.waitUntil(lambda: panel.model.stage is Stage.EMPTY)
    panel.invitation.button.click()
    assert panel.invitation.text.text() == "The disk is gone. Connect it."
    assert panel.invitation.button.text() == "Try again"
    panel.close_threads()
    session.close()


def test_an_import_is_told_and_examined(cells, qtbot, tmp_path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    for number in range(2):
        Image.fromarray(np.full((20, 30, 3), 7 * number, np.uint8)).save(more / f"{number}.png")
    session = Session(FakeBackend(ending()))
    bottom = Bottom()
    qtbot.addWidget(bottom)
    bottom.add_page("doctor", "Doctor", lambda: DoctorPanel(session), "ph.first-aid-kit")
    session.cases_imported.connect(lambda: bottom.show_page("doctor").examine_soon())
    session.open_project(cells)
    dialog = NewProjectDialog(session, more, into_open_project=True)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.pages.currentWidget() is dialog.proposal)
    dialog.make()
    qtbot.waitUntil(lambda: bottom.asked)
    panel = bottom.page("doctor")
    qtbot.waitUntil(lambda: panel.model.stage is Stage.READY)
    assert len(panel.rows) == 4
    bottom.close_threads()
    session.close()


def test_a_narrow_page_puts_the_numbers_above(opened, qtbot) -> None:
    _, panel = opened
    examine(panel)
    numbers, findings = panel.side_area, panel.list_area
    panel.resize(420, 300)
    qtbot.waitUntil(lambda: findings.y() > numbers.y())
    assert numbers.width() <= 420
    panel.resize(800, 300)
    qtbot.waitUntil(lambda: findings.x() > numbers.x())


@pytest.mark.parametrize("width", [120, 200, 300, 900])
def test_the_table_draws_every_odd_class(qtbot, width) -> None:
    odd = (
        *CLASSES,
        ClassCount(0, "", "", ((0, 0), (0, 0), (0, 0)), 0.0),
        ClassCount(
            9, "a very long name of a class " * 4, "head", ((10**6, 9), (1, 1), (2, 2)), 9e9
        ),
    )
    for classes in ((), odd, odd * 12):
        table = CountTable()
        qtbot.addWidget(table)
        table.show_classes(classes)
        table.resize(width, max(table.sizeHint().height(), 1))
        assert not table.grab().isNull()


def test_a_class_in_words() -> None:
    one = ClassCount(1, "mass", "tail", ((13, 11), (2, 2), (0, 0)), 12.9)
    assert cells(one) == ("13", "2", "0", "13", "13")
    words = explain(one)
    assert words.startswith("mass (tail): train 13 images of 11 patients; validation 2 images.")


def test_what_tells_the_class() -> None:
    assert [(what, much) for what, much, _ in probe_pairs(PROBES)] == [
        ("Whole picture", "0.80"),
        ("Patient's number", "0.55"),
    ]


def test_the_panel_needs_no_torch() -> None:
    code = (
        "import sys; import longtail.app.panels.doctor, longtail.app.panels.doctor_needs, "
        "longtail.core.review.doctor_keeping, longtail.core.review.doctor_study; "
        "print([name for name in ('torch', 'monai', 'sklearn') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
