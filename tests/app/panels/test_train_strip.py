"""The strip of followed images: read with care, painted in place, replayed."""

import json

import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt

from longtail.app.panels.train_record import read_record
from longtail.app.panels.train_strip import read_about, read_strip, strip_step
from longtail.app.panels.train_strip_player import StripPlayer
from longtail.app.panels.train_strip_plot import StripPlot, blended
from longtail.core.backend.events import Artifact, to_json
from longtail.core.errors import LongtailError
from longtail.core.project.boxfiles import DrawnBox
from longtail.core.project.records import NewCase, Task
from longtail.core.project.store import Project

CLASSES = ("blob", "line")


def frame(count=2, **changes):
    maps = np.zeros((count, 16, 24), np.float16)
    maps[:, 2:6, 3:9] = 1
    arrays = {
        "maps": maps,
        "boxes": np.tile(np.array([[6, 4, 12, 8]], np.float32), (count, 1)),
        "chosen": np.arange(count, dtype=np.int16) % 2,
        "probabilities": np.full((count, 2), 0.25, np.float32),
        "step": np.int64(10),
    }
    return {**arrays, **changes}


def write(folder, step=10, **changes):
    strip = folder / "strip"
    strip.mkdir(parents=True, exist_ok=True)
    path = f"strip/step-{step:07d}.npz"
    np.savez(folder / path, **frame(**changes))
    return path


@pytest.fixture
def project(tmp_path):
    with Project.create(tmp_path / "p", task=Task.MULTILABEL, classes=CLASSES) as project:
        for number in range(2):
            path = tmp_path / f"{number}.png"
            Image.fromarray(np.full((32, 48), 90, np.uint8)).save(path)
            project.add_cases([NewCase(f"film-{number}", (str(path),), (32, 48), 1, None)])
        project.set_boxes("film-0", [DrawnBox(1, 5, 4, 12, 8)], author="a")
        yield project


@pytest.fixture
def run(project):
    folder = project.run_folder("run-1")
    write(folder)
    about = {"cases": ["film-0", "film-1"], "classes": list(CLASSES)}
    (folder / "strip" / "about.json").write_text(json.dumps(about))
    return folder


def test_a_frame_is_read_with_the_names_of_its_classes(run):
    found = read_strip(run, "strip/step-0000010.npz")
    assert (found.step, found.names, found.shares) == (10, ("blob", "line"), (0.25, 0.25))
    assert found.maps.max() == 1
    assert read_about(run) == (("film-0", "film-1"), CLASSES)


@pytest.mark.parametrize("path", ["strip/../x.npz", "maps/step-1.npz", "strip/step-x.npz"])
def test_no_path_leads_out_of_the_folder(run, path):
    assert strip_step(path) is None
    with pytest.raises(LongtailError, match="not the name"):
        read_strip(run, path)


@pytest.mark.parametrize(
    "changes",
    [
        {"maps": np.zeros((2, 4), np.float16)},
        {"maps": np.zeros((2, 2000, 4), np.float16)},
        {"boxes": np.zeros((2, 3), np.float32)},
        {"boxes": np.zeros((1, 4), np.float32)},
        {"chosen": np.array([0, 7], np.int16)},
        {"chosen": np.array([0, -1], np.int16)},
        {"chosen": np.array([print, print], dtype=object)},
        {"probabilities": np.zeros((2, 1), np.float32)},
    ],
)
def test_what_is_no_frame_is_refused(run, changes):
    write(run, 20, **changes)
    with pytest.raises(LongtailError, match="cannot be read"):
        read_strip(run, "strip/step-0000020.npz")


def test_what_is_gone_or_damaged_is_told(run):
    with pytest.raises(LongtailError, match="is gone"):
        read_strip(run, "strip/step-0000099.npz")
    (run / "strip" / "about.json").write_text("[")
    with pytest.raises(LongtailError, match="cannot be read"):
        read_strip(run, "strip/step-0000010.npz")


def test_a_value_that_is_none_does_not_spoil_a_map(run):
    maps = frame()["maps"]
    maps[0, 0, 0], maps[0, 0, 1] = np.nan, 9
    write(run, 20, maps=maps)
    found = read_strip(run, "strip/step-0000020.npz")
    assert (found.maps[0, 0, 0], found.maps[0, 0, 1]) == (0, 1)


def test_the_record_of_a_run_tells_of_its_strip(tmp_path):
    log = tmp_path / "events.jsonl"
    told = [Artifact(f"strip/step-{step:07d}.npz", "strip") for step in (10, 20, 20)]
    log.write_text("".join(json.dumps(to_json(one)) + "\n" for one in told))
    assert read_record(log).strips == ("strip/step-0000010.npz", "strip/step-0000020.npz")


def test_a_map_lies_over_its_image_and_not_beside_it(run, project, qtbot):
    player = StripPlayer(live=False)
    qtbot.addWidget(player)
    player.begin(run, project)
    player.show_maps(["strip/step-0000010.npz"], 0)
    qtbot.waitUntil(lambda: len(player.plot.images) == 2 and player.plot._frame is not None)
    image, shown = player.plot.images[0], player.plot._frame
    plain, over = blended(image, None), blended(image, shown.maps[0])
    changed = np.argwhere((plain != over).any(axis=2))
    # 48 x 32 in a square of 192: the image takes 192 x 128 from row 32 on; the map is half as fine.
    assert changed.min(0).tolist() == [32 + 2 * 8, 3 * 8]
    assert changed.max(0).tolist() == [32 + 6 * 8 - 1, 9 * 8 - 1]
    assert dict(image.drawn) == {"blob": ((5.0, 4.0, 12.0, 8.0),)}
    player.close_threads()


def test_it_is_replayed_and_a_click_opens_the_case(run, project, qtbot):
    write(run, 20)
    player = StripPlayer(live=False)
    qtbot.addWidget(player)
    player.resize(280, 300)
    player.show()
    player.begin(run, project)
    player.show_maps(["strip/step-0000010.npz", "strip/step-0000020.npz"], 40)
    qtbot.waitUntil(lambda: len(player.plot.images) == 2)
    qtbot.waitUntil(lambda: player.plot._frame is not None and player.plot._frame.step == 20)
    assert player.caption.text() == "step 20 of 40"
    player.slider.setValue(0)
    qtbot.waitUntil(lambda: player.plot._frame.step == 10)
    assert "film-1: line" in player.plot.sentence(1)
    asked = []
    player.plot.asked.connect(asked.append)
    place = player.plot.area(1).center().toPoint()
    qtbot.mouseClick(player.plot, Qt.MouseButton.LeftButton, pos=place)
    assert asked == ["film-1"]
    player.close_threads()


def test_a_case_that_was_deleted_leaves_its_map(run, project, qtbot):
    project.delete_cases(["film-1"])
    player = StripPlayer()
    qtbot.addWidget(player)
    player.begin(run, project)
    player.show_maps(["strip/step-0000010.npz"], 0)
    qtbot.waitUntil(lambda: len(player.plot.images) == 2)
    assert player.plot.images[1].picture is None
    assert not player.plot.grab().isNull()
    player.close_threads()


def test_odd_sizes_are_painted(qtbot):
    plot = StripPlot()
    qtbot.addWidget(plot)
    for width in (120, 310, 900):
        plot.resize(width, 300)
        assert not plot.grab().isNull()
    plot.show_frame(None, "It is gone.")
    assert not plot.grab().isNull()
