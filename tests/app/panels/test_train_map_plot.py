"""The painted map, with odd data."""

import numpy as np
import pytest
from qtpy.QtCore import QPointF, QRectF, QSize

from longtail.app.panels.train_live import ClassLook
from longtail.app.panels.train_map import MapFrame
from longtail.app.panels.train_map_plot import (
    MapPlot,
    ground_of,
    name_of,
    spots_for_name,
    united,
)
from longtail.app.theme import look

RED, BLUE = "#e8795b", "#56b4e9"
LOOKS = (ClassLook("organ", BLUE, "head"), ClassLook("lesion", RED, "tail"))


def frame(points, classes, centres=(), centre_classes=(), step=400):
    return MapFrame(
        step,
        np.asarray(points, np.float32).reshape(-1, 2),
        np.asarray(classes, np.int16),
        np.asarray(centres, np.float32).reshape(-1, 2),
        np.asarray(centre_classes, np.int16),
    )


def many(count, classes):
    rng = np.random.default_rng(0)
    return frame(
        rng.normal(size=(count, 2)),
        np.arange(count) % (classes + 1),
        rng.normal(size=(classes, 2)),
        np.arange(1, classes + 1),
    )


ODD = {
    "nothing": frame([], []),
    "one point": frame([[3, 3]], [1]),
    "one centre": frame([], [], [[0, 0]], [2]),
    "all on one spot": frame([[1, 1]] * 50, [0] * 50, [[1, 1]] * 2, [1, 2]),
    "unknown classes": frame([[0, 0], [1, 1]], [-1, 300], [[0, 1]], [32767]),
    "huge": frame([[-1e29, 0], [1e29, 0]], [1, 2], [[0, 1e29]], [1]),
    "tiny": frame([[0, 0], [1e-30, 1e-30]], [1, 2]),
    "40 classes": many(4000, 40),
    "20,000 points": many(20_000, 3),
}


@pytest.fixture
def plot(qtbot):
    widget = MapPlot()
    qtbot.addWidget(widget)
    widget.resize(280, 190)
    widget.begin(LOOKS, "scan")
    return widget


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_odd_maps_are_painted(plot, odd, theme, monkeypatch):
    monkeypatch.setattr(look(), "tokens", look().tokens)
    look().wear(theme)
    plot.show_frame(odd)
    assert not plot.grab().isNull()
    assert plot.accessibleDescription().startswith("Step 400")


def test_before_a_map_and_with_long_names_and_none(plot):
    assert not plot.grab().isNull()
    plot.begin([ClassLook("n" * 400, ""), ClassLook("", RED, "tail")], "image")
    plot.show_frame(many(30, 2))
    plot.resize(40, 190)
    assert not plot.grab().isNull()
    plot.begin((), "image")
    plot.show_frame(many(30, 2))
    assert not plot.grab().isNull()


def colours_in(plot):
    image = plot.grab().toImage()
    return {
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    }


def test_a_star_has_the_colour_of_its_class(plot):
    plot.show_frame(frame([], [], [[0, 0], [1, 1]], [1, 2]))
    seen = colours_in(plot)
    assert {RED, BLUE} <= seen
    plot.show_frame(None, "The map of step 400 is gone.")
    assert not {RED, BLUE} & colours_in(plot)
    assert plot.words == "The map of step 400 is gone."


def test_the_tail_lies_on_top(plot):
    plot.show_frame(frame([], [], [[0, 0], [0, 0]], [2, 1]))
    x, y = plot._placed(plot.frame.centres)[0]
    assert plot.grab().toImage().pixelColor(round(x), round(y)).name() == RED


def test_the_ground_stays_while_a_run_is_replayed(plot):
    wide, narrow = frame([[-10, 0], [10, 0]], [1, 2]), frame([[-1, 0], [1, 0]], [1, 2])
    plot.show_frame(wide)
    plot.show_frame(narrow)
    left, right = plot._placed(narrow.points)[:, 0]
    assert 0 < right - left < plot.width() / 4
    plot.begin(LOOKS, "scan")
    plot.show_frame(narrow)
    left, right = plot._placed(narrow.points)[:, 0]
    assert right - left > plot.width() / 2


def test_directions_have_one_scale_and_up_is_up(plot):
    plot.show_frame(frame([[0, 0], [1, 0], [0, 1]], [1, 1, 1]))
    origin, right, up = plot._placed(plot.frame.points)
    assert right[0] - origin[0] == pytest.approx(origin[1] - up[1])


def test_what_is_under_the_mouse_is_named(plot):
    plot.show_frame(frame([[0, 0], [0, 0.1], [9, 9]], [2, 2, 1], [[0, 0]], [2]))
    star = QPointF(*plot._placed(plot.frame.centres)[0])
    assert plot.words_at(star) == "Centre of lesion, 2 dots"
    dot = QPointF(*plot._placed(plot.frame.points)[2])
    assert plot.words_at(dot) == "organ"
    assert "Stars are the centres" in plot.words_at(QPointF(1, 1))


def test_names_stand_on_the_outer_side_of_their_stars():
    size = QSize(40, 12)
    right, left, above, below = spots_for_name(QPointF(100, 50), 8, size)
    assert (right.left(), left.right()) == (111, 89)
    assert above.bottom() < 50 < below.top()
    assert next(spots_for_name(QPointF(100, 50), 8, size, leftwards=True)) == left


def test_a_few_far_points_do_not_shrink_the_rest():
    points = np.random.default_rng(0).uniform(-1, 1, (1000, 2))
    points[0] = (1e6, 1e6)
    ground = ground_of(frame(points, np.ones(1000)))
    assert ground.width() < 3
    assert ground_of(frame([], [])) is None


def test_grounds_unite():
    first, second = QRectF(0, 0, 1, 1), QRectF(2, 2, 1, 1)
    assert united(first, second) == QRectF(0, 0, 3, 3)
    assert united(None, second) == second
    assert united(first, None) == first
    assert united(None, None) is None


def test_classes_are_named_by_their_number():
    assert [name_of(n, LOOKS) for n in (0, 1, 2, 3)] == ["background", "organ", "lesion", "class 3"]
