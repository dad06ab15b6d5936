"""Tables of images: CSV files as they come from spreadsheets."""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import LongtailError

ALIASES = {
    "file": ("file", "image", "path", "filename", "file_name", "image index"),
    "label": ("label", "labels", "class", "finding", "findings", "finding labels"),
    "split": ("split",),
    "patient": (
        *("patient", "patient_id", "patient id", "patientid"),
        *("subject", "subject_id", "subject id", "subjectid", "participant", "participant_id"),
    ),
}
CORNERS = (("xmin", "ymin", "xmax", "ymax"), ("x_min", "y_min", "x_max", "y_max"))
SIDES = (("x", "y", "w", "h"), ("x", "y", "width", "height"))
BOX_COLUMNS = tuple(frozenset(heads) for heads in (*SIDES, *CORNERS))
NO_CLASS_WORDS = {"none", "normal", "no finding"}
BAR = "|"
CELL_CHARACTERS_AT_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """A table of images.

    `columns` maps file, label, split and patient to the number of their column, -1 where absent;
    `others` are the remaining columns, kept as metadata.
    """

    path: Path
    names: tuple[str, ...]
    rows: list[list[str]]
    columns: dict[str, int]
    others: tuple[int, ...]

    @property
    def holds_boxes(self) -> bool:
        """Whether the rows are boxes rather than images."""
        names = {name.lower() for name in self.names}
        return any(names >= columns for columns in BOX_COLUMNS)


def read_table(path: Path) -> Table:
    """Read a CSV file; commas, semicolons or tabs, packed by gzip or not.

    Raises
    ------
    LongtailError
        It is empty, cannot be read, or has no column that names files.
    """
    rows = read_rows(path)
    if len(rows) < 2:
        raise LongtailError(f"The table {path.name} holds no rows.", "Check that it was saved.")
    names = [name.strip() for name in rows[0]]
    columns = {role: _column(names, aliases) for role, aliases in ALIASES.items()}
    if columns["file"] < 0:
        raise LongtailError(
            f"The table {path.name} has no column that names the image files.",
            "Call it file, image or path; the table has " + ", ".join(names[:8]) + ".",
        )
    taken = set(columns.values())
    others = tuple(index for index in range(len(names)) if index not in taken)
    width = len(names)
    body = [row + [""] * (width - len(row)) for row in rows[1:] if any(row)]
    return Table(path, tuple(names), body, columns, others)


def split_labels(cell: str) -> tuple[str, ...]:
    """Take the labels of a cell apart at the bars; empty for an empty cell."""
    parts = (part.strip() for part in cell.split(BAR))
    return tuple(dict.fromkeys(part for part in parts if part))


def means_no_class(labels: Sequence[str], classes: Sequence[str]) -> bool:
    """Tell whether somebody looked and found nothing; a declared class of that name is a class."""
    declared = {name.lower() for name in classes}
    return bool(labels) and all(
        label.lower() in NO_CLASS_WORDS and label.lower() not in declared for label in labels
    )


def read_rows(path: Path) -> list[list[str]]:
    """Read the cells of a CSV file, the heads of its columns first.

    Raises
    ------
    LongtailError
        It cannot be read as text in columns.
    """
    text = _read_text(path)
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(CELL_CHARACTERS_AT_MOST)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise LongtailError(
            f"The table {path.name} cannot be read: {error}.", "Save it again as CSV."
        ) from error


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if path.suffix.lower() == ".gz":
            raw = gzip.decompress(raw)
    except (OSError, EOFError) as error:
        raise LongtailError(
            f"The table {path.name} cannot be read: {_why(error)}.", "Check the path."
        ) from error
    if b"\x00" in raw[:4096]:
        raise LongtailError(f"{path.name} is not a table in plain text.", "Save it as CSV.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")  # what Excel writes in Western Europe


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "its compressed data are broken"


def _column(names: Sequence[str], aliases: Sequence[str]) -> int:
    lower = [name.lower() for name in names]
    return next((lower.index(alias) for alias in aliases if alias in lower), -1)
