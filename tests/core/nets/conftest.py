"""Folders of tiny transformers with random weights, as `transformers` writes them."""

import json

import pytest
import torch
from safetensors.torch import save_file

WIDTH, DEPTH, HEADS, PATCH, SIDE = 8, 2, 2, 4, 3


def config_of(kind, swiglu=False):
    config = {
        "model_type": kind,
        "hidden_size": WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": HEADS,
        "patch_size": PATCH,
        "image_size": SIDE * PATCH,
        "layer_norm_eps": 1e-6,
    }
    if kind == "vit":
        return {**config, "intermediate_size": 16}
    if kind == "dinov2_with_registers":
        config["num_register_tokens"] = 2
    return {**config, "mlp_ratio": 2, "use_swiglu_ffn": swiglu}


def weights_of(kind, swiglu=False, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator) * 0.5

    found = {
        "embeddings.cls_token": draw(1, 1, WIDTH),
        "embeddings.position_embeddings": draw(1, 1 + SIDE**2, WIDTH),
        "embeddings.patch_embeddings.projection.weight": draw(WIDTH, 3, PATCH, PATCH),
        "embeddings.patch_embeddings.projection.bias": draw(WIDTH),
        "layernorm.weight": 1 + draw(WIDTH),
        "layernorm.bias": draw(WIDTH),
    }
    if kind == "dinov2_with_registers":
        found["embeddings.register_tokens"] = draw(1, 2, WIDTH)
    for number in range(DEPTH):
        found.update(
            {f"encoder.layer.{number}.{k}": v for k, v in block_of(kind, swiglu, draw).items()}
        )
    return found


def block_of(kind, swiglu, draw):
    plain = kind == "vit"
    hidden = 16 if not swiglu else (int(16 * 2 / 3) + 7) // 8 * 8
    names = ("layernorm_before", "layernorm_after") if plain else ("norm1", "norm2")
    first, last = ("intermediate.dense", "output.dense") if plain else ("mlp.fc1", "mlp.fc2")
    if swiglu:
        first, last = "mlp.weights_in", "mlp.weights_out"
    found = {f"{name}.weight": 1 + draw(WIDTH) for name in names}
    found |= {f"{name}.bias": draw(WIDTH) for name in names}
    for part in ("attention.attention.query", "attention.attention.key"):
        found |= {f"{part}.weight": draw(WIDTH, WIDTH), f"{part}.bias": draw(WIDTH)}
    for part in ("attention.attention.value", "attention.output.dense"):
        found |= {f"{part}.weight": draw(WIDTH, WIDTH), f"{part}.bias": draw(WIDTH)}
    wide = hidden * (2 if swiglu else 1)
    found |= {f"{first}.weight": draw(wide, WIDTH), f"{first}.bias": draw(wide)}
    found |= {f"{last}.weight": draw(WIDTH, hidden), f"{last}.bias": draw(WIDTH)}
    if not plain:
        found |= {"layer_scale1.lambda1": draw(WIDTH), "layer_scale2.lambda1": draw(WIDTH)}
    return found


@pytest.fixture
def transformer_folder(tmp_path):
    """Write a tiny transformer; gives its folder and its weights."""

    def write(kind="dinov2", swiglu=False, prefix="", **changes):
        folder = tmp_path / f"encoder {kind}"
        folder.mkdir(exist_ok=True)
        weights = weights_of(kind, swiglu)
        config = {**config_of(kind, swiglu), **changes}
        (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        save_file({prefix + k: v for k, v in weights.items()}, folder / "model.safetensors")
        return folder, weights

    return write
