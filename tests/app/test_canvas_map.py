"""The heat map over the image: which class, what there is to say where there is nothing to see."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from PIL import Image

from longtail.app.canvas import Canvas
from longtail.app.canvas_map import NO_RUN
from longtail.app.canvas_map_box import dashes
from longtail.app.canvas_map_reading import VARIANTS
from longtail.app.session import Session
from longtail.core.backend.events import Finished, Outcome, Started
from longtail.core.explain import variants
from longtail.core.explain.stored import map_path, write_stored
from longtail.core.project.records import NewCase, PredictionRecord, Task
from longtail.core.project.store import Project

WAIT_MS = 30_000
NAMES = ("common", "rare", "odd")


class Explaining:
    """A backend that writes a map with a bright corner, or what it is told to."""

    def __init__(self):
        self.jobs, self.cancelled, self.kind, self.fails, self.holds = (
            [],
            [],
            "graded",
            False,
            False,
        )

    def submit(self, job):
        self.jobs.append(job)
        return SimpleNamespace(
            __iter__=None, events=self.events(job), cancel=lambda: self.cancelled.append(job)
        )

    def events(self, job):
        yield Started(job.title, "CPU")
        if self.fails:
            yield Finished(Outcome.FAILED, None, "The network is gone.", "Train again.")
            return
        class_id = job.class_id or 2
        path = map_path(self.folder, job.case_id, class_id, job.variant)
        values = np.zeros((20, 30), np.float32)
        if self.kind == "graded":
            values[2:8, 3:13] = 1.0
            values[2:8, 13:20] = 0.4
        about = {
            "class_id": class_id,
            "class_name": NAMES[class_id - 1],
            "variant": job.variant,
            "kind": self.kind,
            "probability": 0.75,
        }
        write_stored(path, values, about)
        file = f"runs/{self.folder.name}/explanations/{path.name}"
        yield Finished(Outcome.COMPLETED, {**about, "file": file})

    def close(self, leave_running=False): ...

    def warm_up(self): ...

    def device_label(self):
        return "CPU"


class Driver:
    """Brings events at once, or when the test says so."""

    def __init__(self):
        self.waits, self.watched = False, []

    def watch(self, tracked, take):
        if self.waits:
            self.watched.append((tracked, take))
        else:
            self.give(tracked, take)

    def give(self, tracked, take):
        for event in tracked.handle.events:
            take(tracked, event)

    def close(self): ...


@pytest.fixture
def window(tmp_path, qtbot):
    classes = [{"id": i + 1, "name": name, "examples": 5} for i, name in enumerate(NAMES)]
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=NAMES) as project:
        for number in range(2):
            path = tmp_path / f"{number}.png"
            Image.fromarray(np.full((20, 30), 40 * number, np.uint8)).save(path)
            os.utime(path, (100, 100))
            project.add_cases([NewCase(f"film-{number}", (str(path),), (20, 30), 1, None)])
        run = project.new_run({"method": "cross-entropy", "classes": classes}).id
        project.record_run(run, state="completed", result={"prior": [0.5, 0.3, 0.2]})
        logits = np.array([-1.0, -2.0, 0.5], np.float32)
        project.record_predictions([PredictionRecord("film-0", run, "h", 1, None, logits)])
        folder = project.run_folder(run)
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / "best.pt").write_bytes(b"weights")
        os.utime(folder / "checkpoints" / "best.pt", (100, 100))
    backend, driver = Explaining(), Driver()
    backend.folder = folder
    session, notices = Session(backend, driver), []
    session.notice.connect(notices.append)
    viewer = ViewerModel()
    canvas = Canvas(viewer, session)
    session.open_project(project.path)

    def show(case_id):
        session.show_case(case_id)
        qtbot.waitUntil(lambda: canvas.state == "shown", timeout=WAIT_MS)

    def settled(state="shown"):
        qtbot.waitUntil(lambda: canvas.heat.state == state, timeout=WAIT_MS)

    def asked(count):
        qtbot.waitUntil(lambda: len(backend.jobs) == count, timeout=WAIT_MS)
        assert canvas.heat.state == "computing"

    show("film-0")
    yield SimpleNamespace(
        asked=asked,
        viewer=viewer,
        canvas=canvas,
        heat=canvas.heat,
        session=session,
        notices=notices,
        backend=backend,
        driver=driver,
        folder=folder,
        show=show,
        settled=settled,
    )
    canvas.close()
    session.close()


def names(window):
    return [layer.name for layer in window.viewer.layers if layer.visible]


def test_the_ways_are_those_that_can_be_computed():
    assert set(VARIANTS) == set(variants.VARIANTS)


def test_the_key_goes_through_the_classes_by_probability_and_then_off(window):
    seen = []
    for _ in range(3):
        window.heat.cycle()
        window.settled()
        seen.append(window.heat.stored.class_id)
    assert seen == [3, 1, 2]
    assert "heat map" in names(window)
    window.heat.cycle()
    assert (window.heat.state, window.heat.class_id) == ("off", None)
    assert names(window) == ["image"]


def test_an_image_that_is_not_predicted_begins_with_what_the_run_says(window):
    window.show("film-1")
    window.heat.cycle()
    window.settled()
    assert window.backend.jobs[-1].class_id is None
    assert window.heat.stored.class_id == 2
    window.heat.cycle()
    window.settled()
    assert window.heat.stored.class_id == 3


def test_it_lies_over_the_image_and_is_clear_where_nothing_speaks(window):
    window.heat.choose(1)
    window.settled()
    layer = window.heat.layer
    assert names(window) == ["image", "heat map", "predicted box"]
    assert window.viewer.layers.selection.active.name == "image"
    assert layer.colormap.map(np.array([0.0]))[0, 3] == 0
    assert layer.colormap.map(np.array([1.0]))[0, 3] == 1
    window.heat.opacity = 0.3
    assert layer.opacity == 0.3


def test_what_was_computed_once_is_read(window):
    window.heat.choose(1)
    window.settled()
    window.heat.choose(3)
    window.settled()
    window.heat.choose(1)
    window.settled()
    assert [job.class_id for job in window.backend.jobs] == [1, 3]
    weights = window.folder / "checkpoints" / "best.pt"
    os.utime(weights)
    os.utime(weights, (2e9, 2e9))
    window.heat.choose(3)
    window.settled()
    assert [job.class_id for job in window.backend.jobs] == [1, 3, 3]


def test_a_damaged_map_is_computed_again(window):
    path = map_path(window.folder, "film-0", 1, "grad-cam")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no map")
    window.heat.choose(1)
    window.settled()
    assert len(window.backend.jobs) == 1
    assert window.notices == []


def test_another_way_is_computed_for_itself(window):
    window.heat.choose(1)
    window.settled()
    window.heat.variant = "layercam"
    window.settled()
    assert [job.variant for job in window.backend.jobs] == ["grad-cam", "layercam"]


def test_a_run_begins_with_the_kind_of_map_that_it_is_measured_by(window):
    session = window.session
    first = session.run_id
    spec = {"method": "radiomic-contrast", "classes": [], "settings": {"map": "two-scale"}}
    run = session.project.new_run(spec).id
    assert window.heat.variant == "grad-cam"
    session.choose_run(run)
    assert window.heat.variant == "two-scale"
    session.choose_run(first)
    assert window.heat.variant == "grad-cam"
    window.heat.variant = "layercam"
    session.choose_run(run)
    assert window.heat.variant == "layercam"  # what a person chose stays


def test_the_class_stays_from_case_to_case_and_no_map_stays_behind(window):
    window.heat.choose(1)
    window.settled()
    window.driver.waits = True
    window.show("film-1")
    window.asked(2)
    assert names(window) == ["image"]
    window.driver.give(*window.driver.watched[-1])
    window.settled()
    assert window.backend.jobs[-1].case_id == "film-1"


def test_an_answer_that_nobody_waits_for_is_cancelled_and_dropped(window):
    window.driver.waits = True
    window.heat.choose(1)
    window.asked(1)
    window.heat.choose(3)
    window.asked(2)
    first, second = window.backend.jobs
    assert window.backend.cancelled == [first]
    window.driver.give(*window.driver.watched[0])
    assert window.heat.state == "computing"
    window.driver.give(*window.driver.watched[1])
    window.settled()
    assert window.heat.stored.class_id == second.class_id == 3


@pytest.mark.parametrize(
    ("kind", "words"),
    [("constant", "alike"), ("empty", "speaks for common"), ("undefined", "overflow")],
)
def test_a_map_that_says_nothing_is_said_so(window, kind, words):
    window.backend.kind = kind
    window.heat.choose(1)
    window.settled("silent")
    assert words in window.heat.words
    assert names(window) == ["image"]
    assert window.heat.best_box is None


def test_by_the_key_it_is_told_where_nothing_can_be_seen(window):
    window.backend.kind = "empty"
    window.heat.cycle()
    window.settled("silent")
    assert [notice.text for notice in window.notices] == [window.heat.words]


def test_a_failure_is_told_with_its_remedy_and_can_be_tried_again(window):
    window.backend.fails = True
    window.heat.choose(1)
    window.settled("failed")
    assert window.heat.words == "The network is gone. Train again."
    window.backend.fails = False
    window.heat.choose(1)
    window.settled()


def test_without_a_run_it_says_what_to_do(window):
    window.session.choose_run(None)
    window.heat.cycle()
    assert [notice.text for notice in window.notices] == [NO_RUN]


def test_the_box_follows_the_threshold(window, qtbot):
    window.heat.choose(1)
    window.settled()
    assert window.heat.best_box.xywh == (3, 2, 10, 6)
    window.heat.threshold = 0.3
    qtbot.waitUntil(lambda: window.heat.best_box.xywh == (3, 2, 17, 6), timeout=WAIT_MS)


def test_a_rejected_box_is_drawn_no_more(window):
    window.heat.choose(1)
    window.settled()
    window.heat.reject_box(True)
    assert "predicted box" not in names(window)
    window.heat.reject_box(False)
    assert "predicted box" in names(window)


def test_a_layer_that_the_user_takes_away_stays_away(window):
    window.heat.choose(1)
    window.settled()
    window.viewer.layers.remove(window.heat.layer)
    assert window.heat.state == "off"
    assert names(window) == ["image"]


def test_a_look_leaves_the_lists_alone(window):
    told = []
    window.session.runs_changed.connect(lambda: told.append("runs"))
    window.heat.choose(1)
    window.settled()
    assert told == []


def test_another_run_has_another_map(window):
    window.heat.choose(1)
    window.settled()
    window.session.choose_run(None)
    window.settled("failed")
    assert names(window) == ["image"]


def test_dashes_go_once_around_the_box():
    lines = dashes((2, 3), (6, 10), (1.0, 1.0), 1.0)
    starts, ends = lines[:, 0], lines.sum(1)
    np.testing.assert_allclose(ends, np.roll(starts, -1, axis=0), atol=1e-9)
    assert starts.min(0).tolist() == [1.5, 2.5]
    assert starts.max(0).tolist() == [7.5, 12.5]
    assert len(lines) % 2 == 0
    assert len(lines) == 2 * (6 + 10)


def test_dashes_are_of_one_length_in_millimetres():
    lines = dashes((0, 0), (10, 40), (4.0, 1.0), 2.0)
    lengths = np.linalg.norm(lines[:, 1] * (4.0, 1.0), axis=1)
    np.testing.assert_allclose(lengths, 2.0)


def test_in_a_volume_the_box_is_drawn_in_each_of_its_slices():
    lines = dashes((1, 2, 3), (2, 4, 6), (1.0, 1.0, 1.0), 1.0, axis=0)
    assert sorted(set(lines[:, 0, 0])) == [1.0, 2.0]
    assert not lines[:, 1, 0].any()
    turned = dashes((1, 2, 3), (2, 4, 6), (1.0, 1.0, 1.0), 1.0, axis=2)
    assert sorted(set(turned[:, 0, 2])) == [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]


def test_a_far_magnified_box_has_no_endless_dashes():
    assert len(dashes((0, 0), (4000, 4000), (1.0, 1.0), 0.01)) <= 404
