"""The encoder of one run as the start of another; what is checked needs no torch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LongtailError
from ..project.catalogue import Catalogue
from ..project.records import Split, Task
from ..project.store import Project
from .settings_common import MethodSettings
from .spec import RunSpec, read_spec

if TYPE_CHECKING:
    from ..checkpoints.store import LoadedNetwork

REMEDY = "Name a finished run of this project on whole images, such as run-003-proco."


def with_extractor(settings: MethodSettings, project: Project) -> MethodSettings:
    """Take encoder and image size from the run that `extractor` names, where it names one.

    Raises
    ------
    LongtailError
        There is no such run, it is not one on whole images, or it has not learned yet.
    """
    run_id = getattr(settings, "extractor", "")
    if not run_id:
        return settings
    spec = _spec_of(project, run_id)
    changes: dict[str, Any] = {name: spec.settings[name] for name in ("encoder", "size")}
    return settings.model_copy(update={**changes, "pretrained": "none"})


def extractor_warnings(
    settings: MethodSettings, project: Project, catalogue: Catalogue
) -> Sequence[str]:
    """Say where the taken encoder has learned from images that now measure."""
    run_id = getattr(settings, "extractor", "")
    if not run_id:
        return ()
    spec = _spec_of(project, run_id)
    parts = tuple(Split)
    kept = np.isin(catalogue.split, [parts.index(Split.TEST), parts.index(Split.VAL)])
    measuring = {catalogue.ids[row] for row in np.flatnonzero(kept).tolist()}
    seen = len(measuring.intersection([*spec.train_labelled, *spec.train_unlabelled]))
    if not seen:
        return ()
    images = "1 image that is" if seen == 1 else f"{seen} images that are"
    return (
        f"The encoder of {run_id} has learned from {images} kept for validation or test now: "
        "what is measured will look too good.",
    )


def load_extractor(project: Project, spec: RunSpec, settings: Any) -> "LoadedNetwork | None":
    """Load the network of the run that `extractor` names, None where it names none.

    Raises
    ------
    LongtailError
        It cannot be read, or is made for other images.
    """
    if not settings.extractor:
        return None
    from ..checkpoints.store import load_network

    _spec_of(project, settings.extractor)
    loaded = load_network(project.run_folder(settings.extractor))
    dims = spec.grid.spatial_dims if spec.grid else 2
    kept = loaded.preprocessing
    if loaded.card.network.kind != "encoder" or kept.spatial_dims != dims:
        raise LongtailError(f"The network of {settings.extractor} is for other images.", REMEDY)
    if kept.channel_count != spec.channel_count:
        raise LongtailError(
            f"The encoder of {settings.extractor} looks at {kept.channel_count} channels, these "
            f"images have {spec.channel_count}.",
            "Take an encoder that was trained on images like these.",
        )
    return loaded


def _spec_of(project: Project, run_id: str) -> RunSpec:
    project.run(run_id)
    folder = project.run_folder(run_id)
    spec = read_spec(folder)
    on_images = spec.task in (Task.CLASSIFICATION, Task.MULTILABEL)
    if not on_images or not {"encoder", "size"} <= spec.settings.keys():
        raise LongtailError(f"{run_id} has no encoder of whole images.", REMEDY)
    if not any((folder / "checkpoints").glob("*.pt")):
        raise LongtailError(f"{run_id} has not learned anything yet.", "Let it train first.")
    return spec
