"""The plane: what is seen, pointed at, drawn around and chosen, by mouse and keys."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from longtail.app.panels.embedding_plot import EmbeddingPlot
from longtail.app.panels.embedding_points import Dress, Kind, Points, Star, centres_of, layers_of
from longtail.app.theme import tokens

KINDS = (Kind("common", "#56b4e9"), Kind("rare", "#cc79a7", "square"))
WAIT_MS = 10_000


def points(count=400, rare=40, shift=0.0):
    rng = np.random.default_rng(0)
    spots = np.concatenate(
        [rng.normal((0, 0), 1, (count - rare, 2)), rng.normal((12, 5), 0.5, (rare, 2))]
    ).astype(np.float32)
    codes = np.repeat([0, 1], [count - rare, rare]).astype(np.int16)
    return Points(spots + np.float32(shift), codes, KINDS, centres_of(spots, codes, (0, 1)))


@pytest.fixture
def plot(qtbot):
    plane = EmbeddingPlot()
    qtbot.addWidget(plane)
    plane.resize(500, 220)
    plane.show()
    qtbot.waitExposed(plane)
    plane.show_points(points())
    plane.draw_now()
    yield plane
    plane.close_threads()


def ring(plot, row, radius=60.0):
    middle = plot.spot_of(row)
    angles = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    return [middle + QPointF(radius * np.cos(a), radius * np.sin(a)) for a in angles.tolist()]


def draw(plot, line, *, adds=False):
    for place, spot in enumerate(line):
        plot.draw_line(spot, begins=not place, ends=place + 1 == len(line), adds=adds)


def painted(plot):
    return plot.picture._image


def test_all_points_are_seen_and_painted(plot):
    for row in range(0, 400, 17):
        assert plot.viewport().rect().contains(plot.spot_of(row).toPoint())
    assert painted(plot).width() == round(500 * plot.devicePixelRatioF())


def test_the_point_under_the_mouse_is_told_and_clicked(plot):
    clicked = []
    plot.clicked.connect(clicked.append)
    row = 395
    assert plot.row_at(plot.spot_of(row)) == row
    plot.click(plot.spot_of(row))
    assert clicked == [row]
    assert plot.row_at(QPointF(2, 2)) == -1


def test_a_click_on_nothing_lets_go(plot, qtbot):
    with qtbot.waitSignal(plot.left_alone):
        plot.click(QPointF(2, 2))


def test_a_line_selects_what_lies_inside(plot):
    told = []
    plot.lassoed.connect(lambda rows, adds: told.append((rows, adds)))
    draw(plot, ring(plot, 380), adds=True)
    rows, adds = told[0]
    assert adds
    assert set(rows.tolist()) <= set(range(360, 400))
    placed = plot.view.pixels(points().spots, 500, 220)
    away = np.hypot(*(placed - (plot.spot_of(380).x(), plot.spot_of(380).y())).T)
    assert set(np.flatnonzero(away < 57)) <= set(rows.tolist())
    assert set(rows.tolist()) <= set(np.flatnonzero(away < 63))


def test_two_points_are_no_line(plot, qtbot):
    with qtbot.assertNotEmitted(plot.lassoed):
        draw(plot, [QPointF(1, 1), QPointF(9, 9)])


def drag(plot, line, modifier):
    """Press, move and let go as a hand does, with the button held while moving."""
    view = plot.viewport()
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    kind = QEvent.Type
    steps = [(kind.MouseButtonPress, line[0], left, left)]
    steps += [(kind.MouseMove, spot, none, left) for spot in line[1:]]
    steps += [(kind.MouseButtonRelease, line[-1], left, none)]
    for what, spot, button, held in steps:
        place = QPointF(view.mapToGlobal(spot))
        QApplication.sendEvent(view, QMouseEvent(what, spot, place, button, held, modifier))


@pytest.mark.parametrize("by_mode", [True, False])
def test_the_mouse_draws_in_the_mode_of_the_lasso_and_with_shift(plot, by_mode):
    told = []
    plot.lassoed.connect(lambda rows, adds: told.append((len(rows), adds)))
    plot.set_lasso(by_mode)
    before = plot.view
    plain, shift = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
    drag(plot, ring(plot, 380), plain if by_mode else shift)
    assert plot.view == before
    assert len(told) == 1
    assert told[0][0] > 20
    assert told[0][1] is not by_mode


def test_the_mouse_moves_the_plane_where_it_does_not_draw(plot, qtbot):
    before = plot.view
    with qtbot.assertNotEmitted(plot.lassoed):
        drag(plot, [QPointF(100 + 5 * i, 100) for i in range(12)], Qt.KeyboardModifier.NoModifier)
    assert plot.view.left < before.left


def test_keys_move_zoom_draw_and_show_all(plot, qtbot):
    first = plot.view
    qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert plot.view.left > first.left
    qtbot.keyClick(plot, Qt.Key.Key_Plus)
    assert plot.view.right - plot.view.left < first.right - first.left
    qtbot.keyClick(plot, Qt.Key.Key_Home)
    assert plot.view.left == pytest.approx(first.left)
    qtbot.keyClick(plot, Qt.Key.Key_L)
    assert plot.lasso
    qtbot.keyClick(plot, Qt.Key.Key_Escape)
    assert not plot.lasso
    with qtbot.waitSignal(plot.left_alone):
        qtbot.keyClick(plot, Qt.Key.Key_Escape)


def test_a_new_size_shows_all_unless_the_user_has_moved(plot):
    plot.resize(300, 300)
    assert plot.viewport().rect().contains(plot.spot_of(399).toPoint())
    plot.zoom(4)
    moved = plot.view
    plot.resize(320, 280)
    assert plot.view == moved


def test_other_colours_leave_the_view_other_points_do_not(plot):
    plot.zoom(3)
    moved = plot.view
    plot.show_points(points(), keep_view=True)
    assert plot.view == moved
    plot.show_points(points(shift=100))
    assert plot.view.left > 50


def test_chosen_points_come_to_the_front(plot):
    plot.choose(np.arange(360, 400))
    assert plot.chosen.tolist() == list(range(360, 400))
    layers = layers_of(points(), plot._chosen, Dress(), tokens("dark"), 100_000)
    assert set(layers[-1].rows) == set(range(360, 400))
    assert layers[-1].opacity > layers[0].opacity
    assert layers[-2].size_px > layers[-1].size_px
    plot.choose(None)
    assert not len(plot.chosen)


def test_rare_kinds_lie_on_top():
    layers = layers_of(points(), None, Dress(), tokens("dark"), 100_000)
    assert [len(layer.rows) for layer in layers] == [360, 40]


def test_a_star_stands_in_the_middle_of_its_kind():
    found = points()
    star = next(star for star in found.stars if star.kind == 1)
    np.testing.assert_allclose((star.x, star.y), (12, 5), atol=0.4)


@pytest.mark.parametrize(
    "odd",
    [
        Points(np.zeros((0, 2), np.float32), np.zeros(0, np.int16), KINDS),
        Points(np.full((3, 2), 7, np.float32), np.zeros(3, np.int16), (Kind("", "#ffffff"),)),
        Points(
            np.random.default_rng(0).normal(0, 1, (40, 2)).astype(np.float32),
            np.arange(40, dtype=np.int16),
            tuple(Kind("a very long name " * 9, "#b5bd61", "diamond") for _ in range(40)),
            tuple(Star(i / 40, 0.0, i) for i in range(40)),
        ),
        None,
    ],
)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_odd_points_are_painted_in_every_theme(plot, odd, theme):
    from longtail.app.theme import look

    look().wear(theme)
    try:
        plot.wear_icon()
        plot.show_points(odd)
        plot.mark_shown(99)
        plot.draw_now()
        assert not plot.grab().isNull()
        assert plot.row_at(QPointF(10, 10)) in range(-1, 40)
    finally:
        look().wear("dark")


def test_very_many_points_are_drawn_as_density(qtbot):
    plane = EmbeddingPlot()
    qtbot.addWidget(plane)
    plane.resize(300, 160)
    rng = np.random.default_rng(0)
    spots = rng.normal(0, 1, (200_000, 2)).astype(np.float32)
    many = Points(spots, (spots[:, 0] > 0).astype(np.int16), KINDS)
    plane.show_points(many)
    wish = plane._wish()
    assert wish.dense
    plane.draw_now()
    assert not plane.grab().isNull()
    plane.choose(np.arange(5))
    assert not plane._wish().dense
    plane.close_threads()


def test_the_newest_wish_is_painted_last(plot, qtbot):
    for shift in (100.0, 200.0, 300.0):
        plot.show_points(points(shift=shift))
    qtbot.waitUntil(lambda: not plot.painting.waits, timeout=WAIT_MS)
    assert plot.picture.boundingRect().left() > 250
