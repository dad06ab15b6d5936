"""The steps that every predicting job shares: take a run's network to cases, fill its shelf."""

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..backend.events import Artifact, Event, Progress, Warned
from ..backend.job import JobContext
from ..errors import LongtailError
from ..explain.looking import USUAL, Looking, looking_of
from ..project.records import Case, Split, Task
from ..project.store import Project

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..checkpoints.card import ModelCard
    from ..checkpoints.store import LoadedNetwork
    from ..io.geometry import Geometry
    from ..predict.classify import Classified
    from ..predict.segment import Segmentation
    from ..predict.shelf import Shelf

T = TypeVar("T")

SAVE_EVERY_S = 20.0
WARNINGS_TOLD = 20
READ_AT_ONCE = 16


class ReadyNetwork(NamedTuple):
    """A network on its device, with what it needs to know of images and classes."""

    network: "nn.Module"
    card: "ModelCard"
    device: str
    weights_hash: str
    looking: Looking = USUAL


@dataclass
class Tally:
    """What a predicting job did: how many it predicted, and which it could not, and why."""

    predicted: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)
    _told: int = 0

    def skip(self, name: str, error: LongtailError) -> None:
        """Note a case that cannot be predicted; the others go on."""
        self.skipped.append((name, error.reason))

    def warnings(self) -> Iterator[Event]:
        """Say what was skipped since the last call; a flood of it is left to the result."""
        for name, reason in self.skipped[self._told : WARNINGS_TOLD]:
            yield Warned(f"{name} was left out: {reason}", kind="skipped")
        self._told = len(self.skipped)

    def check_any(self) -> None:
        """Fail when everything had to be left out.

        Raises
        ------
        LongtailError
            Nothing was predicted, and this is the first reason.
        """
        if self.skipped and not self.predicted:
            name, reason = self.skipped[0]
            raise LongtailError(
                f"None of {len(self.skipped)} could be predicted; the first, {name}: {reason}",
                "Choose images of the kind that the run was trained with.",
            )


class Clock:
    """Tells progress with the time that is left."""

    def __init__(self, total: int, what: str) -> None:
        self._total, self._what = total, what
        self._began = time.monotonic()

    def progress(self, done: int) -> Progress:
        """Give the progress after `done` of the total."""
        spent = time.monotonic() - self._began
        eta_s = spent / done * (self._total - done) if done else None
        return Progress(done, self._total, eta_s, self._what)


def load_run(project: Project, run_id: str, which: str, device: str) -> ReadyNetwork:
    """Load a run's network onto the device, with the way its maps are made."""
    from ..checkpoints.store import checkpoint_path, hash_of, load, network_of

    looking = looking_of(project.run(run_id).spec.get("settings", {}))
    state = load(checkpoint_path(project.run_folder(run_id), which))
    network = ready(network_of(state), device, hash_of(state["weights"]))
    return network._replace(looking=looking)


def ready(loaded: "LoadedNetwork", device: str, weights_hash: str) -> ReadyNetwork:
    """Take a loaded network to its device."""
    return ReadyNetwork(loaded.network.to(device).eval(), loaded.card, device, weights_hash)


def chosen_cases(project: Project, cases: Sequence[str] | None, split: str | None) -> list[Case]:
    """List the cases that a job names by their ids or their split; all without either.

    Raises
    ------
    LongtailError
        A case is unknown, or there is none to work on.
    """
    if split is not None and split not in set(Split):
        raise LongtailError(f"There is no part named {split!r}.", "Parts: train, val and test.")
    found = project.cases(split=Split(split) if split else None, ids=cases)
    if not found:
        part = f"no {split} cases" if split else "no cases"
        raise LongtailError(f"The project {project.name} has {part}.", "Import or split cases.")
    return found


def open_shelf_of(project: Project, run_id: str, network: ReadyNetwork) -> "Shelf":
    """Give what these weights have predicted so far."""
    from ..predict.shelf import open_shelf

    card, folder = network.card, project.run_folder(run_id)
    return open_shelf(folder, network.weights_hash, card.label_version, card.class_ids)


def current_ids(project: Project, class_ids: Sequence[int]) -> tuple[int, ...]:
    """Give the project's present ids of a run's classes, 0 for one that is retired."""
    from ..predict.classids import project_class_ids

    merged = {c.id: c.merged_into for c in project.all_classes if c.merged_into is not None}
    return project_class_ids(class_ids, merged, [c.id for c in project.classes])


def segment_channels(
    network: ReadyNetwork,
    channels: Sequence[str],
    class_ids: Sequence[int],
    context: JobContext,
    *,
    flips: bool,
) -> "Generator[tuple[int, int] | Event, None, tuple[Segmentation, Geometry | None]]":
    """Read an image and predict it, giving windows as (done, total) and events on the way."""
    from ..io.image import read_channels
    from ..predict.segment import segment
    from ..predict.windows import SlidingWindow

    image = read_channels(channels)
    card = network.card
    if card.patch_size is None:
        raise LongtailError("This model was not trained on label maps.", "Choose another run.")
    window = SlidingWindow(card.patch_size, flips=flips)
    steps = segment(network.network, card.preprocessing, class_ids, image, window, network.device)
    while True:
        try:
            yield next(steps)
        except StopIteration as end:
            found: Segmentation = end.value
            return found, image.geometry
        yield from context.safe_point()


def events_only(steps: "Generator[tuple[int, int] | Event, None, T]") -> Generator[Event, None, T]:
    """Leave the counts of windows out: one case among many tells only that it is done."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if not isinstance(step, tuple):
            yield step


def classify_channels(
    network: ReadyNetwork,
    images: Iterable[tuple[str, Sequence[str]]],
    tally: Tally,
    threads: int,
) -> "Iterator[list[Classified]]":
    """Predict images by name and channel paths, in batches; unreadable ones go to the tally."""
    from ..predict.classify import classify

    readable = _read_all(network, images, tally, threads)
    exclusive = network.card.task is Task.CLASSIFICATION
    return classify(network.network, readable, network.device, exclusive=exclusive)


@dataclass
class CasePredictor:
    """Predicts cases of a project by one run, and keeps the run's shelf."""

    project: Project
    run_id: str
    network: ReadyNetwork
    context: JobContext
    flips: bool = False
    tally: Tally = field(default_factory=Tally)

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.project.run_folder(self.run_id)

    def predict(self, cases: Sequence[Case], shelf: "Shelf") -> Iterator[Event]:
        """Predict `cases` and put them on the shelf, which is saved whatever happens."""
        from ..predict.shelf import write_shelf

        segmentation = self.network.card.task is Task.SEGMENTATION
        steps = self._segment(cases, shelf) if segmentation else self._classify(cases, shelf)
        saved = time.monotonic()
        try:
            for event in steps:
                yield event
                if time.monotonic() - saved > SAVE_EVERY_S:
                    write_shelf(self.folder, shelf)
                    saved = time.monotonic()
        finally:
            path = write_shelf(self.folder, shelf)
        yield Artifact(path.as_posix(), "prediction")

    def _segment(self, cases: Sequence[Case], shelf: "Shelf") -> Iterator[Event]:
        class_ids = current_ids(self.project, self.network.card.class_ids)
        clock = Clock(len(cases), "predicting")
        yield clock.progress(0)
        for done, case in enumerate(cases, start=1):
            if self.context.stop_asked:
                return
            yield from self.context.safe_point()
            try:
                yield from self._segment_one(case, class_ids, shelf)
            except LongtailError as error:
                self.tally.skip(case.id, error)
                yield from self.tally.warnings()
            yield clock.progress(done)

    def _segment_one(self, case: Case, class_ids: Sequence[int], shelf: "Shelf") -> Iterator[Event]:
        from ..predict.shelf import FOLDER, Shelved, entropy_file, map_file
        from ..predict.write import write_entropy, write_map

        steps = segment_channels(
            self.network, case.channels, class_ids, self.context, flips=self.flips
        )
        found, geometry = yield from events_only(steps)
        folder = self.folder / FOLDER
        write_map(folder / map_file(case.id), found.labels, geometry)
        write_entropy(folder / entropy_file(case.id), found.entropy, geometry)
        shelf.cases[case.id] = Shelved(found.uncertainty, file=map_file(case.id))
        self.tally.predicted += 1

    def _classify(self, cases: Sequence[Case], shelf: "Shelf") -> Iterator[Event]:
        from ..predict.shelf import Shelved

        clock = Clock(len(cases), "predicting")
        yield clock.progress(0)
        images = ((case.id, case.channels) for case in cases)
        for batch in classify_channels(self.network, images, self.tally, self.context.threads):
            for one in batch:
                shelf.cases[one.name] = Shelved(one.uncertainty, logits=one.logits)
            self.tally.predicted += len(batch)
            yield from self.tally.warnings()
            yield clock.progress(self.tally.predicted + len(self.tally.skipped))
            if self.context.stop_asked:
                return
            yield from self.context.safe_point()
        yield from self.tally.warnings()


def _read_all(
    network: ReadyNetwork,
    images: Iterable[tuple[str, Sequence[str]]],
    tally: Tally,
    threads: int,
) -> "Iterator[tuple[str, Tensor]]":
    """Read and prepare a few images at once; decoding takes longer than a small network does."""
    from ..io.image import read_channels

    def read(image: tuple[str, Sequence[str]]) -> "Tensor | LongtailError":
        try:
            return network.card.preprocessing.apply(read_channels(image[1]))
        except LongtailError as error:
            return error

    waiting = iter(images)
    with ThreadPoolExecutor(max(1, threads)) as pool:
        while chunk := list(islice(waiting, READ_AT_ONCE)):
            for (name, _), outcome in zip(chunk, pool.map(read, chunk), strict=True):
                if isinstance(outcome, LongtailError):
                    tally.skip(name, outcome)
                else:
                    yield name, outcome
