"""Shows what a run has left step by step: the newest, any with the slider, or all in a row."""

from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from ...core.errors import LongtailError
from ..background import Errands
from ..widgets import Card, Chip, ElidedLabel, IconButton
from ..widgets.calm import keep_wheel_calm

PLAY_MS = 160
LONGEST_REPLAY = 100
"""Maps shown in one replay; of more than these some are passed over."""

MOST_KEPT = 64
_PLAY, _PAUSE = "Replay the training", "Hold the replay"

Frame = TypeVar("Frame")


class FramePlayer(QWidget, Generic[Frame]):
    """A picture, the slider over all frames of the run, and buttons to replay and to follow.

    Parameters
    ----------
    plot
        Shows one frame.
    live
        Whether more frames may come; then the newest is followed until the slider is moved.
    """

    what = "map"
    """What a frame is called in a sentence."""

    def __init__(self, plot: QWidget, parent: QWidget | None = None, *, live: bool = True) -> None:
        super().__init__(parent)
        self._live = live
        self._folder: Path | None = None
        self._maps: tuple[str, ...] = ()
        self._total = 0
        self._follows = True
        self._kept: dict[str, Frame | str] = {}
        self._wanted = self._reading = ""
        self._errands = Errands(1, "longtail maps", self)
        self._beat = QTimer(self, singleShot=True, interval=PLAY_MS)
        self._beat.timeout.connect(self._play_on)
        self._playing = False
        self._picture = plot
        self.caption = ElidedLabel("", self, kind="quiet")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.play = IconButton("ph.play", _PLAY, self)
        self.follow = Chip("Live", self, tip="Show each new map as it comes")
        self._lay_out()
        self._connect()

    def read(self, folder: Path, path: str) -> Frame:
        """Read a frame; called in a worker.

        Raises
        ------
        LongtailError
            It is gone or damaged.
        """
        raise NotImplementedError

    def draw(self, frame: Frame | None, words: str = "") -> None:
        """Show a frame, or none and why."""
        raise NotImplementedError

    def step_of(self, path: str) -> int | None:
        """Give the step of a frame by its path; None if it is no such path."""
        raise NotImplementedError

    def restart(self, folder: Path) -> None:
        """Show another run, whose files lie in `folder`."""
        self._hold()
        self._errands.forget()
        self._folder, self._maps, self._kept = folder, (), {}
        self._wanted = self._reading = ""
        self._follow(True)

    def show_maps(self, maps: Sequence[str], total_steps: int) -> None:
        """Offer the maps that there are now; `total_steps` is 0 where it is not known."""
        self._total = total_steps
        if tuple(maps) == self._maps:
            self._caption()
            return
        shown, self._maps = self.shown, tuple(maps)
        self._kept = {path: kept for path, kept in self._kept.items() if path in self._maps}
        last = len(self._maps) - 1
        stays = not self._follows and shown in self._maps
        place = self._maps.index(shown) if stays else min(self.slider.value(), last)
        self._let_choose()
        self._go(last if self._follows else place)

    @property
    def shown(self) -> str:
        """The path of the map that the slider stands at."""
        place = self.slider.value()
        return self._maps[place] if 0 <= place < len(self._maps) else ""

    @property
    def follows(self) -> bool:
        """Whether the newest map is shown as it comes."""
        return self._follows

    @property
    def plays(self) -> bool:
        """Whether the training is being replayed."""
        return self._playing

    def close_threads(self) -> None:
        """Wait for what is being read and read no more."""
        self._hold()
        self._errands.close()

    # --- moving ---

    def _moved(self, _: int) -> None:
        self._follow(False)
        self._hold()
        self._show()

    def _go(self, place: int) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(place)
        self.slider.blockSignals(False)
        self._show()

    def _follow(self, follows: bool) -> None:
        self._follows = follows
        self.follow.setChecked(follows)

    def _follow_asked(self) -> None:
        self._hold()
        self._follow(True)
        self._go(len(self._maps) - 1)

    def _let_choose(self) -> None:
        count = len(self._maps)
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(count - 1, 0))
        self.slider.setPageStep(max(count // 10, 1))
        self.slider.blockSignals(False)
        for control in (self.slider, self.play):
            control.setEnabled(count > 1)

    # --- replaying ---

    def _play_asked(self) -> None:
        if self._playing:
            self._hold()
            return
        self._follow(False)
        self._playing = True
        self._dress_play()
        self._go(0 if self.slider.value() == self.slider.maximum() else self.slider.value())
        self._beat.start()

    def _play_on(self) -> None:
        if self._wanted:
            self._beat.start()  # the disk is slower than the beat
            return
        last = self.slider.maximum()
        stride = -(-len(self._maps) // LONGEST_REPLAY)
        self._go(min(self.slider.value() + stride, last))
        if self.slider.value() < last:
            self._beat.start()
        else:
            self._hold()

    def _hold(self) -> None:
        self._beat.stop()
        self._playing = False
        self._dress_play()

    def _dress_play(self) -> None:
        self.play.show_symbol("ph.pause" if self._playing else "ph.play")
        words = _PAUSE if self._playing else _PLAY
        self.play.setToolTip(words)
        self.play.setAccessibleName(words)

    # --- showing ---

    def _show(self) -> None:
        self._caption()
        path = self.shown
        if not path:
            self.draw(None)
        elif path in self._kept:
            self._wanted = ""
            self._draw(self._kept[path])
        else:
            self._wanted = path
            self._read()

    def _draw(self, kept: Frame | str) -> None:
        if isinstance(kept, str):
            self.draw(None, kept)
        else:
            self.draw(kept)

    def _read(self) -> None:
        # One file at a time: of those that a moving slider has passed only the last is read.
        if self._reading or not self._wanted or self._folder is None:
            return
        folder, path = self._folder, self._wanted
        self._reading = path

        def take(kept: Frame | str) -> None:
            self._take(path, kept)

        self._errands.ask(
            lambda: self._read_or_say(folder, path),
            take,
            lambda error: take(self._sentence(path, error)),
        )

    def _read_or_say(self, folder: Path, path: str) -> Frame | str:
        try:
            return self.read(folder, path)
        except LongtailError as error:
            return f"{error.reason}\n{error.remedy}"

    def _sentence(self, path: str, error: Exception) -> str:
        step = self.step_of(path)
        return f"The {self.what} of step {step} cannot be read: {type(error).__name__}."

    def _take(self, path: str, kept: Frame | str) -> None:
        self._reading = ""
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[path] = kept
        if path == self._wanted:
            self._wanted = ""
            self._draw(kept)
        self._read()

    def _caption(self) -> None:
        step = self.step_of(self.shown) if self.shown else None
        of = f" of {self._total:,}" if self._total else ""
        self.caption.setText("" if step is None else f"step {step:,}{of}")

    # --- making ---

    def _lay_out(self) -> None:
        card = Card(self)
        card.body.setContentsMargins(1, 1, 1, 8)
        card.body.setSpacing(0)
        card.body.addWidget(self._picture)
        self.slider.setAccessibleName("Step of the training")
        self.slider.setToolTip("Go through the training (Left, Right)")
        self.slider.setMinimumWidth(60)
        keep_wheel_calm(self.slider)
        # Whoever clicks on the picture means it: the arrows go through the training then.
        self._picture.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self._picture.setFocusProxy(self.slider)
        self.follow.setVisible(self._live)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.play)
        row.addWidget(self.slider, 1)
        row.addWidget(self.follow)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        card.body.addWidget(self.caption)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(card)
        column.addLayout(row)
        self._let_choose()

    def _connect(self) -> None:
        self.slider.valueChanged.connect(self._moved)
        self.play.clicked.connect(lambda _checked=False: self._play_asked())
        self.follow.clicked.connect(lambda _checked=False: self._follow_asked())
