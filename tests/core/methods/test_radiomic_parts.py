"""Regions, features, cache and balance of `radiomic-contrast`, one by one."""

import numpy as np
import pytest
import torch

from longtail.core.methods.gradient_balance import GradientBalance
from longtail.core.methods.radiomic_cache import KnownRegion, RegionCache
from longtail.core.methods.radiomic_features import (
    BoxMeasurer,
    RunningScale,
    body_range,
    grey_of,
    scaled_by,
)
from longtail.core.methods.radiomic_finder import Asked, Chooser
from longtail.core.methods.radiomic_partner import RadiomicPartner, last_block
from longtail.core.methods.radiomic_regions import (
    box_of_map,
    central_box,
    drawn_on_grid,
    in_file,
    widened,
)
from longtail.core.methods.radiomic_report import held_out_r2
from longtail.core.methods.radiomic_strip import Turns, followed_rows, small
from longtail.core.nets.encoders import build_encoder
from longtail.core.project.boxes import DrawnBox

# Regions --------------------------------------------------------------------------------------


def test_the_centre_is_that_of_the_authors():
    assert central_box((224, 224)) == (24, 24, 176, 176)
    assert central_box((64, 32, 32)) == (7, 3, 3, 50, 26, 26)


def test_the_box_of_a_map_is_around_its_hottest_piece():
    values = np.zeros((40, 40), np.float32)
    values[5:12, 20:30] = 0.7
    values[30:34, 3:9] = 1.0
    y, x, height, width = box_of_map(values, 0.5)
    assert abs(y - 30) <= 2
    assert abs(x - 3) <= 2
    assert 4 <= height <= 8
    assert 6 <= width <= 10


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_a_map_without_a_place_gives_the_centre(fill):
    values = np.full((32, 32), fill, np.float32)
    assert box_of_map(values, 0.5) == central_box((32, 32))


def test_boxes_are_never_too_small_nor_outside():
    assert widened((0, 31, 1, 1), (32, 32)) == (0, 28, 4, 4)
    assert widened((10, 10, 2, 9), (32, 32)) == (9, 10, 4, 9)
    assert widened((0, 5, 5, 2, 9, 9), (2, 32, 32)) == (0, 5, 5, 2, 9, 9)


def test_drawn_boxes_come_onto_the_grid_and_back():
    box = DrawnBox(1, x=100, y=40, width=60, height=80)
    found = drawn_on_grid(box, (400, 200), (100, 100))
    assert found == (10, 50, 20, 30)
    assert in_file(found, (400, 200), (100, 100)) == (100, 40, 60, 80)


def test_a_drawn_box_of_a_volume_lies_in_its_slice():
    box = DrawnBox(1, x=0, y=10, width=10, height=10, slice=9)
    z, y, x, depth, height, width = drawn_on_grid(box, (10, 20, 20), (40, 20, 20))
    assert (z, depth) == (36, 4)
    assert (y, x, height, width) == (10, 0, 10, 10)


# Features -------------------------------------------------------------------------------------


def test_grey_values_are_scaled_by_the_body():
    grey = np.zeros((20, 20))
    grey[5:] = np.linspace(50, 150, 300).reshape(15, 20)
    scaled = scaled_by(grey, body_range(grey))
    low, high = np.percentile(grey[5:], [1, 99])
    expected = np.clip((grey - low) / (high - low), 0, 1) * 255
    np.testing.assert_allclose(scaled, expected, atol=1e-9)
    # Exposure and contrast leave no trace.
    other = np.where(grey > 0, 2 * grey + 9, 0)
    np.testing.assert_allclose(scaled_by(other, body_range(other)), scaled, atol=1e-9)


def test_a_constant_image_has_grey_values_of_0():
    grey = np.full((8, 8), 7.0)
    assert not scaled_by(grey, body_range(grey)).any()


def test_colours_become_grey():
    image = torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1)
    assert grey_of(image)[0, 0] == pytest.approx(0.299 * 255)
    assert grey_of(image[:1])[0, 0] == 255


@pytest.mark.parametrize("dims", [2, 3])
def test_boxes_are_measured_without_their_shape(dims):
    random = np.random.default_rng(0)
    images = torch.tensor(random.integers(0, 255, (3, 1, *(16,) * dims)), dtype=torch.uint8)
    measurer = BoxMeasurer(25.0, scaled=True, dims=dims)
    boxes = [(*(2,) * dims, *(8,) * dims), (*(0,) * dims, *(16,) * dims), (*(1,) * dims,) * 2]
    found = measurer.measure(images, boxes, range(3))
    assert found.shape == (3, 93)
    assert not any("shape" in name for name in measurer.names)
    assert found[:2].isfinite().all()
    assert found[2].isnan().all()  # one pixel has no texture
    brighter = measurer.measure(images // 2 + 60, boxes, range(3, 6))
    column = measurer.names.index("original_firstorder_Mean")
    assert float(brighter[0, column]) == pytest.approx(float(found[0, column]), rel=0.02)


def test_raw_grey_values_keep_the_exposure():
    images = torch.arange(100, 164, dtype=torch.uint8).view(1, 1, 8, 8)
    raw = BoxMeasurer(25.0, scaled=False, dims=2)
    column = raw.names.index("original_firstorder_Mean")
    assert float(raw.measure(images, [(0, 0, 8, 8)], [0])[0, column]) == pytest.approx(131.5)


def signed_log(values):
    return np.sign(values) * np.log1p(np.abs(values))


def test_features_are_scaled_by_running_figures():
    random = np.random.default_rng(0)
    batches = [random.normal(size=(6, 3)) * [1, 1e4, 1e-3] + [0, -1e4, 5] for _ in range(3)]
    scale = RunningScale(3)
    for batch in batches:
        scale.take(torch.tensor(batch))
    logs = signed_log(np.concatenate(batches))
    expected = (signed_log(batches[0]) - logs.mean(0)) / logs.std(0)
    found = scale(torch.tensor(batches[0]))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_what_is_no_number_becomes_0_and_moves_nothing():
    scale = RunningScale(2)
    batch = torch.tensor([[1.0, torch.nan], [3.0, torch.inf], [2.0, torch.nan]])
    scale.take(batch)
    found = scale(batch)
    assert found.isfinite().all()
    assert (found[:, 1] == 0).all()
    assert scale.batches.tolist() == [1, 0]
    later = torch.tensor([[1.0, 5.0], [2.0, 7.0]])
    assert scale(later)[:, 1].tolist() == pytest.approx([-1, 1], abs=1e-5)


def test_the_first_batch_is_scaled_by_itself():
    found = RunningScale(1)(torch.tensor([[1.0], [2.0], [4.0]]))
    assert float(found.mean()) == pytest.approx(0, abs=1e-6)
    assert float(found.std(correction=0)) == pytest.approx(1, abs=1e-5)
    assert not RunningScale(1)(torch.full((4, 1), 8.0)).any()


# Cache and choice -----------------------------------------------------------------------------


def test_regions_are_due_again_after_so_many_steps():
    cache = RegionCache()
    assert cache.is_due((3, 1), 10, 4)
    cache.put((3, 1), KnownRegion(10, (0, 0, 4, 4), torch.zeros(2)))
    assert [cache.is_due((3, 1), step, 4) for step in (10, 13, 14)] == [False, False, True]
    assert cache.is_due((3, 0), 11, 4)


def test_the_cache_is_kept():
    cache, other = RegionCache(), RegionCache()
    cache.put((3, 1), KnownRegion(10, (0, 1, 4, 5), torch.tensor([1.0, torch.nan])))
    cache.put((4, -1), KnownRegion(11, (0, 0, 4, 4), torch.tensor([2.0, 3.0])))
    other.load_state(cache.state())
    assert other.get((3, 1)).box == (0, 1, 4, 5)
    assert other.get((4, -1)).features.tolist() == [2, 3]
    other.load_state(RegionCache().state())
    assert len(other) == 0


def test_of_several_findings_one_is_drawn_in_each_step():
    chooser = Chooser(0, {})
    drawn = [chooser.labelled(5, [1, 4], step) for step in range(40)]
    assert {one.column for one in drawn} == {1, 4}
    assert drawn == [Chooser(0, {}).labelled(5, [1, 4], step) for step in range(40)]
    assert chooser.labelled(5, [], 0) == Asked(5, -1)
    assert chooser.unlabelled(5, 2, 0) == Asked(5, 2)


def test_drawn_boxes_come_before_maps():
    chooser = Chooser(0, {5: {1: [(0, 0, 4, 4)], 2: [(9, 9, 4, 4)]}})
    assert chooser.labelled(5, [1], 0) == Asked(5, 1, (0, 0, 4, 4))
    assert chooser.labelled(5, [3], 0) == Asked(5, 3)
    found = {chooser.unlabelled(5, 0, step).column for step in range(20)}
    assert found == {1, 2}
    assert chooser.labelled(5, [], 0).box is not None


# Balance --------------------------------------------------------------------------------------


def test_the_ratio_of_gradients_is_as_set():
    balance = GradientBalance(0.5)
    random = np.random.default_rng(0)
    for _ in range(200):
        # Gradients of classes that are nearly learned come in bursts.
        ours, theirs = random.exponential(2.0), random.uniform(0.3, 0.5)
        balance.take([(ours, theirs, balance.scale(ours, theirs))])
    assert balance.ratio == pytest.approx(0.5, rel=0.05)
    other = GradientBalance(0.5)
    other.load_state(balance.state())
    assert other.state() == balance.state()


def test_portions_of_a_step_are_one_step():
    balance = GradientBalance(1.0)
    balance.take([(1.0, 2.0, 0.5), (3.0, 2.0, 0.5)])
    assert (balance.classes, balance.contrast) == (2.0, 2.0)
    assert list(balance.applied) == [(2.0, 1.0)]
    assert balance.ratio == 0.5
    assert GradientBalance(1.0).ratio == 0


@pytest.mark.parametrize("name", ["resnet18", "densenet121", "efficientnet-b0"])
def test_the_last_block_is_the_last_that_is_passed(name):
    network = build_encoder(name, 2, 1, 2)
    convolutions = [m for m in network.body.modules() if isinstance(m, torch.nn.Conv2d)]
    passed = []
    for each in convolutions:
        each.register_forward_hook(lambda module, *_: passed.append(module))
    network.eval()(torch.zeros(1, 1, 64, 64))
    first = last_block(network.body)[0]
    assert first is passed[-1].weight


def test_both_encoders_give_directions_of_one_width():
    partner = RadiomicPartner(93, 512, 128, 64)
    images, regions = partner.of_images(torch.randn(3, 512)), partner.of_regions(torch.zeros(3, 93))
    assert images.shape == regions.shape == (3, 64)
    torch.testing.assert_close(images.norm(dim=1), torch.ones(3))


# What is told ---------------------------------------------------------------------------------


def test_what_is_known_of_features_is_measured_on_other_images():
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 8, generator=random)
    known = inputs @ torch.randn(8, 1, generator=random)
    noise = torch.randn(400, 1, generator=random)
    outputs = torch.cat([known, noise, torch.ones(400, 1)], 1)
    found = held_out_r2(inputs, outputs, torch.arange(400) % 2 == 0)
    assert float(found[0]) > 0.95
    assert float(found[1]) < 0.1
    assert found[2].isnan()
    assert held_out_r2(inputs, outputs, torch.ones(400, dtype=torch.bool)).isnan().all()


def test_images_with_boxes_and_rare_classes_are_followed_first():
    presence = np.zeros((30, 2), bool)
    presence[:26, 0] = True
    presence[24:28, 1] = True
    chosen = followed_rows(presence, [7], seed=0)
    assert len(chosen) == len(dict(chosen)) == 6
    assert dict(chosen)[7] == 0
    assert [column for _, column in chosen].count(1) == 3
    assert all(presence[row, column] for row, column in chosen)
    assert followed_rows(np.zeros((4, 2), bool), [], 0) == []


def test_there_is_a_frame_each_epoch_but_not_too_many():
    turns = Turns()
    assert [step for step in range(1, 41) if turns.is_next(step, 10, 40)] == [1, 10, 20, 30, 40]
    turns = Turns()
    assert sum(turns.is_next(step, 10, 4000) for step in range(1, 4001)) <= 41


def test_kept_maps_are_small():
    assert small(np.ones((2, 256, 64), np.float32)).shape == (2, 128, 64)
    assert small(np.ones((2, 64, 64), np.float32)).dtype == np.float16
