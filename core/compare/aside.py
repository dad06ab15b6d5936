"""Project folders of a comparison: whole, or not there."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def made_aside(target: Path) -> Iterator[Path]:
    """Give a folder's path beside `target`, which gets that name when the block ends well."""
    aside = target.with_name(f"making-{target.name}")
    shutil.rmtree(aside, ignore_errors=True)  # what an earlier try left
    target.parent.mkdir(parents=True, exist_ok=True)
    yield aside
    aside.rename(target)
