"""The files of label maps: the present one of each case, and the older versions."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..files import writing_failed
from .paths import file_stem

CURRENT = "annotations"
HISTORY = "annotations/history"
SUFFIX = ".nii.gz"


def current_map(case_id: str) -> str:
    """Give the place of a case's label map, relative to the project."""
    return f"{CURRENT}/{file_stem(case_id)}{SUFFIX}"


def kept_map(case_id: str, version: int) -> str:
    """Give the place of an older version, relative to the project."""
    return f"{HISTORY}/{file_stem(case_id)}.v{version}{SUFFIX}"


@contextmanager
def exchanging(project: Path, case_id: str, version: int | None) -> Iterator[Path]:
    """Let the block write or remove a case's label map; keep the former one as `version`.

    When the block raises, the former file is back in its place. `version` None: there is no
    former file.
    """
    former = None if version is None else project / kept_map(case_id, version)
    with exchanging_files(project / current_map(case_id), former) as current:
        yield current


@contextmanager
def exchanging_files(current: Path, former: Path | None) -> Iterator[Path]:
    """Let the block write or remove `current`; keep what it was as `former`, None for nothing.

    When the block raises, the former file is back in its place.
    """
    if former is not None:
        _keep(current, former)
    try:
        yield current
    except BaseException:
        if former is None:
            current.unlink(missing_ok=True)
        else:
            os.replace(former, current)
        raise


def _keep(current: Path, former: Path) -> None:
    # One that is there already stems from a process killed in between: it is the version that
    # the database knows, and the present file is not.
    if former.exists():
        return
    try:
        former.parent.mkdir(parents=True, exist_ok=True)
        _link_or_copy(current, former)
    except OSError as error:
        former.unlink(missing_ok=True)
        raise writing_failed(former, error) from error


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # FAT and some shares know no links.
        shutil.copy2(source, target)
