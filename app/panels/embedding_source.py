"""Whose eyes an embedding is seen with, and what of it lies on the disk. Free of Qt and torch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import LongtailError
from ...core.explain.embedding_file import (
    FOLDER,
    Embedding,
    Kind,
    Picture,
    Way,
    read_embedding,
    read_picture,
)
from ...core.explain.embedding_frames import frame_steps
from ...core.project.catalogue import Catalogue
from ...core.project.records import RunRecord, Task
from .embedding_grid import PointGrid
from .results_state import is_learning, run_title

if TYPE_CHECKING:
    from ...core.project.store import Project

WAYS: dict[Way, str] = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
WAY_TIPS: dict[Way, str] = {
    "pca": "The two directions in which the images differ most: exact, at once",
    "umap": "Neighbours stay together: shows groups; distances between groups say little",
    "tsne": "Neighbours stay together: shows groups; their sizes and distances say little",
}
SEED = 0
PRETRAINED = "Pretrained, before any training"
KIND_WORDS: dict[Kind, str] = {"images": "images", "pixels": "pixels", "regions": "regions"}
_OURS = re.compile(r"(images|pixels|regions)-[0-9a-f]{16}")
_SEEN_STATES = ("completed", "stopped")


@dataclass(frozen=True, slots=True)
class Source:
    """A network and what it looks at; without a run it is the pretrained encoder."""

    run_id: str | None
    kind: Kind
    title: str

    @property
    def key(self) -> str:
        """What it is remembered by."""
        return f"{self.run_id or ''}|{self.kind}"


@dataclass(frozen=True)
class Seen:
    """An embedding that was read, its features left on the disk, with its picture if there is one.

    `file` is relative to the project; `grid` sorts the picture's points for the mouse.
    """

    file: str
    embedding: Embedding
    picture: Picture | None = None
    grid: PointGrid | None = None

    def missing(self, catalogue: Catalogue) -> int:
        """Count the cases that it does not hold."""
        return len(set(catalogue.ids) - set(self.embedding.case_ids))


def sources(project: "Project", runs: Sequence[RunRecord]) -> list[Source]:
    """List whose eyes can be used, the newest run first."""
    drawn = project.task is Task.SEGMENTATION
    found = []
    for run in reversed(runs):
        if run.state in _SEEN_STATES or is_learning(project, run):
            title = run_title(run)
            kinds: tuple[Kind, ...] = ("regions", "pixels", "images") if drawn else ("images",)
            for kind in kinds:
                named = f"{title} · {KIND_WORDS[kind]}" if drawn else title
                found.append(Source(run.id, kind, named))
    return [*found, Source(None, "images", PRETRAINED)]


def folder_of(project: "Project", source: Source) -> Path:
    """Give where its embeddings lie."""
    own = project.run_folder(source.run_id) if source.run_id else project.path / "cache"
    return own / FOLDER


def read_newest(project: "Project", source: Source, way: Way) -> Seen | None:
    """Read the newest embedding of a source with its picture; None where there is none.

    Large ones take a second, so ask in a thread.

    Raises
    ------
    LongtailError
        The newest one is damaged.
    """
    found = newest(folder_of(project, source), source.kind)
    return None if found is None else read_seen(project.path, found, way)


def kept_steps(project: "Project", source: Source) -> tuple[int, ...]:
    """List the steps of which a run has kept how its features lay."""
    if source.run_id is None or source.kind != "images":
        return ()
    return tuple(frame_steps(project.run_folder(source.run_id)))


def newest(folder: Path, kind: Kind) -> Path | None:
    """Give the embedding of a kind that was written last."""
    there = [p for p in folder.glob(f"{kind}-*.npz") if _OURS.fullmatch(p.stem)]
    return max(there, key=lambda path: path.stat().st_mtime_ns, default=None)


def read_seen(project: Path, path: Path, way: Way) -> Seen:
    """Read an embedding and the picture of it that was made in one way, if there is one.

    Raises
    ------
    LongtailError
        The embedding is damaged; a damaged picture counts as none, since it is made again.
    """
    embedding = read_embedding(path)
    picture = _picture(path, embedding, way)
    # The window draws and counts; only a search for neighbours needs features, and reads them then.
    light = embedding._replace(features=np.zeros((0, 0), np.float16))
    grid = PointGrid(picture.points) if picture is not None else None
    return Seen(path.relative_to(project).as_posix(), light, picture, grid)


def _picture(path: Path, embedding: Embedding, way: Way) -> Picture | None:
    made = path.with_name(f"{path.stem}--{way}-{SEED}.npz")
    if not made.is_file():
        return None
    try:
        picture = read_picture(made)
    except LongtailError:
        return None
    fits = picture.about.key == embedding.about.key
    return picture if fits and len(picture.points) == len(embedding.rows) else None
