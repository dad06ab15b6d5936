"""The features of all labelled cases of a project as a table that can be continued."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import LongtailError
from ..files import write_json, write_text, writing_failed
from ..io.image import read_channels
from ..io.image_types import Image
from ..project.records import Case
from ..project.store import Project
from .extraction import Engine, RegionFeatures, extract
from .settings import RadiomicSettings

HEADS = ("case", "changed", "regions", "label", "class", "reason")
"""Columns before the features; `regions` is how many rows the case has when it is complete."""

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class CaseMeasured:
    """One case is in the table; `reason` says why not."""

    case: str
    regions: int
    reason: str = ""


class FeatureTable:
    """A CSV file, case x region x feature; a case is in it whole or is measured again.

    Parameters
    ----------
    path
        The table; beside it `<name>.settings.json` holds how it was measured.
    settings, engine
        Of every row.
    flat
        The project's cases are pictures.

    Raises
    ------
    LongtailError
        There is a table that was measured otherwise, or it cannot be read.
    """

    def __init__(
        self, path: Path, settings: RadiomicSettings, engine: Engine, *, flat: bool
    ) -> None:
        self.path = path
        self.columns = (*HEADS, *settings.names(flat=flat))
        self._how = {"engine": engine, "settings": settings.model_dump(mode="json")}
        self._settings, self._engine = settings, engine

    def keep(self, cases: Sequence[Case]) -> set[str]:
        """Keep the rows of cases that are complete and unchanged; gives these cases' ids."""
        self._check_how()
        rows = self.rows()
        stamps = {case.id: _stamp(case) for case in cases}
        by_case: dict[str, list[Row]] = {}
        for row in rows:
            if stamps.get(row["case"]) == row["changed"]:
                by_case.setdefault(row["case"], []).append(row)
        done = {case: of for case, of in by_case.items() if _complete(of)}
        text = _lines([dict(zip(self.columns, self.columns, strict=True))], self.columns)
        write_text(self.path, text + _lines([r for of in done.values() for r in of], self.columns))
        write_json(self._how_path, self._how)
        return set(done)

    def rows(self) -> list[Row]:
        """Read the whole lines of the table; one that was cut off in writing is left out."""
        if not self.path.exists():
            return []
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                lines = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise LongtailError(
                f"The table {self.path.name} could not be read.", "Choose another file by --out."
            ) from error
        if lines and tuple(lines[0]) != self.columns:
            raise self._otherwise()
        width = len(self.columns)
        return [
            dict(zip(self.columns, line, strict=True)) for line in lines[1:] if len(line) == width
        ]

    def measure(self, project: Project, cases: Sequence[Case]) -> Iterator[CaseMeasured]:
        """Measure cases one by one; each is written before the next one begins."""
        names = {one.id: one.name for one in project.classes}
        for case in cases:
            try:
                found = self._measured(project, case)
            except LongtailError as error:
                yield CaseMeasured(case.id, 0, str(error))
                continue
            self._append(_rows_of(case, found, names))
            yield CaseMeasured(case.id, len(found))

    def _measured(self, project: Project, case: Case) -> tuple[RegionFeatures, ...]:
        image = read_channels(case.channels)
        labels = Image(project.read_label_map(case.id)[None], image.geometry)
        return extract(image, labels, self._settings, self._engine)

    def _append(self, rows: Sequence[Row]) -> None:
        try:
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_lines(rows, self.columns))
        except OSError as error:
            raise writing_failed(self.path, error) from error

    @property
    def _how_path(self) -> Path:
        return self.path.with_suffix(".settings.json")

    def _check_how(self) -> None:
        if not self.path.exists():
            return
        try:
            known = json.loads(self._how_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            known = None
        if known != json.loads(json.dumps(self._how)):
            raise self._otherwise()

    def _otherwise(self) -> LongtailError:
        return LongtailError(
            f"The table {self.path.name} was not measured with this engine and these settings.",
            "Choose another file by --out, or delete it.",
        )


def _complete(rows: Sequence[Row]) -> bool:
    said = rows[0]["regions"]
    return said.isdigit() and len(rows) == max(int(said), 1)


def _stamp(case: Case) -> str:
    return case.changed.isoformat() if case.changed else ""


def _rows_of(case: Case, found: Sequence[RegionFeatures], names: Mapping[int, str]) -> list[Row]:
    start = {"case": case.id, "changed": _stamp(case), "regions": str(len(found))}
    if not found:
        return [{**start, "reason": "The case has no region."}]
    return [
        {
            **start,
            "label": str(region.label),
            "class": names.get(region.label, ""),
            "reason": " ".join(dict.fromkeys(region.reasons.values())),
            **{
                name: "" if value is None else repr(value)
                for name, value in region.features.items()
            },
        }
        for region in found
    ]


def _lines(rows: Sequence[Row], columns: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writerows(rows)
    return text.getvalue()
