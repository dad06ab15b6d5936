"""The one loop that every method trains in: a generator of events."""

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import psutil
import torch

from ..backend.devices import choose_device
from ..backend.events import Event, Log, Progress, Told, Warned
from ..backend.job import JobContext, Steps
from ..checkpoints.card import ModelCard
from ..methods.catalogue import METHODS
from ..methods.run import Batch, MethodRun, Moment, Scores, Setup
from ..methods.spec import RunSpec, write_spec
from ..project.store import Project
from .budget import Budget
from .changes import LabelsChanged, SampleMore, WeighMore
from .estimate import estimate_run
from .guard import TailGuard
from .keeping import Keeper, read_last
from .rehearsal import rehearse
from .stepper import Stepped, Stepper, ran_out
from .telling import Telling, class_metrics, mean_known

Result = TypeVar("Result")

CHECKPOINT_EVERY_S = 60.0
FIRST_CHECKPOINT_S = 5.0
NEWS_EVERY_S = 1.0
VALIDATIONS = 20
VALIDATION_SHARE = 0.1


def train(
    spec: RunSpec, project: Project, folder: Path, context: JobContext, resume: bool = False
) -> Steps:
    """Train a planned run, or go on with it from its last checkpoint.

    Parameters
    ----------
    folder
        The run's folder; checkpoints and the fixed number of steps are written there.

    Returns
    -------
    dict
        What is known of the run at its end: iterations, seconds, scores, prior.
    """
    torch.set_num_threads(max(1, context.threads))
    device = context.device if spec.device == "auto" else choose_device(spec.device)
    saved = read_last(folder) if resume else None
    setup = Setup(spec, project, device, context.threads, folder)
    run: MethodRun = METHODS.get(spec.method).load()(setup)
    for warning in spec.warnings if saved is None else ():
        yield Warned(warning, kind="plan")
    yield from _memory_warning(spec, device)
    for event in run.prepare(ModelCard.from_mapping(saved["card"]) if saved else None):
        yield event
        yield from context.safe_point()
    loop = _Loop(run, folder, context)
    if saved is not None:
        loop.load(saved["training"], saved["weights"])
        yield Log(f"Resumed at step {loop.done}.")
        yield from loop.guard.repeat()
    else:
        loop.keeper.forget()
    yield from loop.go()
    return loop.result()


def _memory_warning(spec: RunSpec, device: str) -> Iterator[Event]:
    needed = estimate_run(spec)
    if device == "cpu" and needed.memory_bytes > psutil.virtual_memory().available:
        yield Warned(
            f"This run needs about {needed.memory} of memory, more than is free. It will take "
            "smaller portions if memory runs out.",
            kind="memory",
        )


class _Loop:
    """The state of a run in training."""

    def __init__(self, run: MethodRun, folder: Path, context: JobContext) -> None:
        self.run = run
        self.folder = folder
        self.context = context
        self.stepper = Stepper(run)
        self.keeper = Keeper(folder, run, self.stepper)
        self.telling = Telling(run.spec, run.train_measure)
        self.guard = TailGuard(run, self.keeper)
        self.budget = self._budget(0.0)
        self.done = 0
        self.scores: Scores = {}
        # The first one early: a run that is killed soon can be resumed too.
        self._saved_at = time.monotonic() - CHECKPOINT_EVERY_S + FIRST_CHECKPOINT_S
        self._news_at = -NEWS_EVERY_S
        self._validated_at = 0
        self._validation_s = 0.0

    def load(self, training: Mapping[str, Any], average: Mapping[str, torch.Tensor]) -> None:
        """Go on from a checkpoint."""
        self.stepper.load_state(training, average)
        self.telling.load_state(training["tally"])
        if "guard" in training:  # runs of an earlier version have none
            self.guard.load_state(training["guard"])
        self.keeper.best = dict(training["best"])
        self.budget = self._budget(float(training["seconds"]))
        self.done = self._validated_at = int(training["step"])

    def go(self) -> Iterator[Event]:
        """Train until the budget is used or a stop is asked, then write the last checkpoint."""
        if self.budget.planned is None and len(self.run.phases) > 1:
            yield from self._rehearse()
        while self.done < self.budget.total and not self.budget.is_over:
            yield from self.context.safe_point()
            yield from self._take_changes()
            if self.context.stop_asked:
                break
            if self.guard.rotation.is_due(self.done, self.budget.planned):
                yield from self._measure_aside()
            yield from self._one_step()
            if self._validation_is_due:
                yield from self._validate()
            if time.monotonic() - self._saved_at >= CHECKPOINT_EVERY_S:
                yield from self._save()
        if self.budget.is_over and self.done < self.budget.total:
            yield Log(f"The time was up after {self.done} of {self.budget.total} steps.")
        if self.run.spec.val and self._validated_at != self.done and not self.context.stop_asked:
            yield from self._validate()
        yield from self._save()

    def _rehearse(self) -> Iterator[Event]:
        """Fix the number of steps of a run whose steps change their cost on the way."""
        started = time.perf_counter()
        yield Progress(0, 0, what="Timing the first steps")
        rehearsal = rehearse(self.run, self.stepper, self.context)
        while True:
            try:
                next(rehearsal)
            except StopIteration as end:
                step_s = float(end.value)
                break
            yield from self.context.safe_point()
        self.budget.spend(time.perf_counter() - started)
        self.budget.plan(step_s)
        if self.budget.planned is not None:
            yield from self._steps_fixed()

    def _steps_fixed(self) -> Iterator[Event]:
        self._note(iterations_planned=self.budget.planned)
        minutes = self.run.spec.minutes
        unit = "minute" if minutes == 1 else "minutes"
        yield Log(f"{self.budget.planned} steps fit into {minutes:g} {unit}.")

    def result(self) -> dict[str, Any]:
        """Give what is known of the run, as plain data."""
        card = self.run.card()
        named = {
            name: {"mean": _number(mean_known(values)), "classes": self._by_class(values)}
            for name, values in self.scores.items()
        }
        return {
            "run": self.folder.name,
            "iterations": self.done,
            "seconds": round(self.budget.seconds, 1),
            "device": self.run.device,
            "validation": named or None,
            "best": self.keeper.best_score,
            "train": self._by_class(self.telling.shares()),
            "prior": list(card.prior) if card.prior else None,
        }

    def _one_step(self) -> Iterator[Event]:
        started = time.perf_counter()
        moment = Moment(self.done, self.budget.total)
        batch = self.run.batch(self.done)
        stepped, events = self._step(batch, moment)
        yield from events
        self.done += 1
        seconds = time.perf_counter() - started
        if self.budget.count_step(seconds, self.done):
            yield from self._steps_fixed()
        if stepped.skipped:
            yield Warned("A step was skipped because its loss was not a number.", kind="unstable")
        yield from self.telling.step(
            self.done, self.budget.planned, stepped.loss, stepped.tally, self._mean_step_s
        )
        yield from self.guard.step(self.done, self.budget.planned, stepped.loss, self.telling)
        if time.monotonic() - self._news_at >= NEWS_EVERY_S or self.done == self.budget.planned:
            for event in self.run.news(self.done):
                self.guard.hear(event)
                yield event
            self._news_at = time.monotonic()

    def _step(self, batch: Batch, moment: Moment) -> tuple[Stepped, list[Event]]:
        """Step, with smaller portions as often as memory runs out."""
        events: list[Event] = []
        while True:
            try:
                return self.stepper.step(batch, moment), events
            except (RuntimeError, MemoryError) as error:
                if not ran_out(error):
                    raise
            # Outside the handler, because the trace of the exception holds the tensors.
            self.stepper.retreat(batch)
            events.append(
                Warned(
                    f"Memory ran out; each batch is now learned in {self.stepper.parts} portions, "
                    "which takes longer. Batch norms see fewer images at a time.",
                    kind="memory",
                )
            )

    @property
    def _mean_step_s(self) -> float:
        return self.budget.seconds / max(1, self.done)

    @property
    def _validation_is_due(self) -> bool:
        if not self.run.spec.val or self.budget.planned is None:
            return False
        between = max(1, self.budget.planned // VALIDATIONS)
        if self._validation_s:
            costs = self._validation_s * (1 - VALIDATION_SHARE) / VALIDATION_SHARE
            between = max(between, int(costs / max(self._mean_step_s, 1e-6)))
        elif self.done < 2 * between:
            return False
        return self.done - self._validated_at >= between

    def _validate(self) -> Iterator[Event]:
        validation = self.run.validate(self.stepper.average.eval())
        self.scores, self._validation_s = yield from self._worked_out(validation)
        for name, values in self.scores.items():
            yield from class_metrics(self.done, name, values, self.run.spec)
        decisive = self.scores[self.run.decisive]
        self.guard.validated(self.done, decisive)
        yield from self.keeper.save_best(self.done, decisive)
        self._validated_at = self.done
        if self.done < self.budget.total:
            self.budget.spend(self._validation_s)

    def _measure_aside(self) -> Iterator[Event]:
        events, seconds = yield from self._worked_out(
            self.guard.measure_aside(
                self.done, self.budget.planned, self.stepper.average.eval(), self.budget.seconds
            )
        )
        self.guard.rotation.spend(seconds)
        self.budget.spend(seconds)
        yield from events

    def _worked_out(
        self, work: Generator[None, None, Result]
    ) -> Generator[Event, None, tuple[Result, float]]:
        """Give what `work` comes to and the seconds it took, with a safe point wherever it yields.

        What others did at the safe points is not counted.
        """
        started = time.perf_counter()
        waited = 0.0
        while True:
            try:
                next(work)
            except StopIteration as end:
                return end.value, time.perf_counter() - started - waited
            paused = time.perf_counter()
            yield from self.context.safe_point()
            waited += time.perf_counter() - paused

    def _save(self) -> Iterator[Event]:
        training = {
            "tally": self.telling.state(),
            "guard": self.guard.state(),
            "seconds": self.budget.seconds,
        }
        yield from self.keeper.save_last(self.done, training)
        self._saved_at = time.monotonic()

    def _take_changes(self) -> Iterator[Event]:
        for change in self.context.changes():
            if isinstance(change, SampleMore):
                self.run.sample_more(change.class_id, change.factor)
            elif isinstance(change, WeighMore):
                self.run.weigh_more(change.class_id, change.factor)
            elif isinstance(change, LabelsChanged):
                self._labels_changed(change)
            else:
                yield Log(f"A change that training does not know was ignored: {change!r}.")
                continue
            yield from self.telling.progress(self.done, self.budget.planned, self._mean_step_s)
            yield Told(type(change).__name__, asdict(change))

    def _labels_changed(self, change: LabelsChanged) -> None:
        self.guard.rotation.come_back()
        labelled = self.run.labels_changed(change.case_ids)
        self.guard.labels_changed()
        spec = self.run.spec
        everyone = dict.fromkeys([*spec.train_labelled, *spec.train_unlabelled])
        self._note(
            train_labelled=labelled,
            train_unlabelled=[case_id for case_id in everyone if case_id not in set(labelled)],
            label_version=self.run.setup.project.label_version,
        )

    def _note(self, **changes: Any) -> None:
        self.run.spec = self.run.spec.replace(**changes)
        write_spec(self.folder, self.run.spec)

    def _budget(self, seconds: float) -> Budget:
        spec = self.run.spec
        planned = spec.iterations or spec.iterations_planned
        return Budget(spec.minutes, planned, validates=bool(spec.val), seconds=seconds)

    def _by_class(self, values: Any) -> dict[str, float | None]:
        pairs = zip(self.run.spec.class_names, values, strict=True)
        return {name: _number(value) for name, value in pairs}


def _number(value: float) -> float | None:
    """Give None for not-a-number, which JSON does not have."""
    return None if math.isnan(value) else float(value)
