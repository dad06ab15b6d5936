"""Predict cases of a project, one case at once for the window, and files outside any project."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple, TypeVar

import numpy as np

from ..backend.events import Artifact, Event, Progress
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..evaluate.prior import probabilities_of
from ..evaluate.setting import AS_TRAINED, Setting, read_setting, setting_sentence
from ..project.records import Task
from .opening import opened
from .predicting import (
    CasePredictor,
    Clock,
    ReadyNetwork,
    Tally,
    chosen_cases,
    classify_channels,
    current_ids,
    events_only,
    load_run,
    open_shelf_of,
    ready,
    segment_channels,
)

if TYPE_CHECKING:
    from ..predict.classify import Classified
    from ..predict.sources import FoundSource

T = TypeVar("T")


@dataclass(frozen=True)
class PredictJob(Job):
    """Predict cases of a project by one of its runs.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run.
    cases
        Ids; None takes `split`.
    split
        train, val or test; with neither, all cases.
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    flips
        Look at mirrored images as well: slower, steadier; label maps only.
    again
        Predict also what these weights have predicted before.
    """

    project: str
    run_id: str
    cases: tuple[str, ...] | None = None
    split: str | None = None
    which: str = "best"
    flips: bool = False
    again: bool = False

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Predict by {self.run_id}"

    def run(self, context: JobContext) -> Steps:
        """Predict what is missing; the result tells how many cases now have a prediction."""
        with opened(self.project) as project:
            cases = chosen_cases(project, self.cases, self.split)
            network = load_run(project, self.run_id, self.which, context.device)
            shelf = open_shelf_of(project, self.run_id, network)
            wanted = [case for case in cases if self.again or case.id not in shelf.cases]
            predictor = CasePredictor(project, self.run_id, network, context, self.flips)
            if wanted:
                yield from predictor.predict(wanted, shelf)
            tally = predictor.tally
            known = len(cases) - len(wanted)
            if not known and not context.stop_asked:
                tally.check_any()
        return {
            "run": self.run_id,
            "count": tally.predicted + known,
            "predicted": tally.predicted,
            "skipped": [{"case": name, "reason": reason} for name, reason in tally.skipped],
            "weights_hash": network.weights_hash,
        }


@dataclass(frozen=True)
class PredictCaseJob(Job):
    """Predict one case now, before any training goes on, with a map of its uncertainty.

    The result holds `file` and `uncertainty_file` (label maps; paths relative to the project), or
    `logits` (image-level classes), and `uncertainty`.
    """

    interactive: ClassVar[bool] = True

    project: str
    run_id: str
    case: str
    which: str = "best"
    flips: bool = False

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Predict {self.case}"

    def run(self, context: JobContext) -> Steps:
        """Predict the case and put it on the run's shelf."""
        with opened(self.project) as project:
            case = project.case(self.case)
            network = load_run(project, self.run_id, self.which, context.device)
            predictor = CasePredictor(project, self.run_id, network, context, self.flips)
            if network.card.task is Task.SEGMENTATION:
                return (yield from self._segment(predictor, case.channels))
            shelf = open_shelf_of(project, self.run_id, network)
            yield from predictor.predict([case], shelf)
            predictor.tally.check_any()
            one = shelf.cases[case.id]
        return {
            "run": self.run_id,
            "case": self.case,
            "count": 1,
            "logits": [] if one.logits is None else [float(value) for value in one.logits],
            "uncertainty": one.uncertainty,
            "weights_hash": network.weights_hash,
        }

    def _segment(self, predictor: CasePredictor, channels: Sequence[str]) -> Steps:
        from ..predict.shelf import FOLDER, Shelved, entropy_file, map_file, write_shelf
        from ..predict.write import write_entropy, write_map

        project, network, context = predictor.project, predictor.network, predictor.context
        class_ids = current_ids(project, network.card.class_ids)
        steps = segment_channels(network, channels, class_ids, context, flips=self.flips)
        found, geometry = yield from _with_windows(steps)
        folder = predictor.folder / FOLDER
        write_map(folder / map_file(self.case), found.labels, geometry)
        write_entropy(folder / entropy_file(self.case), found.entropy, geometry)
        shelf = open_shelf_of(project, self.run_id, network)
        shelf.cases[self.case] = Shelved(found.uncertainty, file=map_file(self.case))
        write_shelf(predictor.folder, shelf)
        yield Artifact((folder / map_file(self.case)).as_posix(), "prediction")
        place = f"runs/{self.run_id}/{FOLDER}"
        return {
            "run": self.run_id,
            "case": self.case,
            "count": 1,
            "file": f"{place}/{map_file(self.case)}",
            "uncertainty_file": f"{place}/{entropy_file(self.case)}",
            "uncertainty": found.uncertainty,
            "weights_hash": network.weights_hash,
        }


@dataclass(frozen=True)
class PredictFilesJob(Job):
    """Predict files outside any project, by a run of a project or by an exported model.

    Parameters
    ----------
    model_or_project
        The folder of a project or of an exported model.
    run_id
        The run; None for an exported model.
    sources
        Files and folders; a folder is read as an import reads it.
    out
        The folder to write to: label maps beside a table of the classes, or a table of
        probabilities.
    which
        The checkpoint of a run.
    flips
        Look at mirrored images as well.
    """

    model_or_project: str
    run_id: str | None
    sources: tuple[str, ...]
    out: str
    which: str = "best"
    flips: bool = False

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Predict {Path(self.sources[0]).name}" if self.sources else "Predict files"

    def run(self, context: JobContext) -> Steps:
        """Predict all; the result tells how many files there are now in `out`."""
        from ..predict.sources import find_sources

        found = find_sources(self.sources, Path(self.out))
        model = self._load(context.device)
        tally, out = Tally(), Path(self.out)
        segmentation = model.network.card.task is Task.SEGMENTATION
        work = self._segment if segmentation else self._classify
        yield from work(model, found, context, tally)
        if not context.stop_asked:
            tally.check_any()
        yield Artifact(out.as_posix(), "prediction")
        return {
            "out": out.as_posix(),
            "count": tally.predicted,
            "skipped": [{"file": name, "reason": reason} for name, reason in tally.skipped],
            "weights_hash": model.network.weights_hash,
            "setting": model.told_setting(),
        }

    def _load(self, device: str) -> "_FileModel":
        folder = Path(self.model_or_project)
        if self.run_id is None:
            return _packaged(folder, device)
        with opened(self.model_or_project) as project:
            network = load_run(project, self.run_id, self.which, device)
            names = {record.id: record.name for record in project.all_classes}
            class_ids = current_ids(project, network.card.class_ids)
            kept = project.run(self.run_id).settings
        card = network.card
        mapped = card.task is Task.SEGMENTATION
        setting = AS_TRAINED if mapped else read_setting(kept, card.class_ids)
        known = zip(network.card.class_ids, network.card.class_names, strict=True)
        shown = tuple(names.get(class_id, name) for class_id, name in known)
        return _FileModel(network, class_ids, shown, setting)

    def _segment(
        self,
        model: "_FileModel",
        found: Sequence["FoundSource"],
        context: JobContext,
        tally: Tally,
    ) -> Iterator[Event]:
        from ..predict.write import CLASSES, write_classes, write_map_like

        out, clock = Path(self.out), Clock(len(found), "predicting")
        yield clock.progress(0)
        write_classes(out / CLASSES, dict(zip(model.class_ids, model.names, strict=True)).items())
        for done, one in enumerate(found, start=1):
            if context.stop_asked:
                return
            yield from context.safe_point()
            try:
                steps = segment_channels(
                    model.network, one.channels, model.class_ids, context, flips=self.flips
                )
                said, geometry = yield from events_only(steps)
                write_map_like(out, one.name, one.channels[0], said.labels, geometry)
                tally.predicted += 1
            except LongtailError as error:
                tally.skip(one.name, error)
                yield from tally.warnings()
            yield clock.progress(done)

    def _classify(
        self,
        model: "_FileModel",
        found: Sequence["FoundSource"],
        context: JobContext,
        tally: Tally,
    ) -> Iterator[Event]:
        from ..predict.write import TABLE, write_probabilities, write_setting

        clock, seen = Clock(len(found), "predicting"), []
        yield clock.progress(0)
        for batch in classify_channels(model.network, found, tally, context.threads):
            seen += batch
            tally.predicted = len(seen)
            yield from tally.warnings()
            yield clock.progress(len(seen) + len(tally.skipped))
            if context.stop_asked:
                break
            yield from context.safe_point()
        yield from tally.warnings()
        if seen:
            write_probabilities(
                Path(self.out) / TABLE,
                model.names,
                model.rows(seen),
                exclusive=model.exclusive,
                thresholds=model.thresholds(),
            )
            write_setting(Path(self.out), model.told_setting())


class _FileModel(NamedTuple):
    """A network for files: the value and the name of each class, and the setting it answers at."""

    network: ReadyNetwork
    class_ids: tuple[int, ...]
    names: tuple[str, ...]
    setting: Setting

    @property
    def exclusive(self) -> bool:
        """Whether an image has one class."""
        return self.network.card.task is Task.CLASSIFICATION

    def thresholds(self) -> list[float]:
        """Give from which probability each class counts as found."""
        return [self.setting.threshold(class_id) for class_id in self.network.card.class_ids]

    def told_setting(self) -> str:
        """Tell the setting in words; empty as trained."""
        card = self.network.card
        classes = list(zip(card.class_ids, self.names, strict=True))
        return setting_sentence(self.setting, card.prior, classes, exclusive=self.exclusive)

    def rows(self, seen: Sequence["Classified"]) -> list[tuple[str, list[float], float]]:
        """Give name, probabilities under the wanted prior, and uncertainty of each image."""
        from ..predict.classify import uncertainty_of

        logits = np.stack([one.logits for one in seen])
        moved = self.setting.moved(logits, self.network.card.prior, exclusive=self.exclusive)
        shares = probabilities_of(moved, exclusive=self.exclusive)
        doubts = uncertainty_of(moved, exclusive=self.exclusive)
        return [
            (one.name, [float(p) for p in row], float(doubt))
            for one, row, doubt in zip(seen, shares, doubts, strict=True)
        ]


def _packaged(folder: Path, device: str) -> _FileModel:
    from ..predict.package import read_package

    package = read_package(folder)
    about, card = package.description, package.loaded.card
    network = ready(package.loaded, device, about.provenance.weights_hash)
    setting = Setting(about.prior_target, about.thresholds())
    return _FileModel(network, card.class_ids, card.class_names, setting)


def _with_windows(
    steps: "Generator[tuple[int, int] | Event, None, T]",
) -> Generator[Event, None, T]:
    """Tell windows as progress: of one case they are all that there is to tell."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        yield Progress(*step) if isinstance(step, tuple) else step
