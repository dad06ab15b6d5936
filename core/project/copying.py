"""A copy of a project without its runs: cases, classes, labels and parts as they are now."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from ..errors import LongtailError
from ..files import writing_failed
from .folder import DATABASE, FOLDERS
from .schema import predictions, runs

NOT_COPIED = ("runs", "cache", "journal", "comparisons", "trash", f"{DATABASE}*", "*.lock")


def copy_project(source: Path, target: Path) -> None:
    """Copy a project, with its labels as they were last saved, to a folder that is not there yet.

    It may be open elsewhere. Files are shared with the copy where the disk allows it: a project
    replaces files and never changes one.

    Raises
    ------
    LongtailError
        The project cannot be read, or the copy not be written.
    """
    try:
        shutil.copytree(source, target, symlinks=True, ignore=_but(target), copy_function=_share)
        for name in FOLDERS:
            (target / name).mkdir(exist_ok=True)
        _copy_database(source / DATABASE, target / DATABASE)
    except OSError as error:
        raise writing_failed(target / DATABASE, error) from error
    except sqlite3.Error as error:
        raise LongtailError(
            f"The project {source.name} could not be copied: {error}.",
            "Close it in other programs, or copy to a disk with enough space.",
        ) from error


def _but(target: Path) -> Callable[[str, list[str]], set[str]]:
    """Leave out what is not copied, and the way to a target inside of the source."""
    usual = shutil.ignore_patterns(*NOT_COPIED)
    on_the_way = {target.resolve(), *target.resolve().parents}

    def ignored(folder: str, names: list[str]) -> set[str]:
        place = Path(folder).resolve()
        return {*usual(folder, names), *(name for name in names if place / name in on_the_way)}

    return ignored


def _copy_database(source: Path, target: Path) -> None:
    # Another process may be writing: SQLite's own copy is whole.
    address = f"{source.resolve().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True)) as ours,
        closing(sqlite3.connect(target)) as theirs,
    ):
        ours.backup(theirs)
        with theirs:
            for table in (predictions, runs):
                theirs.execute(f"DELETE FROM {table.name}")


def _share(source: str, target: str) -> str:
    """Link a file; copy it where the disk cannot."""
    try:
        os.link(source, target)
    except OSError:
        try:
            shutil.copy2(source, target)
        except OSError as error:
            # `copytree` would go on, and tell of all files at its end what it was not told.
            raise writing_failed(Path(target), error) from error
    return target
