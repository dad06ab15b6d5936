"""CheXpert: findings read out of reports by a program, with 1, 0, -1 (uncertain) or nothing.

A finding that the report does not mention counts as absent, as in the authors' baseline; what an
uncertain one counts as is the user's choice. Irvin et al., AAAI 2019.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...errors import LongtailError
from .described import ClassNames, DescribedImage, plan_described
from .idtables import IdTable, heads_of, read_id_table, table_paths, tables_below
from .plan import ImportPlan, Skipped
from .request import Request

FINDINGS = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)
BY_HEAD = {name.lower(): name for name in FINDINGS}
PATH, NONE = "path", "no finding"
KEPT = ("sex", "age", "frontal/lateral", "ap/pa")
MEANINGS = {"1": "yes", "1.0": "yes", "0": "no", "0.0": "no", "-1": "maybe", "-1.0": "maybe"}
CHOICES = {"unknown": "maybe", "positive": "yes", "negative": "no"}
"""What an uncertain finding may be taken for."""

PARTS = {"train": "train", "valid": "val", "test": "test"}
_PATIENT = re.compile(r"patient\d+")


def is_chexpert(source: Path) -> bool:
    """Tell whether a folder holds a table of CheXpert."""
    return any(is_chexpert_table(path) for path in tables_below(source))


def is_chexpert_table(path: Path) -> bool:
    """Tell whether a table has the columns of CheXpert."""
    heads = set(heads_of(path))
    return {PATH, NONE} <= heads and len(heads & BY_HEAD.keys()) > len(FINDINGS) // 2


def plan_chexpert(request: Request) -> ImportPlan:
    """Plan the import of the X-rays that the tables name.

    Raises
    ------
    LongtailError
        There is no such table, none of its images is there, or the choice for uncertain findings
        is none.
    """
    if request.uncertain not in CHOICES:
        raise LongtailError(
            f"An uncertain finding cannot be taken for {request.uncertain!r}.",
            f"Choose one of {', '.join(CHOICES)}.",
        )
    paths = [path for path in table_paths(request) if is_chexpert_table(path)]
    if not paths:
        raise LongtailError(
            f"{request.source} holds no table of CheXpert.",
            "train.csv has the columns Path, No Finding and one a finding.",
        )
    tables = [read_id_table(path) for path in paths]
    reading = _Reading(request)
    images = [image for table in tables for image in reading.images(table)]
    if len({image.split for image in images}) < 2:
        images = [_without_part(image) for image in images]
    plan = plan_described(
        "chexpert",
        images,
        request,
        reading.names,
        class_names=FINDINGS,
        skipped=reading.odd,
        notes=reading.notes(),
    )
    return replace(plan, uncertain=request.uncertain) if reading.met_uncertain else plan


class _Reading:
    """Reads rows, and counts how often a report was not sure."""

    def __init__(self, request: Request) -> None:
        self.names = ClassNames(request)
        self.odd: list[Skipped] = []
        self._root, self._choice = request.root, request.uncertain
        self._tops: dict[str, bool] = {}
        self._maybe = 0

    @property
    def met_uncertain(self) -> bool:
        """Whether any report was not sure of a finding."""
        return self._maybe > 0

    def images(self, table: IdTable) -> list[DescribedImage]:
        """Give the images that a table names."""
        records = [record for record in table.records() if record.get(PATH)]
        return [self._image(record, table) for record in records]

    def notes(self) -> list[str]:
        """Say what was made of uncertain findings, and of those that are not mentioned."""
        notes = ["A finding that the report does not mention counts as absent."]
        if self._maybe:
            told = f"{self._maybe:,} uncertain findings of the whole table"
            notes.append(f"{told} are taken as {self._choice}.")
        return notes

    def _image(self, record: Mapping[str, str], table: IdTable) -> DescribedImage:
        path = record[PATH]
        said = {
            name: self._meaning(record[head], path)
            for head, name in BY_HEAD.items()
            if head in record
        }
        unknown = [name for name, meaning in said.items() if meaning == "maybe"]
        yes = self.names.keep(name for name, word in said.items() if word == "yes")
        part = next((PARTS[one] for one in path.split("/") if one in PARTS), None)
        patient = _PATIENT.search(path)
        return DescribedImage(
            name=self._below(path, table),
            table=table.path,
            class_names=yes,
            no_class=not yes and MEANINGS.get(record.get(NONE, "")) == "yes",
            unknown=self.names.keep(unknown),
            split=part,
            patient=patient.group() if patient else None,
            metadata={head: record[head] for head in KEPT if head in record},
        )

    def _below(self, path: str, table: IdTable) -> str:
        """Give the path from where it is: tables begin it with the folder that they lie in."""
        top, _, rest = path.partition("/")
        if top not in self._tops:
            places = (table.path.parent / top, self._root / top)
            self._tops[top] = any(place.is_dir() for place in places)
        return path if self._tops[top] or not rest else rest

    def _meaning(self, cell: str, path: str) -> str:
        meaning = MEANINGS.get(cell)
        if meaning is None:
            self.odd.append(Skipped(path, f"its value {cell[:20]} is none of 1, 0 and -1."))
            return "maybe"
        if meaning == "maybe":
            self._maybe += 1
            return CHOICES[self._choice]
        return meaning


def _without_part(image: DescribedImage) -> DescribedImage:
    return replace(image, split=None)
