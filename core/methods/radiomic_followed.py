"""Which images a run of `radiomic-contrast` follows, and how it sees them each epoch."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..backend.events import Event
from ..io.image import read_header
from .radiomic_regions import in_file
from .radiomic_strip import Array, Followed, Turns, followed_rows, write_about, write_frame

if TYPE_CHECKING:
    from .radiomic_contrast import RadiomicContrastRun


class FollowedImages:
    """A few training images, flat ones only: a strip shows pictures."""

    def __init__(self, run: "RadiomicContrastRun") -> None:
        self._run = run
        self._turns = Turns()
        self._images = _chosen(run) if run.dims == 2 else []

    def news(self, step: int) -> Iterator[Event]:
        """Draw a frame of the strip where another epoch is over."""
        run, folder = self._run, self._run.setup.folder
        if folder is None or not self._images:
            return
        epoch = -(-len(run.train_ids) // run.settings.batch)
        if not self._turns.is_next(step, epoch, run.spec.iterations_planned):
            return
        write_about(folder, [one.case_id for one in self._images], run.spec.class_names)
        columns = [one.column for one in self._images]
        maps, logits = run.finder.maps(run.average, [one.row for one in self._images], columns)
        shares = logits.sigmoid() if run.several else logits.softmax(1)
        yield write_frame(
            folder,
            step,
            maps=maps,
            boxes=self._boxes(maps),
            chosen=columns,
            probabilities=shares.numpy(),
        )

    def state(self) -> int:
        """Give what a checkpoint keeps."""
        return self._turns.state()

    def load_state(self, drawn: int) -> None:
        """Continue from `state()`."""
        self._turns.load_state(drawn)

    def _boxes(self, maps: Array) -> Array:
        """Boxes in pixels of the files, (image, 4); not-a-number where a map says nothing."""
        found = np.full((len(maps), 4), np.nan)
        for row, (one, values) in enumerate(zip(self._images, maps, strict=True)):
            if values.any():
                found[row] = in_file(self._run.finder.box(values), one.shape, values.shape)
        return found


def _chosen(run: "RadiomicContrastRun") -> list[Followed]:
    place = {int(stored): row for row, stored in enumerate(run.image_rows)}
    boxed = [place[stored] for stored in run.drawn if stored in place]
    pairs = followed_rows(run.sampler.presence, boxed, run.spec.seed)
    cases = run.setup.project.cases(ids=[run.train_ids[row] for row, _ in pairs])
    shapes = [case.shape or read_header(case.channels[0]).shape for case in cases]
    return [
        Followed(run.train_ids[row], int(run.image_rows[row]), column, shape)
        for (row, column), shape in zip(pairs, shapes, strict=True)
    ]
