"""Listen to one layer of a network during one look, and leave no trace of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import LongtailError
from ..nets.encoders import ImageClassifier
from ..nets.stages import StagedNetwork
from ..nets.unet import UNet

MAP_DIMS = 4
"""Fewest axes of a map: (image, channel, y, x)."""


class Tap:
    """Takes the maps of a layer as they pass, for gradients to be asked of.

    Those of the first layer that is listened to are a leaf: the layers before it are looked at
    without a graph, so that memory is spent above it alone, and the weights need no gradient of
    their own.
    """

    def __init__(self, layer: str) -> None:
        self.layer = layer
        self._taken: Tensor | None = None

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Tensor:
        """Serve as the forward hook of the layer."""
        if not isinstance(output, Tensor) or output.ndim < MAP_DIMS:
            raise LongtailError(
                f"The layer {self.layer} of this network gives no map.",
                "Choose a layer that does, such as the last one before the pooling.",
            )
        self._taken = output if output.requires_grad else output.detach().requires_grad_()
        torch.set_grad_enabled(True)  # ends with the block of `listening`
        # A copy, since the next layer may write into what it is given.
        return self._taken.clone()

    @property
    def maps(self) -> Tensor:
        """What passed, (image, channel, *coarse).

        Raises
        ------
        LongtailError
            The network does not use the layer.
        """
        if self._taken is None:
            raise LongtailError(
                f"The network does not use its layer {self.layer}.", "Choose another layer."
            )
        return self._taken


@contextmanager
def listening(network: nn.Module, *layers: str) -> Iterator[tuple[Tap, ...]]:
    """Put the network into evaluation mode and listen to layers; afterwards all is as before.

    Neither the modes of its parts, nor weights, gradients, hooks or running statistics are
    changed by it, also where the block ends with an error.

    Raises
    ------
    LongtailError
        The network has no such layer.
    """
    modules = [_layer(network, layer) for layer in layers]
    modes = [(part, part.training) for part in network.modules()]
    taps = tuple(Tap(layer) for layer in layers)
    handles = [module.register_forward_hook(tap) for module, tap in zip(modules, taps, strict=True)]
    try:
        for part, _ in modes:
            part.training = False
        with torch.inference_mode(False), torch.no_grad():
            yield taps
    finally:
        for handle in handles:
            handle.remove()
        for part, mode in modes:
            part.training = mode


def default_layer(network: nn.Module) -> str:
    """Give the layer that is usually looked at: the last maps, or the bottom of a U.

    Raises
    ------
    LongtailError
        The network is of a kind that has no usual layer.
    """
    return decoder_layers(network)[0] if not isinstance(network, ImageClassifier) else "body"


def two_layers(network: nn.Module) -> tuple[str, str]:
    """Give the layer that is usually looked at, and the nearest one with more detail.

    Raises
    ------
    LongtailError
        The network has no such two.
    """
    if isinstance(network, ImageClassifier):
        finer = network.finer_layer
        layers = (default_layer(network), *([finer] if finer else []))
    else:
        layers = decoder_layers(network)
    if len(layers) < 2:
        raise LongtailError(
            "This network has maps of one scale only.", "Choose Grad-CAM for its heat maps."
        )
    return layers[0], layers[1]


def decoder_layers(network: nn.Module) -> tuple[str, ...]:
    """List the maps of a network for label maps: the bottom first, then up to the finest.

    Raises
    ------
    LongtailError
        It is none that Longtail builds.
    """
    if isinstance(network, UNet):
        # The first stage up gives the logits themselves.
        return ("bottom", *(f"up.{level}" for level in range(len(network.up) - 1, 0, -1)))
    if isinstance(network, StagedNetwork):
        rises = range(len(network.rises) - 1, -1, -1)
        return (f"stages.{len(network.stages) - 1}", *(f"rises.{level}" for level in rises))
    raise LongtailError(
        f"Longtail does not know where a {type(network).__name__} holds its maps.",
        "Name the layer.",
    )


def _layer(network: nn.Module, layer: str) -> nn.Module:
    try:
        return network.get_submodule(layer)
    except AttributeError as error:
        raise LongtailError(f"The network has no layer {layer!r}.", "Check its name.") from error
