"""Export a run as a model that predicts without its project."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..backend.events import Artifact
from ..backend.job import Job, JobContext, Steps
from ..evaluate.setting import AS_TRAINED, read_setting, setting_sentence
from ..methods.spec import RunSpec, read_spec
from ..predict.write import write_setting
from ..project.exporting import Logits, export_predictions
from ..project.records import RunRecord, Task
from ..project.store import Project
from .opening import opened

if TYPE_CHECKING:
    from ..predict.description import Provenance


@dataclass(frozen=True)
class ExportModelJob(Job):
    """Write a run's network with all it needs into a folder of its own; no patient data.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run.
    out
        An empty or new folder.
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    """

    project: str
    run_id: str
    out: str
    which: str = "best"

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Export {self.run_id}"

    def run(self, context: JobContext) -> Steps:
        """Write the folder; the result names it."""
        from ..checkpoints.store import checkpoint_path, hash_of, load, network_of
        from ..predict.description import describe
        from ..predict.package import write_package

        with opened(self.project) as project:
            record, folder = project.run(self.run_id), project.run_folder(self.run_id)
            colours = {one.id: one.colour for one in project.all_classes}
        yield from context.safe_point()
        state = load(checkpoint_path(folder, self.which))
        loaded = network_of(state)
        weights_hash = hash_of(state["weights"])
        mapped = loaded.card.task is Task.SEGMENTATION
        setting = AS_TRAINED if mapped else read_setting(record.settings, loaded.card.class_ids)
        description = describe(
            loaded.card,
            colours,
            _provenance(record, read_spec(folder), weights_hash),
            thresholds=setting.thresholds,
            prior_target=setting.target,
        )
        out = write_package(Path(self.out), description, loaded.network)
        yield Artifact(out.as_posix(), "model")
        return {"run": self.run_id, "out": out.as_posix(), "weights_hash": weights_hash}


def _provenance(record: RunRecord, spec: RunSpec, weights_hash: str) -> "Provenance":
    from ..predict.description import Provenance

    return Provenance(
        run=record.id,
        method=spec.method,
        settings=spec.settings,
        seed=spec.seed,
        iterations=record.result.get("iterations") or spec.iterations_planned or spec.iterations,
        label_version=spec.label_version,
        labelled=len(spec.train_labelled),
        unlabelled=len(spec.train_unlabelled),
        validation=spec.validation,
        weights_hash=weights_hash,
        versions=spec.versions,
        created=datetime.now(UTC).date().isoformat(),
    )


def export_run_predictions(project: Project, run_id: str, out: Path) -> int:
    """Write a run's predictions at the setting that is kept with it; give how many.

    Raises
    ------
    LongtailError
        The folder holds files already, the run has predicted nothing, or its setting is damaged.
    """
    run = project.run(run_id)
    if project.task is Task.SEGMENTATION:
        return export_predictions(project, run_id, out)
    classes = [(int(one["id"]), str(one["name"])) for one in run.spec["classes"]]
    setting = read_setting(run.settings, [class_id for class_id, _ in classes])
    prior, exclusive = run.result.get("prior"), project.task is Task.CLASSIFICATION

    def answers(logits: Logits) -> Sequence[float]:
        shares = setting.probabilities(logits[None], prior, exclusive=exclusive)[0]
        return [float(value) for value in shares]

    count = export_predictions(project, run_id, out, answers)
    write_setting(out, setting_sentence(setting, prior, classes, exclusive=exclusive))
    return count
