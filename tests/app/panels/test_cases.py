"""The case list in use: filters, selection, labels, thumbnails, classes."""

import numpy as np
import pytest
from app_fakes import FakeBackend
from qtpy.QtCore import QItemSelectionModel, Qt
from qtpy.QtWidgets import QLineEdit

from longtail.app.panels import cases_thumbnails
from longtail.app.panels.case_classes import ClassesDialog, ClassRow
from longtail.app.panels.cases import CasesPanel
from longtail.app.panels.cases_bars import UNLABELLED_KEY
from longtail.app.panels.cases_funnel import funnel_menu
from longtail.app.panels.cases_model import Role
from longtail.app.session import Session
from longtail.app.widgets import LinkButton
from longtail.core.project.records import PredictionRecord, Split, Status, Task

WAIT_MS = 5000


@pytest.fixture
def session():
    session = Session(FakeBackend(), record=lambda *_what: None)
    yield session
    session.close()


@pytest.fixture
def panel(qtbot, session):
    panel = CasesPanel(session)
    qtbot.addWidget(panel)
    panel.resize(280, 700)
    panel.show()
    yield panel
    panel.close_threads()


@pytest.fixture
def full(panel, session, cells):
    session.open_project(cells)
    return panel


def shown(panel):
    model = panel.list.cases
    return [model.case_id(row) for row in range(model.rowCount())]


def test_without_a_project_it_says_so_and_offers_a_way(panel, qtbot):
    assert panel.stack.currentIndex() == 0
    asked = []
    panel.open_asked.connect(lambda: asked.append("open"))
    panel.new_asked.connect(lambda: asked.append("new"))
    for button in panel.stack.currentWidget().findChildren(LinkButton):
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == ["open", "new"]


def test_an_open_project_is_listed(full):
    assert full.stack.currentIndex() == 1
    assert shown(full)[:2] == ["cell_00", "cell_01"]
    assert full.head.count.text() == "12"
    assert [b.name for b in full.head.bars.bars] == ["common", "rare"]
    chips = [c.text() for c in full.chips.children() if hasattr(c, "words") and not c.isHidden()]
    assert chips == ["All", "To do 6", "Draft 1", "Done 5"]


def test_another_panel_can_ask_for_some_cases_alone(full, session):
    full.pick_status(Status.DRAFT)
    session.list_cases(("cell_02", "cell_05"), "rare taken for common")
    assert shown(full) == ["cell_02", "cell_05"]
    assert full.narrowed.words.text() == "2 of 12 · rare taken for common"
    assert session.case.id == "cell_02"
    full.clear_filter()
    assert len(shown(full)) == 12
    assert full.narrowed.isHidden()


def test_an_empty_project_offers_the_import(panel, session, tmp_path, qtbot):
    session.create_project(tmp_path / "empty.longtail", Task.SEGMENTATION, ["a"])
    assert panel.lists.currentIndex() == 1
    asked = []
    panel.import_asked.connect(lambda: asked.append(1))
    qtbot.mouseClick(panel.lists.currentWidget().button, Qt.MouseButton.LeftButton)
    assert asked == [1]


def test_typing_filters_after_a_moment(full, session, qtbot):
    full.search.line.setText("cell_1")
    qtbot.waitUntil(lambda: shown(full) == ["cell_10", "cell_11"], timeout=WAIT_MS)
    assert session.visible_rows.tolist() == [10, 11]
    assert full.narrowed.isVisible()
    full.search.line.setText("nothing like it")
    qtbot.waitUntil(lambda: full.lists.currentIndex() == 2, timeout=WAIT_MS)
    full.clear_filter()
    assert len(shown(full)) == 12
    assert full.search.line.text() == ""
    assert not full.narrowed.isVisible()


def test_chips_bars_and_parts_filter(full):
    full.pick_status(Status.DRAFT)
    assert shown(full) == ["cell_00"]
    full.pick_status(None)
    full.pick_bar(2)
    assert shown(full) == ["cell_05"]
    full.pick_bar(-1)
    full.pick_bar(UNLABELLED_KEY)
    assert len(shown(full)) == 6
    full.pick_bar(-1)
    assert len(shown(full)) == 12
    full.change_filter(split=Split.TEST)
    assert shown(full) == ["cell_10", "cell_11"]
    assert full.search.funnel.isChecked()


def test_orders_of_the_funnel_are_all_known(full):
    for order in ("status", "split", "patient", "uncertainty", "name"):
        full.change_filter(order=order)
        assert len(shown(full)) == 12


def test_cases_can_be_ordered_by_how_unsure_the_run_is(full, session, qtbot):
    menu = funnel_menu(session.catalogue, full.filter, full.change_filter, full)
    (entry,) = [each for each in menu.actions() if "uncertainty" in each.text()]
    assert not entry.isEnabled()
    full.change_filter(order="uncertainty")
    spec = {"task": "classification", "classes": [{"id": 1}, {"id": 2}], "method": "cross-entropy"}
    run = session.project.new_run(spec)
    values = np.zeros(2, np.float32)
    doubts = {"cell_07": 0.2, "cell_02": 0.9, "cell_09": 0.5}
    session.project.record_predictions(
        [PredictionRecord(c, run.id, "h", 1, None, values, d) for c, d in doubts.items()]
    )
    session.choose_run(run.id)
    qtbot.waitUntil(lambda: shown(full)[:3] == ["cell_02", "cell_09", "cell_07"], timeout=WAIT_MS)
    model = full.list.cases
    assert model.data(model.index(0), Role.ROW).detail == "unsure 0.900"
    menu = funnel_menu(session.catalogue, full.filter, full.change_filter, full, has_doubts=True)
    (entry,) = [each for each in menu.actions() if "uncertainty" in each.text()]
    assert entry.isEnabled()
    assert entry.isChecked()


def test_a_click_shows_the_case_and_the_session_leads_the_list(full, session, qtbot):
    index = full.list.cases.index(3)
    full.list.setCurrentIndex(index)
    assert session.case.id == "cell_03"
    session.show_case("cell_07")
    assert full.list.currentIndex().row() == 7
    assert full.list.delegate.current_id == "cell_07"


def test_the_list_can_be_walked_by_keyboard(full, session, qtbot):
    session.show_case("cell_00")
    qtbot.keyClick(full.list, Qt.Key.Key_Down)
    assert session.case.id == "cell_01"


def choose(panel, *rows):
    flag = QItemSelectionModel.SelectionFlag.Select
    for row in rows:
        panel.list.selectionModel().select(panel.list.cases.index(row), flag)


def test_several_selected_show_what_can_be_done(full, session):
    choose(full, 1)
    assert not full.selection.isVisible()
    choose(full, 2, 3)
    assert full.selection.isVisible()
    assert full.selection.count.text() == "3 selected"
    full.set_split(Split.VAL)
    assert {c.split for c in session.project.cases(ids=["cell_01", "cell_03"])} == {Split.VAL}
    assert full.list.selected() == ["cell_01", "cell_02", "cell_03"]
    full.set_status(Status.DRAFT)
    assert session.project.case("cell_02").status is Status.DRAFT


def test_what_cannot_be_done_is_said(full, session):
    told = []
    session.notice.connect(told.append)
    choose(full, 8, 9)
    full.set_status(Status.REVIEWED)
    refused = session.project.case("cell_08").status is Status.UNLABELLED
    assert bool(told) == refused


def test_deleting_moves_to_the_trash_and_says_so(full, session):
    told = []
    session.notice.connect(told.append)
    session.show_case("cell_02")
    choose(full, 2, 3)
    full.delete_selected()
    assert len(shown(full)) == 10
    assert "trash" in told[0].text
    assert session.case is None or session.case.id not in ("cell_02", "cell_03")


def test_rows_follow_labels(full, session):
    session.project.set_labels(["cell_09"], None, author="me", status=Status.UNLABELLED)
    session.project.set_status(["cell_05"], Status.DRAFT)
    session.labels_saved(["cell_05"])
    row = full.list.cases.index(5).data(Role.ROW)
    assert (row.status, row.chip) == ("draft", "rare")


def test_a_retired_class_no_longer_filters(full, session):
    full.pick_bar(2)
    session.project.retire_class(2)
    session.classes_edited()
    assert full.filter.class_id is None
    assert len(shown(full)) == 12


def test_predictions_of_the_chosen_run_are_pale(full, session, qtbot):
    spec = {"task": "classification", "classes": [{"id": 1}, {"id": 2}], "method": "m"}
    run = session.project.new_run(spec)
    logits = np.array([0.0, 2.0], np.float32)
    session.project.record_predictions(
        [PredictionRecord(f"cell_{n:02d}", run.id, "h", 1, logits=logits) for n in (5, 7, 8)]
    )
    session.choose_run(run.id)
    rare = next(b for b in full.head.bars.bars if b.key == 2)
    assert rare.predicted is None
    qtbot.waitUntil(
        lambda: any(b.predicted == 2 for b in full.head.bars.bars if b.key == 2), timeout=WAIT_MS
    )
    assert full.list.cases.index(7).data(Role.ROW).status == "predicted"
    session.choose_run(None)
    assert all(b.predicted is None for b in full.head.bars.bars)


def test_thumbnails_come_later_and_are_kept_in_the_cache(full, session, qtbot):
    index = full.list.cases.index(2)
    qtbot.waitUntil(lambda: index.data(Role.PICTURE) is not None, timeout=WAIT_MS)
    kept = list((session.project.path / "cache" / "thumbnails").rglob("*.png"))
    assert kept
    case = session.project.case("cell_02")
    place = session.project.path / "cache" / "thumbnails"
    assert not cases_thumbnails.picture(case, place).isNull()


def test_a_file_that_cannot_be_read_is_said(full, session, qtbot, tmp_path):
    (tmp_path / "cell_04.png").write_bytes(b"this is no image")
    session.close_project()
    (tmp_path / "cells.longtail" / "cache").mkdir(exist_ok=True)
    session.open_project(tmp_path / "cells.longtail")
    index = full.list.cases.index(4)
    qtbot.waitUntil(lambda: index.data(Role.PICTURE) or index.data(Role.BROKEN), timeout=WAIT_MS)
    assert index.data(Role.BROKEN)


def test_rows_are_read_aloud(full):
    index = full.list.cases.index(5)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "cell_05, reviewed, rare"
    assert index.data(Qt.ItemDataRole.ToolTipRole).startswith("cell_05")


def test_closing_empties_the_list(full, session):
    session.close_project()
    assert full.stack.currentIndex() == 0
    assert full.list.cases.rowCount() == 0


@pytest.fixture
def dialog(full, session, qtbot):
    dialog = ClassesDialog(session, full)
    dialog.show()
    yield dialog
    dialog.close()


def rows(dialog):
    return [r for r in dialog.findChildren(ClassRow) if r.record in dialog.records()]


def test_a_class_is_added(dialog, session, qtbot):
    dialog.fresh.setText("  new one ")
    qtbot.keyClick(dialog.fresh, Qt.Key.Key_Return)
    assert [c.name for c in session.project.classes] == ["common", "rare", "new one"]
    assert dialog.fresh.text() == ""
    assert dialog.isVisible()


def test_a_class_is_renamed_in_place(dialog, session, full):
    row = rows(dialog)[0]
    row.name.setText("usual")
    row.name.editingFinished.emit()
    assert session.project.classes[0].name == "usual"
    assert full.head.bars.bars[0].name == "usual"


def test_a_name_that_is_taken_is_refused_with_a_reason(dialog, session):
    row = rows(dialog)[0]
    row.name.setText("rare")
    row.name.editingFinished.emit()
    assert session.project.classes[0].name == "common"
    assert dialog.complaint.isVisible()
    assert dialog.complaint.text()
    assert row.findChild(QLineEdit).text() == "common"


def test_merging_recolouring_and_retiring(dialog, session, full):
    common, rare = session.project.classes
    dialog.recolour(rare, "#123456")
    assert session.project.class_named("rare").colour == "#123456"
    dialog.merge(rare, common)
    assert [b.name for b in full.head.bars.bars] == ["common"]
    assert full.head.bars.bars[0].solid == 6
    other = session.project.add_class("other")
    session.classes_edited()
    dialog.retire(other)
    assert [c.name for c in session.project.classes] == ["common"]


def test_what_another_panel_selects_is_selected_here_and_told_once(full, session):
    told = []
    session.cases_selected.connect(told.append)
    session.select_cases(["cell_01", "cell_04"])
    assert full.list.selected() == ["cell_01", "cell_04"]
    assert full.selection.count.text() == "2 selected"
    assert told == [("cell_01", "cell_04")]
    full.list.select(["cell_07"])
    assert told[-1] == ("cell_01", "cell_04", "cell_07")


def test_very_scattered_cases_are_marked_in_place_of_qt_s_selection(full, session, monkeypatch):
    monkeypatch.setattr("longtail.app.panels.cases_list.MOST_RUNS", 2)
    session.select_cases(["cell_01", "cell_03", "cell_05", "cell_07"])
    assert full.list.selected() == ["cell_01", "cell_03", "cell_05", "cell_07"]
    assert not full.list.selectionModel().hasSelection()
    assert full.selection.count.text() == "4 selected"
    full.set_split(Split.VAL)
    assert session.project.case("cell_05").split is Split.VAL
    full.list.select(["cell_00"])
    assert full.list.selected() == ["cell_00"]


def test_cases_alike_are_asked_for_from_the_menu(full, session):
    asked = []
    session.alike_asked.connect(asked.append)
    full.list.select(["cell_02"])
    full.selection.menu().actions()[0].trigger()
    assert asked == [("cell_02",)]
