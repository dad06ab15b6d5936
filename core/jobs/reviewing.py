"""Make the list of cases that deserve eyes, by probabilities that have not seen their labels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ..backend.events import Artifact, Event
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..project.records import Case, Split, Task
from ..project.store import Project
from ..review.queue import MOST, ReviewClass, counted, ordered
from ..review.queue_file import Queue, queue_path, write_queue
from .opening import opened

if TYPE_CHECKING:
    from collections.abc import Generator

    from .reviewing_images import Found

Encoder = Literal["pretrained", "run"]

MOST_IMAGES, MOST_SCANS = 5_000, 200
"""Cases without labels that are predicted for the list; those that a run knows come beside."""

TEST_NOTE = (
    "{count} of these belong to the test part. Correct them only where the label is surely wrong: "
    "who corrects test labels only where the run disagrees makes the run look better than it is."
)


@dataclass(frozen=True)
class ReviewJob(Job):
    """Find the cases that deserve eyes first, and say why of each.

    Cases that the run did not train on are told by its predictions (those that are missing are
    predicted first). Labels of images are doubted by a class-balanced logistic regression on the
    features of an encoder, cross-fitted by patient, and where the run has not learned them by the
    run as well. Training scans are left out.

    The result holds `file` (relative to the project; `read_queue` of
    `longtail.core.review.queue_file` reads it), `count`, `counts` by kind, `looked_at` by source
    and `notes`.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run; empty asks the pretrained encoder alone, before any training (images).
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    encoder
        Whose features the heads see: the `pretrained` encoder's, which has seen no label, or those
        of the `run`, which fit better and hide what it learned by heart.
    folds, seed
        How the labelled images are divided.
    most
        The longest list.
    """

    only_looks: ClassVar[bool] = True

    project: str
    run_id: str = ""
    which: str = "best"
    encoder: Encoder = "pretrained"
    folds: int = 5
    seed: int = 0
    most: int = MOST

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return "Find what deserves a look"

    def run(self, context: JobContext) -> Steps:
        """Predict, cross-fit, doubt, and write the list."""
        with opened(self.project) as project:
            found = yield from self._find(project, context)
            entries = ordered(found.entries, self.most)
            names = {each.case for each in entries}
            test = sum(case.id in names for case in project.cases(split=Split.TEST, labelled=True))
            notes = [*found.notes, *([TEST_NOTE.format(count=test)] if test else [])]
            queue = Queue(
                self.run_id,
                project.label_version,
                entries,
                found.looked_at,
                tuple(found.left_out),
                tuple(notes),
            )
            folder = project.run_folder(self.run_id) if self.run_id else project.path / "cache"
        path = queue_path(folder)
        write_queue(path, queue)
        yield Artifact(path.as_posix(), "table")
        return {
            "run": self.run_id,
            "file": f"{folder.relative_to(project.path).as_posix()}/{path.parent.name}/{path.name}",
            "count": len(entries),
            "counts": counted(entries),
            "looked_at": dict(queue.looked_at),
            "left_out": len(queue.left_out),
            "notes": notes,
        }

    def _find(self, project: Project, context: JobContext) -> "Generator[Event, None, Found]":
        from .reviewing_images import find_in_images
        from .reviewing_scans import find_in_scans

        classes = review_classes(project)
        if project.task is not Task.SEGMENTATION:
            return (yield from find_in_images(self, project, context, classes))
        if not self.run_id:
            raise LongtailError(
                "Scans can be reviewed once a run has looked at them.", "Train a run first."
            )
        return (yield from find_in_scans(self, project, context, classes))


def review_classes(project: Project) -> tuple[ReviewClass, ...]:
    """Describe the classes in use by what the training part holds now."""
    catalogue = project.catalogue()
    tiers, counts = catalogue.tiers(), catalogue.class_counts(Split.TRAIN)
    return tuple(
        ReviewClass(one.id, one.name, tiers.get(one.id, ""), counts.get(one.id, 0))
        for one in project.classes
    )


def unpredicted(cases: list[Case], known: Any, most: int, seed: int) -> tuple[list[Case], int]:
    """Choose whom to predict: all with labels, `most` of the rest by seed; and count the others."""
    import numpy as np

    missing = [case for case in cases if case.id not in known]
    labelled = [case for case in missing if case.status != "unlabelled"]
    rest = [case for case in missing if case.status == "unlabelled"]
    if len(rest) <= most:
        return [*labelled, *rest], 0
    drawn = np.random.default_rng(seed).choice(len(rest), most, replace=False)
    return [*labelled, *(rest[row] for row in sorted(drawn.tolist()))], len(rest) - most
