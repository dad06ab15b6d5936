"""The cases of a project: listing, splits by hand, status, patients, and where the images lie."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, select, update

from ..errors import LongtailError
from .bulk import run_many
from .classes import Classes
from .records import Case, Split, Status
from .rows import SPLIT_CODES, STATUS_CODES, now, to_case
from .schema import annotations, cases, roots

CHUNK = 900
"""Values in one statement; old builds of SQLite allow 999."""

ALIVE = cases.c.trash.is_(None)


class Cases(Classes):
    """The part of a project that lists its cases."""

    @property
    def case_count(self) -> int:
        """How many cases there are, without those in the trash."""
        with self._database.reading() as connection:
            query = select(func.count()).select_from(cases).where(ALIVE)
            return int(connection.execute(query).scalar_one())

    def case(self, case_id: str) -> Case:
        """Read one case.

        Raises
        ------
        LongtailError
            There is no such case.
        """
        with self._database.reading() as connection:
            return to_case(self._row(connection, case_id), self._paths.resolve)

    def cases(
        self,
        *,
        split: Split | None = None,
        ids: Sequence[str] | None = None,
        labelled: bool | None = None,
    ) -> list[Case]:
        """List cases in the order of their import, or in the order of `ids` where they are given.

        Parameters
        ----------
        split
            Only this part.
        ids
            Only these; an unknown one is an error.
        labelled
            Only those with labels (draft or reviewed), or only those without.
        """
        conditions = []
        if split is not None:
            conditions.append(cases.c.split == SPLIT_CODES[split])
        if labelled is not None:
            unlabelled = cases.c.status == STATUS_CODES[Status.UNLABELLED]
            conditions.append(~unlabelled if labelled else unlabelled)
        query = select(cases).where(ALIVE, *conditions).order_by(cases.c.row)
        with self._database.reading() as connection:
            found = list(self._select(connection, query, ids))
        return [to_case(row, self._paths.resolve) for row in found]

    def set_split(self, ids: Iterable[str], split: Split) -> None:
        """Put cases into a part."""
        code = SPLIT_CODES[split]
        self._update_cases({case_id: {"split": code} for case_id in ids})

    def set_patient(self, ids: Iterable[str], patient: str | None) -> None:
        """Say whose images these are; a split never separates one patient's cases."""
        self._update_cases({case_id: {"patient": patient or None} for case_id in ids})

    def set_status(self, ids: Iterable[str], status: Status) -> None:
        """Say how far a person is with cases that have labels.

        Raises
        ------
        LongtailError
            A case has no labels to be draft or reviewed, or has labels and is to be unlabelled.
        """
        wanted = list(ids)
        with self._writing() as connection:
            rows = self._rows(connection, wanted)
            for row in rows:
                _check_status(row, status)
            numbers = [{"b_row": row.row} for row in rows]
            self._write_status(connection, numbers, status)

    @property
    def roots(self) -> dict[str, str]:
        """The folders outside the project that its images lie in, by their names."""
        return dict(self._paths.roots)

    def relink(self, name: str, folder: Path) -> int:
        """Say where a named folder is now; give the number of cases still without their images.

        Raises
        ------
        LongtailError
            There is no such name, or no such folder.
        """
        if name not in self._paths.roots:
            known = ", ".join(self._paths.roots) or "none"
            raise LongtailError(
                f"The project knows no folder named {name!r}.", f"It knows: {known}."
            )
        if not folder.is_dir():
            raise LongtailError(f"There is no folder {folder}.", "Choose the folder's new place.")
        place = os.path.abspath(folder).replace(os.sep, "/")
        with self._writing() as connection:
            connection.execute(update(roots).where(roots.c.name == name).values(folder=place))
        self._paths = self._read_paths()
        return len(self.missing_sources())

    def missing_sources(self) -> list[str]:
        """List the cases whose images are not where they were; each folder is looked into once."""
        query = select(cases.c.id, cases.c.channels).where(ALIVE).order_by(cases.c.row)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        present = Presence()
        resolve = self._paths.resolve
        return [
            row.id
            for row in found
            if not all(present.has(resolve(path)) for path in row.channels.split("\n"))
        ]

    def _row(self, connection: Connection, case_id: str) -> Row[Any]:
        row = connection.execute(select(cases).where(ALIVE, cases.c.id == case_id)).first()
        if row is None:
            raise _no_case(self.name, case_id)
        return row

    def _rows(self, connection: Connection, ids: Sequence[str]) -> list[Row[Any]]:
        return list(self._select(connection, select(cases).where(ALIVE), ids))

    def _select(
        self, connection: Connection, query: Select[Any], ids: Sequence[str] | None
    ) -> Iterator[Row[Any]]:
        if ids is None:
            yield from connection.execute(query)
            return
        found: dict[str, Row[Any]] = {}
        wanted = list(ids)
        for start in range(0, len(wanted), CHUNK):
            chunk = query.where(cases.c.id.in_(wanted[start : start + CHUNK]))
            found.update((row.id, row) for row in connection.execute(chunk))
        if len(found) < len(set(wanted)):
            self._require_known(connection, [key for key in wanted if key not in found])
        yield from (found[key] for key in wanted if key in found)

    def _require_known(self, connection: Connection, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            query = select(cases.c.id).where(ALIVE, cases.c.id.in_(chunk))
            known = set(connection.execute(query).scalars())
            for case_id in chunk:
                if case_id not in known:
                    raise _no_case(self.name, case_id)

    def _update_cases(self, changes: dict[str, dict[str, Any]]) -> None:
        if not changes:
            return
        with self._writing() as connection:
            rows = self._rows(connection, list(changes))
            self._write_changes(connection, {row.row: changes[row.id] for row in rows})

    def _write_changes(self, connection: Connection, changes: dict[int, dict[str, Any]]) -> None:
        """Set columns of cases by row number; every change has the same columns."""
        if not changes:
            return
        time = now()
        columns = next(iter(changes.values())).keys()
        places: dict[str, Any] = {name: bindparam(f"b_{name}") for name in ("changed", *columns)}
        change = update(cases).where(cases.c.row == bindparam("b_row"))
        filled = [
            {"b_row": row, "b_changed": time, **{f"b_{key}": new[key] for key in columns}}
            for row, new in changes.items()
        ]
        run_many(connection, change.values(**places), filled)

    def _write_status(
        self, connection: Connection, rows: list[dict[str, int]], status: Status
    ) -> None:
        if not rows:
            return
        code = STATUS_CODES[status]
        change = update(cases).where(cases.c.row == bindparam("b_row"))
        connection.execute(change.values(status=code, changed=now()), rows)
        newest = (
            select(func.max(annotations.c.version))
            .where(annotations.c.case_row == bindparam("b_row"))
            .scalar_subquery()
        )
        latest = update(annotations).where(
            annotations.c.case_row == bindparam("b_row"), annotations.c.version == newest
        )
        connection.execute(latest.values(status=code), rows)


class Presence:
    """Which files are there; remembers each folder: one look a folder, not one a file."""

    def __init__(self) -> None:
        self._folders: dict[str, set[str]] = {}

    def has(self, path: str) -> bool:
        """Tell whether a file or folder is there, or that of which `#` names a part."""
        folder, _, name = path.rpartition("/")
        names = self._folders.get(folder)
        if names is None:
            names = self._folders[folder] = _names_in(folder)
        return name in names or name.rpartition("#")[0] in names


def _names_in(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder or "/"))
    except OSError:
        return set()


def _check_status(row: Row[Any], status: Status) -> None:
    labelled = row.status != STATUS_CODES[Status.UNLABELLED]
    if labelled == (status is not Status.UNLABELLED):
        return
    if labelled:
        raise LongtailError(
            f"The case {row.id} has labels, so it cannot be marked as unlabelled.",
            "Clear its labels first.",
        )
    raise LongtailError(
        f"The case {row.id} has no labels yet, so it cannot be marked as {status}.",
        "Label it first.",
    )


def _no_case(project: str, case_id: str) -> LongtailError:
    return LongtailError(
        f"The project {project} has no case named {case_id!r}.",
        "Check the name; it is the path of the image under its source, without the suffix.",
    )
