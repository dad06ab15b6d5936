import math

import numpy as np
import pytest
import torch

from longtail.core.data.preprocessing import Intensity, Preprocessing
from longtail.core.io.geometry import plain_geometry
from longtail.core.io.image import Image
from longtail.core.predict.classids import merge_columns, project_class_ids
from longtail.core.predict.segment import decide, predict_volume
from longtail.core.predict.windows import SlidingWindow

AS_IT_IS = Intensity("window", 0.0, 100.0, (0.0,), (1.0,))


def image(array, spacing=None):
    return Image(array[None], plain_geometry(spacing) if spacing else None)


def numbers(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 3, shape).astype(np.float32)


@pytest.mark.parametrize(("dims", "shape", "window"), [
    (3, (7, 11, 9), (4, 6, 6)), (2, (7, 11, 9), (6, 6)), (2, (11, 9), (6, 6)),
])  # fmt: skip
def test_label_maps_are_in_class_ids_on_the_sources_grid(known_networks, dims, shape, window):
    from longtail.core.checkpoints.store import build_network
    from longtail.core.nets.recipe import NetworkRecipe

    network = build_network(NetworkRecipe("unet", dims, 1, 3))
    truth = numbers(shape)
    labels, uncertainty = predict_volume(
        network, Preprocessing(dims, 1, AS_IT_IS), (4, 9), image(truth), SlidingWindow(window)
    )
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, np.array([0, 4, 9])[truth.astype(int)])
    assert 0 <= uncertainty < 0.01


def test_another_spacing_comes_back_to_the_sources_grid(known_networks):
    from longtail.core.checkpoints.store import build_network
    from longtail.core.nets.recipe import NetworkRecipe

    truth = np.zeros((6, 20, 20), dtype=np.float32)
    truth[:, 5:15, 4:16] = 1
    preprocessing = Preprocessing(3, 1, AS_IT_IS, spacing_mm=(2.0, 2.0, 2.0))
    labels, _ = predict_volume(
        build_network(NetworkRecipe("unet", 3, 1, 3)),
        preprocessing,
        (1, 2),
        image(truth, (4.0, 1.0, 1.0)),
        SlidingWindow((8, 8, 8)),
    )
    assert labels.shape == truth.shape
    assert (labels == truth).mean() > 0.97


def test_a_slice_axis_in_the_middle_comes_back(known_networks):
    from longtail.core.checkpoints.store import build_network
    from longtail.core.nets.recipe import NetworkRecipe

    truth = numbers((9, 5, 11))
    labels, _ = predict_volume(
        build_network(NetworkRecipe("unet", 2, 1, 3)),
        Preprocessing(2, 1, AS_IT_IS, slice_axis=1),
        (1, 2),
        image(truth),
        SlidingWindow((6, 6)),
    )
    np.testing.assert_array_equal(labels, truth)


def test_entropy_runs_from_sure_to_undecided():
    probabilities = torch.tensor([[1.0, 1 / 3], [0.0, 1 / 3], [0.0, 1 / 3]]).reshape(3, 1, 2)
    found = decide(probabilities, Preprocessing(2, 1), (1, 2), (1, 2))
    np.testing.assert_allclose(found.entropy, [[0.0, 1.0]], atol=1e-5)
    assert found.uncertainty == pytest.approx(0.5)
    assert found.labels[0, 0] == 0


def test_entropy_of_two_classes_by_hand():
    probabilities = torch.tensor([0.9, 0.1]).reshape(2, 1, 1)
    found = decide(probabilities, Preprocessing(2, 1), (7,), (1, 1))
    by_hand = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1)) / math.log(2)
    assert found.uncertainty == pytest.approx(by_hand, abs=1e-5)


def test_ids_above_254_take_16_bits():
    probabilities = torch.tensor([0.1, 0.9]).reshape(2, 1, 1)
    found = decide(probabilities, Preprocessing(2, 1), (300,), (1, 1))
    assert found.labels.dtype == np.uint16
    assert found.labels[0, 0] == 300


def test_classes_that_were_merged_and_retired_since():
    assert project_class_ids((1, 2, 3, 4), {2: 3, 3: 5}, [1, 5]) == (1, 5, 5, 0)
    # A circle cannot be, but must not hang either.
    assert project_class_ids((1,), {1: 2, 2: 1}, [3]) == (0,)


def test_merged_columns_add_up_and_retired_ones_go():
    logits = np.log([[0.2, 0.3, 0.4, 0.1]])
    joint = merge_columns(logits, (1, 5, 5, 0), (1, 5), exclusive=True)
    np.testing.assert_allclose(np.exp(joint), [[0.2, 0.7]])
    surest = merge_columns(np.array([[0.5, 2.0, -1.0]]), (1, 5, 5), (1, 5), exclusive=False)
    np.testing.assert_allclose(surest, [[0.5, 2.0]])
