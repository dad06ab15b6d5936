"""Image files below a folder, and the ids of the cases that they become."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..image_paths import IMAGE_SUFFIXES, image_suffix, strip_suffix
from .plan import FoundCase

NOT_FOLLOWED = ("__macosx",)


def image_files(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> list[str]:
    """List image files below `folder`, relative to it with `/`, in order."""
    return sorted(
        name
        for name in _walk(folder)
        if image_suffix(name) in suffixes and not _is_half(folder, name)
    )


def case_id(relative: str) -> str:
    """Give the id of a case from its path under the source."""
    folder, slash, name = relative.rpartition("/")
    return f"{folder}{slash}{strip_suffix(name)}"


def with_unique_ids(cases: Iterable[FoundCase]) -> list[FoundCase]:
    """Let cases whose ids would be equal keep the suffixes of their files."""
    listed = list(cases)
    counts = Counter(case.id for case in listed)
    return [replace(case, id=_long_id(case)) if counts[case.id] > 1 else case for case in listed]


def _long_id(case: FoundCase) -> str:
    return case.id + image_suffix(case.channels[0])


def _walk(folder: Path) -> Iterator[str]:
    seen: set[str] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if not _is_hidden(name)]
        if real in seen:
            continue  # a link leads in a circle
        seen.add(real)
        relative = Path(place).relative_to(folder).as_posix()
        prefix = "" if relative == "." else f"{relative}/"
        yield from (prefix + name for name in names if not _is_hidden(name))


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in NOT_FOLLOWED or name.endswith(".longtail")


def _is_half(folder: Path, name: str) -> bool:
    """Tell whether this is the pixel half of an Analyze pair, which its `.hdr` stands for."""
    return name.lower().endswith(".img") and (folder / f"{name[:-4]}.hdr").exists()
