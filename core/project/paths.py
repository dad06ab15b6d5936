"""Stored paths: relative to the project, or `root:NAME/rest` from a named folder outside it."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from ..errors import LongtailError

ROOT_PREFIX = "root:"
LONGEST_STEM = 200
"""Bytes of a file name that a case's id may take; file systems allow 255 with what we add."""

_FORBIDDEN = re.compile(r"[\x00-\x1f\\]")


def file_stem(case_id: str) -> str:
    """Give the name, without suffix, of the files that belong to a case."""
    return case_id.replace("/", "__")


def id_problem(case_id: str) -> str | None:
    """Say why an id cannot be used, as a sentence; None if it can."""
    if not case_id.strip():
        return "The name is empty."
    if _FORBIDDEN.search(case_id) or case_id.startswith("/"):
        return "The name holds characters that file names cannot have."
    if len(file_stem(case_id).encode()) > LONGEST_STEM:
        return f"The name is longer than {LONGEST_STEM} characters."
    return None


def inside(folder: Path, stored: str) -> Path:
    """Resolve a stored relative path under `folder`, and refuse one that leads out of it.

    Raises
    ------
    LongtailError
        The path is absolute or climbs out of the folder.
    """
    _refuse_escape(stored, folder.name)
    return folder / stored


class StoredPaths:
    """Turns absolute paths into stored ones and back.

    Parameters
    ----------
    project
        The project's folder.
    roots
        Absolute folder of each named root.
    """

    def __init__(self, project: Path, roots: Mapping[str, str]) -> None:
        self.roots = dict(roots)
        self._project = project
        self._here = f"{_plain(project)}/"
        self._prefixes = {name: f"{folder.rstrip('/')}/" for name, folder in roots.items()}

    def add_roots(self, paths: Iterable[str]) -> dict[str, str]:
        """Name the folders that hold `paths` and that no root covers yet; give the new ones."""
        parents = {_plain(path).rpartition("/")[0] + "/" for path in paths}
        loose = sorted(parent for parent in parents if not self._covered(parent))
        new = {}
        for folder in _common_folders(loose):
            name = self._free_name(folder)
            new[name] = self.roots[name] = folder
            self._prefixes[name] = f"{folder.rstrip('/')}/"
        return new

    def store(self, path: str) -> str:
        """Turn an absolute path under the project or a root into its stored form."""
        plain = _plain(path)
        if plain.startswith(self._here):
            return plain[len(self._here) :]
        for name, prefix in self._prefixes.items():
            if plain.startswith(prefix):
                return f"{ROOT_PREFIX}{name}/{plain[len(prefix) :]}"
        raise LongtailError(f"The file {path} lies under no folder that the project knows.")

    def resolve(self, stored: str) -> str:
        """Turn a stored path into an absolute one with `/`.

        Raises
        ------
        LongtailError
            The path leads out of its folder, or its root is unknown.
        """
        if not stored.startswith(ROOT_PREFIX):
            return _plain(inside(self._project, stored))
        name, _, rest = stored[len(ROOT_PREFIX) :].partition("/")
        if name not in self.roots:
            raise LongtailError(f"The project knows no folder named {name!r}.")
        _refuse_escape(rest, name)
        return self._prefixes[name] + rest

    def _covered(self, folder: str) -> bool:
        return folder.startswith((self._here, *self._prefixes.values()))

    def _free_name(self, folder: str) -> str:
        stem = re.sub(r"[^\w.-]+", "-", PurePosixPath(folder).name).strip("-") or "images"
        taken = set(self.roots)
        names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 10_000))
        return next(name for name in names if name not in taken)


def _plain(path: str | Path) -> str:
    return os.path.abspath(path).replace(os.sep, "/")


def _refuse_escape(stored: str, folder: str) -> None:
    if _escapes(stored):
        raise LongtailError(
            f"The path {stored!r} stored in the project leads out of the folder {folder}.",
            "The project may have been tampered with; do not use it.",
        )


def _escapes(stored: str) -> bool:
    if stored.startswith(("/", "\\")) or stored[1:2] == ":":
        return True
    return ".." in stored.replace("\\", "/").split("/")


def _common_folders(folders: list[str]) -> list[str]:
    """Join folders to their common one, unless that is the top of a disk."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for folder in folders:
        groups.setdefault(tuple(folder.split("/")[:3]), []).append(folder)
    return [os.path.commonpath(group).replace(os.sep, "/") for group in groups.values()]
