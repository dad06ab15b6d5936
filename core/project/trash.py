"""Deleted cases and runs: kept in the project with their size until the trash is emptied."""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from ..errors import LongtailError
from ..files import writing_failed
from .boxfiles import current_boxes
from .cases import ALIVE, CHUNK, Presence
from .folder import next_number
from .labelrules import merge_table
from .mapfiles import current_map
from .paths import file_stem
from .predictions import Predictions
from .records import TrashItem
from .rows import now, to_time
from .schema import annotations, box_versions, cases, predictions, runs, trash

FOLDER = "trash"
NAMES_STORED = 1000
"""Names kept for display; deleting a hundred thousand cases needs no list of them."""


class Trash(Predictions):
    """The part of a project that deletes, and brings back."""

    def delete_cases(self, ids: Iterable[str]) -> TrashItem | None:
        """Move cases with their labels and history to the trash; the images are never touched.

        Returns
        -------
        TrashItem or None
            What `restore` takes; None where `ids` is empty.
        """
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return None
        with self._saving, self._writing() as connection:
            rows = self._rows(connection, wanted)
            item = self._new_item(connection, "cases", wanted)
            numbers = [{"b_row": row.row} for row in rows]
            marked = update(cases).where(cases.c.row == bindparam("b_row"))
            connection.execute(marked.values(trash=item), numbers)
            files = self._files_of(connection, rows)
            return self._throw(connection, item, files)

    def delete_run(self, run_id: str) -> TrashItem:
        """Move a run with its checkpoints and predictions to the trash.

        Raises
        ------
        LongtailError
            There is no such run, or it is running.
        """
        if self.run(run_id).state == "running":
            raise LongtailError(f"{run_id} is running.", "Stop it first, then delete it.")
        with self._writing() as connection:
            item = self._new_item(connection, "run", [run_id])
            connection.execute(update(runs).where(runs.c.id == run_id).values(trash=item))
            return self._throw(connection, item, [f"runs/{run_id}"])

    def trash(self) -> list[TrashItem]:
        """List what is in the trash, the oldest first."""
        with self._database.reading() as connection:
            found = connection.execute(select(trash).order_by(trash.c.deleted))
            return [_to_item(row) for row in found]

    def restore(self, item_id: str) -> None:
        """Put an item of the trash back where it was.

        Raises
        ------
        LongtailError
            There is no such item, or a case of the same name has come meanwhile.
        """
        folder = self.path / FOLDER / item_id
        with self._saving, self._writing() as connection:
            self._require_item(connection, item_id)
            self._require_names_free(connection, item_id)
            query = select(cases.c.id).where(cases.c.trash == item_id)
            back = list(connection.execute(query).scalars())
            for table in (cases, runs):
                change = update(table).where(table.c.trash == item_id)
                connection.execute(change.values(trash=None))
            connection.execute(delete(trash).where(trash.c.id == item_id))
            _move_back(folder, self.path)
        shutil.rmtree(folder, ignore_errors=True)
        for record in self.all_classes:
            if record.merged_into and back:
                # Merged while these cases lay in the trash.
                self._merge_examples(record.id, self._present_id(record.id), "merge", back)
                self._merge_boxes(record.id, "merge", back)

    def empty_trash(self) -> int:
        """Delete what is in the trash for good; give the bytes that became free."""
        size = sum(item.size_bytes for item in self.trash())
        with self._writing() as connection:
            gone_cases = select(cases.c.row).where(~ALIVE)
            gone_runs = select(runs.c.id).where(runs.c.trash.is_not(None))
            connection.execute(delete(predictions).where(predictions.c.run.in_(gone_runs)))
            connection.execute(delete(predictions).where(predictions.c.case_row.in_(gone_cases)))
            for table in (annotations, box_versions):
                connection.execute(delete(table).where(table.c.case_row.in_(gone_cases)))
            connection.execute(delete(cases).where(~ALIVE))
            connection.execute(delete(runs).where(runs.c.trash.is_not(None)))
            connection.execute(delete(trash))
        shutil.rmtree(self.path / FOLDER, ignore_errors=True)
        return size

    def _new_item(self, connection: Connection, kind: str, names: Sequence[str]) -> str:
        item = f"{next_number(connection, 'last_trash'):04d}"
        connection.execute(
            insert(trash).values(
                id=item,
                kind=kind,
                names=json.dumps(list(names[:NAMES_STORED])),
                size_bytes=0,
                deleted=now(),
            )
        )
        return item

    def _files_of(self, connection: Connection, rows: Sequence[Row[Any]]) -> list[str]:
        """List the files of cases, relative to the project, that are there."""
        own = [
            (current_map(row.id), current_boxes(row.id), f"journal/{file_stem(row.id)}.log")
            for row in rows
        ]
        files = [file for group in own for file in group]
        numbers = [row.row for row in rows]
        for start in range(0, len(numbers), CHUNK):
            for table in (annotations, box_versions):
                chosen = table.c.case_row.in_(numbers[start : start + CHUNK])
                query = select(table.c.file).where(chosen, table.c.file.is_not(None))
                files += connection.execute(query).scalars()
        present = Presence()
        there = (file for file in dict.fromkeys(files) if present.has(f"{self.path}/{file}"))
        return list(there)

    def _throw(self, connection: Connection, item: str, files: Sequence[str]) -> TrashItem:
        size = sum(_size(self.path / file) for file in files)
        connection.execute(update(trash).where(trash.c.id == item).values(size_bytes=size))
        _move(files, self.path, self.path / FOLDER / item)
        row = connection.execute(select(trash).where(trash.c.id == item)).one()
        return _to_item(row)

    def _present_id(self, class_id: int) -> int:
        table = merge_table(self.all_classes)
        return class_id if table is None else int(table[class_id])

    def _require_item(self, connection: Connection, item_id: str) -> None:
        if connection.execute(select(trash.c.id).where(trash.c.id == item_id)).first() is None:
            raise LongtailError(f"There is nothing in the trash under the number {item_id}.")

    def _require_names_free(self, connection: Connection, item_id: str) -> None:
        there = select(cases.c.id).where(ALIVE)
        query = select(cases.c.id).where(cases.c.trash == item_id, cases.c.id.in_(there))
        taken = connection.execute(query.limit(1)).scalar()
        if taken is not None:
            raise LongtailError(
                f"There is a case named {taken!r} again, so the deleted one cannot come back.",
                "Delete the new one first.",
            )


def _move(files: Sequence[str], source: Path, target: Path) -> None:
    """Move files and folders, all or none of them."""
    done: list[str] = []
    try:
        for file in files:
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            os.replace(source / file, target / file)
            done.append(file)
    except OSError as error:
        for file in done:
            os.replace(target / file, source / file)
        raise writing_failed(source / files[len(done)], error) from error


def _move_back(source: Path, target: Path) -> None:
    whole = [path for path in source.glob("runs/*") if path.is_dir()]
    single = [path for part in ("annotations", "journal") for path in (source / part).rglob("*.*")]
    files = [path.relative_to(source).as_posix() for path in [*whole, *single] if _is_entry(path)]
    for file in files:
        if (target / file).exists():
            raise LongtailError(
                f"{file} is there again, so the deleted one cannot come back.",
                "Delete or rename the new one first.",
            )
    _move(files, source, target)


def _is_entry(path: Path) -> bool:
    return path.is_file() or path.parent.name == "runs"


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())
    return path.stat().st_size


def _to_item(row: Row[Any]) -> TrashItem:
    return TrashItem(
        row.id, row.kind, tuple(json.loads(row.names)), row.size_bytes, to_time(row.deleted)
    )
