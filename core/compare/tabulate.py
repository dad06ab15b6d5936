"""From the runs that are finished to means, deviations and paired differences; no torch."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np

from ..errors import LongtailError
from ..evaluate.bootstrap import RESAMPLES, Bounded, Bounds, Table, bound, bound_differences
from ..evaluate.box_words import ROWS
from ..evaluate.wording import MEASURES
from ..project.records import Task
from .cells import CellRecord, read_cells
from .folds import pooled
from .measuring import adjusted, measures_of, pair_of
from .plan import Plan, read_plan
from .results import BY_CLASS, SHOWN, Comparison, Difference, Row, Spread

Rows = dict[tuple[str, str | None], list[CellRecord]]


def tabulate(folder: Path, *, resamples: int = RESAMPLES) -> Comparison:
    """Read a comparison's folder and work out its table, finished or not.

    Raises
    ------
    LongtailError
        The folder holds no comparison, or it is damaged.
    """
    plan = read_plan(folder)
    if plan is None:
        raise LongtailError(f"There is no comparison in {folder}.", "Begin one with bench.")
    found = read_cells(folder)
    cells = list(plan.cells())
    records = [found[cell] for cell in cells if cell in found]
    rows = _rows(plan, [record for record in records if record.state == "done"])
    table = _Table(plan, rows, resamples)
    return Comparison(
        plan=plan,
        rows=tuple(table.row(*key) for key in rows),
        records=tuple(records),
        waiting=tuple(cell for cell in cells if cell not in found),
        class_names=_class_names(records),
        notes=tuple(_notes(plan, records)),
    )


def _rows(plan: Plan, records: Sequence[CellRecord]) -> Rows:
    """Sort the runs into rows, post-hoc adjustment behind the run that it is made from."""
    rows: Rows = {}
    for labelled in plan.labelled:
        for contender in plan.contenders:
            mine = [
                record
                for record in records
                if record.contender == contender.name and record.labelled == labelled
            ]
            moved = [one for one in map(adjusted, mine) if one is not None]
            for group in (mine, moved):
                if group:
                    rows[group[0].contender, labelled] = pooled(group) if plan.folds else group
    return rows


class _Table:
    """Works out one row after the other."""

    def __init__(self, plan: Plan, rows: Rows, resamples: int) -> None:
        self._task, self._reference = plan.task, plan.reference
        self._rows, self._resamples = rows, resamples

    def row(self, name: str, labelled: str | None) -> Row:
        """Give one method with one number of labels."""
        records = self._rows[name, labelled]
        tables = [_point(record, self._task) for record in records]
        shown = SHOWN[self._task]
        points = {measure: tuple(_overall(one, measure) for one in tables) for measure in shown}
        by_class = {m: _by_class(records, tables, m) for m in BY_CLASS[self._task]}
        pairs, differences = self._differences(name, labelled)
        ends = self._intervals(records)
        return Row(
            name=name,
            labelled=labelled,
            replicates=tuple(_replicate(record) for record in records),
            overall={
                measure: _spread(values, ends[measure].overall if measure in ends else None)
                for measure, values in points.items()
            },
            classes={
                measure: _spreads(found, ends[measure].classes if measure in ends else ())
                for measure, found in by_class.items()
            },
            points=points,
            class_points=by_class,
            pairs=pairs,
            differences=_overall_differences(differences, shown),
            class_differences={
                measure: _class_differences(differences, measure, _names(records))
                for measure in BY_CLASS[self._task]
                if differences
            },
        )

    def _intervals(self, records: Sequence[CellRecord]) -> dict[str, Bounded]:
        """Give what bounds the measures of a single run; nothing where several tell it."""
        if len(records) > 1 or not records[0].cases:
            return {}
        cases = records[0].cases
        measures = measures_of(records[0], [one.case for one in cases], self._task)
        return bound(measures, [one.group for one in cases], resamples=self._resamples)

    def _differences(self, name: str, labelled: str | None) -> tuple[int, dict[str, Bounded]]:
        if name == self._reference:
            return 0, {}
        theirs = {
            record.replicate: record for record in self._rows.get((self._reference, labelled), [])
        }
        both = [
            (record, theirs[record.replicate])
            for record in self._rows[name, labelled]
            if record.replicate in theirs
        ]
        pairs = [pair for pair in (pair_of(*one, self._task) for one in both) if pair is not None]
        return len(pairs), bound_differences(pairs, resamples=self._resamples)


def _point(record: CellRecord, task: Task) -> Mapping[str, Table]:
    if not record.cases:
        return {}
    ids = [one.case for one in record.cases]
    return measures_of(record, ids, task)(np.ones((1, len(ids))))


def _by_class(
    records: Sequence[CellRecord], tables: Sequence[Mapping[str, Table]], measure: str
) -> dict[str, tuple[float | None, ...]]:
    """Give the values of each run, by the name of the class."""
    values: dict[str, list[float | None]] = {}
    for record, table in zip(records, tables, strict=True):
        classes = table[measure].classes if measure in table else None
        for place, each in enumerate(record.classes):
            value = None if classes is None else _known(float(classes[0, place]))
            values.setdefault(each.name, []).append(value)
    return {name: tuple(column) for name, column in values.items()}


def _overall(tables: Mapping[str, Table], measure: str) -> float | None:
    return _known(float(tables[measure].overall[0])) if measure in tables else None


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _spreads(
    found: Mapping[str, tuple[float | None, ...]], ends: Sequence[Bounds]
) -> dict[str, Spread]:
    """Give the spread of each class; `ends` are in the order of `found`, or there are none."""
    pairs = zip_longest(found.items(), ends)
    return {name: _spread(values, bounds) for (name, values), bounds in pairs}


def _spread(values: Iterable[float | None], ends: Bounds | None = None) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(None, None, 0)
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else None
    low, high = (ends.low, ends.high) if ends else (None, None)
    return Spread(float(np.mean(known)), sd, len(known), low, high)


def _overall_differences(
    found: Mapping[str, Bounded], shown: Sequence[str]
) -> dict[str, Difference]:
    return {name: Difference.of(found[name].overall) for name in shown if name in found}


def _class_differences(
    found: Mapping[str, Bounded], measure: str, names: Sequence[str]
) -> dict[str, Difference]:
    if measure not in found:
        return {}
    pairs = zip(names, found[measure].classes, strict=True)
    return {name: Difference.of(bounds) for name, bounds in pairs}


def _replicate(record: CellRecord) -> str:
    return f"seed {record.seed}" if record.draw is None else f"{record.draw}, seed {record.seed}"


def _names(records: Sequence[CellRecord]) -> list[str]:
    return [each.name for each in records[0].classes]


def _class_names(records: Sequence[CellRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for record in records for each in record.classes))


def _notes(plan: Plan, records: Sequence[CellRecord]) -> list[str]:
    notes = list(plan.notes)
    if plan.folds:
        notes.append(
            f"Cross-validation in {plan.folds} folds: each labelled case is measured once, by a "
            "run that has not seen its patient, and the cases of all folds are measured together."
        )
    if plan.task is not Task.SEGMENTATION:  # there each class has lines of its own
        notes += dict.fromkeys(record.tiers for record in records if record.tiers)
    notes += _chance(records)
    for package in ("napari-longtail", "torch", "monai"):
        found = {record.versions.get(package, "") for record in records if record.versions}
        if len(found) > 1:
            notes.append(f"The runs were made with different versions of {package}.")
    devices = sorted({record.device for record in records if record.device})
    if len(devices) > 1:
        notes.append(f"The runs were made on different devices: {', '.join(devices)}.")
    absent = sorted({each.name for one in records for each in one.classes if not each.training})
    if absent:
        notes.append(f"Without a training example in some runs: {', '.join(absent)}.")
    return notes


def _chance(records: Sequence[CellRecord]) -> list[str]:
    """Say what boxes reach that know nothing of the image; the same for all runs."""
    controls = next((one.controls for one in records if one.controls), {})
    return [
        f"Boxes: {ROWS[way].lower()} reaches "
        + ", ".join(
            f"{MEASURES[name].title} {MEASURES[name].text(value)}" for name, value in row.items()
        )
        + " on these images; one box a finding, from each run's heat map."
        for way, row in controls.items()
        if way in ROWS
    ]
