"""The page of the Review panel: how far one is, filters, the list, the case, three buttons."""

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QButtonGroup, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget
from superqt import QFlowLayout

from ...core.review.decisions import Verdict
from ...core.review.queue import Entry
from ..theme import EDGE
from ..widgets import (
    BigNumber,
    Card,
    Chip,
    ElidedLabel,
    GhostButton,
    IconButton,
    LinkButton,
    PrimaryButton,
    QuietLabel,
    TitleLabel,
)
from ..widgets.basic import TextLabel, mark
from .results_parts import WorkingPart
from .review_list import PictureOf, ReviewList
from .review_model import (
    ALL,
    BACK,
    FLAG,
    KEEP,
    KIND_CHIPS,
    TAKE,
    Offer,
    Standing,
    end_words,
    looked_sentence,
)
from .train_parts import SayCard, let_shrink
from .train_words import case_noun

STALE = "Labels have changed since this list was made; look again for a new one."
NOTHING = "No label is in doubt, no rare class was missed, and the run is decided everywhere."


class Filters(QWidget):
    """Chips that choose which entries are shown; `chosen` tells the kind."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self.chips: dict[str, Chip] = {}
        self._row = QFlowLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)
        for kind, (words, tip) in KIND_CHIPS.items():
            chip = Chip(words, self, tip=tip)
            self._group.addButton(chip)
            self.chips[kind] = chip
            chip.clicked.connect(lambda _checked=False, value=str(kind): self.chosen.emit(value))

    def show_counts(self, counts: Mapping[str, int], chosen: str) -> None:
        """Show how many each would show; those of nothing are away."""
        # The layout leaves a gap for what is hidden, so that only what is seen is in it.
        while self._row.count():
            self._row.takeAt(0)
        for kind, chip in self.chips.items():
            chip.set_count(counts.get(kind, 0))
            seen = bool(counts.get(kind)) or kind in (ALL, chosen)
            chip.setVisible(seen)
            if seen:
                self._row.addWidget(chip)
        self.chips[chosen].setChecked(True)
        # A chip that comes may need a row more: else it lies over the first until the next resize.
        self._row.invalidate()
        self.updateGeometry()
        self._row.setGeometry(self.contentsRect())


class CaseCard(Card):
    """The case that is looked at: why it is here, and whose it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.why = TextLabel("", self)
        self.why.setWordWrap(True)
        mark(self.why, "strong")
        self.about = ElidedLabel("", self, kind="quiet")
        self.body.addWidget(self.why)
        self.body.addWidget(self.about)

    def show_case(self, why: str, about: str, *, rare: bool) -> None:
        """Say why a case is here; a rare class has an edge in its colour."""
        self.why.setText(why)
        self.about.setText(about)
        self.set_tone("tail" if rare else "")


class Verdicts(QWidget):
    """Three things that can be done with a case, each with its key; `asked` tells the key."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keep = PrimaryButton("", self, symbol="ph.check")
        self.take = GhostButton("", self, symbol="ph.arrows-left-right")
        self.flag = GhostButton("", self, symbol="ph.flag")
        self.hint = QuietLabel("", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.hint)
        column.addWidget(self.keep)
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self.take, 1)
        below.addWidget(self.flag)
        column.addLayout(below)
        for key, button, tip in (
            (KEEP, self.keep, "Right as it is: marked as reviewed"),
            (TAKE, self.take, "Correct it: what was suggested becomes the label"),
            (FLAG, self.flag, "Set aside: its labels go to the history, nothing trains on them"),
        ):
            button.setToolTip(f"{tip} ({key})")
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _checked=False, each=key: self.asked.emit(each))

    def show_offer(self, offer: Offer) -> None:
        """Show what can be done."""
        for key, button, words in (
            (KEEP, self.keep, offer.keep),
            (TAKE, self.take, offer.take),
            (FLAG, self.flag, offer.flag),
        ):
            button.setVisible(bool(words))
            # An ampersand in a class's name would underline the letter after it.
            button.setText(f"{words}   {key}".replace("&", "&&"))
            button.setAccessibleName(words)
        self.hint.setText(offer.hint)
        self.hint.setVisible(bool(offer.hint))


class ReviewPage(QWidget):
    """Head, progress, filters, the list, the case, the buttons."""

    def __init__(self, picture_of: PictureOf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        mark(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.run = ElidedLabel("", self, kind="quiet")
        self.run.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.undo = IconButton("ph.arrow-u-up-left", "Take the last one back", self, key=BACK)
        self.again = IconButton("ph.arrows-clockwise", "Look through all cases again", self)
        self.maps = IconButton("ph.squares-four", "Heat maps of all test cases", self)
        self.number = let_shrink(BigNumber(self))
        self.progress = QProgressBar(self)
        self.progress.setTextVisible(False)
        self.filters = Filters(self)
        self.notes = QuietLabel("", self)
        self.list = ReviewList(picture_of, self)
        self.end = SayCard(parent=self)
        self.train = LinkButton("Go to Train", self)
        self.retry = GhostButton("Look again", self, symbol="ph.arrows-clockwise")
        self.working = WorkingPart(self)
        self.case = CaseCard(self)
        self.verdicts = Verdicts(self)
        self._lay_out()

    def show_parts(self, there: bool) -> None:
        """Show what stands for a list, or leave it out where there is none."""
        for part in (self.number, self.progress, self.filters, self.list):
            part.setVisible(there)
        if not there:
            self.notes.hide()
            self.train.hide()

    def show_standing(self, standing: Standing, current: str, *, stale: bool) -> None:
        """Show how far one is and what is left; `stale` says that labels have changed since."""
        counts, total = standing.counts(), len(standing.queue.entries)
        left, made_from = counts[ALL], looked_sentence(standing.queue, standing.task)
        first = "left to look at" if left else "all looked at"
        self.number.show_number(f"{left:,}", first, standing.tally() or made_from)
        self.number.setToolTip(made_from)
        self.progress.setRange(0, max(total, 1))
        self.progress.setValue(total - left)
        self.filters.show_counts(counts, standing.kind)
        self.notes.setText(STALE if stale else "")
        self.notes.setVisible(stale)
        shown = standing.shown()
        self.list.show_rows([standing.row(each) for each in shown], current)
        self.list.setVisible(bool(shown))

    def show_end(self, standing: Standing, *, failed: bool) -> None:
        """Say what comes next when all was looked at."""
        there = bool(standing.queue.entries)
        done = standing.counts()[ALL] == 0 and not failed
        told = list(standing.verdicts.values())
        if done:
            words = end_words(told, case_noun(standing.task)) if there else NOTHING
            self.end.say("All looked at" if there else "Nothing stands out", words, "good")
        self.train.setVisible(done and Verdict.CORRECTED in told)

    def show_entry(self, entry: Entry | None, standing: Standing | None, *, writable: bool) -> None:
        """Show the case that is looked at, and what can be done with it."""
        there = entry is not None and standing is not None
        self.case.setVisible(there)
        self.verdicts.setVisible(there)
        if entry is None or standing is None:
            return
        row, case = standing.row(entry), standing.cases.get(entry.case)
        about = [row.name, *([str(case.split), case.patient or ""] if case else [])]
        self.case.show_case(entry.why, " · ".join(part for part in about if part), rare=row.rare)
        self.verdicts.show_offer(standing.offer(entry, writable=writable))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(TitleLabel("Review", self))
        head.addWidget(self.run, 1)
        for button in (self.undo, self.again, self.maps):
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, EDGE, 0, EDGE)
        column.setSpacing(8)
        for part in (self.number, self.progress, self.filters, self.notes, self.working):
            column.addLayout(_edged(part))
        column.insertLayout(0, _edged(head))
        column.addWidget(self.list, 1)
        for part in (self.end, self.train, self.retry, self.case, self.verdicts):
            column.addLayout(_edged(part))
        column.addStretch(0)


def _edged(part: QWidget | QHBoxLayout) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(EDGE, 0, EDGE, 0)
    if isinstance(part, QHBoxLayout):
        row.addLayout(part, 1)
    else:
        row.addWidget(part, 1)
    return row
