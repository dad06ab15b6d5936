"""ISIC 2018 and 2019: a one-hot table of skin diagnoses; HAM10000's table knows the lesions.

A lesion was often photographed several times. Its id stands for the patient, so that no split
puts one lesion on both sides.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import LongtailError
from .idtables import (
    IdTable,
    NamedImage,
    dropped_words,
    heads_of,
    names_for,
    plan_named_images,
    read_id_table,
    table_paths,
    tables_below,
)
from .plan import ImportPlan, Skipped
from .request import Request

DIAGNOSES = {
    "mel": "melanoma",
    "nv": "melanocytic naevus",
    "bcc": "basal cell carcinoma",
    "ak": "actinic keratosis",
    "akiec": "actinic keratosis",
    "bkl": "benign keratosis",
    "df": "dermatofibroma",
    "vasc": "vascular lesion",
    "scc": "squamous cell carcinoma",
    "unk": "none of the others",
}
"""By the heads of the one-hot table, and by the words of HAM10000's column `dx`."""

IMAGE_HEADS = ("image", "image_id", "isic_id")
KEPT_OUT = (*IMAGE_HEADS, "lesion_id", "dx")
ONE_HOT_AT_LEAST = 3
YES = 0.5


def is_isic(source: Path) -> bool:
    """Tell whether a folder holds a table of ISIC or HAM10000."""
    return any(is_isic_table(path) for path in tables_below(source))


def is_isic_table(path: Path) -> bool:
    """Tell whether a table is one-hot over skin diagnoses, or names lesions."""
    heads = heads_of(path)
    return _is_one_hot(heads) or _names_lesions(heads)


def plan_isic(request: Request) -> ImportPlan:
    """Plan the import of the images that the tables name.

    Raises
    ------
    LongtailError
        There is no such table, or none of its images is there.
    """
    tables = [read_id_table(path) for path in table_paths(request) if is_isic_table(path)]
    if not tables:
        raise LongtailError(
            f"{request.source} holds no table of ISIC.",
            "It has a column image and one for each diagnosis (MEL, NV, BCC ...); HAM10000's has "
            "image_id, lesion_id and dx.",
        )
    found = _Diagnoses(tables)
    names, notes = names_for(found.codes(), request)
    images = [found.image(name, names) for name in found.named_by]
    dropped = Counter(DIAGNOSES[code] for code in found.code_of.values() if code not in names)
    notes += _lesion_words(sum(image.patient is None for image in images))
    return plan_named_images(
        "isic",
        images,
        request,
        class_names=tuple(dict.fromkeys(names.values())),
        skipped=found.skipped,
        notes=[*notes, *dropped_words(dropped)],
    )


def _lesion_words(unknown: int) -> list[str]:
    if not unknown:
        return []
    images = "1 image" if unknown == 1 else f"{unknown:,} images"
    return [
        f"The lesion of {images} is not known: a split may put photographs of one lesion on both "
        "sides."
    ]


@dataclass
class _Diagnoses:
    """What all tables together say of each image."""

    tables: Sequence[IdTable]
    named_by: dict[str, IdTable] = field(default_factory=dict)
    code_of: dict[str, str] = field(default_factory=dict)
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    def __post_init__(self) -> None:
        one_hot = [table for table in self.tables if _is_one_hot(table.heads)]
        for table in one_hot:
            for record in table.records():
                self._take_row(record, table)
        for table in self.tables:
            if _names_lesions(table.heads):
                self._take_lesions(table, alone=not one_hot)
        parts = {table.split for table in one_hot}
        self._has_parts = len(parts) > 1 or parts == {"test"}

    def codes(self) -> dict[str, str]:
        """Give the plain name of each code, in the order of the tables."""
        heads = [head for table in self.tables for head in table.heads]
        used = set(self.code_of.values())
        declared = {head for head in heads if head in DIAGNOSES and head != "unk"}
        order = [*heads, *DIAGNOSES]
        return {code: DIAGNOSES[code] for code in order if code in (used | declared)}

    def image(self, name: str, names: Mapping[str, str]) -> NamedImage:
        """Give an image with its class among `names`."""
        facts, table = self.facts.get(name, {}), self.named_by[name]
        return NamedImage(
            name=name,
            table=table.path,
            class_name=names.get(self.code_of.get(name, "")),
            split=table.split if self._has_parts else None,
            patient=facts.get("lesion_id"),
            metadata={head: cell for head, cell in facts.items() if head not in KEPT_OUT},
        )

    def _take_row(self, record: Mapping[str, str], table: IdTable) -> None:
        name = _image_name(record)
        if not name:
            return
        yes = [code for code in record if code in DIAGNOSES and _is_yes(record[code])]
        if len(yes) > 1:
            told = ", ".join(DIAGNOSES[code] for code in yes)
            self.skipped.append(Skipped(name, f"its row says several diagnoses ({told})."))
        self.named_by.setdefault(name, table)
        if len(yes) == 1:
            self.code_of[name] = yes[0]

    def _take_lesions(self, table: IdTable, *, alone: bool) -> None:
        for record in table.records():
            name = _image_name(record)
            self.facts.setdefault(name, {}).update(record)
            code = record.get("dx", "").lower()
            if alone and name:
                self.named_by.setdefault(name, table)
                if code in DIAGNOSES:
                    self.code_of.setdefault(name, code)


def _is_one_hot(heads: Sequence[str]) -> bool:
    return "image" in heads and sum(head in DIAGNOSES for head in heads) >= ONE_HOT_AT_LEAST


def _names_lesions(heads: Sequence[str]) -> bool:
    return "lesion_id" in heads and any(head in heads for head in IMAGE_HEADS)


def _image_name(record: Mapping[str, str]) -> str:
    return next((record[head] for head in IMAGE_HEADS if head in record), "")


def _is_yes(cell: str) -> bool:
    try:
        return float(cell) > YES
    except ValueError:
        return False
