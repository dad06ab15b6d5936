"""A trained model as a folder of its own: what it is and how to feed it, without the project.

`model.json` describes it and `weights.safetensors` holds its weights. There is no patient data in
it and no name of a case. What is read from such a folder is checked before it is believed, since
it may come from anywhere.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from ..checkpoints.store import LoadedNetwork
from ..errors import LongtailError
from ..files import replacing, write_json
from ..nets.recipe import build_network
from .description import PACKAGE_FORMAT, PackageDescription

DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
DESCRIPTION_AT_MOST = 4_000_000
"""Bytes; a description is a few thousand."""


class Package(NamedTuple):
    """An exported model, ready to predict on the CPU."""

    description: PackageDescription
    loaded: LoadedNetwork


def write_package(folder: Path, description: PackageDescription, network: nn.Module) -> Path:
    """Write a model into an empty or new folder; give the folder.

    Raises
    ------
    LongtailError
        There is something in the folder already, or it cannot be written.
    """
    from safetensors.torch import save

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LongtailError(f"{folder} is not empty.", "Choose another place for the model.")
    weights = {name: value.detach().cpu().contiguous() for name, value in _state(network)}
    content = save(weights)
    with replacing(folder / WEIGHTS) as aside:
        aside.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    whole = description.model_copy(update={"weights_sha256": digest})
    # Last, so that a folder with a description is a whole model.
    write_json(folder / DESCRIPTION, whole.model_dump(mode="json"))
    return folder


def is_package(folder: Path) -> bool:
    """Tell whether a folder looks like an exported model."""
    return (folder / DESCRIPTION).is_file()


def read_description(folder: Path) -> PackageDescription:
    """Read and check what an exported model says of itself.

    Raises
    ------
    LongtailError
        It is no model, is damaged, or was made by a newer version.
    """
    path = folder / DESCRIPTION
    document = _read_json(path)
    version = document.get("format")
    if isinstance(version, int) and version > PACKAGE_FORMAT:
        raise LongtailError("This model was exported by a newer Longtail.", "Update Longtail.")
    try:
        # As JSON, so that lists become tuples and words become tasks, and nothing else does.
        return PackageDescription.model_validate_json(json.dumps(document))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "description"
        raise LongtailError(
            f"The description of the model {folder.name} is damaged: {where}: {first['msg']}.",
            "Export the model again.",
        ) from error


def read_package(folder: Path) -> Package:
    """Read an exported model with its weights, in evaluation mode on the CPU.

    Raises
    ------
    LongtailError
        It is no model, its weights are not those that were exported, or do not fit.
    """
    description = read_description(folder)
    weights = _read_weights(folder / WEIGHTS, description.weights_sha256)
    card = description.card()
    try:
        # Without memory first, so that a hostile width cannot ask for all of it.
        with torch.device("meta"):
            _check_shapes(build_network(card.network), weights)
        network = build_network(card.network)
        network.load_state_dict(weights)
    # An option that the builder does not know is as hostile or old as weights that do not fit.
    except (RuntimeError, TypeError, ValueError, KeyError) as error:
        raise LongtailError(
            f"The weights of the model {folder.name} do not fit its network.",
            "Export the model again.",
        ) from error
    return Package(description, LoadedNetwork(network.eval(), card, card.preprocessing))


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise LongtailError(
            f"{path.parent} holds no exported model: {path.name} is missing.",
            "Choose the folder that `longtail export --what model` wrote.",
        )
    if path.stat().st_size > DESCRIPTION_AT_MOST:
        raise LongtailError(f"{path} is too large for a description.", "Export the model again.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LongtailError(f"{path} cannot be read.", "Export the model again.") from error
    if not isinstance(document, dict):
        raise LongtailError(f"{path} is no description.", "Export the model again.")
    return document


def _read_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != sha256:
            raise LongtailError(
                f"The weights in {path.parent.name} are not those that were exported.",
                "Copy the model's folder again, or export it again.",
            )
        weights: dict[str, Tensor] = load(content)
    except (OSError, SafetensorError) as error:
        raise LongtailError(f"{path} cannot be read.", "Export the model again.") from error
    return weights


def _check_shapes(skeleton: nn.Module, weights: Mapping[str, Tensor]) -> None:
    expected = {name: tuple(value.shape) for name, value in skeleton.state_dict().items()}
    if expected != {name: tuple(value.shape) for name, value in weights.items()}:
        raise ValueError("shapes differ")


def _state(network: nn.Module) -> list[tuple[str, Tensor]]:
    # Weights that share memory would be refused by safetensors; a copy each is what is meant.
    return [(name, value.clone()) for name, value in network.state_dict().items()]
