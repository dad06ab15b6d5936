"""The window of our own, and the same panels in a plain napari: built, used, closed."""

from contextlib import suppress

import pytest
from app_fakes import FakeBackend, Waiting
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QDockWidget, QWidget

from longtail.app import leaving, napari_window, window
from longtail.app.frame import BOTH_FROM_PX, Frame
from longtail.app.leaving import Leaving
from longtail.app.room import Room
from longtail.app.settings import recents, store
from longtail.app.theme import look
from longtail.app.widgets.key_sheet import KeySheet
from longtail.core.backend.events import Finished, Outcome
from longtail.core.jobs.training import TrainJob

WAIT_MS = 10_000


@pytest.fixture
def build(make_napari_viewer_proxy, qtbot, qapp):
    built = []

    def build_one():
        viewer = make_napari_viewer_proxy(show=False, show_welcome_screen=False)
        frame = Frame(viewer, Room(viewer, FakeBackend()))
        built.append(frame)
        frame.show()
        qtbot.waitExposed(frame.window)
        return frame

    yield build_one
    for frame in built:
        frame.room.close()
        with suppress(RuntimeError):  # closed by the test itself
            frame.viewer.close()
        # pytest keeps what a test was given for longer than napari's leak police waits.
        vars(frame).clear()
    # Slots that are lambdas hold their panels until the window is really deleted.
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def frame(build):
    return build()


def open_in(frame, path, qtbot):
    frame.open_first(path)
    qtbot.waitUntil(lambda: frame.room.session.project is not None, timeout=WAIT_MS)


def test_the_first_start_shows_the_welcome(frame):
    assert frame.welcome.isVisible()
    assert not frame.centre.image.isVisible()
    assert not frame.docks["Work"].isVisible()
    assert frame.bar.height() == 40


def test_napari_s_docks_are_one_key_away(frame, qtbot):
    docks = napari_window.layer_docks(frame.window)
    assert [d.objectName() for d in docks] == list(napari_window.LAYER_DOCKS)
    assert not any(d.isVisible() for d in docks)
    frame.toggle_layers()
    assert all(d.isVisible() for d in docks)
    low = frame.window.height() < BOTH_FROM_PX
    assert frame.docks["Cases"].isVisible() != low
    frame.toggle_layers()
    assert not any(d.isVisible() for d in docks)
    assert frame.docks["Cases"].isVisible()


def test_a_project_takes_the_place_of_the_welcome(frame, scans, qtbot):
    open_in(frame, scans, qtbot)
    assert frame.centre.image.isVisible()
    assert not frame.welcome.isVisible()
    assert frame.docks["Work"].isVisible()
    assert frame.room.session.case.id == "scan_0"
    assert "scans" in frame.viewer.title
    assert [r.name for r in recents()] == ["scans.longtail"]
    frame.room.session.close_project()
    assert frame.welcome.isVisible()


def test_panels_stand_in_their_places_with_their_widths(frame, scans, qtbot):
    open_in(frame, scans, qtbot)
    areas = {name: frame.window.dockWidgetArea(dock) for name, dock in frame.docks.items()}
    assert areas == {
        "Session": Qt.DockWidgetArea.TopDockWidgetArea,
        "Cases": Qt.DockWidgetArea.LeftDockWidgetArea,
        "Work": Qt.DockWidgetArea.RightDockWidgetArea,
        "Bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
    }
    for dock in frame.docks.values():
        assert dock.titleBarWidget().height() == 0 or not dock.titleBarWidget().isVisible()
    assert [frame.tabs.tabText(i) for i in range(3)] == ["Label", "Train", "Results"]


def test_what_opens_at_the_bottom_is_as_wide_as_the_image(frame, scans, qtbot):
    frame.bottom.add_page("leaf", "Leaf", QWidget)
    frame.toggle_bottom()
    assert frame.docks["Bottom"].isHidden()
    open_in(frame, scans, qtbot)
    assert frame.docks["Bottom"].isHidden()
    frame.open_panel("Leaf")
    image, low = frame.centre.image, frame.bottom
    assert frame.docks["Bottom"].isVisible()
    qtbot.waitUntil(lambda: abs(low.width() - image.width()) < 12, timeout=WAIT_MS)
    sides = frame.docks["Cases"].height()
    assert sides > image.height() + low.height()
    frame.room.session.close_project()
    assert frame.docks["Bottom"].isHidden()
    open_in(frame, scans, qtbot)
    assert frame.docks["Bottom"].isVisible()
    frame.toggle_bottom()
    assert frame.docks["Bottom"].isHidden()


def test_the_menu_window_leads_to_the_pages_at_the_bottom(frame, scans, qtbot):
    frame.bottom.add_page("leaf", "Leaf", QWidget)
    open_in(frame, scans, qtbot)
    menu = frame.viewer.window.window_menu
    for _ in range(2):
        menu.aboutToShow.emit()
    words = [action.text() for action in menu.actions()]
    assert words.count("Leaf") == 1
    menu.actions()[words.index("Leaf")].trigger()
    assert frame.docks["Bottom"].isVisible()


def test_what_cannot_be_opened_is_said_in_the_window(frame, tmp_path, qtbot):
    broken = tmp_path / "broken.longtail"
    broken.mkdir()
    (broken / "project.db").write_bytes(b"this is no database")
    frame.open_first(broken)
    qtbot.waitUntil(lambda: bool(frame.toasts.toasts), timeout=WAIT_MS)
    assert frame.toasts.toasts[0].severity == "error"
    assert frame.welcome.isVisible()


def test_size_tab_and_project_come_back(build, scans, qtbot):
    first = build()
    open_in(first, scans, qtbot)
    first.tabs.open("Results")
    first.viewer.close()
    assert first.room.closed
    assert store().value("window/tab") == "Results"
    second = build()
    assert second.tabs.current() == "Results"
    second.open_first(None)
    qtbot.waitUntil(lambda: second.room.session.project is not None, timeout=WAIT_MS)
    assert second.room.session.project.name == "scans"


@pytest.mark.parametrize(
    ("answer", "open_after", "left_running"),
    [(Leaving.STAY, True, None), (Leaving.GO_ON, False, True), (Leaving.KEEP, False, False)],
)
def test_closing_during_a_run_asks(frame, monkeypatch, answer, open_after, left_running):
    session = frame.room.session
    driver = Waiting()
    session._driver = driver
    tracked = session.submit(TrainJob("p", "run-001"))
    tracked.handle.__dict__["stop"] = lambda: driver.give(Finished(Outcome.STOPPED))
    session._record = lambda *_what: None
    monkeypatch.setattr(leaving, "ask_leaving", lambda title, parent: answer)
    (frame.window if open_after else frame.viewer).close()
    assert frame.room.closed != open_after
    assert session.backend.closed is left_running
    tracked.take(Finished(Outcome.STOPPED))


def test_the_compute_process_is_made_ready_when_the_window_rests(frame, qtbot):
    qtbot.waitUntil(lambda: frame.room.session.backend.warm, timeout=WAIT_MS)


def test_the_theme_of_napari_is_worn(frame):
    sheet = frame.cases.styleSheet()
    frame.viewer.theme = "light"
    assert look().tokens.theme_id == "light"
    assert frame.cases.styleSheet() != sheet


def test_all_keys_are_on_one_sheet(frame, qtbot):
    frame.show_keys()
    sheets = [w for w in QApplication.topLevelWidgets() if isinstance(w, KeySheet)]
    assert any(s.isVisible() for s in sheets)
    for sheet in sheets:
        sheet.close()


def test_napari_s_own_complaints_are_seen_on_the_welcome(frame):
    from napari.utils.notifications import Notification

    frame._napari_said(Notification("something broke", "error"))
    assert frame.toasts.toasts[0].text == "something broke"


def test_panels_lead_to_each_other(frame, scans, qtbot):
    open_in(frame, scans, qtbot)
    frame.tabs.widget(1).panel_asked.emit("Results")
    assert frame.tabs.current() == "Results"
    frame.tabs.widget(2).panel_asked.emit("Label")
    assert frame.tabs.current() == "Label"
    frame.bar.job_clicked.emit()
    assert frame.tabs.current() == "Train"


def test_the_project_menu_is_filled(frame, scans, qtbot):
    titles = [action.text() for action in frame.window.menuBar().actions()]
    assert titles[0] == "&Project"
    menu = frame.window.menuBar().actions()[0].menu()
    menu.aboutToShow.emit()
    words = [action.text() for action in menu.actions() if action.text()]
    assert words[:2] == ["Open a project...", "New project from a folder..."]


def test_in_a_plain_napari_panels_share_a_session_and_hide_nothing(
    make_napari_viewer_proxy, scans, monkeypatch, qtbot
):
    monkeypatch.setattr(window, "new_backend", FakeBackend)
    viewer = make_napari_viewer_proxy(show=True)
    panels = [
        make(viewer)
        for make in (
            window.cases_widget,
            window.label_widget,
            window.train_widget,
            window.results_widget,
        )
    ]
    for panel, name in zip(panels, ("Cases", "Label", "Train", "Results"), strict=True):
        viewer.window.add_dock_widget(panel, name=name, area="right")
    main = panels[0].window()
    assert all(dock.isVisible() for dock in napari_window.layer_docks(main))
    room = window.room_of(viewer)
    room.session.open_project(scans)
    assert panels[0].list.cases.rowCount() == 3
    dock = main.findChild(QDockWidget, "Cases")
    assert dock is not None
    room.close()


def test_keys_of_the_image_work_after_a_click_in_the_list(frame, scans, qtbot):
    open_in(frame, scans, qtbot)
    qtbot.waitUntil(lambda: "labels" in frame.viewer.layers, timeout=WAIT_MS)
    session = frame.room.session
    first = session.case.id
    view = frame.cases.list
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert session.case.id != first
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert session.case.id == first
    qtbot.waitUntil(lambda: "labels" in frame.viewer.layers, timeout=WAIT_MS)
    second = session.project.classes[-1].id
    qtbot.keyClick(view, str(len(session.project.classes)))
    assert session.active_class == second
