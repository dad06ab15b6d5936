"""The slider under the plane: how the embedding of some images formed while a run learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QSlider, QWidget

from ...core.explain.embedding_file import Frames, read_frames
from ...core.jobs.embedding import ProjectFramesJob
from ..session import Session
from ..tracked import TrackedJob
from ..widgets.basic import IconButton, TextLabel
from ..widgets.calm import keep_wheel_calm
from .embedding_model import Ask, EmbeddingModel
from .embedding_points import Floats
from .embedding_source import SEED

BEAT_MS = 60
BETWEEN = 6
"""Beats from one frame to the next: points glide, so that the eye can follow them."""

FEWEST = 2
_PLAY, _HOLD = "Replay how the run learned this", "Hold the replay"
_TIP = "Step of the training; at the right end the whole embedding as it is now"


class Replay(QWidget):
    """Goes through the frames of a run; `moved` tells places of points, None for the end.

    The frames are laid out by a job when they are first asked for.
    """

    moved = Signal(object)
    """(case ids, (case, 2) places, (frame, case, 2) all places), or None: show all images."""

    def __init__(
        self, session: Session, model: EmbeddingModel, ask: Ask, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._model, self._ask = session, model, ask
        self._of: object = None
        self._steps: tuple[int, ...] = ()
        self._frames: Frames | None = None
        self._job: TrackedJob | None = None
        self._at = 0.0
        self._playing = False
        self._beat = QTimer(self, interval=BEAT_MS)
        self._beat.timeout.connect(self._glide)
        self.play = IconButton("ph.play", _PLAY, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.caption = TextLabel("", self)
        self._lay_out()
        self.play.clicked.connect(lambda _checked=False: self._play_asked())
        self.slider.valueChanged.connect(self._slid)
        session.job_finished.connect(self._on_finished)
        self.hide()

    # --- what there is ---

    def follow(self, steps: Sequence[int]) -> None:
        """Offer the frames of the model's run; fewer than two are nothing to go through."""
        source, way = self._model.source, self._model.way
        key = (source, way, tuple(steps))
        if key == self._of:
            return
        self.end()
        self._of, self._steps, self._frames = key, tuple(steps), None
        self.setVisible(len(self._steps) >= FEWEST)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(self._steps))
            self.slider.setValue(len(self._steps))
        self._say()

    @property
    def is_now(self) -> bool:
        """Whether the whole embedding is shown, and no frame."""
        return self.slider.value() == len(self._steps)

    @property
    def waits(self) -> bool:
        """Whether the frames are being laid out."""
        return self._job is not None

    def end(self) -> None:
        """Show the whole embedding again."""
        self._hold()
        if not self.is_now:
            with QSignalBlocker(self.slider):
                self.slider.setValue(len(self._steps))
            self._say()
            self.moved.emit(None)

    # --- moving ---

    def _slid(self, place: int) -> None:
        self._hold()
        self._at = float(place)
        self._say()
        self._show()

    def _play_asked(self) -> None:
        if self._playing:
            self._hold()
            return
        self._playing = True
        self._dress_play()
        if self.is_now:
            self._at = 0.0
            self._put(0)
        self._show()

    def _glide(self) -> None:
        last = len(self._steps) - 1
        self._at = min(self._at + 1 / BETWEEN, float(last))
        self._put(int(self._at))
        self._emit()
        if self._at >= last:
            self._hold()

    def _put(self, place: int) -> None:
        with QSignalBlocker(self.slider):
            self.slider.setValue(place)
        self._say()

    def _hold(self) -> None:
        self._beat.stop()
        self._playing = False
        self._dress_play()

    def _show(self) -> None:
        """Show the frame of the slider, once the frames are there."""
        if self.is_now:
            self.moved.emit(None)
        elif self._frames is None:
            self._make()
        else:
            self._emit()
            if self._playing and not self._beat.isActive():
                self._beat.start()

    def _emit(self) -> None:
        frames = self._frames
        if frames is not None:
            self.moved.emit((frames.case_ids, between(frames.points, self._at), frames.points))

    # --- making ---

    def _make(self) -> None:
        project, source = self._session.project, self._model.source
        if project is None or source is None or source.run_id is None or self._job is not None:
            return
        job = ProjectFramesJob(str(project.path), source.run_id, self._model.way, SEED)
        with self._session.reporting():
            tracked = self._session.submit(job)
            if tracked.finished is None:
                self._job = tracked
            else:
                self._read(tracked)
        self._say()

    def _on_finished(self, tracked: TrackedJob, _finished: object) -> None:
        if tracked is self._job:
            self._job = None
            self._read(tracked)

    def _read(self, tracked: TrackedJob) -> None:
        result = tracked.finished.result if tracked.finished is not None else None
        project = self._session.project
        if not result or project is None:
            self.end()
            return
        of = self._of

        def take(frames: Frames) -> None:
            if of == self._of:
                self._frames = frames
                self._say()
                self._show()

        self._ask(partial(read_frames, project.path / str(result["file"])), take, self._failed)

    def _failed(self, error: Exception) -> None:
        self._session.notify(f"The replay cannot be read. {error}", "error")
        self.end()

    # --- showing ---

    def _say(self) -> None:
        if self._job is not None:
            words = "laying out ..."
        elif self.is_now:
            words = "all images, now"
        else:
            words = f"step {self._steps[self.slider.value()]:,} of {self._steps[-1]:,}"
        self.caption.setText(words)

    def _dress_play(self) -> None:
        self.play.show_symbol("ph.pause" if self._playing else "ph.play")
        words = _HOLD if self._playing else _PLAY
        self.play.setToolTip(words)
        self.play.setAccessibleName(words)

    def _lay_out(self) -> None:
        self.caption.setProperty("longtail", "quiet")
        self.caption.setMinimumWidth(118)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.slider.setAccessibleName("Step of the training")
        self.slider.setToolTip(_TIP)
        keep_wheel_calm(self.slider)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.play)
        row.addWidget(self.slider, 1)
        row.addWidget(self.caption)


def between(points: Any, at: float) -> Floats:
    """Give where points lie between two frames: (case, 2) at a whole or broken frame number."""
    first = min(max(int(at), 0), len(points) - 1)
    second = min(first + 1, len(points) - 1)
    part = np.float32(min(max(at - first, 0.0), 1.0))
    return np.asarray(points[first] * (1 - part) + points[second] * part, np.float32)


@dataclass(frozen=True)
class Turn:
    """A way to turn, mirror, scale and move points of the plane."""

    before: Any
    matrix: Any
    after: Any

    def __call__(self, points: Any) -> Floats:
        """Give points, (..., 2), where they come to lie."""
        return np.asarray((points - self.before) @ self.matrix + self.after, np.float32)


def turn_onto(points: Any, target: Any) -> Turn:
    """Find how points come to lie best on others, (case, 2) both, as `projection.align` does.

    The last frame then passes into the picture of all images without a jump.
    """
    if len(points) < FEWEST:
        return Turn(np.zeros(2), np.eye(2), np.zeros(2))
    before, after = points.mean(axis=0), target.mean(axis=0)
    own, other = points - before, target - after
    left, values, right = np.linalg.svd(own.T @ other)
    size = float((own**2).sum())
    scale = float(values.sum()) / size if size > 0 else 1.0
    return Turn(before, left @ right * scale, after)
