"""Files to predict that belong to no project: named, and kept safe from being overwritten."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import LongtailError
from ..io.image import split_source, strip_suffix
from ..io.importers import plan_import


class FoundSource(NamedTuple):
    """An image: `name` may hold `/`, `channels` are paths that `core.io.image` reads."""

    name: str
    channels: tuple[str, ...]


def find_sources(sources: Sequence[str], out: Path) -> list[FoundSource]:
    """List the images in files and folders, each under a name of its own.

    Parameters
    ----------
    sources
        Files, or folders that are read as an import reads them (channels, DICOM series).
    out
        Where predictions will be written.

    Raises
    ------
    LongtailError
        A source is absent, there is no image, or a prediction would replace a source.
    """
    found = list(_unique(one for source in sources for one in _images_of(Path(source))))
    if not found:
        raise LongtailError("There is no image to predict.", "Choose files or a folder of images.")
    _check_safe(found, out)
    return found


def _images_of(source: Path) -> Iterator[FoundSource]:
    if not split_source(str(source)).path.exists():
        raise LongtailError(f"There is no {source}.", "Name a file or a folder that exists.")
    if not source.is_dir():
        name = strip_suffix(split_source(str(source)).path.name) or source.name
        yield FoundSource(name, (str(source),))
        return
    for case in plan_import(source).cases:
        yield FoundSource(case.id, case.channels)


def _unique(found: Iterator[FoundSource]) -> Iterator[FoundSource]:
    taken: set[str] = set()
    for one in found:
        name, number = one.name, 2
        while name.casefold() in taken:
            name, number = f"{one.name}-{number}", number + 1
        taken.add(name.casefold())
        yield FoundSource(name, one.channels)


def _check_safe(found: Sequence[FoundSource], out: Path) -> None:
    """Refuse a place where a prediction would take the place of a source image."""
    sources = {split_source(path).path.resolve() for one in found for path in one.channels}
    for one in found:
        for suffix in (".nii.gz", ".png"):
            if (out / f"{one.name}{suffix}").resolve() in sources:
                raise LongtailError(
                    f"The prediction of {one.name} would replace its own image in {out}.",
                    "Choose another folder for the predictions.",
                )
