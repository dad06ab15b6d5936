"""Transformers from a folder, against their formulas in double precision."""

import json
import math

import numpy as np
import pytest
import torch

from longtail.core.errors import LongtailError
from longtail.core.nets.encoders import build_encoder
from longtail.core.nets.recipe import NetworkRecipe, build_network
from longtail.core.nets.vit import VisionTransformer, load_weights, read_means, read_shape

KINDS = ["vit", "dinov2", "dinov2_with_registers"]


def network_of(folder, size=12, rank=0):
    network = VisionTransformer(read_shape(folder, size, rank)).eval()
    load_weights(network, folder)
    return network


def norm(x, weight, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(
        x.var(-1, keepdims=True) + 1e-6
    ) * weight + bias


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def by_formula(image, w, kind, swiglu):
    """One image (3, 12, 12) through the transformer, patch by patch and head by head."""
    tokens = []
    kernel = w["embeddings.patch_embeddings.projection.weight"]
    for y in range(3):
        for x in range(3):
            patch = image[:, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
            tokens.append((kernel * patch).sum((1, 2, 3)))
    tokens = np.array(tokens) + w["embeddings.patch_embeddings.projection.bias"]
    tokens = np.concatenate([w["embeddings.cls_token"][0], tokens])
    tokens = tokens + w["embeddings.position_embeddings"][0]
    extra = w["embeddings.register_tokens"][0] if kind == "dinov2_with_registers" else tokens[:0]
    tokens = np.concatenate([tokens[:1], extra, tokens[1:]])
    for number in range(2):
        block = {
            k.removeprefix(f"encoder.layer.{number}."): v
            for k, v in w.items()
            if k.startswith(f"encoder.layer.{number}.")
        }
        tokens = through_block(tokens, block, kind, swiglu)
    tokens = norm(tokens, w["layernorm.weight"], w["layernorm.bias"])
    return np.concatenate([tokens[0], tokens[1 + len(extra) :].mean(0)])


def through_block(tokens, b, kind, swiglu):
    first, second = ("layernorm_before", "layernorm_after") if kind == "vit" else ("norm1", "norm2")
    into, out = ("intermediate.dense", "output.dense") if kind == "vit" else ("mlp.fc1", "mlp.fc2")
    if swiglu:
        into, out = "mlp.weights_in", "mlp.weights_out"
    scales = [b.get(f"layer_scale{place}.lambda1", 1.0) for place in (1, 2)]

    def linear(x, name):
        return x @ b[f"{name}.weight"].T + b[f"{name}.bias"]

    x = norm(tokens, b[f"{first}.weight"], b[f"{first}.bias"])
    q, k, v = (linear(x, f"attention.attention.{part}") for part in ("query", "key", "value"))
    heads = []
    for head in (slice(0, 4), slice(4, 8)):
        scores = q[:, head] @ k[:, head].T / 2
        shares = np.exp(scores - scores.max(1, keepdims=True))
        heads.append(shares / shares.sum(1, keepdims=True) @ v[:, head])
    mixed = linear(np.concatenate(heads, 1), "attention.output.dense")
    tokens = tokens + scales[0] * mixed
    hidden = linear(norm(tokens, b[f"{second}.weight"], b[f"{second}.bias"]), into)
    if swiglu:
        gate, passed = np.split(hidden, 2, axis=1)
        hidden = gate / (1 + np.exp(-gate)) * passed
    else:
        hidden = gelu(hidden)
    return tokens + scales[1] * linear(hidden, out)


@pytest.mark.parametrize(("kind", "swiglu"), [*((kind, False) for kind in KINDS), ("dinov2", True)])
def test_features_by_the_formula(transformer_folder, kind, swiglu):
    folder, weights = transformer_folder(kind, swiglu, prefix=f"{kind}." if kind == "vit" else "")
    image = np.random.default_rng(0).normal(size=(3, 12, 12))
    plain = {name: value.double().numpy() for name, value in weights.items()}
    with torch.inference_mode():
        found = network_of(folder).double()(torch.tensor(image)[None])
    assert found.shape == (1, 16, 1)
    np.testing.assert_allclose(found[0, :, 0], by_formula(image, plain, kind, swiglu), rtol=1e-8)


def test_adapters_start_at_nothing(transformer_folder):
    folder, _ = transformer_folder()
    images = torch.randn(2, 3, 12, 12)
    plain, adapted = network_of(folder), network_of(folder, rank=2)
    torch.testing.assert_close(adapted(images), plain(images))
    assert len(adapted.adapters()) == 8
    assert not plain.adapters()


def test_positions_are_stretched_to_other_sizes(transformer_folder):
    folder, weights = transformer_folder()
    network = network_of(folder, size=22)
    assert network.shape.grid == 5
    assert network(torch.randn(1, 3, 22, 22)).shape == (1, 16, 1)
    position = weights["embeddings.position_embeddings"]
    torch.testing.assert_close(network.position[:, 0], position[:, 0])
    torch.testing.assert_close(network.position[0, 1 + 12], position[0, 1 + 4], atol=1e-4, rtol=0)


def test_a_recipe_builds_it_without_the_folder(transformer_folder):
    folder, _ = transformer_folder()
    shape = read_shape(folder, 12).to_mapping()
    first = build_encoder("vit", 2, 3, 4, pretrained=str(folder), shape=shape).eval()
    options = {"name": "vit", "shape": json.loads(json.dumps(shape)), "pretrained": "none"}
    second = build_network(NetworkRecipe("encoder", 2, 3, 4, options)).eval()
    second.load_state_dict(first.state_dict())
    images = torch.randn(2, 3, 12, 12)
    torch.testing.assert_close(second(images), first(images))
    with pytest.raises(LongtailError, match="not for volumes"):
        build_encoder("vit", 3, 3, 4, shape=shape)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "llama"}, "of the kind 'llama'"),
        ({"hidden_size": "wide"}, "lacks sizes"),
        ({"num_hidden_layers": 10**9}, "those of no encoder"),
        ({"num_attention_heads": 3}, "those of no encoder"),
        ({"patch_size": 0}, "lacks sizes|no encoder"),
        ({"patch_size": 64}, "smaller than a patch"),
    ],
)
def test_folders_that_cannot_be_read(transformer_folder, changes, words):
    folder, _ = transformer_folder(**changes)
    with pytest.raises(LongtailError, match=words):
        read_shape(folder, 12)


def test_damaged_folders(transformer_folder, tmp_path):
    with pytest.raises(LongtailError, match=r"config\.json is missing"):
        read_shape(tmp_path, 12)
    folder, _ = transformer_folder(num_hidden_layers=3)
    with pytest.raises(LongtailError, match="does not fit its config"):
        network_of(folder)
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(LongtailError, match="cannot be read"):
        read_shape(folder, 12)


def test_means_of_its_images(transformer_folder):
    folder, _ = transformer_folder()
    assert read_means(folder) is None
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps({"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.2, 0.2]}))
    assert read_means(folder) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
    path.write_text(json.dumps({"image_mean": 0.5}))
    assert read_means(folder) is None
