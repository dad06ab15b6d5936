"""napari's readers: a project folder, a DICOM series, NIfTI and its kin."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from .layers import LayerData, layers_of

PathOrPaths: TypeAlias = str | list[str]
Reader: TypeAlias = Callable[[PathOrPaths], list[LayerData]]

DICOM_PREAMBLE_BYTES = 128
LOOKED_AT = 8


def read_folder(path: PathOrPaths) -> Reader | None:
    """Take a project folder or a folder with a DICOM series; leave all else to others."""
    first = Path(path if isinstance(path, str) else path[0])
    if first.suffix == ".longtail" and (first / "project.db").is_file():
        return read_project(str(first))
    if first.is_dir() and _holds_dicom(first):
        return _read
    return None


def read_project(path: PathOrPaths) -> Reader | None:
    """Open a project in the panels of the current viewer; they show its images themselves."""
    return _open_project


def read_image(path: PathOrPaths) -> Reader | None:
    """Take a medical image file; its layers get their scale in millimetres."""
    return _read


def _read(path: PathOrPaths) -> list[LayerData]:
    paths = [path] if isinstance(path, str) else path
    return [layer for one in paths for layer in layers_of(one)]


def _open_project(path: PathOrPaths) -> list[LayerData]:
    from .widgets import open_project

    open_project(Path(path if isinstance(path, str) else path[0]))
    # napari's sign for "read, and nothing to add": the panels add the layers of the case shown.
    return [(None,)]  # type: ignore[list-item]


def _holds_dicom(folder: Path) -> bool:
    files = [file for file in sorted(folder.iterdir())[:LOOKED_AT] if file.is_file()]
    return any(_is_dicom(file) for file in files)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(DICOM_PREAMBLE_BYTES)
        return file.read(4) == b"DICM"
