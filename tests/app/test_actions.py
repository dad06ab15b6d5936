"""Projects are opened, made, located and closed from the window."""

import shutil
from pathlib import Path

import pytest
from app_fakes import FakeBackend, Waiting
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from longtail.app.actions import ProjectActions, free_folder, recent_of
from longtail.app.panels.new_project import NewProjectDialog
from longtail.app.session import Session
from longtail.app.settings import recents, remember
from longtail.core.jobs.training import TrainJob

WAIT_MS = 15_000


@pytest.fixture
def session():
    session = Session(FakeBackend(), Waiting(), record=lambda *_what: None)
    session.told = []
    session.notice.connect(session.told.append)
    yield session
    session.close()


@pytest.fixture
def actions(qtbot, session):
    window = QWidget()
    qtbot.addWidget(window)
    actions = ProjectActions(session, window)
    yield actions
    for dialog in window.findChildren(NewProjectDialog):
        dialog.reject()
    actions.close_threads()
    window.close()


def answer(monkeypatch, name):
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_what: str(name))


def test_a_project_is_opened_in_a_thread_and_remembered(actions, session, cells, qtbot):
    busy = []
    actions.busy.connect(busy.append)
    actions.open_path(cells)
    assert session.project is None
    qtbot.waitUntil(lambda: session.project is not None, timeout=WAIT_MS)
    assert busy == ["Opening cells.longtail ...", ""]
    known = recents()[0]
    assert (known.path, known.cases, known.labelled, known.images) == (str(cells), 12, 6, True)


def test_nothing_is_remembered_without_a_project(session):
    assert recent_of(session) is None


def test_what_cannot_be_opened_is_said(actions, session, tmp_path, qtbot):
    broken = tmp_path / "b.longtail"
    broken.mkdir()
    (broken / "project.db").write_bytes(b"no database at all" * 99)
    actions.open_path(broken)
    qtbot.waitUntil(lambda: bool(session.told), timeout=WAIT_MS)
    assert session.told[0].severity == "error"
    assert session.project is None


def test_the_unforeseen_is_said_too(actions, session, cells, qtbot, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("longtail.app.actions.load_project", broken)
    actions.open_path(cells)
    qtbot.waitUntil(lambda: bool(session.told), timeout=WAIT_MS)
    assert "did not foresee" in session.told[0].text


def test_a_chosen_folder_is_opened_and_a_cancelled_choice_is_none(
    actions, session, cells, qtbot, monkeypatch
):
    answer(monkeypatch, "")
    actions.open()
    actions.sample()
    actions.locate("/nowhere")
    assert session.project is None
    answer(monkeypatch, cells)
    actions.open()
    qtbot.waitUntil(lambda: session.project is not None, timeout=WAIT_MS)


def test_a_folder_of_images_leads_to_a_new_project(actions, tmp_path):
    (tmp_path / "images").mkdir()
    actions.open_path(tmp_path / "images")
    assert actions.parent().findChildren(NewProjectDialog)


def test_a_moved_project_is_located(actions, session, cells, tmp_path, qtbot, monkeypatch):
    actions.open_path(cells)
    qtbot.waitUntil(lambda: session.project is not None, timeout=WAIT_MS)
    session.close_project()
    now_at = tmp_path / "elsewhere" / "cells.longtail"
    now_at.parent.mkdir()
    shutil.move(cells, now_at)
    assert not recents()[0].there
    answer(monkeypatch, now_at)
    actions.locate(str(cells))
    qtbot.waitUntil(lambda: session.project is not None, timeout=WAIT_MS)
    assert [r.path for r in recents()] == [str(now_at)]


def test_a_folder_that_is_no_project_is_not_located(actions, session, tmp_path, monkeypatch):
    answer(monkeypatch, tmp_path)
    actions.locate("/somewhere/cells.longtail")
    assert "no Longtail project" in session.told[0].text


def test_the_sample_is_made_where_the_user_says(actions, session, tmp_path, qtbot, monkeypatch):
    answer(monkeypatch, tmp_path)

    def small(folder):
        from longtail.core.project.sample import build_heart_sample

        return build_heart_sample(folder, scans=6)

    monkeypatch.setattr("longtail.app.actions.build_sample", small)
    actions.sample()
    qtbot.waitUntil(lambda: session.project is not None, timeout=60_000)
    assert Path(session.project.path).parent == tmp_path / "longtail-sample"


def test_a_project_with_a_running_training_stays_open(actions, session, cells):
    session.open_project(cells)
    session.submit(TrainJob(str(cells), "run-001"))
    actions.close()
    assert session.project is not None
    assert "training runs" in session.told[0].text


def test_the_menu_offers_what_can_be_done(actions, session, cells, tmp_path, qtbot):
    menu = QMenu()
    qtbot.addWidget(menu)
    actions.fill_menu(menu)
    able = {a.text(): a.isEnabled() for a in menu.actions() if a.text()}
    assert able["Open a project..."]
    assert not able["Import more cases..."]
    assert not able["Close the project"]
    session.open_project(cells)
    remember(recents()[0])
    menu.clear()
    actions.fill_menu(menu)
    able = {a.text(): a.isEnabled() for a in menu.actions() if a.text()}
    assert able["Import more cases..."]
    assert able["Close the project"]
    assert not able["Recent"]


def test_diagnostics_are_copied(actions, session):
    actions.copy_diagnostics()
    assert "Device: CPU" in QGuiApplication.clipboard().text()
    assert "clipboard" in session.told[0].text


def test_a_taken_name_gets_a_number(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a-2").mkdir()
    assert free_folder(tmp_path / "a") == tmp_path / "a-3"
    assert free_folder(tmp_path / "b") == tmp_path / "b"
