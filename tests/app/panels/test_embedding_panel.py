"""The embedding panel in each of its states, with a backend that does as it is told."""

import csv
import subprocess
import sys

import numpy as np
import pytest
from app_fakes import FakeBackend, Waiting
from qtpy.QtCore import Qt

from longtail.app.panels.cases import CasesPanel
from longtail.app.panels.embedding import EmbeddingPanel
from longtail.app.panels.embedding_model import Stage
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Progress
from longtail.core.explain.embedding_file import (
    Embedding,
    EmbeddingAbout,
    Frames,
    Picture,
    PictureAbout,
    write_embedding,
    write_frames,
    write_picture,
)
from longtail.core.explain.embedding_frames import frame_name, write_about_frames
from longtail.core.jobs.embedding import EmbedJob, ProjectFramesJob, ProjectJob
from longtail.core.project.records import Split, Status
from longtail.core.project.store import Project

WAIT_MS = 10_000
KEY = "0123456789abcdef"


def about(run=None, ids=()):
    return EmbeddingAbout(
        key=KEY,
        kind="images",
        run=run,
        encoder="a network",
        eyes="1" * 16,
        weights_hash="2" * 64,
        class_ids=ids,
        class_names=tuple(map(str, ids)),
    )


def places(count):
    """Common cells at the left, the rare one and the unlabelled at the right."""
    spots = np.zeros((count, 2), np.float32)
    spots[:, 0] = np.arange(count)
    spots[:, 1] = np.arange(count) % 3
    return spots


def keep(folder, case_ids, *, run=None, ways=("pca",)):
    """Put an embedding and its pictures where the panel looks for them."""
    count = len(case_ids)
    unknown = np.full(count, -1, np.int32)
    features = np.zeros((count, 4), np.float16)
    features[:, 0] = np.cos(np.arange(count) / 9)
    features[:, 1] = np.sin(np.arange(count) / 9)
    embedding = Embedding(
        about(run),
        features,
        tuple(case_ids),
        np.arange(count, dtype=np.int32),
        np.full((count, 3), -1, np.int32),
        unknown,
        unknown,
        np.zeros((count, 0), np.float32),
        np.arange(count, dtype=np.uint64),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_embedding(folder / f"images-{KEY}.npz", embedding)
    for way in ways:
        seen = PictureAbout(key=KEY, way=way, seed=0)
        write_picture(folder / f"images-{KEY}--{way}-0.npz", Picture(seen, places(count)))


def ids_of(path):
    with Project.open(path, write=False) as project:
        return list(project.catalogue().ids)


class Desk:
    """A panel beside the list of cases, and what both share."""

    def __init__(self, path, qtbot):
        self.driver = Waiting()
        self.backend = FakeBackend(())
        self.session = Session(self.backend, self.driver, record=lambda *_what: None)
        self.notices, self.gone = [], []
        self.session.notice.connect(lambda notice: self.notices.append(notice.text))
        self.cases = CasesPanel(self.session)
        self.panel = EmbeddingPanel(
            self.session, lambda case, place: self.gone.append((case, tuple(place)))
        )
        for widget in (self.cases, self.panel):
            qtbot.addWidget(widget)
        self.panel.resize(760, 230)
        self.session.open_project(path)
        self.qtbot = qtbot
        self.panel.show()
        qtbot.waitExposed(self.panel)
        self.settle()

    @property
    def model(self):
        return self.panel.model

    @property
    def plot(self):
        return self.panel.plane.plot

    @property
    def job(self):
        return self.driver.watched[-1][0].job

    def settle(self):
        busy = (Stage.READING, Stage.CLOSED)
        self.wait(lambda: self.model.stage not in busy and not self.plot.painting.waits)

    def wait(self, until):
        self.qtbot.waitUntil(until, timeout=WAIT_MS)

    def finish(self, outcome=Outcome.COMPLETED, result=None, reason="", remedy=""):
        self.driver.give(Finished(outcome, result, reason, remedy))
        self.settle()

    def close(self):
        self.panel.close_threads()
        self.cases.close_threads()
        self.session.close()


@pytest.fixture
def desk(qtbot):
    desks = []

    def sit(path):
        desks.append(Desk(path, qtbot))
        return desks[-1]

    yield sit
    for one in desks:
        one.close()


@pytest.fixture
def seen(cells, desk):
    keep(cells / "cache" / "embeddings", ids_of(cells))
    return desk(cells)


def test_nothing_yet_says_what_to_do_and_the_button_does_it(cells, desk):
    found = desk(cells)
    assert found.model.stage is Stage.EMPTY
    assert "12 images" in found.panel.invitation.title.text()
    assert not found.panel.head.lasso.isEnabled()
    found.panel.invitation.button.click()
    assert isinstance(found.job, EmbedJob)
    assert found.job.run_id is None
    assert found.panel.pages.currentWidget() is found.panel.work


def test_work_tells_how_far_it_is_and_can_be_stopped(cells, desk):
    found = desk(cells)
    found.model.compute()
    found.driver.give(Progress(3, 12, 30.0, "Looking at the images"))
    assert found.panel.work.title.text() == "Looking at the images"
    assert found.panel.work.words.text() == "3 of 12 · 30 seconds left"
    assert found.panel.work.bar.value() == 250
    found.panel.work.stop.click()
    assert found.driver.watched[-1][0].handle.asked == ["stop"]


def test_after_the_embedding_its_picture_is_made_and_shown(cells, desk):
    found = desk(cells)
    found.model.compute()
    folder = cells / "cache" / "embeddings"
    keep(folder, ids_of(cells), ways=())
    found.driver.give(Finished(Outcome.COMPLETED, {"file": f"cache/embeddings/images-{KEY}.npz"}))
    found.wait(lambda: isinstance(found.job, ProjectJob))
    keep(folder, ids_of(cells))
    found.finish(result={"file": "x"})
    assert found.model.stage is Stage.READY
    assert len(found.plot.points) == 12


def test_failure_says_why_and_what_next(cells, desk):
    found = desk(cells)
    found.model.compute()
    found.finish(Outcome.FAILED, reason="The disk is full.", remedy="Make room.")
    assert found.panel.invitation.text.text() == "The disk is full. Make room."
    found.panel.invitation.button.click()
    assert len(found.driver.watched) == 2


def test_what_is_there_is_shown_with_a_legend(seen):
    assert seen.model.stage is Stage.READY
    lines = {line.kind.name: line.count for line in seen.panel.side.legend.kinds.lines}
    assert lines == {"common": 5, "rare": 1, "not labelled": 6}
    assert [star.kind for star in seen.plot.points.stars] == [0, 1]


def test_cases_that_came_later_are_told(cells, desk):
    keep(cells / "cache" / "embeddings", ids_of(cells)[:9])
    found = desk(cells)
    assert found.panel.side.legend.note.text() == "3 images are not in it yet."
    found.panel.side.legend.refresh.click()
    assert isinstance(found.job, EmbedJob)


def test_a_damaged_file_is_told_and_can_be_made_again(cells, desk):
    folder = cells / "cache" / "embeddings"
    folder.mkdir(parents=True)
    (folder / f"images-{KEY}.npz").write_bytes(b"no embedding")
    found = desk(cells)
    assert found.model.stage is Stage.FAILED
    assert "damaged" in found.panel.invitation.text.text()
    found.panel.invitation.button.click()
    assert isinstance(found.job, EmbedJob)


def test_another_way_is_computed_while_the_old_picture_stays(seen, cells):
    seen.panel.head.way.setCurrentIndex(1)
    seen.panel.head.way.activated.emit(1)
    seen.wait(lambda: bool(seen.driver.watched))
    assert seen.job == ProjectJob(str(cells), f"cache/embeddings/images-{KEY}.npz", "umap", 0)
    assert seen.panel.plane.strip.isVisible()
    assert len(seen.plot.points) == 12
    keep(cells / "cache" / "embeddings", ids_of(cells), ways=("pca", "umap"))
    seen.finish(result={"file": "x"})
    assert seen.model.seen.picture.about.way == "umap"
    assert not seen.panel.plane.strip.isVisible()


def test_a_way_that_was_stopped_leaves_the_one_before(seen):
    seen.panel._choose_way("tsne")
    seen.wait(lambda: bool(seen.driver.watched))
    seen.finish(Outcome.STOPPED)
    assert seen.model.way == "pca"
    assert seen.panel.head.way.currentText() == "PCA"
    assert seen.model.stage is Stage.READY


def test_a_lasso_selects_in_the_list_of_cases_too(seen):
    seen.plot.lassoed.emit(np.array([1, 2, 5]), False)
    assert seen.cases.list.selected() == ["cell_01", "cell_02", "cell_05"]
    assert seen.panel.side.selection.title.label.text() == "3 SELECTED"
    lines = {line.kind.name: line.count for line in seen.panel.side.selection.kinds.lines}
    assert lines == {"common": 2, "rare": 1}
    seen.plot.lassoed.emit(np.array([8]), True)
    assert seen.panel.choice.rows.tolist() == [1, 2, 5, 8]
    seen.panel.side.selection.clear.click()
    assert seen.cases.list.selected() == []
    assert seen.panel.side.pages.currentWidget() is seen.panel.side.legend


def test_what_the_list_selects_is_chosen_on_the_plane(seen):
    seen.cases.list.select(["cell_03", "cell_07"])
    assert seen.panel.choice.rows.tolist() == [3, 7]
    assert seen.plot.chosen.tolist() == [3, 7]


def test_selected_cases_are_listed(seen):
    seen.plot.lassoed.emit(np.array([1, 5]), False)
    seen.panel.side.selection.cases.click()
    assert seen.cases.list.cases.rowCount() == 2


def state(session, ids):
    return [(c.labels, c.status, c.split) for c in session.project.cases(ids=ids)]


def test_a_class_is_given_to_all_that_is_selected_and_taken_back(seen):
    ids = ["cell_00", "cell_01", "cell_08"]
    before = state(seen.session, ids)
    seen.plot.lassoed.emit(np.array([0, 1, 8]), False)
    menu = seen.panel.side.selection.give.menu()
    next(a for a in menu.actions() if a.text() == "rare").trigger()
    seen.wait(lambda: bool(seen.panel.steps.last))
    assert all(2 in labels.yes for labels, _, _ in state(seen.session, ids))
    assert seen.panel.side.undo.isVisible()
    assert seen.panel.steps.last == "rare, 3 images"
    lines = {line.kind.name: line.count for line in seen.panel.side.selection.kinds.lines}
    seen.wait(lambda: seen.model.facts.true[8] == 2)
    lines = {line.kind.name: line.count for line in seen.panel.side.selection.kinds.lines}
    assert lines == {"rare": 3}
    seen.panel.side.undo.click()
    seen.wait(lambda: not seen.panel.side.undo.isVisible())
    seen.wait(lambda: state(seen.session, ids) == before)


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        (lambda s: s.status_asked.emit(Status.DRAFT), lambda c: c.status is Status.DRAFT),
        (lambda s: s.split_asked.emit(Split.VAL), lambda c: c.split is Split.VAL),
    ],
)
def test_status_and_part_are_given_and_taken_back(seen, ask, wanted):
    ids = ["cell_01", "cell_02"]
    before = state(seen.session, ids)
    seen.plot.lassoed.emit(np.array([1, 2]), False)
    ask(seen.panel.side.selection)
    seen.wait(lambda: bool(seen.panel.steps.last))
    assert all(wanted(case) for case in seen.session.project.cases(ids=ids))
    seen.panel.steps.undo()
    seen.wait(lambda: state(seen.session, ids) == before)


def test_nothing_can_be_changed_in_a_project_for_reading(cells, desk):
    keep(cells / "cache" / "embeddings", ids_of(cells))
    with Project.open(cells):
        found = desk(cells)
        found.plot.lassoed.emit(np.array([1]), False)
        assert not found.panel.side.selection.give.isEnabled()
        assert not found.panel.side.selection.split.isEnabled()
        found.model.compute()
        assert "reading only" in found.panel.invitation.text.text()
        assert not found.driver.watched


def test_a_point_shows_its_case_and_opens_it(seen):
    plane = seen.panel.plane
    plane._point(5, seen.plot.spot_of(5).toPoint())
    seen.wait(plane.card.isVisible)
    assert plane.card.lines[:2] == ("cell_05", "rare")
    seen.wait(lambda: plane.card.picture is not None)
    plane.open_point(5)
    assert seen.gone == [("cell_05", (-1, -1, -1))]
    plane._point(-1, seen.plot.spot_of(5).toPoint())
    assert not plane.card.isVisible()


def test_the_case_of_the_window_is_ringed(seen):
    seen.session.show_case("cell_04")
    assert seen.plot._shown == 4


def test_cases_like_one_are_selected_and_listed(seen):
    seen.panel.show_alike(["cell_00"])
    seen.wait(lambda: len(seen.panel.choice.rows) > 1)
    assert seen.panel.choice.words == "like cell_00"
    assert seen.cases.filter.words == "like cell_00"


def test_a_wish_for_like_cases_waits_for_the_embedding(cells, desk):
    found = desk(cells)
    found.panel.show_alike(["cell_00"])
    keep(cells / "cache" / "embeddings", ids_of(cells))
    found.model._read()
    found.wait(lambda: len(found.panel.choice.rows) > 1)


def test_every_colour_can_be_chosen(seen):
    head = seen.panel.head
    for place in range(head.colour.count()):
        head.colour.setCurrentIndex(place)
        head.colour.activated.emit(place)
    seen.wait(lambda: seen.panel.plane.colour_by == head.colour.currentData())
    assert head.colour.findData("column:patient") > 0
    seen.panel.plane.colour("column:patient")
    seen.wait(lambda: len(seen.plot.points.kinds) > 8)


def test_a_kind_of_the_legend_selects_its_points(seen):
    seen.panel.side.legend.kinds.picked.emit(1)
    assert seen.panel.choice.rows.tolist() == [5]


def test_changed_labels_change_colours_and_nothing_else(seen):
    seen.plot.zoom(3)
    view = seen.plot.view
    former = seen.plot.points
    seen.session.project.set_labels(["cell_09"], None, author="me")
    seen.session.labels_saved(["cell_09"])
    seen.wait(lambda: seen.plot.points is not former)
    assert seen.plot.view == view


def test_a_closed_project_leaves_nothing(seen):
    seen.session.close_project()
    assert seen.plot.points is None
    assert seen.panel.invitation.title.text() == "No project open"


@pytest.mark.parametrize("what", ["png", "svg", "csv"])
def test_what_is_seen_is_saved(seen, tmp_path, what):
    path = tmp_path / f"out.{what}"
    seen.plot.lassoed.emit(np.array([2]), False)
    seen.panel.saving.save(what, path)
    assert f"Saved out.{what}." in seen.notices
    if what == "csv":
        lines = list(csv.DictReader(path.read_text().splitlines()))
        assert [line["case"] for line in lines] == ids_of(seen.session.project.path)
        assert [line["selected"] for line in lines].count("1") == 1
        assert (lines[5]["class"], float(lines[5]["x"])) == ("rare", 5.0)
    elif what == "svg":
        text = path.read_text()
        assert text.count("<path") == 2 * 3
        assert ">rare<" in text
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_replay_glides_through_the_frames_of_a_run(cells, desk):
    ids = ids_of(cells)
    with Project.open(cells) as project:
        run = project.new_run({"method": "cross-entropy", "classes": [], "task": "classification"})
        project.record_run(run.id, state="completed", result={})
        folder = project.run_folder(run.id) / "embeddings"
    keep(folder, ids, run=run.id)
    write_about_frames(folder, ids[:6])
    for step in (0, 50, 100):
        np.savez(folder / frame_name(step), features=np.zeros((6, 4), np.float16))
    found = desk(cells)
    replay = found.panel.plane.replay
    assert replay.isVisible()
    assert replay.caption.text() == "all images, now"
    replay.slider.setValue(1)
    assert isinstance(found.job, ProjectFramesJob)
    moved = np.stack([places(6) + shift for shift in (0, 10, 20)]).astype(np.float32)
    seen = PictureAbout(key=KEY, way="pca", seed=0)
    write_frames(folder / "frames.npz", Frames(seen, tuple(ids[:6]), (0, 50, 100), moved))
    file = f"runs/{run.id}/embeddings/frames.npz"
    found.driver.give(Finished(Outcome.COMPLETED, {"file": file}))
    found.wait(lambda: found.plot.points is not None and len(found.plot.points) == 6)
    # The last frame lies on the picture of all images, the others as they lie to it.
    np.testing.assert_allclose(found.plot.points.spots, places(6) - 10, atol=1e-3)
    assert replay.caption.text() == "step 50 of 100"
    found.plot.lassoed.emit(np.array([5]), False)
    assert found.panel.choice.case_ids == ("cell_05",)
    replay.slider.setValue(3)
    assert len(found.plot.points) == 12
    replay.play.click()
    found.wait(lambda: not replay._playing)
    assert replay.caption.text() == "step 100 of 100"
    np.testing.assert_allclose(found.plot.points.spots, places(6), atol=1e-3)


def test_the_panel_loads_nothing_heavy():
    heavy = ("torch", "monai", "sklearn", "umap", "openTSNE")
    code = (
        "import sys\n"
        "import longtail.app.panels.embedding, longtail.app.bottom\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert told.stdout.strip() == "[]"


def test_the_legend_is_reached_by_the_keyboard(seen):
    kinds = seen.panel.side.legend.kinds
    kinds.setFocus()
    seen.qtbot.keyClick(kinds, Qt.Key.Key_Down)
    if not kinds.hasFocus():  # without a window manager nothing gets the focus
        seen.qtbot.keyClick(kinds, Qt.Key.Key_Down)
    seen.qtbot.keyClick(kinds, Qt.Key.Key_Return)
    place = kinds.lines[1].place
    codes = seen.panel.plane.colouring.codes
    assert seen.panel.choice.rows.tolist() == np.flatnonzero(codes == place).tolist()


def test_without_the_panel_it_is_said_where_it_is(cells):
    session = Session(FakeBackend())
    said = []
    session.notice.connect(lambda notice: said.append(notice.text))
    session.ask_alike(["cell_00"])
    assert said == ["Open the panel Embedding under Plugins, Longtail."]
    session.close()
