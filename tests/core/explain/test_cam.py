"""Maps against sums written out place by place, and a network that is left as it was."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from longtail.core.errors import LongtailError
from longtail.core.explain.cam import MapKind, class_maps, map_of_each, raw_maps
from longtail.core.explain.tap import decoder_layers, default_layer
from longtail.core.explain.variants import TWO_SCALES, WAYS
from longtail.core.nets.encoders import ENCODERS, ImageClassifier, build_encoder
from longtail.core.nets.plain_unet import build_plain_unet
from longtail.core.nets.unet import build_unet
from longtail.core.nets.vnet import build_vnet

CHOSEN = torch.tensor([[0, 1], [1, 0]])


def by_hand(variant, maps, gradients):
    """One image's map by loops over channels and places; maps and gradients (channel, *grid)."""
    places = list(itertools.product(*map(range, maps.shape[1:])))
    out = np.zeros(maps.shape[1:])
    if variant == "eigen-cam":
        rows = np.array([[maps[(k, *p)] for k in range(len(maps))] for p in places])
        projected = rows @ np.linalg.svd(rows)[2][0]
        projected *= -1 if projected.sum() < 0 else 1
        for place, value in zip(places, projected, strict=True):
            out[place] = max(value, 0)
        return out
    for place in places:
        total = 0.0
        for k in range(len(maps)):
            a, g = maps[(k, *place)], gradients[(k, *place)]
            if variant == "grad-cam":
                total += a * sum(gradients[(k, *p)] for p in places) / len(places)
            elif variant == "grad-cam++":
                weight = 0.0
                for p in places:
                    gp = gradients[(k, *p)]
                    denominator = 2 * gp**2 + sum(maps[(k, *q)] for q in places) * gp**3
                    weight += gp**2 / denominator * max(gp, 0) if gp else 0.0
                total += a * weight
            elif variant == "hirescam":
                total += a * g
            else:
                total += a * max(g, 0)
        out[place] = max(total, 0)
    return out


def finite_gradient(score, maps, step=1e-6):
    """The gradient of `score` at `maps` by finite differences."""
    out = torch.zeros_like(maps)
    for index in np.ndindex(*maps.shape):
        up, down = maps.clone(), maps.clone()
        up[index] += step
        down[index] -= step
        out[index] = (score(up) - score(down)) / (2 * step)
    return out.numpy()


def later_layers(network, start):
    """From the maps of body layer `start` to the logits."""

    tail = copy.deepcopy(network).eval()

    def run(maps):
        values = maps[None].clone()
        for module in list(tail.body)[start + 1 :]:
            values = module(values)
        return tail.head(values.flatten(2).mean(2))[0]

    return run


@pytest.mark.parametrize("variant", WAYS)
@pytest.mark.parametrize("start", [1, 5])
def test_each_variant_is_what_its_paper_says(classifier, images, variant, start):
    layer = f"body.{start}"
    chosen = torch.tensor([[2, 0]] * len(images))
    raw = raw_maps(classifier, images, chosen, variant=variant, layer=layer)
    frozen = copy.deepcopy(classifier).eval()
    with torch.no_grad():
        maps = frozen.body[: start + 1](images)
        run = later_layers(classifier, start)
        for image, (column, output) in itertools.product(range(3), [(0, 2), (1, 0)]):
            gradient = finite_gradient(lambda m, o=output: run(m)[o], maps[image])
            expected = by_hand(variant, maps[image].numpy(), gradient)
            found = raw.values[image, column].numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("variant", WAYS)
def test_the_score_of_a_label_map_is_its_mean_where_it_is_likeliest(dims, variant, make_segmenter):
    torch.manual_seed(3)
    network = make_segmenter(dims).double().eval()
    images = torch.randn(2, 1, *[5, 4, 3][:dims], dtype=torch.float64)
    raw = raw_maps(network, images, torch.tensor([[1]] * 2), variant=variant, layer="first")
    with torch.no_grad():
        maps = network.first(images)
        region = network(images).argmax(1) == 1
        assert region.flatten(1).any(1).all()
        for image in range(2):

            def score(one, place=region[image]):
                return network.last(torch.tanh(one[None]) ** 2)[0, 1][place].mean()

            expected = by_hand(variant, maps[image].numpy(), finite_gradient(score, maps[image]))
            np.testing.assert_allclose(raw.values[image, 0].numpy(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("variant", "name"), [("grad-cam", "GradCAM"), ("grad-cam++", "GradCAMpp")]
)
def test_one_image_gives_what_monai_gives(images, variant, name, classifier):
    from monai import visualize

    network = classifier.eval()
    # MONAI adds 1e-7 to the denominator of Grad-CAM++, which is much for small gradients.
    network.head.weight.data.mul_(300)
    for part in network.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    found = class_maps(network, images[:1], [1], variant=variant)
    theirs = getattr(visualize, name)(nn_module=copy.deepcopy(network), target_layers="body")
    expected = torch.as_tensor(np.asarray(theirs(images[:1], class_idx=1)))
    # MONAI's own scaling gives the largest value 0 and the smallest 1.
    torch.testing.assert_close(
        found.values[0, 0].double(), 1 - expected[0, 0].double(), atol=1e-4, rtol=0
    )


def test_a_map_lies_on_the_images_grid_between_0_and_1(classifier, images):
    found = class_maps(classifier, images, [0, 1, 2])
    assert found.values.shape == (3, 3, *images.shape[2:])
    assert found.values.dtype == torch.float32
    assert found.logits.shape == (3, 3)
    flat = found.values.flatten(2)
    for image, row in enumerate(found.kinds):
        for column, kind in enumerate(row):
            top = float(flat[image, column].max())
            assert top == (1.0 if kind is MapKind.GRADED else 0.0)
            assert float(flat[image, column].min()) == 0.0
    assert found.usable.tolist() == [
        [kind is MapKind.GRADED for kind in row] for row in found.kinds
    ]
    assert found.usable.any()


def test_images_of_a_batch_do_not_mix(classifier, images):
    together = class_maps(classifier, images, [1], variant="grad-cam++")
    for row in range(len(images)):
        alone = class_maps(classifier, images[row : row + 1], [1], variant="grad-cam++")
        torch.testing.assert_close(together.values[row : row + 1], alone.values)


def test_one_class_an_image(classifier, images):
    chosen = torch.tensor([2, 0, 1])
    each = map_of_each(classifier, images, chosen)
    every = class_maps(classifier, images, [0, 1, 2])
    torch.testing.assert_close(each.values[:, 0], every.values[torch.arange(3), chosen])


def state_of(network):
    return {
        "modes": [part.training for part in network.modules()],
        "flags": [weight.requires_grad for weight in network.parameters()],
        "grads": [None if w.grad is None else w.grad.clone() for w in network.parameters()],
        "hooks": [
            len(part._forward_hooks) + len(part._backward_hooks) for part in network.modules()
        ],
        "values": [value.clone() for value in network.state_dict().values()],
        "in place": [getattr(part, "inplace", None) for part in network.modules()],
        "random": torch.random.get_rng_state(),
        "graph": torch.is_grad_enabled(),
    }


def assert_same(before, after):
    for name, values in before.items():
        if name in ("values", "random"):
            torch.testing.assert_close(after[name], values, rtol=0, atol=0)
        elif name != "grads":
            assert after[name] == values, name
    for old, new in zip(before["grads"], after["grads"], strict=True):
        assert (old is None) == (new is None)
        assert old is None or torch.equal(old, new)


@pytest.fixture
def prepared(classifier, dims):
    """Part of it frozen and in evaluation mode, with gradients of a step under way."""
    network = classifier
    network.body[1].eval()
    network.body[0].weight.requires_grad_(False)
    network(torch.randn(4, 1, *[8] * dims, dtype=torch.float64)).sum().backward()
    return network


def test_the_network_is_left_as_it_was(prepared, images):
    network = prepared
    before = state_of(network)
    for variant in WAYS:
        class_maps(network, images, [0, 2], variant=variant)
    assert_same(before, state_of(network))


def test_the_network_is_left_as_it_was_when_something_fails(prepared, images):
    network = prepared
    before = state_of(network)
    with pytest.raises(IndexError):
        class_maps(network, images, [7])
    with pytest.raises(RuntimeError):
        class_maps(network, torch.cat([images, images], 1), [0])
    with pytest.raises(LongtailError, match="gives no map"):
        class_maps(network, images, [0], layer="head")
    with pytest.raises(LongtailError, match="no layer"):
        class_maps(network, images, [0], layer="body.network.layer9")
    with pytest.raises(LongtailError, match="no map called"):
        class_maps(network, images, [0], variant="score-cam")
    assert_same(before, state_of(network))


@pytest.mark.parametrize("surrounding", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_frozen_weights_and_any_surroundings_give_the_same_map(classifier, images, surrounding):
    expected = class_maps(classifier, images, [1]).values
    classifier.requires_grad_(False).eval()
    with surrounding():
        found = class_maps(classifier, images.clone(), [1]).values
    torch.testing.assert_close(found, expected)


def test_half_precision_comes_near_full_precision(classifier, images):
    network = classifier.float()
    whole = class_maps(network, images.float(), [0, 1, 2], variant="hirescam")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = class_maps(network, images.float(), [0, 1, 2], variant="hirescam")
    half = class_maps(network.bfloat16(), images.bfloat16(), [0, 1, 2], variant="hirescam")
    for found in (mixed, half):
        assert found.values.dtype == torch.float32
        assert float((found.values - whole.values).abs().mean()) < 0.03


def test_a_look_inside_a_training_step_takes_no_gradient_from_it(classifier, images):
    network = classifier.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        class_maps(network, images.float(), [1])
        loss = network(images.float()).square().sum()
    loss.backward()
    assert all(weight.grad is not None for weight in network.parameters())


class Fixed(nn.Module):
    """Gives the maps that it was made with, whatever it is shown."""

    def __init__(self, maps):
        super().__init__()
        self.maps = maps

    def forward(self, images):
        return self.maps.clone()


def classifier_of(maps, weight):
    network = ImageClassifier(Fixed(maps), nn.Linear(1, 1), 1)
    network.head.weight.data.fill_(weight)
    return network


def test_maps_that_say_nothing_are_said_to():
    bump = torch.zeros(3, 1, 4, 4)
    bump[0, 0, 1, 2] = 1.0
    bump[1] = 3.0
    bump[2, 0, 0, 0] = float("inf")
    images = torch.zeros(3, 1, 8, 8)
    up = class_maps(classifier_of(bump, 2.0), images, [0])
    assert up.kinds == ((MapKind.GRADED,), (MapKind.CONSTANT,), (MapKind.UNDEFINED,))
    assert up.values[1:].abs().max() == 0
    assert up.values[0].max() == 1
    down = class_maps(classifier_of(bump[:2], -2.0), images[:2], [0])
    assert down.kinds == ((MapKind.EMPTY,), (MapKind.EMPTY,))
    assert up.values.isfinite().all()


def test_a_class_outlined_nowhere_has_no_region_to_explain(dims, make_segmenter):
    network = make_segmenter(dims)
    network.last.bias.data[2] = -1e6
    found = class_maps(network, torch.randn(2, 1, *[6] * dims), [0, 2], layer="first")
    assert [row[1] for row in found.kinds] == [MapKind.ABSENT] * 2
    assert found.values[:, 1].abs().max() == 0


class Aside(nn.Module):
    """Computes maps and says something else."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3)

    def forward(self, images):
        self.first(images)
        return 2 * images


def test_a_layer_without_bearing_is_refused():
    with pytest.raises(LongtailError, match="no bearing"):
        class_maps(Aside(), torch.randn(1, 1, 6, 6), [0], layer="first")


@pytest.mark.parametrize("build", [build_unet, build_plain_unet, build_vnet])
def test_every_decoder_map_of_our_networks_can_be_looked_at(build):
    network = build(2, 1, 3, width=4)
    images = torch.randn(2, 1, 32, 32)
    layers = decoder_layers(network)
    assert default_layer(network) == layers[0]
    sizes = []
    for layer in layers:
        raw = raw_maps(network, images, torch.zeros(2, 1, dtype=torch.long), layer=layer)
        sizes.append(raw.values.shape[-1])
    assert sizes == sorted(sizes)
    assert len(sizes) == len(network.map_widths)


@pytest.mark.parametrize("build", [build_unet, build_plain_unet, build_vnet])
def test_two_scales_are_the_geometric_mean_of_two_looks(build):
    torch.manual_seed(0)
    network = build(2, 1, 3, width=4)
    _see_two_scales(network, torch.randn(2, 1, 32, 32), decoder_layers(network)[:2])


@pytest.mark.parametrize("name", ENCODERS)
def test_two_scales_of_an_encoder_are_its_maps_and_those_of_twice_the_detail(name):
    torch.manual_seed(0)
    network = build_encoder(name, 2, 3, 2)
    images = torch.randn(2, 3, 64, 64)
    network.train()
    layers = ("body", network.finer_layer)
    before = state_of(network)
    assert _see_two_scales(network, images, layers).max() > 0
    assert_same(before, state_of(network))
    named = raw_maps(network, images, CHOSEN, variant=TWO_SCALES, layer=layers[1])
    assert named.values.shape == (2, 2, 4, 4)
    assert torch.equal(named.values, raw_maps(network, images, CHOSEN, variant=TWO_SCALES).values)


def _see_two_scales(network, images, layers):
    coarse, fine = (raw_maps(network, images, CHOSEN, layer=layer).values for layer in layers)
    assert fine.shape[-1] == 2 * coarse.shape[-1]
    coarse = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
    found = raw_maps(network, images, CHOSEN, variant=TWO_SCALES).values
    np.testing.assert_allclose(found**2, coarse * fine, rtol=1e-4, atol=1e-9)
    return found


def test_a_network_of_one_scale_has_no_two(classifier, images):
    with pytest.raises(LongtailError, match="one scale"):
        class_maps(classifier, images, [0], variant=TWO_SCALES)
    shallow = build_unet(2, 1, 3, width=4, strides=[[2, 2]])
    with pytest.raises(LongtailError, match="one scale"):
        class_maps(shallow, torch.randn(1, 1, 16, 16), [1], variant=TWO_SCALES)


def test_a_patch_that_decides_is_where_the_map_points():
    """A classifier that sums a detector of bright blobs: the map is highest on the blob."""
    body = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    body.weight.data.fill_(1.0)
    network = ImageClassifier(body, nn.Linear(1, 1), 1)
    network.head.weight.data.fill_(1.0)
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 4:7, 9:12] = 1
    for variant in WAYS:
        values = class_maps(network, image, [0], variant=variant).values[0, 0]
        assert divmod(int(values.argmax()), 16) == (5, 10)
