"""Embed images, pixels or regions, and show embeddings in the plane; all in the compute process.

Embeddings lie in the run's folder, or without a run in the project's cache, under a name made of
all that decides them: the weights, the cases' files and, where they matter, the labels. What is
there already is used again.
"""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

from ..backend.events import Artifact, Event, Progress
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from ..explain.embedding_file import (
    FOLDER,
    Frames,
    Kind,
    Picture,
    PictureAbout,
    Way,
    check_named,
    read_embedding,
    read_picture,
    write_embedding,
    write_frames,
    write_picture,
)
from .opening import opened, run_folder

if TYPE_CHECKING:
    from collections.abc import Generator

T = TypeVar("T")

_EMBEDDING = re.compile(
    r"(?:cache|runs/[^/\\]{1,200})/embeddings/(?:images|pixels|regions)-[0-9a-f]{16}\.npz"
)


@dataclass(frozen=True)
class EmbedJob(Job):
    """Give each image, or pixels or regions of scans, as points in a network's feature space.

    The result holds `file` (relative to the project; `read_embedding` of
    `longtail.core.explain.embedding_file` reads it and tells what is in it), `kind`, `run` (None
    for the pretrained encoder), `encoder` (its name in words), `count` (points), `cases`, `width`,
    `skipped` (mappings of `case` and `reason`), `reused` (how many cases were known before),
    `seconds` and `weights_hash`. Stopped, it keeps what was looked at until then.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        The run; None takes the pretrained encoder, which needs no training (images alone).
    which
        The checkpoint: `best`, `last` or `class-<id>`.
    cases
        Ids; None takes all cases.
    kind
        `images`: one point a case. `pixels`: pixels of scans, as many of each class. `regions`: the
        mean of some pixels of each class in each case. The latter two need a run on label maps;
        of cases without labels they take what the run says, and without `cases` they look at some
        200, labelled ones first.
    points
        How many pixels in all, about.
    """

    interactive: ClassVar[bool] = True

    project: str
    run_id: str | None = None
    which: str = "best"
    cases: tuple[str, ...] | None = None
    kind: Kind = "images"
    points: int = 6000

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Embed {self.kind} by {self.run_id or 'the pretrained encoder'}"

    def run(self, context: JobContext) -> Steps:
        """Look at what is not known yet, and write the embedding."""
        from .embedding_images import ImageEmbedder
        from .embedding_pixels import PixelEmbedder
        from .embedding_store import file_of, folder_of, forget_old, known

        began = time.monotonic()
        with opened(self.project) as project:
            kind = ImageEmbedder if self.kind == "images" else PixelEmbedder
            embedder = kind(self, project, context)
            folder = folder_of(project, self.run_id)
            embedding = known(file_of(folder, embedder.about))
            if embedding is None:
                embedding = yield from embedder.work()
                path = file_of(folder, embedding.about)
                write_embedding(path, embedding)
                forget_old(folder, path.stem)
            path = file_of(folder, embedding.about)
            file = path.relative_to(project.path).as_posix()
        yield Artifact(path.as_posix(), "embedding")
        return {
            "file": file,
            "kind": self.kind,
            "run": self.run_id,
            "encoder": embedding.about.encoder,
            "count": len(embedding.features),
            "cases": len(embedding.case_ids),
            "width": embedding.features.shape[1],
            "skipped": [{"case": n, "reason": r} for n, r in embedder.tally.skipped],
            "reused": embedder.reused,
            "seconds": round(time.monotonic() - began, 2),
            "weights_hash": embedding.about.weights_hash,
        }


@dataclass(frozen=True)
class ProjectJob(Job):
    """Show an embedding in the plane.

    The result holds `file` (relative to the project; `read_picture` of
    `longtail.core.explain.embedding_file` reads it: `points` (point, 2) in the order of the
    embedding), `way`, `seed`, `count`, `explained` (PCA: the share of each axis; else empty) and
    `seconds`.

    Parameters
    ----------
    project
        The project's folder.
    file
        The embedding, as the result of `EmbedJob` names it.
    way
        `pca` (at once), `umap` or `tsne`.
    seed
        Equal seeds give equal pictures.
    """

    interactive: ClassVar[bool] = True

    project: str
    file: str
    way: Way = "pca"
    seed: int = 0

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Lay points out by {WAY_NAMES[self.way]}"

    def run(self, context: JobContext) -> Steps:
        """Compute the picture, or take the one that is there."""
        began = time.monotonic()
        source = Path(self.project) / check_named(self.file, _EMBEDDING, "an embedding")
        embedding = read_embedding(source)
        path = source.with_name(f"{source.stem}--{self.way}-{self.seed}.npz")
        picture = known_picture(path, embedding.about.key, len(embedding.features))
        if picture is None:
            from ..explain.projection_ways import flatten

            steps = flatten(embedding.features, self.way, self.seed)
            flat = yield from told(steps, context, f"Laying out by {WAY_NAMES[self.way]}")
            about = PictureAbout(
                key=embedding.about.key, way=self.way, seed=self.seed, explained=flat.explained
            )
            picture = Picture(about, flat.points)
            write_picture(path, picture)
        yield Artifact(path.as_posix(), "picture")
        return {
            "file": f"{self.file.rpartition('/')[0]}/{path.name}",
            "way": self.way,
            "seed": self.seed,
            "count": len(picture.points),
            "explained": list(picture.about.explained),
            "seconds": round(time.monotonic() - began, 2),
        }


@dataclass(frozen=True)
class ProjectFramesJob(Job):
    """Show in the plane how the features of some images formed while a run learned.

    The result holds `file` (relative to the project; `read_frames` of
    `longtail.core.explain.embedding_file` reads it: `points` (frame, case, 2), `steps`,
    `case_ids`), `way`, `seed`, `steps`, `count` (cases) and `seconds`. Frames lie on each other:
    see `longtail.core.explain.projection_frames`.

    Parameters
    ----------
    project
        The project's folder.
    run_id
        A run that kept frames (`longtail.core.explain.embedding_frames.frame_steps` lists them).
    way, seed
        As in `ProjectJob`.
    """

    interactive: ClassVar[bool] = True

    project: str
    run_id: str
    way: Way = "pca"
    seed: int = 0

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return f"Lay out how {self.run_id} learned by {WAY_NAMES[self.way]}"

    def run(self, context: JobContext) -> Steps:
        """Compute the pictures, or take those that are there."""
        from .embedding_frames import known_frames, read_all

        began = time.monotonic()
        folder = run_folder(self.project, self.run_id)
        path = folder / FOLDER / f"frames--{self.way}-{self.seed}.npz"
        case_ids, steps, key = read_all(folder)
        frames = known_frames(path, key)
        if frames is None:
            from ..explain.embedding_frames import read_frame
            from ..explain.projection_frames import flatten_frames

            features = [read_frame(folder, step, len(case_ids)) for step in steps]
            work = flatten_frames(features, self.way, self.seed)
            points = yield from told(work, context, f"Laying out by {WAY_NAMES[self.way]}")
            about = PictureAbout(key=key, way=self.way, seed=self.seed)
            frames = Frames(about, case_ids, steps, points)
            write_frames(path, frames)
        yield Artifact(path.as_posix(), "replay")
        return {
            "file": f"runs/{self.run_id}/{FOLDER}/{path.name}",
            "way": self.way,
            "seed": self.seed,
            "steps": list(frames.steps),
            "count": len(frames.case_ids),
            "seconds": round(time.monotonic() - began, 2),
        }


WAY_NAMES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}


def known_picture(path: Path, key: str, count: int) -> Picture | None:
    """Give a picture that was made of this embedding before; a damaged one counts as none."""
    if not path.is_file():
        return None
    try:
        picture = read_picture(path)
    except LongtailError:
        return None
    fits = picture.about.key == key and len(picture.points) == count
    return picture if fits else None


def told(
    steps: "Generator[tuple[int, int], None, T]", context: JobContext, what: str
) -> "Generator[Event, None, T]":
    """Tell the steps as progress, with a safe point after each; a cancelled one is cleaned up."""
    try:
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                found: T = end.value
                return found
            yield Progress(done, total, what=what)
            yield from context.safe_point()
    finally:
        steps.close()
