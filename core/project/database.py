"""One SQLite file: how it is opened, in which mode, and its failures as sentences."""

import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import QueuePool

from ..errors import LongtailError
from .location import can_write, on_network
from .migrate import refuse_newer, schema_version, upgrade
from .schema import SCHEMA_VERSION

BUSY_WAIT_S = 10.0


class Database:
    """The connections to `project.db`.

    Parameters
    ----------
    path
        The SQLite file; made with the present schema when `write` and absent.
    write
        False opens it for reading: `immutable` where the folder cannot be written.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path = path
        self.write = write
        self._lock = threading.RLock()
        self._copy: Path | None = None
        # The write-ahead log is shared memory, which network shares do not have.
        self._journal_mode = "DELETE" if on_network(path.parent) else "WAL"
        self._place = self._address()
        self._engine = self._connect(self._place)
        self._writer = self._engine.execution_options(writes=True)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the file."""
        with _sentences(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection whose changes are all kept, or none of them when the block raises."""
        with self._lock, _sentences(self.path), self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Move what the write-ahead log holds into the file, and let go of it."""
        try:
            if self.write:
                self._checkpoint()
        finally:
            self._engine.dispose()
            self._drop_copy()

    def _drop_copy(self) -> None:
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)

    def _checkpoint(self) -> None:
        with self._lock, _sentences(self.path), self._engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _connect(self, address: str) -> Engine:
        def connect() -> sqlite3.Connection:
            return sqlite3.connect(
                address,
                uri=True,
                timeout=BUSY_WAIT_S,
                isolation_level=None,
                check_same_thread=False,
            )

        engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)
        event.listen(engine, "connect", self._on_connect)
        event.listen(engine, "begin", self._on_begin)
        return engine

    def _address(self) -> str:
        if self.write:
            return f"{self.path.resolve().as_uri()}?mode=rwc"
        if can_write(self.path.parent):
            return f"{self.path.resolve().as_uri()}?mode=ro"
        return f"{self._readable_copy().resolve().as_uri()}?immutable=1"

    def _readable_copy(self) -> Path:
        """Copy the file when changes wait beside it that a read-only folder lets nobody fold in."""
        log = self.path.with_name(self.path.name + "-wal")
        if not log.exists() or log.stat().st_size == 0:
            return self.path
        self._copy = Path(tempfile.mkdtemp(prefix="longtail-"))
        copied = Path(shutil.copyfile(self.path, self._copy / self.path.name))
        shutil.copyfile(log, self._copy / log.name)
        folding = sqlite3.connect(copied)
        folding.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        folding.close()
        return copied

    def _on_connect(self, connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        if self.write:
            connection.execute(f"PRAGMA journal_mode = {self._journal_mode}")
            # A commit that returned is on the disk: a label must outlive a power cut.
            connection.execute("PRAGMA synchronous = FULL")

    def _on_begin(self, connection: Connection) -> None:
        # Python's driver would begin late and not at all for changes of the schema.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    def _prepare(self) -> None:
        with self.reading() as connection:
            version = schema_version(connection)
        refuse_newer(version, self.path.parent)
        if version == SCHEMA_VERSION:
            return
        if not self.write:
            self._read_upgraded(version)
            return
        with self.writing() as connection:
            upgrade(connection)

    def _read_upgraded(self, version: int) -> None:
        """Read from a copy that is brought to the present schema: the file itself stays as it is.

        Raises
        ------
        LongtailError
            The file holds no schema at all, since its creation was interrupted.
        """
        if version == 0:
            raise LongtailError(
                f"The project {self.path.parent.name} was made by an older version of Longtail "
                "and cannot be updated while it is open for reading only.",
                "Open it once where it can be written and no other Longtail has it open.",
            )
        folder = Path(tempfile.mkdtemp(prefix="longtail-"))
        copied = folder / self.path.name
        with (
            closing(sqlite3.connect(copied)) as copy,
            closing(sqlite3.connect(self._place, uri=True)) as old,
        ):
            old.backup(copy)
        self._drop_copy()
        self._copy = folder
        self._engine.dispose()
        self._engine = self._connect(f"{copied.resolve().as_uri()}?mode=rw")
        with _sentences(self.path), self._engine.execution_options(writes=True).begin() as one:
            upgrade(one)


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise _failure(path, str(getattr(error, "orig", error))) from error


def _failure(path: Path, words: str) -> LongtailError:
    project = path.parent.name
    if "full" in words:
        return LongtailError(
            f"The disk is full, so the change to {project} could not be saved; "
            "everything before it is intact.",
            "Free some space and try again.",
        )
    if "malformed" in words or "not a database" in words:
        return LongtailError(
            f"The file {path.name} of {project} is damaged and cannot be read ({words}).",
            f"Restore {path.name} from a backup; the label maps in the folder annotations "
            "are separate files and can be imported into a new project.",
        )
    if "locked" in words:
        return LongtailError(
            f"Another program is writing to {path.name} of {project}.",
            "Close it and try again.",
        )
    return LongtailError(
        f"The database {path.name} of {project} could not be used ({words}).",
        "Check that the disk is connected and that you may read and write the folder.",
    )
