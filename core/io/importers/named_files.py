"""The files of images that tables name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ...errors import LongtailError
from ..finder import FileFinder
from .listing import case_id
from .plan import FoundCase, Skipped
from .request import Request

MISSING = "the table names it, but it is not there."


class Named(Protocol):
    """An image by its name, and the table that names it."""

    @property
    def name(self) -> str:
        """The name in the table."""
        ...

    @property
    def table(self) -> Path:
        """The file of the table."""
        ...


T = TypeVar("T", bound=Named)


def files_of(images: Sequence[T], request: Request) -> tuple[list[tuple[T, str]], list[Skipped]]:
    """Give each image with its file, looked for around its table, and those that are not there.

    Raises
    ------
    LongtailError
        None of them is there.
    """
    finders: dict[Path, FileFinder] = {}
    found: list[tuple[T, str]] = []
    lost: list[Skipped] = []
    for image in images:
        folder = image.table.parent
        if folder not in finders:
            finders[folder] = FileFinder(folder, request.root)
        path = finders[folder].find(image.name)
        if path is None:
            lost.append(Skipped(image.name, MISSING))
        else:
            found.append((image, path))
    if not found:
        raise LongtailError(
            f"None of the {len(images):,} images that the tables in {request.root.name} name is "
            "there" + (f"; the first is {images[0].name}." if images else "."),
            "Unpack the images beside the table, or choose their folder as source and give the "
            "table as labels.",
        )
    return found, lost


def case_of(path: str, root: Path, **facts: Any) -> FoundCase:
    """Make the case of one file; its size is read later."""
    inside = path.removeprefix(f"{root.as_posix().rstrip('/')}/")
    return FoundCase(
        id=case_id(inside if inside != path else Path(path).name),
        channels=(path,),
        shape=(),
        channel_count=1,
        spacing_mm=None,
        **facts,
    )
