"""What the user asked an importer for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SEGMENTATION, CLASSIFICATION, MULTILABEL = "segmentation", "classification", "multilabel"


@dataclass(frozen=True, slots=True)
class Request:
    """An import as asked for.

    `source` is a folder or file, `labels` a folder of masks or a table, `task` empty when it is
    to be guessed, `classes` the project's classes in the order of their ids, empty when the
    project has none yet. `uncertain` says what a finding is taken for that a reader was not sure
    of: unknown, positive or negative.
    """

    source: Path
    labels: Path | None = None
    task: str = ""
    classes: Sequence[str] = ()
    uncertain: str = "unknown"

    @property
    def root(self) -> Path:
        """The folder that case ids are relative to."""
        return self.source if self.source.is_dir() else self.source.parent

    def class_like(self, name: str) -> str | None:
        """Give the project's class of this name, whatever its capitals; None if there is none."""
        return next((known for known in self.classes if known.lower() == name.lower()), None)
