"""The Review panel in each of its states, with a backend and a desk that do as they are told."""

from types import SimpleNamespace

import psygnal
import pytest

from longtail.app.panels.review import ReviewPanel
from longtail.app.panels.review_keys import ReviewKeys
from longtail.app.panels.review_page import Filters
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Progress, Started
from longtail.core.jobs.reviewing import ReviewJob
from longtail.core.project.records import ImageLabels, Status
from longtail.core.project.store import Project
from longtail.core.review.queue import Entry, Kind
from longtail.core.review.queue_file import Queue, queue_path, write_queue

ENTRIES = (
    Entry(
        "cell_01",
        (Kind.LABEL,),
        "Labelled common, but looks like rare (91 %).",
        1.0,
        (1,),
        2,
        share=0.91,
    ),
    Entry("cell_05", (Kind.TAIL,), "rare is a rare class.", 0.7, (2,), 1, share=0.8),
    Entry("cell_07", (Kind.RARE,), "May be rare (60 %).", 0.6, (), 2, share=0.6),
    Entry("cell_02", (Kind.UNSURE, Kind.LABEL), "Undecided.", 0.5, (1,), 2, share=0.5),
)


class Stage:
    def __init__(self):
        self.jobs, self.takes, self.cancelled = [], [], []

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(cancel=lambda: self.cancelled.append(job))

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


class Keeper:
    """Writes at once and tells the session, as the desk does a moment later."""

    def __init__(self, session, heard):
        self.session, self.heard = session, heard

    def change(self, case_ids, call):
        call()
        self.session.labels_saved(tuple(case_ids))


class Desk:
    heard = psygnal.Signal(object)

    def __init__(self, session):
        self.keeper = Keeper(session, self.heard)


class Viewer:
    def __init__(self):
        self.keymap = {}

    def bind_key(self, key, act, overwrite=False):
        former = self.keymap.get(key)
        self.keymap[key] = act
        return former


class Canvas:
    def __init__(self, session):
        self.desk, self.folded, self.started = Desk(session), 0, 0
        self.viewer = Viewer()

    def fold(self):
        self.folded += 1

    def start_from_prediction(self):
        self.started += 1


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def session(stage, cells):
    with Project.open(cells) as project:
        spec = {"method": "cross-entropy", "classes": [{"id": 1, "name": "common"}]}
        run = project.new_run(spec)
        project.record_run(run.id, state="completed", result={})
    session = Session(stage, stage)
    session.open_project(cells)
    yield session
    session.close()


@pytest.fixture
def panel(qtbot, session):
    panel = ReviewPanel(session, Canvas(session))
    qtbot.addWidget(panel)
    panel.resize(310, 690)
    yield panel
    panel.close_threads()


def fill(session, entries=ENTRIES):
    (run,) = session.project.runs()
    path = queue_path(session.project.run_folder(run.id))
    write_queue(path, Queue(run.id, session.project.label_version, entries, {"cases": 12}))


@pytest.fixture
def full(qtbot, session, panel):
    fill(session)
    panel.show()
    qtbot.waitUntil(lambda: panel.standing is not None and panel.current == "cell_01")
    return panel


def test_without_a_list_it_offers_to_make_one(qtbot, session, panel, stage):
    panel.show()
    qtbot.waitUntil(lambda: bool(panel.nothing.text.text()))
    assert "labels that are likely wrong" in panel.nothing.text.text()
    panel.nothing.button.click()
    (job,) = stage.jobs
    assert isinstance(job, ReviewJob)
    assert job.run_id == session.project.runs()[0].id
    stage.tell(Started("x", "CPU"), Progress(3, 12, 7.0, "predicting"))
    qtbot.waitUntil(lambda: panel.page.working.words.text() == "Predicting")
    assert panel.page.working.isVisible()
    panel.page.working.stop.click()
    assert stage.cancelled == [job]


def test_a_failure_says_why_and_can_be_tried_again(qtbot, panel, stage):
    panel.show()
    qtbot.waitUntil(lambda: bool(panel.nothing.text.text()))
    panel.nothing.button.click()
    stage.tell(Finished(Outcome.FAILED, None, "No weights.", "Install them."))
    qtbot.waitUntil(lambda: panel.page.end.title.text() == "No weights.")
    assert panel.page.end.text.text() == "Install them."
    panel.page.retry.click()
    assert len(stage.jobs) == 2


def test_a_made_list_is_read_and_its_first_case_shown(qtbot, session, panel, stage):
    panel.show()
    qtbot.waitUntil(lambda: bool(panel.nothing.text.text()))
    panel.nothing.button.click()
    fill(session)
    stage.tell(Finished(Outcome.COMPLETED, {"count": 4}))
    qtbot.waitUntil(lambda: panel.current == "cell_01")
    assert session.case.id == "cell_01"
    assert panel.page.number.number.text() == "4"
    assert panel.page.case.why.text() == ENTRIES[0].why
    assert panel.page.verdicts.keep.text() == "Keep common   A"
    assert panel.page.verdicts.take.text() == "Take rare   S"
    assert not panel.page.filters.chips["done"].isVisibleTo(panel)


def test_one_key_each_and_back_again(session, full):
    project = session.project
    assert full.act("S")
    assert project.case("cell_01").labels == ImageLabels(frozenset({2}))
    assert full.current == "cell_05"
    assert full.act("A")
    assert project.case("cell_05").status is Status.REVIEWED
    assert full.current == "cell_07"
    assert full.act("A")
    assert project.case("cell_07").labels == ImageLabels(frozenset({2}))
    assert full.act("D")
    assert project.case("cell_02").status is Status.UNLABELLED
    assert full.page.number.number.text() == "0"
    assert full.page.end.title.text() == "All looked at"
    assert full.page.train.isVisible()
    assert not full.act("A")
    for case in ("cell_02", "cell_07", "cell_05", "cell_01"):
        assert full.take_back()
        assert full.current == case
    assert not full.take_back()
    assert project.case("cell_01").labels == ImageLabels(frozenset({1}))
    assert project.case("cell_02").labels == ImageLabels(frozenset({1}))
    assert project.case("cell_07").labels is None


def test_what_was_decided_is_known_the_next_time(qtbot, session, full):
    full.act("S")
    other = ReviewPanel(session, Canvas(session))
    qtbot.addWidget(other)
    other.show()
    qtbot.waitUntil(lambda: other.current == "cell_05")
    assert other.page.number.number.text() == "3"
    assert other.standing.tally() == "1 corrected"
    assert other.take_back()
    assert session.project.case("cell_01").labels == ImageLabels(frozenset({1}))
    other.close_threads()


def test_a_class_given_by_hand_counts_as_corrected(session, full):
    full.page.list.chosen.emit("cell_05")
    session.project.set_labels(["cell_05"], ImageLabels(frozenset({1})), author="me")
    session.labels_saved(("cell_05",))
    assert full.standing.verdicts["cell_05"] == "corrected"
    assert full.current != "cell_05"


def test_keeping_what_was_changed_by_hand_is_a_correction(session, full):
    full.page.list.chosen.emit("cell_07")
    session.project.set_labels(["cell_07"], ImageLabels(frozenset({1})), author="me")
    assert full.act("A")
    assert full.standing.verdicts["cell_07"] == "corrected"
    assert session.project.case("cell_07").labels == ImageLabels(frozenset({1}))
    assert full.take_back()
    assert session.project.case("cell_07").labels is None


def test_filters_show_a_part(full):
    full.page.filters.chips[Kind.UNSURE].click()
    assert full.page.list.rows.rowCount() == 1
    assert full.current == "cell_02"
    full.act("D")
    full.page.filters.chips["done"].click()
    assert full.page.list.rows.rowCount() == 1
    assert full.page.verdicts.hint.text() == "Looked at: set aside."


def test_the_case_that_is_opened_elsewhere_is_followed(session, full):
    session.show_case("cell_07")
    assert full.current == "cell_07"
    assert full.page.verdicts.keep.text() == "Yes, rare   A"
    session.show_case("cell_09")
    assert full.current == ""
    assert not full.act("A")
    assert not full.page.case.isVisible()
    full.page.list.chosen.emit("cell_07")
    assert session.case.id == "cell_07"
    assert full.act("A")


def test_keys_belong_to_the_viewer_again_when_it_is_left(full):
    viewer = full._canvas.viewer
    assert set(viewer.keymap) == {"A", "S", "D", "Q", "Enter"}
    viewer.keymap["D"](viewer)
    assert full.standing.verdicts == {"cell_01": "flagged"}
    full.hide()
    assert set(viewer.keymap.values()) == {None}
    assert not full.act("A")


def test_keys_are_not_missed_when_the_viewer_went_first():
    class Gone(Viewer):
        def bind_key(self, key, act, overwrite=False):
            if act is None:
                raise ReferenceError
            return super().bind_key(key, act, overwrite)

    keys = ReviewKeys(Gone(), {"A": lambda: None})
    keys.take()
    assert keys.bound
    keys.give_back()
    assert not keys.bound


def test_rows_are_painted_whatever_they_hold(qtbot, session, panel):
    odd = [
        Entry("", (Kind.LABEL,), "", 0.0),
        Entry("a/" + "x" * 300, (Kind.RARE,), "y" * 500, 1.0, (99,), 98, share=0.0),
        Entry("cell_01", (Kind.TAIL,), "a & b", 1.0, (), None),
    ]
    panel.show()
    from longtail.app.panels.review_model import Standing

    queue = Queue("r", 0, tuple(odd), {})
    standing = Standing(queue, {}, session.project.task)
    panel.page.list.show_rows([standing.row(each) for each in odd], "cell_01")
    assert not panel.page.list.grab().isNull()


def test_chips_that_come_later_lie_beside_the_others(qtbot):
    filters = Filters()
    qtbot.addWidget(filters)
    filters.setFixedWidth(286)
    filters.show_counts({"all": 230, "label": 63, "missed": 160}, "all")
    filters.show()
    filters.show_counts(dict.fromkeys(filters.chips, 230), "all")
    seen = [chip.geometry() for chip in filters.chips.values() if chip.isVisible()]
    assert len(seen) == len(filters.chips)
    pairs = [(a, b) for n, a in enumerate(seen) for b in seen[n + 1 :]]
    assert not [pair for pair in pairs if pair[0].intersects(pair[1])]
