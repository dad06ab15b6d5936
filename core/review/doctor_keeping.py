"""What the doctor keeps in the project's cache: its looks at images, and its last report."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import LongtailError
from ..explain.embedding_arrays import Wanted, packed, read_arrays, unpacked, write_arrays
from ..files import write_json
from .doctor_looks import DIGEST_BYTES, PLANES, SIDE, Look, Looks, stack
from .doctor_records import Report
from .doctor_study import Study

FORMAT = 1
MOST_BYTES, MOST_CASES = 1 << 30, 4_000_000

_COLUMNS = tuple(one.name for one in fields(Looks) if one.name != "ids")
_STORED = {
    "ids": Wanted("u", (MOST_BYTES,)),
    "marks": Wanted("u", (MOST_CASES,)),
    "digest": Wanted("u", (MOST_CASES, DIGEST_BYTES)),
    "small": Wanted("u", (MOST_CASES, PLANES, SIDE, SIDE)),
    "shape": Wanted("i", (MOST_CASES, 3)),
    "channels": Wanted("i", (MOST_CASES,)),
    "spacing_mm": Wanted("f", (MOST_CASES, 3)),
    "direction": Wanted("f", (MOST_CASES, 9)),
    "levels": Wanted("f", (MOST_CASES, 4)),
    "whole_range": Wanted("b", (MOST_CASES,)),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """Looks, with a number a case that changes with its files."""

    looks: Looks
    marks: np.ndarray[Any, np.dtype[np.uint64]]


def put_together(
    ids: Sequence[str],
    marks: Mapping[str, int],
    known: Mapping[str, tuple[Looks, int]],
    fresh: Mapping[str, Look],
) -> Kept:
    """Put known and fresh looks into one table, in the order of `ids`; others are left out."""
    kept = [one for one in ids if one in known or one in fresh]
    made = stack(list(fresh), list(fresh.values()))
    rows = {case: row for row, case in enumerate(made.ids)}
    sources = [known[one] if one in known else (made, rows[one]) for one in kept]
    table = _gathered(kept, sources) if known else _taken(made, [rows[one] for one in kept])
    return Kept(table, np.array([marks[one] for one in kept], np.uint64))


def _taken(looks: Looks, rows: Sequence[int]) -> Looks:
    chosen = np.array(rows, np.intp)
    columns = {name: getattr(looks, name)[chosen] for name in _COLUMNS}
    return replace(looks, ids=tuple(looks.ids[row] for row in rows), **columns)


def _gathered(ids: Sequence[str], sources: Sequence[tuple[Looks, int]]) -> Looks:
    tables = list({id(looks): looks for looks, _ in sources}.values())
    starts, start = {}, 0
    for looks in tables:
        starts[id(looks)], start = start, start + len(looks)
    rows = np.array([starts[id(looks)] + row for looks, row in sources], np.intp)
    columns = {
        name: np.concatenate([getattr(looks, name) for looks in tables])[rows] for name in _COLUMNS
    }
    return Looks(ids=tuple(ids), **columns)


def known_looks(path: Path, marks: Mapping[str, int]) -> dict[str, tuple[Looks, int]]:
    """Give the table and the row of each case whose files have not changed since.

    A file that is absent or damaged gives none: it is made again.
    """
    kept = _read_looks(path)
    if kept is None:
        return {}
    pairs = zip(kept.looks.ids, kept.marks.tolist(), strict=True)
    return {
        case: (kept.looks, row) for row, (case, mark) in enumerate(pairs) if marks.get(case) == mark
    }


def keep_looks(path: Path, kept: Kept) -> bool:
    """Write looks for the next time; tell whether that was possible."""
    arrays = {name: getattr(kept.looks, name) for name in _COLUMNS}
    digest = np.ascontiguousarray(kept.looks.digest).view(np.uint8)
    arrays["digest"] = digest.reshape(-1, DIGEST_BYTES)
    try:
        write_arrays(path, {**arrays, "ids": packed(kept.looks.ids), "marks": kept.marks}, {})
    except LongtailError:
        return False
    return True


def _read_looks(path: Path) -> Kept | None:
    try:
        return _checked(read_arrays(path, _STORED, "table of looks"))
    except (LongtailError, ValueError):
        return None


def _checked(arrays: dict[str, Any]) -> Kept:
    ids, like = tuple(unpacked(arrays["ids"])), stack((), ())
    columns = {}
    for name in _COLUMNS:
        wanted, found = getattr(like, name), arrays[name]
        if name == "digest" and found.shape == (len(ids), DIGEST_BYTES):
            found = np.ascontiguousarray(found).view(f"V{DIGEST_BYTES}").reshape(-1)
        if found.shape != (len(ids), *wanted.shape[1:]) or found.dtype != wanted.dtype:
            raise ValueError("looks of another kind")
        columns[name] = found
    marks = arrays["marks"]
    if marks.shape != (len(ids),) or marks.dtype != np.uint64:
        raise ValueError("marks that do not fit")
    return Kept(Looks(ids=ids, **columns), marks)


def report_path(project: Path) -> Path:
    """Give where the last report of a project lies."""
    return project / "cache" / "doctor" / "report.json"


def state_of(study: Study) -> str:
    """Give sixteen digits that change with cases, labels, parts and patients, not with pixels."""
    made = hashlib.sha256()
    for part in (study.ids, study.patients, study.names, study.class_ids):
        made.update(json.dumps(part).encode())
    for array in (study.presence, study.split, study.labelled):
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()[:16]


def keep_report(path: Path, report: Report, state: str) -> bool:
    """Keep a report with the state of the project that it tells of; tell whether it could be."""
    document = {"format": FORMAT, "state": state, "report": report.to_mapping()}
    try:
        write_json(path, document)
    except LongtailError:
        return False
    return True


def read_report(path: Path) -> tuple[Report, str] | None:
    """Read the last report and the state that it tells of; None where there is none to be used."""
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["format"] != FORMAT:
            return None
        return Report.from_mapping(stored["report"]), str(stored["state"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
