"""Tables that name images by an id without suffix, and give each image one class."""

import gzip
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from ...errors import LongtailError
from ..table import read_rows
from .headers import look_into
from .listing import with_unique_ids
from .named_files import case_of, files_of
from .plan import FORMAT_TITLES, FoundCase, ImportPlan, Skipped
from .request import CLASSIFICATION, SEGMENTATION, Request

TABLE_SUFFIXES = (".csv", ".tsv", ".tab", ".csv.gz")
TABLES_LOOKED_AT = 200
DEEPEST = 2
SPLIT_WORDS = {"train": "train", "valid": "val", "test": "test"}


class IdTable(NamedTuple):
    """A table; `heads` are its column names in lower case."""

    path: Path
    heads: tuple[str, ...]
    rows: list[list[str]]

    @property
    def split(self) -> str | None:
        """The split that its file is called after."""
        name = self.path.name.lower()
        return next((split for word, split in SPLIT_WORDS.items() if word in name), None)

    def records(self) -> Iterator[dict[str, str]]:
        """Give each row by the names of its columns; empty cells are left out."""
        for row in self.rows:
            cells = zip(self.heads, row, strict=False)
            yield {head: cell.strip() for head, cell in cells if cell.strip()}


@dataclass(frozen=True, slots=True)
class NamedImage:
    """An image as a table names it; `class_name` None means unlabelled."""

    name: str
    table: Path
    class_name: str | None = None
    split: str | None = None
    patient: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


def table_paths(request: Request) -> list[Path]:
    """Give the table that was asked for, else all tables up to two folders below the source."""
    given = [path for path in (request.labels, request.source) if path and path.is_file()]
    return given or list(tables_below(request.root))


def tables_below(root: Path) -> Iterator[Path]:
    """List the tables up to two folders below `root`, in order."""
    return islice(_tables_below(root), TABLES_LOOKED_AT)


def heads_of(path: Path) -> tuple[str, ...]:
    """Give the column names of a table in lower case, empty where it is none."""
    packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            line = file.readline(1 << 16).decode("utf-8-sig", errors="replace")
    except (OSError, EOFError, zlib.error):
        return ()
    delimiter = max(",;\t", key=line.count)
    return tuple(head.strip().strip('"').lower() for head in line.split(delimiter))


def read_id_table(path: Path) -> IdTable:
    """Read a table whole; see `table.read_rows` for what it raises."""
    heads, *rows = read_rows(path)
    return IdTable(path, tuple(head.strip().lower() for head in heads), rows)


def names_for(codes: Mapping[str, str], request: Request) -> tuple[dict[str, str], list[str]]:
    """Give the project's class for each code, and say how they were matched.

    Parameters
    ----------
    codes
        The plain name of each code of the tables, in their order.

    Returns
    -------
    names
        A code whose class the project lacks is left out.
    notes
        A sentence where the classes go by their order.
    """
    plain = list(dict.fromkeys(codes.values()))
    if not request.classes:
        return dict(codes), []
    found = {
        code: request.class_like(name) or request.class_like(code) for code, name in codes.items()
    }
    if any(found.values()) or len(plain) != len(request.classes):
        return {code: name for code, name in found.items() if name}, []
    ordered = dict(zip(plain, request.classes, strict=True))
    told = ", ".join(f"{theirs} is {ours}" for theirs, ours in ordered.items())
    note = f"The source names its classes otherwise; they are taken in order: {told}."
    return {code: ordered[name] for code, name in codes.items()}, [note]


def dropped_words(dropped: Counter[str]) -> list[str]:
    """Name the labels outside of the project's classes, with their counts."""
    if not dropped:
        return []
    told = ", ".join(f"{name} ({count:,})" for name, count in dropped.most_common())
    return [f"Dropped labels that are no class of the project: {told}."]


def plan_named_images(
    format: str,
    images: Sequence[NamedImage],
    request: Request,
    *,
    class_names: Sequence[str],
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
) -> ImportPlan:
    """Find the files of the images and plan their import.

    Raises
    ------
    LongtailError
        None of them is there, or the project outlines its classes.
    """
    if request.task == SEGMENTATION:
        raise LongtailError(
            f"{FORMAT_TITLES[format]} have a class for a whole image, but this "
            "project outlines its classes.",
            "Make a project for classification.",
        )
    cases: dict[str, FoundCase] = {}
    found, lost = files_of(images, request)
    for image, path in found:
        cases.setdefault(path, _case(image, path, request.root))
    looked = look_into(with_unique_ids(list(cases.values())))
    return ImportPlan(
        format=format,
        cases=looked.cases,
        skipped=(*lost, *skipped, *looked.skipped),
        notes=(*notes, *looked.notes),
        class_names=tuple(request.classes) or tuple(class_names),
        task=request.task or CLASSIFICATION,
    )


def _tables_below(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root):
        folders.sort()
        if len(Path(place).relative_to(root).parts) >= DEEPEST:
            folders[:] = []
        yield from (
            Path(place) / name
            for name in sorted(names)
            if name.lower().endswith(TABLE_SUFFIXES) and not name.startswith(".")
        )


def _case(image: NamedImage, path: str, root: Path) -> FoundCase:
    return case_of(
        path,
        root,
        split=image.split,
        patient=image.patient,
        class_names=(image.class_name,) if image.class_name else None,
        metadata=image.metadata,
    )
