"""The tail guard: watches each class, warns when one is being lost, keeps its best network."""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from torch import nn

from ..backend.events import Artifact, Event, Metric, Warned
from ..methods.run import MethodRun
from .guard_words import ASIDE, TRAINING, VALIDATION, sentences
from .keeping import Keeper
from .losing import Finding, Series, find_lost, find_never, find_share, find_unseen, is_over
from .rotation import Rotation
from .telling import Telling, class_metrics
from .watched import LOSS, Watched

Value = TypeVar("Value")

KIND = "tail-guard"
SAMPLE_MORE, WEIGH_MORE = "Sample it more", "Weigh it more"
PREDICTED_SHARE = "predicted_share"
LOOKS = 100
MEMORY = 100
"""Steps that the running ratio on the training cases looks back, three times over."""

KEEP_FROM_SHARE = 0.2
FRESH_SHARE = 0.16


class TailGuard:
    """Watches the classes of one run.

    It looks at the first of these that there is: validation; labelled cases that sat out, with the
    share of each class on unlabelled cases; what is found on the training cases themselves.
    """

    def __init__(self, run: MethodRun, keeper: Keeper) -> None:
        self._run = run
        self._spec = run.spec
        self._keeper = keeper
        self.is_on = run.common.tail_guard
        self.rotation = Rotation(run, self.is_on and not run.spec.val)
        self._seen = Watched(len(run.spec.classes))
        self._found: dict[int, tuple[str, Finding, int]] = {}
        self._labelled: Sequence[float] | None = None
        self._last: dict[str, list[float]] = {}
        self._cases: Sequence[float] = ()
        self._aside = f"aside_{run.decisive}"

    def step(self, done: int, total: int | None, loss: float, telling: Telling) -> Iterator[Event]:
        """Take note of a step, and look at the classes a hundred times a run."""
        self._seen.add_loss(loss)
        if not self.is_on or total is None or done % max(1, total // LOOKS):
            return
        self._seen.fold_losses(done)
        values, self._cases = telling.shares(), telling.possible()
        self._seen.note(self._run.train_measure, done, values)
        if done >= KEEP_FROM_SHARE * total:
            self._keeper.save_classes(done, self._where_decisive(values, total))
        yield from self._look(done, total)

    def validated(self, done: int, values: Sequence[float]) -> None:
        """Take note of a validation."""
        self._seen.note(self._run.decisive, done, values)

    def hear(self, event: Event) -> None:
        """Take note of what a method tells of its unlabelled cases."""
        if isinstance(event, Metric) and event.name == PREDICTED_SHARE:
            names = self._spec.class_names
            if event.class_name in names:
                number = names.index(event.class_name)
                self._seen.note_one(PREDICTED_SHARE, event.step, number, event.value)

    def measure_aside(
        self, done: int, total: int | None, network: nn.Module, seconds: float
    ) -> Generator[None, None, list[Event]]:
        """Measure the cases that sat out, and let others sit out; yields now and then."""
        step_s = seconds / max(1, done)
        values = yield from self.rotation.turn(done, total, network, seconds, step_s)
        if values is None:
            return []
        self._seen.note(self._aside, done, values)
        self._keeper.save_classes(done, values)
        return list(class_metrics(done, self._aside, values, self._spec))

    def labels_changed(self) -> None:
        """Count and deal the labelled cases anew."""
        self._labelled = None
        self.rotation.deal_anew()

    def repeat(self) -> Iterator[Event]:
        """Warn again of the classes that were in trouble when the run was interrupted."""
        for number in self._found:
            yield self._warning(number)

    def state(self) -> dict[str, Any]:
        """Give what a resume needs."""
        found = [
            (number, measure, step, one.kind, one.now, one.then, one.then_step)
            for number, (measure, one, step) in self._found.items()
        ]
        return {"seen": self._seen.state(), "found": found, "rotation": self.rotation.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self._seen.load_state(state["seen"])
        self._found = {
            int(number): (str(measure), Finding(*finding), int(step))
            for number, measure, step, *finding in state["found"]
        }
        self.rotation.load_state(state["rotation"])

    def _look(self, done: int, total: int) -> Iterator[Event]:
        self._last.clear()
        for number, one in enumerate(self._spec.classes):
            if not one.examples:
                continue
            if number in self._found:
                measure, finding, _ = self._found[number]
                if is_over(finding, self._seen.series(measure, number)):
                    del self._found[number]
                continue
            found = self._find(number, done, total)
            if found is not None:
                self._found[number] = (*found, done)
                yield self._warning(number)
                yield from self._kept(number)

    def _where_decisive(self, values: Sequence[float], total: int) -> list[float]:
        """Leave out the values of classes whose best network is chosen by something better."""
        nothing_yet = self.rotation.works(total) and not self._seen.knows(self._aside)
        if self._spec.val or nothing_yet:
            return [math.nan] * len(values)
        return [
            math.nan if len(self._seen.series(self._aside, number)) else value
            for number, value in enumerate(values)
        ]

    def _find(self, number: int, done: int, total: int) -> tuple[str, Finding] | None:
        for measure in self._measures(number, done, total):
            finding = self._judge(measure, number, done, total)
            if finding is not None:
                return measure, finding
        return None

    def _judge(self, measure: str, number: int, done: int, total: int) -> Finding | None:
        series = self._seen.series(measure, number)
        if measure == PREDICTED_SHARE:
            return self._find_share(number, series, total)
        loss, others = self._seen.series(LOSS), _without(self._latest(measure), number)
        if measure != self._run.train_measure:
            return find_lost(series, loss, total) or find_never(series, others, total)
        # A running ratio of few cases: slow, and as unsure as a coin thrown so many times.
        chance = 0.5 / math.sqrt(max(self._cases[number], 1e-3))
        return (
            find_lost(series, loss, total, memory=MEMORY, chance=chance)
            or find_never(series, others, total, memory=MEMORY)
            or (find_unseen(series, done, total) if done >= MEMORY else None)
        )

    def _measures(self, number: int, done: int, total: int) -> list[str]:
        """Choose what says something about a class now, the best first."""
        if len(self._seen.series(self._run.decisive, number)):
            return [self._run.decisive]
        aside = self._seen.series(self._aside, number)
        if len(aside) and done - aside[-1, 0] <= FRESH_SHARE * total:
            return [self._aside, PREDICTED_SHARE]
        return [PREDICTED_SHARE, self._run.train_measure]

    def _find_share(self, number: int, series: Series, total: int) -> Finding | None:
        if not len(series):
            return None
        if self._labelled is None:
            self._labelled = self._run.labelled_shares()
        shares = self._labelled
        if not shares:
            return None
        pairs = list(zip(self._latest(PREDICTED_SHARE), shares, strict=True))
        return find_share(series, shares[number], _without(pairs, number), total)

    def _latest(self, measure: str) -> list[float]:
        """Give the last values of all classes, worked out once a look."""
        if measure not in self._last:
            self._last[measure] = self._seen.latest(measure)
        return self._last[measure]

    def _warning(self, number: int) -> Warned:
        measure, finding, step = self._found[number]
        one = self._spec.classes[number]
        where = {self._run.decisive: VALIDATION, self._aside: ASIDE}.get(measure, TRAINING)
        plain = measure.removeprefix("aside_").removeprefix("train_")
        return Warned(
            sentences(one.name, finding, plain, where, step, self._spec.task),
            kind=KIND,
            class_name=one.name,
            # More of a class that is predicted too often would make it worse.
            remedies=() if finding.kind == "common" else (SAMPLE_MORE, WEIGH_MORE),
            measure=measure,
        )

    def _kept(self, number: int) -> Iterator[Event]:
        kept = self._keeper.class_file(self._spec.classes[number].id)
        if kept is not None:
            yield Artifact(kept, "checkpoint")


def _without(values: Sequence[Value], number: int) -> list[Value]:
    return [value for at, value in enumerate(values) if at != number]
