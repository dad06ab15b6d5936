"""What weights must carry with them to be of use: classes, network, preprocessing, prior."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..data.preprocessing import Preprocessing
from ..errors import LongtailError
from ..nets.recipe import NetworkRecipe
from ..project.records import Task

CARD_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The description of a trained network; plain data in checkpoints and in exported models.

    Parameters
    ----------
    class_ids, class_names
        In the order of the outputs; for label maps output 0 is the background and class `i` of
        these is output `i + 1`.
    patch_size
        Window of the sliding-window prediction on the network's grid; None for image-level
        classes.
    prior
        The effective training prior, one value a class: what the logits take for granted. It adds
        up to 1 for one class per image; for several classes it is the share of yes of each. None
        where there is none (label maps).
    """

    task: Task
    class_ids: tuple[int, ...]
    class_names: tuple[str, ...]
    network: NetworkRecipe
    preprocessing: Preprocessing
    patch_size: tuple[int, ...] | None = None
    prior: tuple[float, ...] | None = None
    method: str = ""
    label_version: int = 0
    format: int = CARD_FORMAT

    def to_mapping(self) -> dict[str, Any]:
        """Plain data for JSON and checkpoints."""
        return {
            "format": self.format,
            "task": str(self.task),
            "classes": [
                {"id": id_, "name": name}
                for id_, name in zip(self.class_ids, self.class_names, strict=True)
            ],
            "network": self.network.to_mapping(),
            "preprocessing": self.preprocessing.to_mapping(),
            "patch_size": list(self.patch_size) if self.patch_size else None,
            "prior": list(self.prior) if self.prior else None,
            "method": self.method,
            "label_version": self.label_version,
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "ModelCard":
        """Read what `to_mapping` wrote.

        Raises
        ------
        LongtailError
            It was written by a newer version, or is damaged.
        """
        if int(mapping.get("format", 1)) > CARD_FORMAT:
            raise LongtailError("This model was made by a newer Longtail.", "Update Longtail.")
        try:
            return cls(
                task=Task(mapping["task"]),
                class_ids=tuple(int(each["id"]) for each in mapping["classes"]),
                class_names=tuple(str(each["name"]) for each in mapping["classes"]),
                network=NetworkRecipe.from_mapping(mapping["network"]),
                preprocessing=Preprocessing.from_mapping(mapping["preprocessing"]),
                patch_size=_integers(mapping.get("patch_size")),
                prior=_numbers(mapping.get("prior")),
                method=str(mapping.get("method", "")),
                label_version=int(mapping.get("label_version", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise LongtailError(
                f"The description of this model is damaged: {error}.",
                "Train or export it again.",
            ) from error


def _integers(values: Any) -> tuple[int, ...] | None:
    return None if values is None else tuple(int(value) for value in values)


def _numbers(values: Any) -> tuple[float, ...] | None:
    return None if values is None else tuple(float(value) for value in values)
