"""APTOS 2019: `train.csv` gives the grade of diabetic retinopathy of each photograph."""

from collections import Counter
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

GRADES = {
    "0": "no retinopathy",
    "1": "mild",
    "2": "moderate",
    "3": "severe",
    "4": "proliferative",
}
IMAGE, GRADE = "id_code", "diagnosis"


def is_aptos(source: Path) -> bool:
    """Tell whether a folder holds a table with `id_code` and `diagnosis`."""
    return any(is_aptos_table(path) for path in tables_below(source))


def is_aptos_table(path: Path) -> bool:
    """Tell whether a table has the columns of APTOS."""
    return {IMAGE, GRADE} <= set(heads_of(path))


def plan_aptos(request: Request) -> ImportPlan:
    """Plan the import of the photographs that the tables name.

    `test.csv` as the contest gave it has no grades: its photographs come unlabelled.

    Raises
    ------
    LongtailError
        There is no such table, or none of its images is there.
    """
    paths = [path for path in table_paths(request) if IMAGE in heads_of(path)]
    if not any(is_aptos_table(path) for path in paths):
        raise LongtailError(
            f"{request.source} holds no table of APTOS.",
            f"It is called train.csv and has the columns {IMAGE} and {GRADE}.",
        )
    tables = [read_id_table(path) for path in paths]
    names, notes = names_for(GRADES, request)
    images: list[NamedImage] = []
    skipped: list[Skipped] = []
    dropped: Counter[str] = Counter()
    several = len({table.split for table in tables}) > 1
    for table in tables:
        for name, grade in _rows(table):
            if grade not in GRADES and grade:
                skipped.append(Skipped(name, f"its grade {grade} is none of 0 to 4."))
            dropped.update([GRADES[grade]] if grade in GRADES and grade not in names else [])
            split = table.split if several else None
            images.append(NamedImage(name, table.path, names.get(grade), split))
    return plan_named_images(
        "aptos",
        images,
        request,
        class_names=tuple(GRADES.values()),
        skipped=skipped,
        notes=[*notes, *dropped_words(dropped)],
    )


def _rows(table: IdTable) -> list[tuple[str, str]]:
    records = table.records()
    return [(row[IMAGE], row.get(GRADE, "")) for row in records if IMAGE in row]
