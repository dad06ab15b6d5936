"""The page of heat maps in each of its states, and the tiles that it paints."""

from types import SimpleNamespace

import numpy as np
import pytest

from longtail.app.panels.review_maps import MapsPage
from longtail.app.panels.review_maps_grid import TILE_PX, overlaid, pixmap
from longtail.app.panels.review_maps_model import MEAN, classes_of, tiles, words_of
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Progress, Started
from longtail.core.jobs.auditing import AuditJob, SanityJob
from longtail.core.project.store import Project
from longtail.core.review.audit import Inside, Looked, by_suspicion, class_summaries
from longtail.core.review.audit_file import SIDE, Audit, AuditPictures, write_audit

NAMES = {1: "common", 2: "rare"}


def one(case, inside, class_id=1, of=Inside.BODY, edge=0.1, kind="graded"):
    point = None if inside is None else inside > 0.5
    area = None if inside is None else 0.4
    return Looked(case, class_id, kind, 0.8, of, inside, area, edge, point)


FOUND = by_suspicion(
    [
        one("cell_10", 0.9, edge=0.05),
        one("cell_11", 0.2, edge=0.3),
        one("cell_04", None, kind="empty", of=Inside.NOTHING, edge=None),
        one("cell_05", 0.3, class_id=2, of=Inside.BOX),
    ]
)
AUDIT = Audit("r", "test", "grad-cam", "f" * 64, class_summaries(FOUND), FOUND, ("note",))


def pictures(count=4):
    random = np.random.default_rng(0)
    return AuditPictures(
        random.integers(0, 255, (count, SIDE, SIDE, 3)).astype(np.uint8),
        random.integers(0, 255, (count, SIDE, SIDE)).astype(np.uint8),
        np.full(count, 1.5, np.float32),
        np.full(count, -1, np.int32),
        {1: np.full((SIDE, SIDE), 200, np.uint8)},
    )


class Stage:
    def __init__(self):
        self.jobs, self.takes, self.asked = [], [], []

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(stop=lambda: self.asked.append("stop"))

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"

    def watch(self, tracked, take):
        self.takes.append((tracked, take))

    def tell(self, *events):
        tracked, take = self.takes[-1]
        for event in events:
            take(tracked, event)


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def session(stage, cells):
    with Project.open(cells) as project:
        run = project.new_run({"method": "cross-entropy", "classes": [{"id": 1, "name": "common"}]})
        project.record_run(run.id, state="completed", result={})
    session = Session(stage, stage)
    session.open_project(cells)
    yield session
    session.close()


@pytest.fixture
def page(qtbot, session):
    page = MapsPage(session)
    qtbot.addWidget(page)
    page.resize(776, 260)
    yield page
    page.close_threads()


def folder(session):
    (run,) = session.project.runs()
    return session.project.run_folder(run.id)


def test_without_maps_it_offers_to_make_them(qtbot, session, page, stage):
    page.show()
    qtbot.waitUntil(lambda: bool(page.nothing.text.text()))
    page.nothing.button.click()
    assert isinstance(stage.jobs[0], AuditJob)
    stage.tell(Started("x", "CPU"), Progress(1, 4, 3.0, "looking"))
    qtbot.waitUntil(lambda: page.working.words.text() == "Looking")
    page.working.stop.click()
    assert stage.asked == ["stop"]
    stage.tell(Finished(Outcome.FAILED, None, "Nothing to look at.", "Label some."))
    qtbot.waitUntil(lambda: page.failed.title.text() == "Nothing to look at.")
    assert page.nothing_page.isVisible()


def test_maps_are_shown_class_by_class(qtbot, session, page, stage):
    page.show()
    qtbot.waitUntil(lambda: bool(page.nothing.text.text()))
    page.nothing.button.click()
    write_audit(folder(session), AUDIT, pictures())
    stage.tell(Finished(Outcome.COMPLETED, {"maps": 4}))
    qtbot.waitUntil(lambda: page.body.isVisible())
    assert page.head.classes.count() == 2
    assert page.head.classes.currentData() == 2
    assert "lies in the drawn box" in page.words.text()
    page.head.classes.setCurrentIndex(1)
    page.head.classes.activated.emit(1)
    assert page.grid.tiles.rowCount() == 4
    assert page.silent.text().startswith("1 of 3 maps say nothing. A cross")
    assert not page.grid.grab().isNull()
    page.grid.setCurrentIndex(page.grid.tiles.index(1))
    assert session.case.id == "cell_11"
    page.head.heat.setChecked(False)
    assert page.grid.tiles.rowCount() == 4


def test_another_kind_of_map_looks_at_all_cases_again(qtbot, session, page, stage):
    write_audit(folder(session), AUDIT, pictures())
    page.show()
    qtbot.waitUntil(lambda: page.body.isVisible())
    assert page.head.variant.currentData() == "grad-cam"
    page.head.variant.activated.emit(0)
    assert stage.jobs == []
    row = page.head.variant.findData("layercam")
    page.head.variant.setCurrentIndex(row)
    page.head.variant.activated.emit(row)
    assert (type(stage.jobs[-1]), stage.jobs[-1].variant) == (AuditJob, "layercam")


def test_the_check_tells_in_words(qtbot, session, page, stage):
    write_audit(folder(session), AUDIT, pictures())
    page.show()
    qtbot.waitUntil(lambda: page.body.isVisible())
    page.check.click()
    assert isinstance(stage.jobs[-1], SanityJob)
    assert not page.check.isVisible()
    result = {"sentence": "Passed: with random weights the maps are others.", "trusted": True}
    stage.tell(Started("x", "CPU"), Finished(Outcome.COMPLETED, result))
    assert page.outcome.title.text() == "Passed"
    assert page.outcome.text.text() == "With random weights the maps are others."
    assert page.check.isVisible()


def test_damaged_maps_say_so(qtbot, session, page):
    path = write_audit(folder(session), AUDIT, pictures())
    path.with_name("pictures.npz").write_bytes(b"no")
    page.show()
    qtbot.waitUntil(lambda: "damaged" in page.failed.title.text())


def test_tiles_come_in_the_order_that_is_asked_for():
    least = tiles(AUDIT, 1, "least")
    assert least[0].place == MEAN
    assert [tile.case_id for tile in least[1:]] == ["cell_11", "cell_10", "cell_04"]
    assert [tile.caption for tile in least[1:]] == ["20% inside", "90% inside", "says nothing"]
    assert least[1].doubtful
    assert not least[2].doubtful
    assert [tile.case_id for tile in tiles(AUDIT, 1, "most")[1:3]] == ["cell_10", "cell_11"]
    assert tiles(AUDIT, 1, "edge")[1].caption == "30% at the edge"
    assert [tile.case_id for tile in tiles(AUDIT, 2, "least")] == ["cell_05"]
    assert classes_of(AUDIT, NAMES) == [(2, "rare", 1), (1, "common", 3)]
    assert words_of(AUDIT, 7, "gone") == "gone: no map could be compared with anything."


def test_the_higher_the_map_the_less_of_the_picture_is_seen():
    picture = np.full((2, 2, 3), 100, np.uint8)
    heat = np.array([[0, 255], [128, 0]], np.uint8)
    shown = overlaid(picture, heat)
    np.testing.assert_array_equal(shown[0, 0], [100, 100, 100])
    assert (
        np.abs(shown[0, 1].astype(int) - 100).sum()
        > np.abs(shown[1, 0].astype(int) - 100).sum() / 2
    )


@pytest.mark.parametrize("aspect", [0.1, 1.0, 4.0, 0.0, float("nan")])
def test_pictures_fit_their_tile(qtbot, aspect):
    made = pixmap(np.zeros((SIDE, SIDE, 3), np.uint8), aspect)
    assert max(made.width(), made.height()) == TILE_PX
    assert min(made.width(), made.height()) >= 1
