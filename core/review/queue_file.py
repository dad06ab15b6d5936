"""The queue of a run as it lies in its folder; read without torch."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LongtailError
from ..files import write_json
from .queue import Entry, counted, read_entries

FOLDER = "review"
FILE = "queue.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Queue:
    """What deserves eyes by what one run says.

    Attributes
    ----------
    run
        The run; empty for the pretrained encoder alone.
    label_version
        The project's labels that it was made from.
    entries
        The most urgent first.
    looked_at
        How many `cases` were looked at, and how many of them by the `run` and by `folds`.
    left_out
        Why cases were left out: (case, reason).
    notes
        Sentences about all of it.
    """

    run: str
    label_version: int
    entries: tuple[Entry, ...]
    looked_at: Mapping[str, int] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give plain data."""
        return {
            "format": FORMAT,
            "run": self.run,
            "label_version": self.label_version,
            "counts": counted(self.entries),
            "looked_at": dict(self.looked_at),
            "left_out": [{"case": case, "reason": reason} for case, reason in self.left_out],
            "notes": list(self.notes),
            "entries": [each.to_json() for each in self.entries],
        }


def queue_path(run_folder: Path) -> Path:
    """Give the file of a run's queue."""
    return run_folder / FOLDER / FILE


def write_queue(path: Path, queue: Queue) -> None:
    """Write a queue."""
    write_json(path, queue.to_json())


def read_queue(path: Path, known: Collection[str] | None = None) -> Queue | None:
    """Read a queue, without the cases that are not in `known`; None where there is none.

    Raises
    ------
    LongtailError
        The file is damaged.
    """
    if not path.is_file():
        return None
    try:
        return _queue(json.loads(path.read_text(encoding="utf-8")), known)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LongtailError(
            f"The review list {path.name} of {path.parent.parent.name} cannot be read.",
            "Make it again.",
        ) from error


def _queue(document: Any, known: Collection[str] | None) -> Queue:
    if int(document["format"]) != FORMAT:
        raise ValueError("another format")
    return Queue(
        run=str(document["run"]),
        label_version=int(document["label_version"]),
        entries=read_entries(document, known),
        looked_at={str(name): int(count) for name, count in document["looked_at"].items()},
        left_out=_pairs(document["left_out"]),
        notes=tuple(str(note) for note in document["notes"]),
    )


def _pairs(documents: Sequence[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(one["case"]), str(one["reason"])) for one in documents)
