"""A trained model as a folder of its own: what it is and how to feed it, without the project.

`model.json` describes it and `weights.safetensors` holds its weights. There is no patient data in
it and no name of a case. What is read from such a folder is checked before it is believed, since
it may come from anywhere.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import Tensor, nn

from ..checkpoints.card import ModelCard
from ..checkpoints.store import LoadedNetwork
from ..errors import LongtailError
from ..files import replacing, write_json
from ..nets.recipe import build_network
from ..project.records import Task

DESCRIPTION = "model.json"
WEIGHTS = "weights.safetensors"
PACKAGE_FORMAT: Final = 1
PRETRAINED, NO_PRETRAINED = "pretrained", "none"
"""The option of an encoder that would read weights from elsewhere."""

NOTICE = "Research use only. Not a medical device."
DESCRIPTION_AT_MOST = 4_000_000
"""Bytes; a description is a few thousand."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Extent = Annotated[int, Field(ge=1, le=8192)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PackageClass(_Strict):
    """A class of the model; `threshold` is from which probability it counts as found."""

    id: Annotated[int, Field(ge=1, le=65534)]
    name: Name
    colour: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    threshold: Share | None = None


class PackageNetwork(_Strict):
    """The architecture and its settings."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    spatial_dims: Literal[2, 3]
    in_channels: Annotated[int, Field(ge=1, le=64)]
    out_channels: Annotated[int, Field(ge=1, le=65535)]
    options: dict[Name, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _plain_options(self) -> "PackageNetwork":
        for name, value in self.options.items():
            if not _is_plain(value):
                raise ValueError(f"the option {name} of the network is not possible")
        if self.options.get(PRETRAINED, NO_PRETRAINED) != NO_PRETRAINED:
            raise ValueError("the weights of a model are in its own folder")
        return self


class PackageIntensity(_Strict):
    """How grey values become numbers; see `core.data.preprocessing.Intensity`."""

    kind: Literal["zscore", "window", "unit"]
    low: float
    high: float
    mean: Annotated[tuple[float, ...], Field(max_length=64)] = ()
    deviation: Annotated[tuple[float, ...], Field(max_length=64)] = ()


class PackagePreprocessing(_Strict):
    """What is done to an image first; see `core.data.preprocessing.Preprocessing`."""

    spatial_dims: Literal[2, 3]
    channel_count: Annotated[int, Field(ge=1, le=64)]
    intensity: PackageIntensity
    network_channels: Annotated[int, Field(ge=1, le=64)] = 1
    spacing_mm: tuple[Annotated[float, Field(gt=0.001, le=1000)], ...] | None = None
    size: tuple[Extent, ...] | None = None
    slice_axis: Annotated[int, Field(ge=0, le=2)] = 0
    format: int = 1


class Provenance(_Strict):
    """Where the model comes from."""

    run: Name
    method: Name
    settings: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    iterations: int | None = None
    label_version: int = 0
    labelled: int = 0
    unlabelled: int = 0
    validation: str = "none"
    weights_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""


class PackageDescription(_Strict):
    """All of `model.json`.

    `prior` is the effective training prior a class, and `prior_target` the one that predictions
    are moved to; None leaves them as they are.
    """

    format: Literal[1] = PACKAGE_FORMAT
    notice: str = NOTICE
    task: Task
    classes: Annotated[tuple[PackageClass, ...], Field(min_length=1, max_length=65534)]
    network: PackageNetwork
    preprocessing: PackagePreprocessing
    patch_size: tuple[Extent, ...] | None = None
    prior: tuple[Share, ...] | None = None
    prior_target: tuple[Share, ...] | None = None
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    provenance: Provenance

    @model_validator(mode="after")
    def _fits_together(self) -> "PackageDescription":
        count = len(self.classes)
        if len({one.id for one in self.classes}) != count:
            raise ValueError("two classes have one id")
        for prior in (self.prior, self.prior_target):
            if prior is not None and len(prior) != count:
                raise ValueError("the prior does not fit the classes")
        outputs = count + 1 if self.task is Task.SEGMENTATION else count
        if self.network.out_channels != outputs:
            raise ValueError("the network does not fit the classes")
        if self.task is Task.SEGMENTATION and self.patch_size is None:
            raise ValueError("the patch size is missing")
        return self

    def card(self) -> ModelCard:
        """Give the same as the card that checkpoints carry."""
        plain = self.model_dump(mode="json")
        kept = ("task", "classes", "network", "preprocessing", "patch_size", "prior")
        method = {"method": self.provenance.method, "label_version": self.provenance.label_version}
        return ModelCard.from_mapping({**{key: plain[key] for key in kept}, **method})


class Package(NamedTuple):
    """An exported model, ready to predict on the CPU."""

    description: PackageDescription
    loaded: LoadedNetwork


def describe(
    card: ModelCard,
    colours: Mapping[int, str],
    provenance: Provenance,
    *,
    thresholds: Mapping[int, float] | None = None,
    prior_target: tuple[float, ...] | None = None,
) -> PackageDescription:
    """Make a description from the card of a run; the hash of the weights comes with writing.

    Parameters
    ----------
    colours, thresholds
        By class id.
    """
    plain = card.to_mapping()
    options = {k: v for k, v in plain["network"]["options"].items() if k != PRETRAINED}
    for one in plain["classes"]:
        one |= {"colour": colours[one["id"]], "threshold": (thresholds or {}).get(one["id"])}
    return PackageDescription.model_validate(
        {
            "task": plain["task"],
            "classes": plain["classes"],
            "network": {**plain["network"], "options": _plain_data(options)},
            "preprocessing": plain["preprocessing"],
            "patch_size": plain["patch_size"],
            "prior": plain["prior"],
            "prior_target": prior_target,
            "weights_sha256": "0" * 64,
            "provenance": provenance.model_copy(
                update={"settings": _plain_data(provenance.settings)}
            ),
        }
    )


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


def _is_plain(value: Any, deep: int = 2) -> bool:
    if isinstance(value, list):
        return deep > 0 and len(value) <= 64 and all(_is_plain(part, deep - 1) for part in value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, str):
        # No path: a builder that reads a file must not be led to one by a model from elsewhere.
        return len(value) <= 60 and not set(value) & set("/\\:.~")
    return isinstance(value, int | float) and abs(value) <= 65535


def _plain_data(value: Any) -> Any:
    """Give lists for tuples, and leave the folders of paths out: they name people and places."""
    if isinstance(value, Mapping):
        return {str(key): _plain_data(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_data(part) for part in value]
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return value.replace("\\", "/").rpartition("/")[2]
    return value
