"""Vision transformers from a local folder: DINOv2 and its like, plain ViT.

A folder as `transformers` writes it: `config.json` and `model.safetensors`. Nothing in it is run,
and that package is not needed. Dosovitskiy et al., ICLR 2021; Oquab et al. (DINOv2), 2023; LoRA:
Hu et al., ICLR 2022.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import LongtailError

KINDS = ("vit", "dinov2", "dinov2_with_registers")
LARGEST_CONFIG_BYTES = 1_000_000
LARGEST_SIZE, DEEPEST = 16_384, 128
LORA_SCALE = 2.0

# Names of `transformers` and ours; what a kind does not have is left out.
_RENAMED = (
    (r"^(vit|dinov2|dinov2_with_registers|backbone|model)\.", ""),
    (r"^embeddings\.cls_token$", "summary"),
    (r"^embeddings\.register_tokens$", "registers"),
    (r"^embeddings\.position_embeddings$", "position"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patches."),
    (r"^encoder\.layer\.", "blocks."),
    (r"\.attention\.attention\.", "."),
    (r"\.attention\.output\.dense\.", ".join."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.layer_scale([12])\.lambda1$", r".scale\1"),
    (r"\.mlp\.(fc1|weights_in)\.", ".first."),
    (r"\.mlp\.(fc2|weights_out)\.", ".last."),
    (r"\.intermediate\.dense\.", ".first."),
    (r"\.output\.dense\.", ".last."),
    (r"^layernorm\.", "norm."),
)


@dataclass(frozen=True, slots=True)
class VitShape:
    """Sizes of a transformer: plain data that travels with its weights.

    Parameters
    ----------
    grid
        Patches along each side of the image.
    swiglu
        The perceptrons gate their hidden units (the giant DINOv2).
    rank
        Rank of the LoRA adapters at queries and values, 0 without.
    """

    width: int
    depth: int
    heads: int
    patch: int
    grid: int
    hidden: int
    registers: int = 0
    swiglu: bool = False
    epsilon: float = 1e-6
    rank: int = 0

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for JSON and checkpoints."""
        return asdict(self)


class Adapted(nn.Linear):
    """A linear layer with a low-rank addition that starts at nothing."""

    def __init__(self, width: int, rank: int) -> None:
        super().__init__(width, width)
        self.rank = rank
        if rank:
            self.down = nn.Parameter(torch.empty(rank, width))
            self.up = nn.Parameter(torch.zeros(width, rank))
            nn.init.kaiming_uniform_(self.down, a=5**0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., width) to (..., width)."""
        plain: Tensor = super().forward(tokens)
        if not self.rank:
            return plain
        added: Tensor = functional.linear(functional.linear(tokens, self.down), self.up)
        return plain + LORA_SCALE * added


class Block(nn.Module):
    """Attention and perceptron, each with a norm before it and a scale after it."""

    def __init__(self, shape: VitShape) -> None:
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.swiglu = shape.swiglu
        self.norm1 = nn.LayerNorm(width, shape.epsilon)
        self.query = Adapted(width, shape.rank)
        self.key = nn.Linear(width, width)
        self.value = Adapted(width, shape.rank)
        self.join = nn.Linear(width, width)
        self.scale1 = nn.Parameter(torch.ones(width))
        self.norm2 = nn.LayerNorm(width, shape.epsilon)
        self.first = nn.Linear(width, shape.hidden * (2 if shape.swiglu else 1))
        self.last = nn.Linear(shape.hidden, width)
        self.scale2 = nn.Parameter(torch.ones(width))

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, token, width) to the same."""
        tokens = tokens + self.scale1 * self._attended(self.norm1(tokens))
        hidden: Tensor = self.last(self._hidden(self.first(self.norm2(tokens))))
        return tokens + self.scale2 * hidden

    def _attended(self, tokens: Tensor) -> Tensor:
        parts = [
            layer(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        ]
        mixed = functional.scaled_dot_product_attention(*parts)
        joined: Tensor = self.join(mixed.transpose(1, 2).flatten(2))
        return joined

    def _hidden(self, values: Tensor) -> Tensor:
        if not self.swiglu:
            return functional.gelu(values)
        gate, passed = values.chunk(2, dim=-1)
        return functional.silu(gate) * passed


class VisionTransformer(nn.Module):
    """Images to the summary token and the mean of the patches, (batch, 2 x width, 1)."""

    def __init__(self, shape: VitShape, in_channels: int = 3) -> None:
        super().__init__()
        self.shape = shape
        width = shape.width
        self.patches = nn.Conv2d(in_channels, width, shape.patch, shape.patch)
        self.summary = nn.Parameter(torch.zeros(1, 1, width))
        self.registers = nn.Parameter(torch.zeros(1, shape.registers, width))
        self.position = nn.Parameter(torch.zeros(1, 1 + shape.grid**2, width))
        self.blocks = nn.ModuleList([Block(shape) for _ in range(shape.depth)])
        self.norm = nn.LayerNorm(width, shape.epsilon)

    def forward(self, images: Tensor) -> Tensor:
        """(batch, channel, height, width): sides of at least grid x patch pixels."""
        grid, patch = self.shape.grid, self.shape.patch
        tokens = self.patches(images[..., : grid * patch, : grid * patch]).flatten(2).mT
        summary = self.summary.expand(len(images), -1, -1)
        tokens = torch.cat([summary, tokens], 1) + self.position
        registers = self.registers.expand(len(images), -1, -1)
        tokens = torch.cat([tokens[:, :1], registers, tokens[:, 1:]], 1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        seen = tokens[:, 1 + self.shape.registers :].mean(1)
        return torch.cat([tokens[:, 0], seen], 1)[:, :, None]

    def adapters(self) -> list[nn.Parameter]:
        """Give the LoRA weights."""
        return [p for name, p in self.named_parameters() if name.endswith((".up", ".down"))]


def read_shape(folder: Path, size: int, rank: int = 0) -> VitShape:
    """Read the sizes of the transformer in a folder, for images of `size` pixels a side.

    Raises
    ------
    LongtailError
        There is none, it is of another kind, or the images are smaller than a patch.
    """
    config = _config(folder)
    kind = str(config.get("model_type", ""))
    if kind not in KINDS:
        raise LongtailError(
            f"The encoder in {folder} is of the kind {kind or 'unknown'!r}.",
            f"Longtail reads the kinds {', '.join(KINDS)}.",
        )
    try:
        width, patch = int(config["hidden_size"]), int(config["patch_size"])
        swiglu = bool(config.get("use_swiglu_ffn", False))
        hidden = int(config.get("intermediate_size") or width * float(config.get("mlp_ratio", 4)))
        shape = VitShape(
            width=width,
            depth=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            patch=patch,
            grid=size // patch,
            hidden=(int(hidden * 2 / 3) + 7) // 8 * 8 if swiglu else hidden,
            registers=int(config.get("num_register_tokens", 0)) if "registers" in kind else 0,
            swiglu=swiglu,
            epsilon=float(config.get("layer_norm_eps", 1e-6)),
            rank=rank,
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise LongtailError(
            f"config.json in {folder} lacks sizes of the encoder: {error}.", "Download it again."
        ) from error
    _check(shape, folder)
    if not shape.grid:
        raise LongtailError(
            f"Images of {size} pixels are smaller than a patch of this encoder ({patch}).",
            "Choose a larger image size.",
        )
    return shape


def _check(shape: VitShape, folder: Path) -> None:
    """Refuse sizes that no encoder has, before memory is asked for."""
    sizes = (shape.width, shape.depth, shape.heads, shape.patch, shape.hidden)
    usual = min(sizes) >= 1 and max(sizes) <= LARGEST_SIZE and shape.depth <= DEEPEST
    if not usual or shape.width % shape.heads or not 0 <= shape.registers <= DEEPEST:
        raise LongtailError(
            f"The sizes in config.json of {folder} are those of no encoder.", "Download it again."
        )


def read_means(folder: Path) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Read means and deviations of colours that the encoder was trained with, where it says so."""
    path = folder / "preprocessor_config.json"
    if not path.is_file():
        return None
    found = _json(path)
    mean, deviation = found.get("image_mean"), found.get("image_std")
    if not (isinstance(mean, list) and isinstance(deviation, list) and len(mean) == 3):
        return None
    return tuple(map(float, mean)), tuple(map(float, deviation))


def load_weights(network: VisionTransformer, folder: Path) -> None:
    """Fill a transformer with the weights of a folder; adapters stay as they are.

    Raises
    ------
    LongtailError
        The weights are missing, damaged, or do not fit.
    """
    from .encoders import read_weights

    path = folder / "model.safetensors"
    own = network.state_dict()
    found = {our_name(name): value for name, value in read_weights(path).items()}
    found = {name: value for name, value in found.items() if name in own}
    found["position"] = _stretched(found.get("position"), network.shape, path)
    wanted = {name for name in own if not name.endswith((".up", ".down", ".scale1", ".scale2"))}
    wanted -= {"registers"} if not network.shape.registers else set()
    unfit = [n for n in wanted if n not in found or found[n].shape != own[n].shape]
    if unfit:
        raise LongtailError(
            f"{path} does not fit its config.json: {sorted(unfit)[0]} is missing or of another "
            "size.",
            "Download the folder again.",
        )
    network.load_state_dict(found, strict=False)


def our_name(name: str) -> str:
    """Translate the name of a weight from `transformers`."""
    for pattern, ours in _RENAMED:
        name = re.sub(pattern, ours, name)
    return name


def _stretched(position: Tensor | None, shape: VitShape, path: Path) -> Tensor:
    """Bring the positions of patches onto another grid, that of the summary stays."""
    if position is None or position.ndim != 3:
        raise LongtailError(f"{path} holds no positions of patches.", "Download the folder again.")
    side = round((position.shape[1] - 1) ** 0.5)
    if side == shape.grid:
        return position
    patches = position[:, 1:].float().mT.reshape(1, -1, side, side)
    patches = functional.interpolate(
        patches, (shape.grid, shape.grid), mode="bicubic", align_corners=False
    )
    return torch.cat([position[:, :1].float(), patches.flatten(2).mT], 1)


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise LongtailError(
            f"{folder} holds no encoder: config.json is missing.",
            "Give a folder with config.json and model.safetensors.",
        )
    return _json(path)


def _json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST_CONFIG_BYTES:
            raise ValueError("it is far too large")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LongtailError(f"{path} cannot be read: {error}.", "Download it again.") from error
    if not isinstance(found, dict):
        raise LongtailError(f"{path} holds no settings.", "Download it again.")
    return found
