"""Compare the boxes of a run's maps with drawn ones, for its evaluation."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..evaluate.box_scores import FIGURES, BoxScore, box_parts, scores_of
from ..evaluate.localisation import Boxes, LocatedFinding, localise
from ..evaluate.report import Report
from ..project.boxes import DrawnBox
from ..project.records import Case
from ..project.store import Project
from .locating import locate_like, located
from .predicting import READ_AT_ONCE, Clock, ReadyNetwork, current_ids

if TYPE_CHECKING:
    from ..explain.many import Picture


@dataclass(frozen=True)
class BoxedCase:
    """A case with drawn boxes: (box, 4) of each class that the run knows, by its output."""

    case: Case
    drawn: Mapping[int, Boxes]


@dataclass(frozen=True)
class BoxMeasuring:
    """Measures boxes on the cases that have any.

    Each class that somebody drew in an image is looked for in that image, whatever the run says
    of its presence: so published figures are made.

    Parameters
    ----------
    most
        How many boxes a finding may have; published figures are made with one.
    """

    project: Project
    network: ReadyNetwork
    context: JobContext
    most: int = 1

    def measure(self, report: Report, cases: Sequence[Case]) -> Generator[Event, None, Report]:
        """Give the report with the figures of boxes; as it is where no case has boxes."""
        boxed = self._boxed(cases)
        if not boxed:
            return report
        findings: list[LocatedFinding] = []
        clock = Clock(len(boxed), "comparing boxes")
        yield clock.progress(0)
        try:
            for done in self._located(boxed, findings):
                yield clock.progress(done)
                yield from self.context.safe_point()
        except LongtailError as error:
            # A network without maps has figures all the same, only none of boxes.
            return _with_note(report, f"Boxes are not compared: {error.reason}")
        lost = len(boxed) - len({finding.case for finding in findings})
        if lost:
            report = _with_note(report, f"Images whose boxes could not be compared: {lost}.")
        return _told(report, findings, self.most) if findings else report

    def _boxed(self, cases: Sequence[Case]) -> dict[str, BoxedCase]:
        """Give the pictures with boxes of classes that the run knows."""
        ids = current_ids(self.project, self.network.card.class_ids)
        drawn = self.project.boxes_of([case.id for case in cases if case.box_counts])
        found = {}
        for case in cases:
            by_output = _by_output(drawn.get(case.id, ()), ids)
            if by_output and len(case.shape) in (0, 2):
                found[case.id] = BoxedCase(case, by_output)
        return found

    def _located(
        self, boxed: Mapping[str, BoxedCase], findings: list[LocatedFinding]
    ) -> Iterator[int]:
        """Add what each map finds; give how many cases were looked at so far."""
        from ..explain.many import maps_of_pictures

        card = self.network.card
        names = {one.id: one.name for one in self.project.classes}
        ids = current_ids(self.project, card.class_ids)
        seen: set[str] = set()
        pictures = self._pictures(boxed)
        for batch in maps_of_pictures(
            self.network.network,
            card.preprocessing,
            pictures,
            self.network.device,
            looking=self.network.looking,
        ):
            for one in batch:
                at = boxed[one.name]
                shape = one.map.values.shape
                case = at.case if at.case.shape else replace(at.case, shape=shape)
                name, drawn = names[ids[one.output]], at.drawn[one.output]
                findings.append(located(case, name, one.map, drawn, most=self.most))
                seen.add(one.name)
            yield len(seen)

    def _pictures(self, boxed: Mapping[str, BoxedCase]) -> "Iterator[Picture]":
        """Read a few pictures at once; one that cannot be read is left out."""
        waiting = iter(boxed.values())
        with ThreadPoolExecutor(max(1, self.context.threads)) as pool:
            while chunk := list(islice(waiting, READ_AT_ONCE)):
                yield from (one for one in pool.map(self._read, chunk) if one is not None)

    def _read(self, one: BoxedCase) -> "Picture | None":
        from ..explain.many import Picture
        from ..io.image import read_channels

        try:
            image = read_channels(one.case.channels)
            values = self.network.card.preprocessing.apply(image)
        except LongtailError:
            return None
        return Picture(one.case.id, values, image.shape, tuple(one.drawn))


def _by_output(boxes: Sequence[DrawnBox], ids: Sequence[int]) -> dict[int, Boxes]:
    """Give the boxes of each class by the first output of the run that stands for it now."""
    found: dict[int, list[tuple[float, ...]]] = {}
    for box in boxes:
        if box.class_id in ids and box.slice is None:
            found.setdefault(ids.index(box.class_id), []).append(box.xywh)
    return {output: np.array(drawn, dtype=np.float64) for output, drawn in found.items()}


def _with_note(report: Report, note: str) -> Report:
    return replace(report, notes=(*report.notes, note))


def _told(report: Report, findings: Sequence[LocatedFinding], most: int) -> Report:
    localised = localise(findings, locate_like(most))
    parts = box_parts(localised, findings, most)
    own = parts.rows["map"]
    scores = scores_of(findings)
    return replace(
        report,
        summary={**report.summary, **{name: own[name] for name in FIGURES if name in own}},
        cases=tuple(_line(line, scores.get(str(line["case"]))) for line in report.cases),
        boxes=parts,
    )


def _line(line: Mapping[str, Any], scores: Mapping[str, BoxScore] | None) -> Mapping[str, Any]:
    if scores is None:
        return line
    plain = {name: score.model_dump(mode="json") for name, score in scores.items()}
    return {**line, "boxes": plain}
