"""Show where a run looks in one case, for the window."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..backend.events import Artifact
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..evaluate.setting import read_setting
from ..explain.stored import FOLDER, map_path, write_stored
from ..project.records import Task
from ..project.store import Project
from .kept import kept_run
from .opening import opened
from .predicting import ReadyNetwork, current_ids

if TYPE_CHECKING:
    from ..explain.whole import CaseMap
    from ..io.image import Image


@dataclass(frozen=True)
class ExplainCaseJob(Job):
    """Compute the map of one class in one case now, before any training goes on.

    The result holds `file` (relative to the project: float16 `map` on the source's grid and a JSON
    text `about`), `class_id`, `class_name`, `variant`, `kind` (see `MapKind`), `probability` (with
    the run's kept setting; None for label maps), `boxes` (mappings of x, y, w, h and score in
    pixels of the source, the best first), `box` (the first of them or None), `point` (x, y, for a
    scan also z; None where the map says nothing) and `weights_hash`.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run.
    case_id
        The case.
    class_id
        A class of the project; None takes the most probable one (image-level classes alone).
    variant
        One of `longtail.core.explain.variants.VARIANTS`.
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    layer
        The layer to look at by its name in the network; None takes the one that the run looked at
        in its training, else the usual one.
    threshold
        Share of the map's maximum from which a place lies in the box.
    most
        How many boxes at most.
    """

    interactive: ClassVar[bool] = True
    only_looks: ClassVar[bool] = True

    project: str
    run_id: str
    case_id: str
    class_id: int | None = None
    variant: str = "grad-cam"
    which: str = "best"
    layer: str | None = None
    threshold: float = 0.5
    most: int = 1

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Where {self.run_id} looks in {self.case_id}"

    def run(self, context: JobContext) -> Steps:
        """Compute the map and write it beside the run."""
        with opened(self.project) as project:
            case = project.case(self.case_id)
            network = kept_run(project, self.run_id, self.which, context.device)
            ids = current_ids(project, network.card.class_ids)
            names = {each.id: each.name for each in project.classes}
            column, found = self._look(project, network, ids, case.channels)
            folder = project.run_folder(self.run_id)
            share = _probability(project, self.run_id, network, found, column)
        # A class that was retired since keeps the number and the name it was trained under.
        trained = network.card.class_ids[column], network.card.class_names[column]
        class_id = ids[column] or trained[0]
        boxes = [one.to_mapping() for one in found.boxes(threshold=self.threshold, most=self.most)]
        point = found.point()
        about: dict[str, Any] = {
            "run": self.run_id,
            "case": self.case_id,
            "class_id": class_id,
            "class_name": names.get(class_id, trained[1]),
            "variant": self.variant,
            "kind": str(found.kind),
            "probability": share,
            "box": boxes[0] if boxes else None,
            "boxes": boxes,
            "point": None if point is None else [value + 0.5 for value in reversed(point)],
            "weights_hash": network.weights_hash,
        }
        path = map_path(folder, self.case_id, class_id, self.variant)
        write_stored(path, found.values, about)
        yield Artifact(path.as_posix(), "explanation")
        return {**about, "file": f"runs/{self.run_id}/{FOLDER}/{path.name}"}

    def _look(
        self,
        project: Project,
        network: ReadyNetwork,
        ids: Sequence[int],
        channels: Sequence[str],
    ) -> "tuple[int, CaseMap]":
        """Give the run's column of the class, and its map."""
        from ..io.image import read_channels

        if self.class_id is not None and (self.class_id not in ids or not self.class_id):
            raise LongtailError(
                f"The run {self.run_id} has not learned the class with the number {self.class_id}.",
                "Choose one of its classes, or another run.",
            )
        image = read_channels(channels)
        if network.card.task is Task.SEGMENTATION:
            return self._in_scan(network, ids, image)
        column = None if self.class_id is None else ids.index(self.class_id)
        return self._in_picture(project, network, column, image)

    def _in_picture(
        self, project: Project, network: ReadyNetwork, column: int | None, image: "Image"
    ) -> "tuple[int, CaseMap]":
        from ..explain.whole import map_of_picture

        card = network.card
        if column is None:
            # The map of any class brings the logits along; one way back more is a few milliseconds.
            first = self._in_picture(project, network, 0, image)[1]
            column = _likeliest(project, self.run_id, network, first)
        return column, map_of_picture(
            network.network,
            card.preprocessing,
            image,
            column,
            network.device,
            variant=self.variant,
            layer=self.layer or network.looking.layer,
        )

    def _in_scan(
        self, network: ReadyNetwork, ids: Sequence[int], image: "Image"
    ) -> "tuple[int, CaseMap]":
        from ..explain.whole import map_of_scan

        card = network.card
        if self.class_id is None or card.patch_size is None:
            raise LongtailError(
                "No class was chosen to explain.", "Choose a class, then try again."
            )
        column = ids.index(self.class_id)
        return column, map_of_scan(
            network.network,
            card.preprocessing,
            image,
            column + 1,  # output 0 is the background
            card.patch_size,
            network.device,
            variant=self.variant,
            layer=self.layer,
        )


def _shares(project: Project, run_id: str, network: ReadyNetwork, found: "CaseMap") -> list[float]:
    """Give the probabilities (class,) as the window shows them: with the run's kept setting."""
    card = network.card
    if found.logits is None:
        return []
    setting = read_setting(project.run(run_id).settings, card.class_ids)
    exclusive = card.task is Task.CLASSIFICATION
    rows = setting.probabilities(found.logits[None], card.prior, exclusive=exclusive)
    return [float(value) for value in rows[0]]


def _likeliest(project: Project, run_id: str, network: ReadyNetwork, found: "CaseMap") -> int:
    shares = _shares(project, run_id, network, found)
    return max(range(len(shares)), key=shares.__getitem__)


def _probability(
    project: Project, run_id: str, network: ReadyNetwork, found: "CaseMap", column: int
) -> float | None:
    shares = _shares(project, run_id, network, found)
    return shares[column] if shares else None
