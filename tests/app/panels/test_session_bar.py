"""The bar along the top tells project, counts, job and device."""

import pytest
from app_fakes import FakeBackend, FakeJob, Waiting
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMenu

from longtail.app.panels.session_bar import HEIGHT_PX, SessionBar, summary
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Paused, Progress, Started
from longtail.core.jobs.training import TrainJob
from longtail.core.project.records import Status, Task


@pytest.fixture
def driver():
    return Waiting()


@pytest.fixture
def session(driver):
    session = Session(FakeBackend(), driver, record=lambda *_what: None)
    yield session
    session.close()


@pytest.fixture(params=[False, True], ids=["wide", "narrow"])
def bar(request, qtbot, session):
    bar = SessionBar(session, lambda menu: menu.addAction("Open"), narrow=request.param)
    qtbot.addWidget(bar)
    bar.resize(280 if request.param else 1366, HEIGHT_PX)
    bar.show()
    return bar


def test_without_a_project(bar):
    assert bar.name.text() == "Longtail"
    assert bar.counts.text() == ""
    assert bar.device.text() == "CPU · idle"
    assert not bar.job.isVisible()


def test_counts_follow_labels(bar, session, cells):
    session.open_project(cells)
    assert bar.counts.text() == "12 images · 5 reviewed · 1 draft"
    ids = session.catalogue.ids
    session.project.delete_cases([i for i in ids if i > "cell_05"])
    session.project.set_status(["cell_00"], Status.REVIEWED)
    session.labels_saved(["cell_00"])
    assert bar.counts.text() == "6 images · all labelled"


def test_an_empty_project_counts_nothing(session, tmp_path):
    session.create_project(tmp_path / "e.longtail", Task.SEGMENTATION, ["a"])
    assert summary(session) == "no scans"


def test_read_only_is_said(session, cells, qtbot):
    first = Session(FakeBackend(), record=lambda *_what: None)
    first.open_project(cells)
    session.open_project(cells)
    assert summary(session).endswith("read only")
    first.close()


def test_a_training_is_followed(bar, session, driver):
    session.submit(TrainJob("p", "run-001"))
    assert bar.job.isVisible()
    assert "queued" in bar.device.text()
    driver.give(Started("Train", "CPU"))
    driver.give(Progress(414, 628, 131.0))
    bar.show_job()
    assert bar.job.left.text() == "2:11 left"
    assert bar.job.bar.value() == round(1000 * 414 / 628)
    assert bar.device.text() == "CPU · training"
    driver.give(Paused())
    bar.show_job()
    assert bar.device.text() == "CPU · paused"
    driver.give(Finished(Outcome.COMPLETED))
    assert not bar.job.isVisible()
    assert bar.device.text() == "CPU · idle"


def test_progress_without_an_end_is_said_in_words(bar, session, driver):
    session.submit(FakeJob("Predict"))
    driver.give(Started("Predict", "CPU"))
    driver.give(Progress(0, 0, None, "reading images"))
    bar.show_job()
    assert bar.job.left.text() == "reading images"
    assert bar.job.bar.maximum() == 0


def test_a_failure_stays_until_the_next_job(bar, session, driver):
    session.submit(FakeJob())
    driver.give(Finished(Outcome.FAILED, None, "It broke.", "Mend it."))
    assert bar.device.text() == "CPU · failed"
    session.submit(FakeJob())
    driver.give(Finished(Outcome.COMPLETED))
    assert bar.device.text() == "CPU · idle"


def test_the_job_and_the_help_can_be_clicked(bar, session, qtbot):
    session.submit(TrainJob("p", "run-001"))
    with qtbot.waitSignals([bar.job_clicked, bar.help_asked], timeout=1000):
        qtbot.mouseClick(bar.job, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(bar.help, Qt.MouseButton.LeftButton)


def test_the_menu_opens_under_the_name(bar, qtbot):
    qtbot.mouseClick(bar.menu_button, Qt.MouseButton.LeftButton)
    menus = bar.findChildren(QMenu)
    assert [a.text() for a in menus[-1].actions()] == ["Open"]
    menus[-1].close()


def test_busy_words_stand_in_for_the_counts(bar, session, cells):
    session.open_project(cells)
    bar.show_busy("Opening cells ...")
    assert bar.counts.text() == "Opening cells ..."
    bar.show_busy("")
    assert bar.counts.text().startswith("12 images")
