"""Where a run looks over a whole part of the data, and whether its maps depend on what it learned.

Both write into the run's folder; `longtail.core.review.audit_file` reads it without torch.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..backend.events import Artifact
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..project.records import Split, Task
from ..review.audit_words import sanity_sentence
from .opening import opened
from .predicting import chosen_cases, load_run

MOST = 200
SANITY_IMAGES = 8


@dataclass(frozen=True)
class AuditJob(Job):
    """Compute the heat map of each labelled class of the cases of a part, and where it lies.

    Each map is compared with the boxes of its class where somebody drew some, else with the label
    map, else with the body, which is found by its brightness or colour.

    The result holds `file` (relative to the project; `read_audit` of
    `longtail.core.review.audit_file` reads it), `maps` (how many) and `classes` (a line a class).

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run.
    split
        train, val or test.
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    variant
        One of `longtail.core.explain.variants.VARIANTS`.
    most
        Cases of each class at most, drawn by `seed`; those with boxes come first.
    """

    only_looks: ClassVar[bool] = True

    project: str
    run_id: str
    split: str = Split.TEST.value
    which: str = "best"
    variant: str = "grad-cam"
    most: int = MOST
    seed: int = 0

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Where {self.run_id} looks"

    def run(self, context: JobContext) -> Steps:
        """Compute all maps, compare them and write the audit."""
        from ..review.audit_file import write_audit
        from .auditing_maps import Auditor

        with opened(self.project) as project:
            auditor = Auditor(self, project, context)
            yield from auditor.look()
            audit, pictures = auditor.finished()
            folder = project.run_folder(self.run_id)
        path = write_audit(folder, audit, pictures)
        yield Artifact(path.as_posix(), "table")
        return {
            "run": self.run_id,
            "file": f"runs/{self.run_id}/{path.parent.name}/{path.name}",
            "maps": len(audit.maps),
            "classes": [one.to_json() for one in audit.classes],
        }


@dataclass(frozen=True)
class SanityJob(Job):
    """Compare the maps of a run with those of copies of it that forget what they learned.

    Adebayo et al., Sanity Checks for Saliency Maps (NeurIPS 2018): from the output down, part by
    part becomes random. The result holds `sentence`, `trusted` (whether the maps depend on what
    was learned; None where that cannot be told), and `steps`: mappings of `part`, `correlation`
    (mean rank correlation with the maps of the trained network) and `maps`.

    Parameters
    ----------
    project, run_id, which, variant
        As in `AuditJob`.
    images
        How many images of the part are looked at, spread over the classes.
    """

    interactive: ClassVar[bool] = True
    only_looks: ClassVar[bool] = True

    project: str
    run_id: str
    split: str = Split.TEST.value
    which: str = "best"
    variant: str = "grad-cam"
    images: int = SANITY_IMAGES
    seed: int = 0

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Check the heat maps of {self.run_id}"

    def run(self, context: JobContext) -> Steps:
        """Make the network forget step by step, and say what its maps did."""
        from .auditing_sanity import forgetting

        with opened(self.project) as project:
            if project.task is Task.SEGMENTATION:
                raise LongtailError(
                    "This check is made for classes of whole images.",
                    "Look at the maps of a few scans instead.",
                )
            network = load_run(project, self.run_id, self.which, context.device)
            cases = chosen_cases(project, None, self.split)
            steps = yield from forgetting(self, project, network, cases, context)
        sentence, trusted = sanity_sentence(steps)
        return {
            "run": self.run_id,
            "variant": self.variant,
            "sentence": sentence,
            "trusted": trusted,
            "steps": [one.to_json() for one in steps],
        }
