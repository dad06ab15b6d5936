"""Write aside, then replace: a file is either the old one or the whole new one."""

import errno
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import LongtailError

# Virus scanners and indexers on Windows hold a fresh file open for a moment.
REPLACE_TRIES = 8
FIRST_WAIT_S = 0.02


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, which replaces it when the block ends well.

    The temporary file keeps the suffixes of `path`, since many writers choose their format by them.

    Raises
    ------
    LongtailError
        The disk is full or the folder cannot be written; the old file is intact.
    """
    # Not `tempfile`: its files are for the owner alone, and the project may be on a shared disk.
    aside = path.with_name(f".writing-{uuid.uuid4().hex[:12]}{''.join(path.suffixes[-2:])}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.touch(exist_ok=False)
    except OSError as error:
        raise writing_failed(path, error) from error
    try:
        yield aside
        _flush_to_disk(aside)
        _replace(aside, path)
    except OSError as error:
        raise writing_failed(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8; see `replacing` for what it raises."""
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, document: Any) -> None:
    """Replace `path` by `document` as indented JSON; see `replacing` for what it raises."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def writing_failed(path: Path, error: OSError) -> LongtailError:
    """Say in a sentence why `path` could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LongtailError(
            f"The disk is full, so {path.name} could not be saved; its former version is intact.",
            "Free some space and save again.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return LongtailError(
            f"{path.name} could not be saved: the folder {path.parent} cannot be written.",
            "Ask for write permission or copy the project to a folder of your own.",
        )
    return LongtailError(
        f"{path.name} could not be saved in {path.parent}: {error.strerror or error}.",
        "Check that the disk is connected and try again.",
    )


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _replace(aside: Path, path: Path) -> None:
    for attempt in range(REPLACE_TRIES):
        try:
            os.replace(aside, path)
        except PermissionError:
            if attempt == REPLACE_TRIES - 1:
                raise
            time.sleep(FIRST_WAIT_S * 2**attempt)
        else:
            return
