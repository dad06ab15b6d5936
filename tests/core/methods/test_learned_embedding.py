import itertools
import time

import numpy as np
import pytest
import torch

from longtail.core.backend.events import Artifact
from longtail.core.explain.embedding_frames import frame_steps, read_case_ids, read_frame
from longtail.core.methods.learned_embedding import (
    ENOUGH_IMAGES,
    FRAMES,
    IMAGES,
    LearnedEmbedding,
    affordable,
    by_turns,
)


@pytest.mark.parametrize(
    ("images", "seconds", "look_s", "expected"),
    [
        (5000, 600.0, 0.001, (IMAGES, FRAMES)),
        (300, 600.0, 0.001, (300, FRAMES)),
        (5000, 12.0, 0.005, (200, FRAMES)),
        (5000, 12.0, 0.02, (ENOUGH_IMAGES, 5)),
        (5000, 3.0, 0.02, (50, 3)),
        (5000, 0.1, 0.02, (0, 0)),
        (0, 60.0, 0.02, (0, 0)),
        (20, 60.0, 0.02, (20, FRAMES)),
    ],
)
def test_frames_fit_into_the_time_there_is(images, seconds, look_s, expected):
    found = affordable(images, seconds, look_s)
    assert found == expected
    assert found[0] * found[1] * look_s <= seconds + 1e-9


def test_classes_take_turns_and_images_without_one_come_last():
    presence = np.zeros((30, 3), bool)
    presence[:20, 0] = presence[20:24, 1] = presence[24:26, 2] = True
    order = by_turns(presence)
    assert sorted(order) == list(range(30))
    classes = np.where(presence.any(1), presence.argmax(1), -1)[order]
    assert sorted(classes[:6]) == [0, 0, 1, 1, 2, 2]
    assert classes[-4:].tolist() == [-1] * 4


def test_an_image_of_several_classes_stands_for_its_rarest():
    presence = np.array([[1, 0], [1, 0], [1, 1], [1, 0]], bool)
    assert by_turns(presence)[:2].tolist().count(2) == 1


ROWS = {f"pic-{number}": number for number in range(40)}


class Run:
    """What the frames ask of a run, with a clock of its own."""

    def __init__(self, folder, clock, look_s):
        self.setup = type("Setup", (), {"folder": folder})
        self.store = type("Store", (), {"rows": ROWS})
        self.sampler = type("Sampler", (), {"presence": np.ones((30, 1), bool)})
        self.image_rows, self.val_rows = np.arange(30), np.arange(30, 40)
        self.val_targets = torch.zeros(10)
        self.clock, self.look_s = clock, look_s

    def presence_of(self, targets):
        return np.ones((len(targets), 1), bool)

    def features_of(self, stored):
        self.clock.now += len(stored) * self.look_s
        return torch.as_tensor(stored)[:, None].float().expand(-1, 3)


@pytest.fixture
def clock(monkeypatch):
    """Time that goes on only when somebody works."""
    one = type("Clock", (), {"now": 0.0})()
    monkeypatch.setattr(time, "perf_counter", lambda: one.now)
    return one


def train(learned, run, clock, steps, total):
    """Take steps of a tenth of a second, and ask for news after each; gives the artifacts."""
    told = []
    for step in steps:
        clock.now += 0.1
        told += learned.news(run, step, total)
    return told


def test_frames_hold_the_same_images_from_start_to_end(tmp_path, clock):
    run = Run(tmp_path, clock, 0.001)
    told = train(LearnedEmbedding(), run, clock, range(1, 1001), 1000)
    assert all(isinstance(one, Artifact) and one.kind == "embedding" for one in told)
    steps = frame_steps(tmp_path)
    assert len(steps) == len(told) == FRAMES
    assert (steps[0] < 20, steps[-1]) == (True, 1000)
    ids = read_case_ids(tmp_path)
    assert len(ids) == 40
    for step in steps:
        rows = [ROWS[id_] for id_ in ids]
        assert read_frame(tmp_path, step, 40)[:, 0].tolist() == rows


def test_dearer_frames_than_expected_stay_within_two_percent(tmp_path, clock):
    run, learned = Run(tmp_path, clock, 0.003), LearnedEmbedding()
    train(learned, run, clock, range(1, 100), 1000)
    run.look_s *= 4
    train(learned, run, clock, range(100, 1001), 1000)
    assert 0 < learned.seconds <= 0.02 * clock.now
    assert frame_steps(tmp_path)[-1] == 1000


def test_a_resumed_run_goes_on_with_the_same_images(tmp_path, clock):
    run, learned = Run(tmp_path, clock, 0.001), LearnedEmbedding()
    train(learned, run, clock, range(1, 500), 1000)
    before, ids = frame_steps(tmp_path), read_case_ids(tmp_path)
    resumed = LearnedEmbedding()
    resumed.load_state(learned.state())
    train(resumed, run, clock, range(500, 1001), 1000)
    assert read_case_ids(tmp_path) == ids
    assert frame_steps(tmp_path)[: len(before)] == before
    assert len(frame_steps(tmp_path)) == FRAMES


def test_a_very_short_run_keeps_none(tmp_path, clock):
    run = Run(tmp_path, clock, 0.5)
    assert not train(LearnedEmbedding(), run, clock, range(1, 41), 40)
    assert frame_steps(tmp_path) == []


def test_nothing_is_kept_where_there_is_no_folder(clock):
    run = Run(None, clock, 0.001)
    assert not list(itertools.chain(train(LearnedEmbedding(), run, clock, range(1, 101), 100)))
