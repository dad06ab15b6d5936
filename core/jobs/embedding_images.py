"""The work of `EmbedJob` on whole images: only what is not known yet is looked at."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..explain.embedding_file import Embedding, EmbeddingAbout
from ..project.records import Case
from ..project.store import Project
from .embedding_store import Row, digest, folder_of, key_of, known_rows, mark_of
from .predicting import Clock, Tally, chosen_cases, load_run

if TYPE_CHECKING:
    from ..explain.embed import Eyes, Prepared, Seen
    from .embedding import EmbedJob

AHEAD = 24
"""Images that are read ahead of the network."""

WHAT = "Looking at the images"

T = TypeVar("T")
S = TypeVar("S")


class ImageEmbedder:
    """Embeds whole images.

    Attributes
    ----------
    about
        What the embedding will be.
    tally
        The cases that had to be left out.
    reused
        How many cases were known before.
    """

    def __init__(self, job: "EmbedJob", project: Project, context: JobContext) -> None:
        self._context = context
        self._folder = folder_of(project, job.run_id)
        self._cases = chosen_cases(project, job.cases, None)
        self._eyes, self.about = _open_eyes(job, project, context.device)
        key = key_of(self.about.eyes, "images", self._cases)
        self.about = self.about.model_copy(update={"key": key})
        self.tally = Tally()
        self.reused = len(self._cases)

    def work(self) -> Generator[Event, None, Embedding]:
        """Look at the cases that no earlier embedding by the same eyes holds."""
        marks = {case.id: mark_of(case) for case in self._cases}
        before = known_rows(self._folder, self.about, set(marks.values()))
        rows = {id_: before[mark] for id_, mark in marks.items() if mark in before}
        self.reused = len(rows)
        yield from self._look([case for case in self._cases if case.id not in rows], rows)
        if not rows:
            self.tally.check_any()
            raise LongtailError("No image was looked at.", "Let it go on for a while.")
        kept = [case for case in self._cases if case.id in rows]
        if self._context.stop_asked:
            key = key_of(self.about.eyes, "images", kept)
            self.about = self.about.model_copy(update={"key": key})
        return _put_together(self.about, kept, rows, marks)

    def _look(self, cases: Sequence[Case], rows: dict[str, Row]) -> Iterator[Event]:
        from ..explain.embed import embed

        if not cases:
            return
        clock, done = Clock(len(cases), WHAT), 0
        yield clock.progress(0)
        for batch in embed(self._eyes, self._read(cases)):
            rows |= {one.name: _row(one) for one in batch}
            done += len(batch)
            yield from self.tally.warnings()
            yield clock.progress(done + len(self.tally.skipped))
            if self._context.stop_asked:
                return
            yield from self._context.safe_point()
        yield from self.tally.warnings()

    def _read(self, cases: Sequence[Case]) -> "Iterator[tuple[str, Prepared]]":
        from ..data.volumes import read_case

        def prepare(case: Case) -> "Prepared | LongtailError":
            try:
                return self._eyes.prepare(read_case(case))
            except LongtailError as error:
                return error

        for case, found in ahead(prepare, cases, self._context.threads):
            if isinstance(found, LongtailError):
                self.tally.skip(case.id, found)
            else:
                yield case.id, found


def ahead(work: Callable[[S], T], items: Iterable[S], threads: int) -> Iterator[tuple[S, T]]:
    """Work on items in threads, some ahead of the one that is asked for; gives them in order."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        coming: deque[tuple[S, Any]] = deque()
        try:
            for item in items:
                coming.append((item, pool.submit(work, item)))
                if len(coming) > AHEAD:
                    first, future = coming.popleft()
                    yield first, future.result()
            while coming:
                first, future = coming.popleft()
                yield first, future.result()
        finally:
            for _, future in coming:
                future.cancel()


def _open_eyes(job: "EmbedJob", project: Project, device: str) -> "tuple[Eyes, EmbeddingAbout]":
    from ..explain.embed import pretrained_eyes, run_eyes

    if job.run_id is None:
        eyes, known = pretrained_eyes(device), {}
    else:
        network = load_run(project, job.run_id, job.which, device)
        card = network.card
        eyes = run_eyes(network.network, card, network.weights_hash, device)
        known = {
            "run": job.run_id,
            "which": job.which,
            "class_ids": card.class_ids,
            "class_names": card.class_names,
            "prior": card.prior,
        }
    return eyes, EmbeddingAbout(
        key="0" * 16,
        kind="images",
        encoder=eyes.name,
        eyes=digest(eyes.weights_hash, dict(eyes.traits)),
        weights_hash=eyes.weights_hash,
        **known,  # type: ignore[arg-type]
    )


def _row(seen: "Seen") -> Row:
    largest = np.finfo(np.float16).max
    features = np.clip(seen.features, -largest, largest).astype(np.float16)
    return Row(features, seen.logits, seen.place)


def _put_together(
    about: EmbeddingAbout, cases: Sequence[Case], rows: Mapping[str, Row], marks: Mapping[str, int]
) -> Embedding:
    found = [rows[case.id] for case in cases]
    unknown = np.full(len(cases), -1, np.int32)
    return Embedding(
        about=about,
        features=np.stack([row.features for row in found]),
        case_ids=tuple(case.id for case in cases),
        rows=np.arange(len(cases), dtype=np.int32),
        places=np.array([row.place for row in found], np.int32),
        classes=unknown,
        predicted=unknown,
        logits=np.stack([row.logits for row in found]).astype(np.float32),
        marks=np.array([marks[case.id] for case in cases], np.uint64),
    )
