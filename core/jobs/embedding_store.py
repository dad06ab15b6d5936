"""Where embeddings are kept, under which names, and what of them can be used again."""

import hashlib
import json
import os
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..errors import LongtailError
from ..explain.embedding_file import (
    FOLDER,
    Embedding,
    EmbeddingAbout,
    Kind,
    read_about,
    read_embedding,
)
from ..io.image_paths import split_source
from ..project.records import Case
from ..project.store import Project

KEPT = 8
"""Embeddings that stay in a folder; older ones go with their pictures."""

_OURS = re.compile(r"((?:images|pixels|regions)-[0-9a-f]{16})(?:--[a-z0-9-]{1,40})?\.npz")


class Row(NamedTuple):
    """What is known of one case."""

    features: np.ndarray[Any, Any]
    logits: np.ndarray[Any, Any]
    place: tuple[int, int, int]


def folder_of(project: Project, run_id: str | None) -> Path:
    """Give where embeddings of a run lie; None is the pretrained encoder."""
    return (project.run_folder(run_id) if run_id else project.path / "cache") / FOLDER


def file_of(folder: Path, about: EmbeddingAbout) -> Path:
    """Give the file of an embedding."""
    return folder / f"{about.kind}-{about.key}.npz"


def digest(*parts: Any) -> str:
    """Give sixteen digits that stand for plain data."""
    text = json.dumps(parts, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def key_of(eyes: str, kind: Kind, cases: Sequence[Case], *more: Any) -> str:
    """Give what an embedding is kept under: who looks, and at what."""
    return digest(eyes, kind, [(case.id, mark_of(case)) for case in cases], more)


def mark_of(case: Case) -> int:
    """Give a number that changes with the case's name or files, without reading them."""
    found = hashlib.sha256(case.id.encode())
    for channel in case.channels:
        found.update(f"\n{channel}".encode())
        try:
            about = os.stat(split_source(channel).path)
        except OSError:
            continue
        found.update(f" {about.st_size} {about.st_mtime_ns}".encode())
    return int.from_bytes(found.digest()[:8], "little")


def known(path: Path) -> Embedding | None:
    """Read an embedding; one that is damaged counts as none, since it is made again."""
    if not path.is_file():
        return None
    try:
        return read_embedding(path)
    except LongtailError:
        return None


def known_rows(folder: Path, about: EmbeddingAbout, wanted: Collection[int]) -> dict[int, Row]:
    """Collect what the same eyes have seen before of the wanted marks of cases."""
    rows: dict[int, Row] = {}
    for path in _newest_first(folder, f"{about.kind}-"):
        if len(rows) == len(wanted):
            break
        before = known(path) if _has_eyes(path, about.eyes) else None
        for at, mark in enumerate(before.marks.tolist() if before else ()):
            if before and mark in wanted and mark not in rows:
                z, y, x = before.places[at].tolist()
                rows[mark] = Row(before.features[at], before.logits[at], (z, y, x))
    return rows


def _has_eyes(path: Path, eyes: str) -> bool:
    try:
        return read_about(path).eyes == eyes
    except LongtailError:
        return False


def forget_old(folder: Path, keep: str) -> None:
    """Delete all but the newest embeddings of a folder, with their pictures."""
    kept = {keep, *(path.stem for path in _newest_first(folder)[:KEPT])}
    for path in folder.glob("*.npz"):
        ours = _OURS.fullmatch(path.name)
        if ours and ours.group(1) not in kept:
            path.unlink(missing_ok=True)


def _newest_first(folder: Path, prefix: str = "") -> list[Path]:
    found = [path for path in folder.glob(f"{prefix}*.npz") if _is_embedding(path)]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


def _is_embedding(path: Path) -> bool:
    ours = _OURS.fullmatch(path.name)
    return ours is not None and ours.group(1) == path.stem
