"""Splits that somebody wrote down: a column of the imported table, or a table of its own."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import LongtailError
from ..io.image import strip_suffix
from ..io.importers.plan import FoundCase
from ..io.table import read_table
from .records import Split
from .splits import SPLIT_WORDS


def written_splits(found: Sequence[FoundCase], split: str) -> dict[str, Split]:
    """Read the part of each case; cases of which nothing is written are not in it.

    Parameters
    ----------
    found
        The cases of an import.
    split
        The name of a column that the import kept, or a CSV file with the columns `file` and
        `split`.

    Raises
    ------
    LongtailError
        There is neither, or a part is none of train, val and test.
    """
    path = Path(split)
    if path.is_file():
        return _from_table(found, path)
    column = _column(found, split)
    written = ((case.id, column(case)) for case in found)
    return {case_id: part_of(word, split) for case_id, word in written if word}


def part_of(word: str, source: str) -> Split:
    """Understand one word, such as `Training`.

    Raises
    ------
    LongtailError
        It is no part.
    """
    part = SPLIT_WORDS.get(word.strip().casefold())
    if part is None:
        raise LongtailError(
            f"{source} says {word!r} where a part is expected.", "Use train, val and test."
        )
    return part


def _column(found: Iterable[FoundCase], name: str) -> Callable[[FoundCase], str]:
    for case in found:
        for key in case.metadata:
            if key.strip().casefold() == name.strip().casefold():
                return lambda case, key=key: case.metadata.get(key, "")  # type: ignore[misc]
        if case.split and name.strip().casefold() == "split":
            return lambda case: case.split or ""
    raise LongtailError(
        f"{name!r} is neither a column of the import nor a file.",
        "Give train/val/test as numbers such as 70/10/20, a column, or a CSV file.",
    )


def _from_table(found: Iterable[FoundCase], path: Path) -> dict[str, Split]:
    table = read_table(path)
    place, part = table.columns["file"], table.columns["split"]
    if part < 0:
        raise LongtailError(f"The table {path.name} has no column named split.")
    words = {_stem(row[place]): row[part] for row in table.rows if row[part].strip()}
    short = {name.rpartition("/")[2]: word for name, word in words.items()}
    written = {}
    for case in found:
        word = words.get(case.id) or short.get(case.id.rpartition("/")[2])
        if word:
            written[case.id] = part_of(word, path.name)
    return written


def _stem(name: str) -> str:
    return strip_suffix(name.strip().replace("\\", "/"))
