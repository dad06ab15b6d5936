"""Measure a region for the window: its features now, and those of its class in training cases."""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from ..backend.events import Event, Warned
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..project.boxfiles import DrawnBox
from ..project.records import Case, Split, Task
from ..project.store import Project
from ..radiomics.unusual import FEWEST
from .opening import opened
from .predicting import Clock, current_ids, load_run
from .region_table import (
    BOX_SETTINGS,
    FOUND_MOST,
    MAP_SETTINGS,
    BoxTable,
    MeasuredBox,
    check_class,
    drawn_boxes,
    drawn_table,
    found_table,
    has_class,
    map_table,
    with_class,
)

if TYPE_CHECKING:
    from ..io.image import Image
    from ..radiomics.extraction import RegionFeatures
    from ..radiomics.settings import RadiomicSettings
    from .predicting import ReadyNetwork

WARNINGS_TOLD = 10

Box = tuple[float, float, float, float]
Mask = np.ndarray[Any, np.dtype[np.uint8]]
Counting = Generator[Event, None, int]
"""Works case by case and gives how many could not be measured."""

T = TypeVar("T")


@dataclass(frozen=True)
class MeasureRegionJob(Job):
    """Measure one region now, before any training goes on.

    The result holds `features` (by PyRadiomics' full names; None without a value), `reasons` (why,
    by name), `class_id` and `pixels`.

    Parameters
    ----------
    project
        The project's folder.
    case_id
        The case.
    class_id
        The class of the region.
    box
        x, y, width and height in pixels of the file as stored; None takes what the label map
        gives to the class.
    place
        The slice of a box in a volume.
    run_id
        Take the label map that this run predicted instead of the case's own.
    """

    interactive: ClassVar[bool] = True
    only_looks: ClassVar[bool] = True

    project: str
    case_id: str
    class_id: int
    box: Box | None = None
    place: int | None = None
    run_id: str = ""

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Features of a region in {self.case_id}"

    def run(self, context: JobContext) -> Steps:
        """Measure the region."""
        from ..io.image import read_channels

        yield from ()
        with opened(self.project) as project:
            image = read_channels(project.case(self.case_id).channels)
            if self.box is not None:
                mask, settings = mask_of_box(image.shape, self.box, self.place), BOX_SETTINGS
            else:
                mask, settings = self._mask_of_map(project, image), MAP_SETTINGS
        found = _features(image, mask, settings, context.device)
        return {
            "class_id": self.class_id,
            "pixels": int(mask.sum()),
            "features": dict(found.features),
            "reasons": dict(found.reasons),
        }

    def _mask_of_map(self, project: Project, image: "Image") -> Mask:
        array = project.read_label_map(self.case_id)
        if self.run_id:
            array = _predicted_map(project, self.run_id, self.case_id)
        if array.shape != image.shape:
            raise LongtailError(
                f"The label map of {self.case_id} has another size than its image.",
                "Predict or label this case again.",
            )
        mask: Mask = (array == self.class_id).astype(np.uint8)
        if not mask.any():
            raise LongtailError(
                f"Nothing in {self.case_id} is marked as this class.", "Choose another region."
            )
        return mask


@dataclass(frozen=True)
class MeasureClassJob(Job):
    """Measure the regions of a class in the training cases, to compare one region with them.

    They are kept in the project, so that each is measured once: of label maps in the table that
    `longtail radiomics` makes, of boxes in the cache. Where too few boxes are drawn to compare
    with, the run's own boxes in training images with the class are measured instead. The result
    holds `class_id` and `failed`.

    Parameters
    ----------
    project
        The project's folder.
    class_id
        The class.
    run_id
        The run whose boxes make up for drawn ones; empty for none.
    """

    only_looks: ClassVar[bool] = True

    project: str
    class_id: int
    run_id: str = ""

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return "Features of training regions"

    def run(self, context: JobContext) -> Steps:
        """Measure what is not measured yet."""
        with opened(self.project) as project:
            check_class(project, self.class_id)
            if project.task is Task.SEGMENTATION:
                failed = yield from _measure_maps(project, self.class_id, context)
            else:
                failed = yield from self._measure_boxes(project, context)
        return {"class_id": self.class_id, "failed": failed}

    def _measure_boxes(self, project: Project, context: JobContext) -> Counting:
        drawn = drawn_boxes(project, self.class_id)
        if len(drawn) < FEWEST and self.run_id:
            return (yield from self._measure_found(project, context))
        table = BoxTable(drawn_table(project.path))
        table.begin()
        known = {box.key for box in table.boxes()}
        waiting = [
            (case, box)
            for case, box in drawn
            if (case.id, self.class_id, box.xywh, box.slice) not in known
        ]

        def measure(pair: tuple[Case, DrawnBox]) -> None:
            case, box = pair
            table.add(_measured(case, self.class_id, box.xywh, box.slice, context.device))

        return (yield from _each(waiting, measure, lambda pair: pair[0].id, context))

    def _measure_found(self, project: Project, context: JobContext) -> Counting:
        network = load_run(project, self.run_id, "best", context.device)
        table = BoxTable(found_table(project.run_folder(self.run_id)))
        table.begin(network.weights_hash)
        known = {box.case for box in table.boxes() if box.class_id == self.class_id}
        cases = [case for case in with_class(project, self.class_id) if case.id not in known]

        def measure(case: Case) -> None:
            box = _box_found(project, network, case, self.class_id)
            if box is None:
                table.add(MeasuredBox.nowhere(case.id, self.class_id, len(table.names)))
            else:
                table.add(_measured(case, self.class_id, box, None, context.device))

        chosen = cases[: max(FOUND_MOST - len(known), 0)]
        return (yield from _each(chosen, measure, lambda case: case.id, context))


def _predicted_map(project: Project, run_id: str, case_id: str) -> Mask:
    from ..io.labelmap import read_label_map

    record = project.prediction(run_id, case_id)
    if record is None or record.file is None:
        raise LongtailError(
            f"The run {run_id} has not predicted {case_id}.", "Predict this case first."
        )
    array: Mask = np.asarray(read_label_map(str(project.path / record.file)).array, np.uint8)
    return array


def mask_of_box(shape: Sequence[int], box: Box, place: int | None) -> Mask:
    """Mark the pixels whose centre lies in a box, in one slice of a volume.

    Raises
    ------
    LongtailError
        There is none: the box lies outside of the image.
    """
    mask = np.zeros(tuple(shape), np.uint8)
    x, y, width, height = box
    (top, bottom), (left, right) = (
        tuple(round(min(max(side, 0.0), length)) for side in sides)
        for sides, length in (((y, y + height), shape[-2]), ((x, x + width), shape[-1]))
    )
    inside = mask if len(shape) == 2 else mask[place if place is not None else slice(None)]
    inside[..., top:bottom, left:right] = 1
    if not mask.any():
        raise LongtailError("The box lies outside of its image.", "Draw it again.")
    return mask


def _features(
    image: "Image", mask: Mask, settings: "RadiomicSettings", device: str
) -> "RegionFeatures":
    from ..io.image_types import Image
    from ..radiomics.extraction import extract

    # Where many features need float64, Apple's devices have none.
    chosen = "cpu" if device == "mps" else device
    return extract(image, Image(mask[None], image.geometry), settings, device=chosen)[0]


def _measured(case: Case, class_id: int, box: Box, place: int | None, device: str) -> MeasuredBox:
    from ..io.image import read_channels

    image = read_channels(case.channels)
    found = _features(image, mask_of_box(image.shape, box, place), BOX_SETTINGS, device)
    values = (math.nan if value is None else value for value in found.features.values())
    return MeasuredBox(case.id, class_id, box, place, tuple(values))


def _box_found(project: Project, network: "ReadyNetwork", case: Case, class_id: int) -> Box | None:
    """Give the box of a run's heat map; None where it points nowhere."""
    from ..explain.whole import map_of_picture
    from ..io.image import read_channels
    from .locating import THRESHOLD

    column = current_ids(project, network.card.class_ids).index(class_id)
    found = map_of_picture(
        network.network,
        network.card.preprocessing,
        read_channels(case.channels),
        column,
        network.device,
        variant=network.looking.variant,
        layer=network.looking.layer,
    )
    boxes = found.boxes(threshold=THRESHOLD)
    if not boxes:
        return None
    x, y, width, height = boxes[0].xywh
    return float(x), float(y), float(width), float(height)


def _measure_maps(project: Project, class_id: int, context: JobContext) -> Counting:
    every = project.cases(split=Split.TRAIN, labelled=True)
    cases = [case for case in every if has_class(case, class_id)]
    if not cases:
        return 0
    table = map_table(project, cases)
    # All labelled cases are kept: the table may be that of the command.
    kept = table.keep(project.cases(labelled=True))

    def measure(case: Case) -> None:
        told = next(iter(table.measure(project, [case])))
        if told.reason:
            raise LongtailError(told.reason)

    waiting = [case for case in cases if case.id not in kept]
    return (yield from _each(waiting, measure, lambda case: case.id, context))


def _each(
    things: Sequence[T],
    measure: Callable[[T], None],
    name: Callable[[T], str],
    context: JobContext,
) -> Counting:
    """Measure one after the other; what cannot be measured is told and left out."""
    clock, failed = Clock(len(things), "Measuring training regions"), 0
    for done, thing in enumerate(things, start=1):
        yield from context.safe_point()
        if context.stop_asked:
            break
        try:
            measure(thing)
        except LongtailError as error:
            failed += 1
            if failed <= WARNINGS_TOLD:
                yield Warned(f"{name(thing)} was left out: {error.reason}", kind="skipped")
        yield clock.progress(done)
    return failed
