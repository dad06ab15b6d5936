"""How to build a network again: plain data that travels with its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from ..errors import LongtailError


@dataclass(frozen=True, slots=True)
class NetworkRecipe:
    """The name of a builder and its arguments.

    `kind` is `unet`, `plain-unet` or `vnet` (outputs logits (batch, 1 + classes, *space),
    background first) or `encoder` (outputs logits (batch, classes)).
    """

    kind: str
    spatial_dims: int
    in_channels: int
    out_channels: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for JSON and checkpoints."""
        return {**asdict(self), "options": dict(self.options)}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "NetworkRecipe":
        """Read what `to_mapping` wrote."""
        return cls(**mapping)


def build_network(recipe: NetworkRecipe) -> nn.Module:
    """Build the network of `recipe` with new weights.

    Raises
    ------
    LongtailError
        This Longtail does not know the kind, or a package it needs is absent.
    """
    sizes = (recipe.spatial_dims, recipe.in_channels, recipe.out_channels)
    if recipe.kind == "unet":
        from .unet import build_unet

        return build_unet(*sizes, **recipe.options)
    if recipe.kind == "plain-unet":
        from .plain_unet import build_plain_unet

        return build_plain_unet(*sizes, **recipe.options)
    if recipe.kind == "vnet":
        from .vnet import build_vnet

        return build_vnet(*sizes, **recipe.options)
    if recipe.kind == "encoder":
        from .encoders import build_encoder

        options = dict(recipe.options)
        return build_encoder(options.pop("name"), *sizes, **options)
    raise LongtailError(f"This Longtail cannot build a {recipe.kind!r}.", "Update Longtail.")
