"""Find the files that a table names, with one look into each folder."""

import os
from functools import cached_property
from pathlib import Path

from .image_paths import is_inside, strip_suffix


class FileFinder:
    """Looks a name up beside the table, then under the source.

    Where the exact name is absent its stem will do, if only one file has it. Nothing outside of
    the two folders is found.

    Parameters
    ----------
    beside
        The folder of the table, absolute.
    source
        The folder of the images, absolute; also searched below.
    """

    def __init__(self, beside: Path, source: Path) -> None:
        self._source = source
        self._roots = list(dict.fromkeys((beside, source)))
        self._folders: dict[tuple[int, str], _Folder | None] = {}

    def find(self, name: str) -> str | None:
        """Give the absolute path with `/` for a name in the table, None when there is none."""
        folder, _, file = name.strip().replace("\\", "/").rpartition("/")
        if not file:
            return None
        places = [self._folder(index, folder) for index in range(len(self._roots))]
        for place in places:
            if place is not None and file in place.names:
                return f"{place.path}/{file}"
        for place in places:
            if place is not None and (found := place.by_stem(file)) is not None:
                return found
        return self._below(file)

    def _folder(self, index: int, folder: str) -> "_Folder | None":
        key = (index, folder)
        if key not in self._folders:
            self._folders[key] = self._open(self._roots[index] / folder)
        return self._folders[key]

    def _open(self, place: Path) -> "_Folder | None":
        plain = Path(os.path.abspath(place))
        inside = any(is_inside(plain, root) for root in self._roots)
        return _Folder(plain) if inside and plain.is_dir() else None

    def _below(self, file: str) -> str | None:
        for key in (file, strip_suffix(file)):
            matches = self._everywhere.get(key, ())
            if len(matches) == 1:
                return matches[0]
        return None

    @cached_property
    def _everywhere(self) -> dict[str, list[str]]:
        """Files below the source by name and by stem."""
        found: dict[str, list[str]] = {}
        for folder, _, names in os.walk(self._source):
            posix = Path(folder).as_posix()
            for name in names:
                for key in {name, strip_suffix(name)}:
                    found.setdefault(key, []).append(f"{posix}/{name}")
        return found


class _Folder:
    """The files right inside a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.as_posix().rstrip("/")
        with os.scandir(path) as entries:
            # Folders too: a table may name the folder of a DICOM series.
            self.names = frozenset(entry.name for entry in entries)

    def by_stem(self, file: str) -> str | None:
        matches = self._stems.get(strip_suffix(file), ())
        return f"{self.path}/{matches[0]}" if len(matches) == 1 else None

    @cached_property
    def _stems(self) -> dict[str, list[str]]:
        stems: dict[str, list[str]] = {}
        for name in sorted(self.names):
            stems.setdefault(strip_suffix(name), []).append(name)
        return stems
