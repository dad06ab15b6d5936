"""Which column of a table tells the images that belong together, where none is called patient."""

from dataclasses import replace

from ...errors import LongtailError
from .plan import ImportPlan


def patient_columns(plan: ImportPlan) -> tuple[str, ...]:
    """List the columns that could tell the patients, in their order.

    These are the columns without another meaning whose values differ, and not from case to case.
    """
    values: dict[str, list[str]] = {}
    for case in plan.cases:
        for name, value in case.metadata.items():
            values.setdefault(name, []).append(value)
    return tuple(name for name, seen in values.items() if 1 < len(set(seen)) < len(seen))


def with_patients(plan: ImportPlan, column: str) -> ImportPlan:
    """Take a column for the patient: a split, an interval and a fold keep its images together.

    Parameters
    ----------
    column
        Whatever its capitals. A case without a value in it stays on its own.

    Raises
    ------
    LongtailError
        There is no such column.
    """
    known = {name.lower(): name for case in plan.cases for name in case.metadata}
    name = known.get(column.lower())
    if name is None:
        has = f"it has {', '.join(known.values())}" if known else "it has no further column"
        raise LongtailError(
            f"The source has no column {column!r} that could tell the patients.",
            f"Choose another one; {has}.",
        )
    cases = tuple(
        replace(case, patient=case.metadata.get(name, "").strip() or None) for case in plan.cases
    )
    count = len({case.patient for case in cases if case.patient})
    told = f"Images with the same {name} stay together: {count:,} groups."
    return replace(plan, cases=cases, notes=(*plan.notes, told))
