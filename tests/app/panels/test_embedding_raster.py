"""Points become a picture: where they lie, in which shape, how dense; and none is lost."""

import numpy as np
import pytest

from longtail.app.panels.embedding_raster import (
    FINE_UP_TO,
    SHAPES,
    Layer,
    coverage,
    over,
    paint,
    paint_density,
    sampled,
    size_for,
    stamps_of,
)

WIDE, HIGH = 60, 40
RED, BLUE = (255, 0, 0), (0, 0, 255)


def spots(*pairs):
    return np.array(pairs, np.float32)


def rows(count):
    return np.arange(count)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stamp_covers_about_the_area_of_its_shape_in_every_phase(shape):
    stamps = stamps_of(shape, 8.0, 4)
    areas = stamps.sum(axis=(1, 2))
    disc = np.pi * 16
    assert np.ptp(areas) < 0.12 * disc
    assert 0.5 * disc < areas.mean() < 1.25 * disc
    assert not stamps[:, 0].any()
    assert not stamps[:, :, -1].any()


def test_shapes_differ_from_each_other_at_the_size_of_a_legend():
    stamps = [stamps_of(shape, 9.0, 1)[0] for shape in SHAPES]
    for place, one in enumerate(stamps):
        for other in stamps[place + 1 :]:
            assert np.abs(one - other).sum() > 0.15 * one.sum()


def test_a_point_lies_where_it_is_said_to_lie():
    picture = paint(spots((20.625, 10.375)), [Layer(rows(1), RED, "disc", 5.0, 1.0)], WIDE, HIGH)
    y, x = np.nonzero(picture[..., 3])
    # The middle of a pixel lies half a pixel behind its number.
    assert np.average(x + 0.5, weights=picture[y, x, 3]) == pytest.approx(20.625, abs=0.05)
    assert np.average(y + 0.5, weights=picture[y, x, 3]) == pytest.approx(10.375, abs=0.05)
    assert picture[10, 20].tolist() == [0, 0, 255, 255]


def test_between_pixels_the_coverage_moves_with_the_point():
    def middle(x):
        cover = coverage(spots((x, 10.5)), "disc", 6.0, WIDE, HIGH).reshape(HIGH, WIDE)
        return np.average(np.arange(WIDE), weights=cover.sum(axis=0)) + 0.5

    assert middle(20.125) == pytest.approx(20.125, abs=0.02)
    assert middle(20.875) == pytest.approx(20.875, abs=0.02)


def test_many_points_cover_what_the_same_few_would():
    few = spots((12.5, 12.5), (30.5, 20.5))
    many = np.repeat(few, FINE_UP_TO, axis=0)
    one = coverage(few, "square", 5.0, WIDE, HIGH)
    all_ = coverage(many, "square", 5.0, WIDE, HIGH) / FINE_UP_TO
    assert all_.sum() == pytest.approx(one.sum(), rel=0.02)
    # Between pixels or not is a quarter of a pixel at most.
    assert np.abs(one - all_).max() < 0.3


@pytest.mark.parametrize("at", [(-3.0, 5.0), (61.0, 41.0), (1e9, 5.0), (30.0, -1e9)])
def test_points_beyond_the_edge_do_no_harm(at):
    picture = paint(spots(at, (30, 20)), [Layer(rows(2), RED, "disc", 7.0, 0.9)], WIDE, HIGH)
    assert picture.shape == (HIGH, WIDE, 4)
    assert picture[20, 30, 3] > 200


def test_half_a_point_is_seen_at_the_edge():
    picture = paint(spots((0.0, 20.0)), [Layer(rows(1), RED, "square", 8.0, 1.0)], WIDE, HIGH)
    assert picture[20, :3, 3].min() == 255
    assert not picture[:, 10:, 3].any()


def test_later_layers_lie_on_top_and_colours_are_multiplied_by_alpha():
    layers = [Layer(rows(1), RED, "square", 9.0, 1.0), Layer(rows(1), BLUE, "square", 9.0, 0.5)]
    picture = paint(spots((30.5, 20.5)), layers, WIDE, HIGH)
    blue, green, red, alpha = picture[20, 30].tolist()
    assert (blue, green, red, alpha) == (128, 0, 128, 255)
    assert (picture[..., :3] <= picture[..., 3:]).all()


def test_nothing_and_no_layers_give_an_empty_picture():
    empty = np.zeros((0, 2), np.float32)
    assert not paint(empty, [], WIDE, HIGH).any()
    assert not paint(empty, [Layer(rows(0), RED)], WIDE, HIGH).any()
    assert not paint_density(empty, [Layer(rows(0), RED)], WIDE, HIGH).any()


def test_density_mixes_colours_by_their_counts():
    places = np.repeat(spots((10.0, 10.0), (40.0, 30.0)), [300, 5], axis=0)
    layers = [Layer(np.arange(200), RED), Layer(np.arange(200, 305), BLUE)]
    picture = paint_density(places, layers, WIDE, HIGH)
    blue, _, red, alpha = (float(value) for value in picture[10, 10])
    assert red / blue == pytest.approx(2.0, rel=0.05)
    assert alpha > picture[30, 40, 3] > 0
    assert not picture[0, 0].any()


def test_of_two_pictures_the_upper_hides_the_lower():
    top = paint(spots((30.5, 20.5)), [Layer(rows(1), RED, "square", 9.0, 1.0)], WIDE, HIGH)
    ground = np.full((HIGH, WIDE, 4), 255, np.uint8)
    both = over(top, ground)
    assert both[20, 30].tolist() == [0, 0, 255, 255]
    assert both[0, 0].tolist() == [255, 255, 255, 255]


def test_a_sample_keeps_rare_groups_whole():
    layers = [Layer(np.arange(100_000), RED), Layer(np.arange(100_000, 100_007), BLUE)]
    common, rare = sampled(layers, 1_000)
    assert len(rare.rows) == 7
    assert len(common.rows) == 993
    assert len(np.unique(common.rows)) == 993
    assert sampled(layers, 1_000)[0].rows.tolist() == common.rows.tolist()


def test_points_get_smaller_the_more_there_are():
    sizes = [size_for(count, 100_000) for count in (0, 10, 3_447, 112_120)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 9.0
    assert sizes[-1] == 3.0
