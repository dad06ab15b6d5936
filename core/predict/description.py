"""What an exported model says of itself, and what of it may be believed.

Everything here is read from files that may come from anywhere: each value has its bounds.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from ..checkpoints.card import ModelCard
from ..project.records import Task

PACKAGE_FORMAT: Final = 1
PRETRAINED, NO_PRETRAINED = "pretrained", "none"
"""The option of an encoder that would read weights from elsewhere."""

NOTICE = "Research use only. Not a medical device."
SMALLEST_SPACING_MM = 0.001


def _possible_spacing(value: float) -> float:
    """Let 0 pass, which keeps the slices as they are, and nothing that no scanner has."""
    if 0.0 < value < SMALLEST_SPACING_MM:
        raise ValueError("a voxel is not that small")
    return value


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Extent = Annotated[int, Field(ge=1, le=8192)]
Spacing = Annotated[float, Field(ge=0.0, le=1000.0), AfterValidator(_possible_spacing)]
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
    spacing_mm: tuple[Spacing, ...] | None = None
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

    def thresholds(self) -> dict[int, float]:
        """Give from which probability a class counts as found, by id, where one was chosen."""
        return {one.id: one.threshold for one in self.classes if one.threshold is not None}

    def card(self) -> ModelCard:
        """Give the same as the card that checkpoints carry."""
        plain = self.model_dump(mode="json")
        kept = ("task", "classes", "network", "preprocessing", "patch_size", "prior")
        method = {"method": self.provenance.method, "label_version": self.provenance.label_version}
        return ModelCard.from_mapping({**{key: plain[key] for key in kept}, **method})


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
