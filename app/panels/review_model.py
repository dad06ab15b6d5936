"""What the Review panel shows and offers; knows neither Qt nor torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.project.records import Case, Split, Task
from ...core.review.decisions import Decisions, Verdict
from ...core.review.queue import Entry, Kind, percent
from ...core.review.queue_file import Queue, queue_path, read_queue
from .train_words import case_noun, plural

if TYPE_CHECKING:
    from ...core.project.store import Project

ALL, DONE = "all", "done"
KEEP, TAKE, FLAG, BACK = "A", "S", "D", "Q"

KIND_CHIPS: Mapping[str, tuple[str, str]] = {
    ALL: ("All", "All that is left to look at"),
    Kind.LABEL: ("Label?", "The label is likely wrong"),
    Kind.TAIL: ("Missed", "Labelled with a rare class, and taken for another"),
    Kind.RARE: ("Rare?", "Not labelled, and perhaps of a rare class"),
    Kind.UNSURE: ("Undecided", "The run cannot decide"),
    DONE: ("Done", "Looked at"),
}
TAGS = {Kind.LABEL: "label?", Kind.TAIL: "missed", Kind.RARE: "rare?", Kind.UNSURE: "undecided"}
VERDICT_WORDS = {
    Verdict.ACCEPTED: "kept",
    Verdict.CORRECTED: "corrected",
    Verdict.FLAGGED: "set aside",
}


TEST_HINT = "Of the test part: correct it only where the label is surely wrong."


@dataclass(frozen=True, slots=True)
class Row:
    """One entry as the list shows it; `rare` gives its tag the colour of the tail."""

    case_id: str
    name: str
    line: str
    share: str
    tag: str
    rare: bool
    verdict: str = ""
    why: str = ""

    @property
    def sentence(self) -> str:
        """The same for a reader of the screen."""
        told = self.verdict or self.tag
        return f"{self.name}: {self.line} {self.share}, {told}"


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be done with an entry: the words of the three buttons, empty where one is off."""

    keep: str = ""
    take: str = ""
    flag: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Loaded:
    """All that the panel needs of one run; read in a thread."""

    run_id: str
    queue: Queue | None
    cases: Mapping[str, Case]
    decisions: Decisions


@dataclass
class Standing:
    """How far one is with a queue.

    `verdicts` are the decisions as the panel knows them: they are written a moment later.
    """

    queue: Queue
    names: Mapping[int, str]
    task: Task
    cases: Mapping[str, Case] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    kind: str = ALL

    def shown(self) -> list[Entry]:
        """Give the entries that the chosen filter shows."""
        if self.kind == DONE:
            return [each for each in self.queue.entries if each.case in self.verdicts]
        left = [each for each in self.queue.entries if each.case not in self.verdicts]
        return left if self.kind == ALL else [one for one in left if self.kind in one.kinds]

    def counts(self) -> dict[str, int]:
        """Count what each filter would show."""
        left = [each for each in self.queue.entries if each.case not in self.verdicts]
        counts = {str(kind): sum(kind in one.kinds for one in left) for kind in Kind}
        done = len(self.queue.entries) - len(left)
        return {ALL: len(left), **counts, DONE: done}

    def row(self, entry: Entry) -> Row:
        """Give an entry as the list shows it."""
        verdict = self.verdicts.get(entry.case)
        first = entry.kinds[0]
        return Row(
            entry.case,
            entry.case.rpartition("/")[2],
            self._line(entry),
            "" if entry.share is None else percent(entry.share),
            TAGS[first],
            first in (Kind.TAIL, Kind.RARE),
            VERDICT_WORDS[verdict] if verdict else "",
            entry.why,
        )

    def tally(self) -> str:
        """Count the verdicts in words: `7 kept · 4 corrected · 1 set aside`."""
        ids = {each.case for each in self.queue.entries}
        told = [verdict for case, verdict in self.verdicts.items() if case in ids]
        parts = [
            f"{told.count(verdict):,} {words}"
            for verdict, words in VERDICT_WORDS.items()
            if verdict in told
        ]
        return " · ".join(parts)

    def after(self, case_id: str) -> str:
        """Give the next case that is left, at the end the first one; empty when none is."""
        place = {each.case: number for number, each in enumerate(self.queue.entries)}
        left = [each.case for each in self.shown() if each.case not in self.verdicts]
        here = place.get(case_id, -1)
        behind = (each for each in left if place[each] > here)
        return next(behind, left[0] if left else "")

    def offer(self, entry: Entry | None, *, writable: bool) -> Offer:
        """Say what can be done with an entry."""
        if entry is None:
            return Offer()
        if not writable:
            return Offer(hint="This project can only be looked at here, so nothing is changed.")
        if entry.case in self.verdicts:
            told = VERDICT_WORDS[self.verdicts[entry.case]]
            return Offer(hint=f"Looked at: {told}.")
        offer = self._offer(entry, self.is_labelled(entry))
        case = self.cases.get(entry.case)
        if case is not None and case.split is Split.TEST and offer.keep and not offer.hint:
            return replace(offer, hint=TEST_HINT)
        return offer

    def _offer(self, entry: Entry, labelled: bool) -> Offer:
        if self.task is Task.SEGMENTATION:
            return self._offer_scan(labelled)
        suggested = self.names.get(entry.suggested or 0, "")
        if not labelled:
            take = f"Yes, {suggested}" if suggested and entry.present else ""
            return Offer(
                take or "", "", "Set aside", "" if take else "Give the class by its number key."
            )
        if self.task is Task.MULTILABEL:
            change = f"Add {suggested}" if entry.present else f"Remove {suggested}"
            return Offer("Labels are right", change if suggested else "", "Set aside")
        given = self.names.get(entry.given[0], "") if entry.given else ""
        return Offer(
            f"Keep {given}" if given else "Keep as it is",
            f"Take {suggested}" if suggested and entry.suggested not in entry.given else "",
            "Set aside",
        )

    def is_labelled(self, entry: Entry) -> bool:
        """Whether the case had labels when it was put on the list."""
        case = self.cases.get(entry.case)
        if self.task is Task.SEGMENTATION:
            return bool(case and case.has_mask)
        return bool(entry.given) or bool(case and case.labels is not None)

    def _line(self, entry: Entry) -> str:
        given = [self.names.get(i, "?") for i in entry.given]
        suggested = self.names.get(entry.suggested or 0, "")
        if self.task is Task.CLASSIFICATION:
            return " → ".join(part for part in (given[0] if given else "", suggested) if part)
        if not suggested:
            return ", ".join(given)
        if self.task is Task.SEGMENTATION:
            return suggested
        return f"+ {suggested}" if entry.present else f"− {suggested}"  # noqa: RUF001

    def _offer_scan(self, labelled: bool) -> Offer:
        if labelled:
            return Offer("Labels are right", "Correct the outline", "Set aside")
        return Offer("", "Start from the run's outline", "Set aside")


def load_review(project: "Project", run_id: str) -> Loaded:
    """Read the queue of a run, its cases and what was decided; may take a while."""
    known = set(project.catalogue().ids)
    folder = project.run_folder(run_id) if run_id else project.path / Path("cache")
    queue = read_queue(queue_path(folder), known)
    ids = [each.case for each in queue.entries] if queue else []
    cases = {case.id: case for case in project.cases(ids=ids)} if ids else {}
    return Loaded(run_id, queue, cases, Decisions(project))


def looked_sentence(queue: Queue, task: Task) -> str:
    """Say what the list was made from: `248 of 2,352 images deserve a look`."""
    looked = max(queue.looked_at.get("cases", 0), len(queue.entries))
    return f"{len(queue.entries):,} of {plural(looked, case_noun(task))} deserve a look"


def end_words(counts: Sequence[Verdict], noun: str) -> str:
    """Say what comes next when all was looked at."""
    changed = counts.count(Verdict.CORRECTED)
    aside = counts.count(Verdict.FLAGGED)
    parts = []
    if changed:
        parts.append(f"{plural(changed, noun)} corrected: train again to learn from them.")
    if aside:
        parts.append(f"{plural(aside, noun)} set aside: out of training until labelled again.")
    return " ".join(parts) or "All labels were right as they are."
